//go:build linux

package remote

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rexwrap/rexwrap/client/clienttest"
	"github.com/rexwrap/rexwrap/integration/rig"
)

// bin holds rexwrap and rexd.
var bin string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "rexwrap-remote")
	if err == nil {
		defer func() { _ = os.RemoveAll(dir) }()
		bin = dir
		err = rig.Build(filepath.Join("..", ".."), dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// A site is one project built by machines that share a remote.
type site struct {
	t      *testing.T
	server *clienttest.Server
	base   string
	set    []string
	plain  map[string]outcome // of the plain compiler, by directory and compile
	// flags, if set, returns what the plain compiler needs in a checkout to
	// make what is wanted.
	flags func(dir string) []string
	rigs  int
}

// newSite makes a site whose settings are set, besides the remote's address.
func newSite(t *testing.T, o clienttest.Options, set ...string) *site {
	t.Helper()
	// Here, not in TestMain: what is opened before a test runs is not remembered.
	if err := rig.TrackSources("../.."); err != nil {
		t.Fatal(err)
	}
	s := &site{t: t, server: clienttest.New(t, o), base: t.TempDir(), plain: make(map[string]outcome)}
	s.set = append([]string{"REXWRAP_REMOTE=" + s.server.Address, "REXWRAP_STRATEGY=local"}, set...)
	return s
}

// machine is a new machine: one with an empty cache.
func (s *site) machine(set ...string) *rig.Rig {
	s.t.Helper()
	s.rigs++
	dir := filepath.Join(s.base, fmt.Sprint("machine", s.rigs))
	if err := os.Mkdir(dir, 0o755); err != nil {
		s.t.Fatal(err)
	}
	r, err := rig.New(bin, dir)
	if err != nil {
		s.t.Fatal(err)
	}
	r.Set = append(slices.Clone(s.set), set...)
	s.t.Cleanup(r.Close)
	return r
}

// emptied is a machine whose cache has been cleared.
func (s *site) emptied(r *rig.Rig) *rig.Rig {
	s.t.Helper()
	if _, err := r.Verb("cache", "clear"); err != nil {
		s.t.Fatal(err)
	}
	return r
}

// checkout writes the project into a directory of the site and returns it.
func (s *site) checkout(name string) string {
	s.t.Helper()
	dir := filepath.Join(s.base, name)
	for path, text := range project() {
		write(s.t, filepath.Join(dir, path), text)
	}
	if err := os.MkdirAll(filepath.Join(dir, ".git"), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := rig.Settle(); err != nil {
		s.t.Fatal(err)
	}
	return dir
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// project is what is built: sources with shared headers, a warning, a file
// whose text names its place.
func project() map[string]string {
	return map[string]string{
		"include/k.h":      "#pragma once\n#define K 7\n#include \"deep/d.h\"\n",
		"include/deep/d.h": "#pragma once\nstatic inline int deep(int x) { return x * 3; }\n",
		"src/a.c":          "#include <stdio.h>\n#include \"k.h\"\nint a(void) { return printf(\"%d\", deep(K)); }\n",
		"src/b.c":          "#include <string.h>\n#include \"k.h\"\nunsigned long b(const char *s) { return strlen(s) + K; }\n",
		"src/warn.c":       "#include \"k.h\"\n#warning \"beware\"\nint warn(int x) { int unused; return deep(x); }\n",
		"src/file.c":       "#include <assert.h>\nconst char *file(void) { assert(K == 7); return __FILE__; }\n",
	}
}

// A compile is one call of the build. Its command line holds DIR for the
// checkout.
type compile struct {
	output string
	argv   []string
}

// compiles are the calls of a build in the folder "out" of a checkout.
func compiles(flags ...string) []compile {
	var out []compile
	for _, name := range []string{"a", "b", "warn", "file"} {
		argv := slices.Concat([]string{"gcc"}, flags, []string{
			"-Wall", "-I../include", "-include", "../include/k.h", "-MMD", "-MF", name + ".d", "-c", "../src/" + name + ".c", "-o", name + ".o",
		})
		out = append(out, compile{name, argv})
	}
	return out
}

// absolute are the same calls as CMake makes them: by absolute paths.
func absolute(flags ...string) []compile {
	var out []compile
	for _, c := range compiles(flags...) {
		for i, arg := range c.argv {
			c.argv[i] = strings.Replace(arg, "../", "DIR/", 1)
		}
		out = append(out, c)
	}
	return out
}

// An outcome is what a compile left.
type outcome struct {
	ended          string
	stdout, stderr string
	files          map[string]string // by name
}

// do runs a compile in a checkout and returns what it left. It removes the
// outputs first.
func (s *site) do(dir string, c compile, env []string, prefix ...string) outcome {
	s.t.Helper()
	work := filepath.Join(dir, "out")
	if err := os.MkdirAll(work, 0o755); err != nil {
		s.t.Fatal(err)
	}
	for _, suffix := range []string{".o", ".d"} {
		_ = os.Remove(filepath.Join(work, c.output+suffix)) // may not be there
	}
	argv := slices.Concat(prefix, c.argv)
	for i := range argv {
		argv[i] = strings.ReplaceAll(argv[i], "DIR", dir)
	}
	res, err := rig.Command{Argv: argv, Dir: work, Env: env}.Run()
	if err != nil {
		s.t.Fatal(err)
	}
	got := outcome{ended: res.Ended(), stdout: string(res.Stdout), stderr: string(res.Stderr), files: map[string]string{}}
	for _, suffix := range []string{".o", ".d"} {
		if data, err := os.ReadFile(filepath.Join(work, c.output+suffix)); err == nil {
			got.files[c.output+suffix] = string(data)
		}
	}
	return got
}

// build runs compiles in a checkout on a machine and compares each with the
// plain compiler. It returns what the machine counted.
func (s *site) build(r *rig.Rig, dir string, list []compile) rig.Stats {
	s.t.Helper()
	before := s.stats(r)
	for _, c := range list {
		key := dir + "\x00" + strings.Join(c.argv, "\x00")
		want, known := s.plain[key]
		if !known {
			bare := c
			if s.flags != nil {
				bare.argv = slices.Insert(slices.Clone(c.argv), 1, s.flags(dir)...)
			}
			want = s.do(dir, bare, r.Env())
			s.plain[key] = want
		}
		got := s.do(dir, c, r.Env(), "rexwrap")
		s.compare(c, want, got)
	}
	s.flush(r)
	return s.stats(r).Sub(before)
}

// warm has one compile executed: what workers have of their own is then known, and
// the one result that this machine compiles as well is behind it.
func (s *site) warm(r *rig.Rig, dir string) *rig.Rig {
	s.t.Helper()
	if got := s.build(r, dir, compiles("-O3")); got.Errors != 0 {
		s.t.Errorf("warming up: %+v", got)
	}
	return r
}

func (s *site) compare(c compile, want, got outcome) {
	s.t.Helper()
	if got.ended != want.ended || got.stdout != want.stdout || got.stderr != want.stderr {
		s.t.Errorf("%s: %s, stdout %q, stderr %q, want %s, %q, %q", c.output, got.ended, got.stdout, got.stderr, want.ended, want.stdout, want.stderr)
	}
	for _, name := range slices.Sorted(maps.Keys(want.files)) {
		if got.files[name] == want.files[name] {
			continue
		}
		if strings.HasSuffix(name, ".d") {
			s.t.Errorf("%s is %q, want %q", name, got.files[name], want.files[name])
		} else {
			s.t.Errorf("%s differs from the plain compiler's", name)
		}
	}
	for name := range got.files {
		if _, ok := want.files[name]; !ok {
			s.t.Errorf("%s was made", name)
		}
	}
}

func (s *site) stats(r *rig.Rig) rig.Stats {
	s.t.Helper()
	st, err := r.Stats()
	if err != nil {
		s.t.Fatal(err)
	}
	return st
}

// flush waits until what r has to upload is uploaded.
func (s *site) flush(r *rig.Rig) {
	s.t.Helper()
	if out, err := r.Verb("cache", "flush"); err != nil {
		s.t.Errorf("flush: %v: %s", err, bytes.TrimSpace(out))
	}
}

// calls returns how often methods were called since the last time.
func (s *site) calls(methods ...string) func() map[string]int {
	before := make(map[string]int)
	for _, m := range methods {
		before[m] = s.server.Calls(m)
	}
	return func() map[string]int {
		now := make(map[string]int)
		for _, m := range methods {
			if n := s.server.Calls(m) - before[m]; n > 0 {
				now[m] = n
			}
		}
		return now
	}
}
