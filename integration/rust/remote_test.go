//go:build linux

package rust

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/rexwrap/rexwrap/client/clienttest"
	"github.com/rexwrap/rexwrap/integration/rig"
)

// farSite is a site of the workspace with a remote.
func farSite(t *testing.T, o clienttest.Options, set ...string) (*site, *clienttest.Server) {
	t.Helper()
	files, err := txtar.ParseFile("testdata/workspace.txtar")
	if err != nil {
		t.Fatal(err)
	}
	s, server := newSite(t, files), clienttest.New(t, o)
	s.rig.Set = append([]string{"REXWRAP_REMOTE=" + server.Address, "REXWRAP_STRATEGY=local"}, set...)
	return s, server
}

// identity is a wrapper that adds the option which a remote makes necessary.
func (s *site) identity() string {
	s.t.Helper()
	path := filepath.Join(filepath.Dir(s.dir), "identity")
	text := "#!/bin/sh\ncase \"$*\" in *--crate-name\\ ___*|*-vV*) exec \"$@\";; esac\nexec \"$@\" --remap-path-prefix=/=/\n"
	if err := os.WriteFile(path, []byte(text), 0o777); err != nil {
		s.t.Fatal(err)
	}
	return path
}

// plain builds with the compiler alone, as a remote has it, and returns what it
// made.
func (s *site) plain(argv ...string) []string {
	s.t.Helper()
	s.remove("target")
	if r := s.run(s.bare("RUSTC_WRAPPER="+s.identity()), argv...); r.Status != 0 {
		s.t.Fatalf("plain: %s\n%s", r.Ended(), r.Stderr)
	}
	return s.artefacts("target")
}

// through builds with rexwrap and returns what was counted.
func (s *site) through(want []string, argv ...string) rig.Stats {
	s.t.Helper()
	before := s.stats()
	s.remove("target")
	if r := s.run(s.wrapped(), argv...); r.Status != 0 {
		s.t.Fatalf("%q: %s\n%s", argv, r.Ended(), r.Stderr)
	}
	for _, line := range differences(want, s.artefacts("target")) {
		s.t.Errorf("%q: %s", argv, line)
	}
	if out, err := s.rig.Verb("cache", "flush"); err != nil {
		s.t.Errorf("flush: %v: %s", err, bytes.TrimSpace(out))
	}
	return s.stats().Sub(before)
}

// forget makes the cache one that was never used, of a server that knows the
// compiler.
func (s *site) forget() {
	s.t.Helper()
	if err := s.rig.Stop(); err != nil {
		s.t.Fatal(err)
	}
	if err := os.RemoveAll(s.rig.Cache()); err != nil {
		s.t.Fatal(err)
	}
	s.known()
}

// known returns when the server knows the compiler, for which calls do not wait on
// a slow machine.
func (s *site) known() {
	s.t.Helper()
	const tries = 10
	for range tries {
		s.run(s.wrapped(), filepath.Join(bin, "rexwrap"), rustc, "--crate-name=none", "--crate-type=lib", "none.rs")
		if s.stats().Reasons["source-unreadable"] > 0 {
			return
		}
	}
	s.t.Fatal("the compiler is not known")
}

// compilers returns the calls of rustc that compile, as a trace of a command shows
// them. The one that has to fail, which is never a hit, must be among them.
func compilers(t *testing.T, trace string) []string {
	t.Helper()
	text, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	probed := false
	for line := range strings.Lines(string(text)) {
		program, call, _ := strings.Cut(line, "\", ")
		switch {
		case !strings.HasSuffix(program, "/rustc") && !strings.HasSuffix(program, "/clippy-driver") || !strings.Contains(call, "\"--out-dir\""):
		case strings.Contains(call, "\"--crate-name=probe\""):
			probed = true
		default:
			out = append(out, call)
		}
	}
	if !probed {
		t.Error("the trace shows no compiler at all")
	}
	return out
}

// TestFreshCache builds on a machine whose cache is empty from what it shared
// before: every compile is a hit, and no rustc is started.
func TestFreshCache(t *testing.T) {
	t.Parallel()
	verbs := []string{"check -p mycore"}
	if rig.Long() {
		verbs = append(verbs, "check", "build", "build --all-targets", "build --release")
	}
	for _, verb := range verbs {
		t.Run(strings.ReplaceAll(verb, " ", "-"), func(t *testing.T) {
			s, _ := farSite(t, clienttest.Options{})
			argv := append([]string{cargo}, strings.Fields(verb)...)
			want := s.plain(argv...)
			first := s.through(want, argv...)
			s.forget()
			trace := filepath.Join(t.TempDir(), "trace")
			traced := slices.Concat([]string{"strace", "-f", "-qq", "-s", "4096", "-e", "trace=execve", "-o", trace}, argv)
			got := s.through(want, traced...)
			if got.HitsRemote != first.Executed-1+first.Merged || got.Executed != 1 || got.FellBack+got.Errors != 0 {
				t.Errorf("first %+v\nfresh %+v", first, got)
			}
			if ran := compilers(t, trace); len(ran) > 0 {
				t.Errorf("compilers were run: %q", ran)
			}
		})
	}
}

// TestExecuted builds with workers that have the compiler: what they make is what
// it makes here, programs and tests included, and a machine with an empty cache
// then needs no compiler.
func TestExecuted(t *testing.T) {
	t.Parallel()
	runs := map[string][]string{"default": {"REXWRAP_STRATEGY=remote"}}
	if rig.Long() {
		runs["macros"] = []string{"REXWRAP_STRATEGY=remote", "REXWRAP_RUST_REMOTE_PROC_MACROS=1"}
	}
	for name, set := range runs {
		t.Run(name, func(t *testing.T) {
			s, _ := farSite(t, clienttest.Options{}, set...)
			argv, remotely, hits := []string{cargo, "build"}, int64(2), int64(8)
			if rig.Long() {
				argv, remotely, hits = append(argv, "--all-targets"), 6, 18
			}
			want := s.plain(argv...)
			first := s.through(want, argv...)
			// The probe fails here too, links begin here, a macro that reads the
			// environment has none there, and one result is made twice.
			allowed := map[string]int64{"dep-info": 1, "remote-first-link": 3, "remote-bad-result": 2}
			if name == "default" {
				allowed["proc-macro"] = first.Reasons["proc-macro"]
			}
			for reason, n := range first.Reasons {
				if reason != "query" && n > allowed[reason] {
					t.Errorf("%d fell back: %s", n, reason)
				}
			}
			if first.Remotely < remotely || name == "macros" && first.Remotely < 11 || first.Errors != 0 || first.Executed > 1 {
				t.Errorf("%+v", first)
			}
			if got := s.run(s.bare(), filepath.Join(s.dir, "target/debug/app")); string(got.Stdout) != "built-0.1.0 unset file 42\n" {
				t.Errorf("the program: %s, %q", got.Ended(), got.Stdout)
			}
			if rig.Long() {
				if got := s.run(s.wrapped(), cargo, "test"); strings.Count(string(got.Stdout), "test result: ok. 1 passed") != 3 {
					t.Errorf("the tests: %s\n%s", got.Ended(), got.Stdout)
				}
			}
			if name == "macros" || !rig.Long() { // what a worker failed at is not shared
				return
			}
			s.forget()
			s.deliver() // that workers have the compiler is found out meanwhile
			trace := filepath.Join(t.TempDir(), "trace")
			got := s.through(want, slices.Concat([]string{"strace", "-f", "-qq", "-s", "4096", "-e", "trace=execve", "-o", trace}, argv)...)
			if got.HitsRemote+got.Merged < hits || got.FellBack != 1 || got.Misses+got.Errors != 0 {
				t.Errorf("a fresh cache: %+v", got)
			}
			if ran := compilers(t, trace); len(ran) > 0 {
				t.Errorf("compilers were run: %q", ran)
			}
		})
	}
}
