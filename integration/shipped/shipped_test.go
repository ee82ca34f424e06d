//go:build linux

package shipped

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rexwrap/rexwrap/client/clienttest"
	"github.com/rexwrap/rexwrap/integration/debsrc"
	"github.com/rexwrap/rexwrap/integration/rig"
)

// TestProjects builds each project bare, and by workers, some twice. Every Action
// has a place of its own.
func TestProjects(t *testing.T) {
	if err := rig.TrackSources("../.."); err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	if err := rig.Build("../..", bin); err != nil {
		t.Fatal(err)
	}
	store, err := debsrc.Open("../../.cache/debsrc", io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	wanted := os.Getenv("REXWRAP_TEST_PROJECTS") // "all" or one name
	var table []string
	for _, p := range projects() {
		if p.large && wanted != "all" && wanted != p.name {
			continue
		}
		for _, cc := range p.compilers() {
			t.Run(p.name+"/"+cc, func(t *testing.T) {
				require(t, cc)
				b := &builds{t: t, project: &p, cc: cc, store: store, dir: t.TempDir(), bin: bin}
				table = append(table, b.run())
			})
		}
	}
	t.Logf("seconds of wall time; objects; compiles by workers, here; MB sent for the toolchain and all else\n%s\n%s",
		fmt.Sprintf(format, "project", "compiler", "plain", "shipped", "objects", "workers", "here", "sent"), strings.Join(table, "\n"))
}

const format = "%-10s %-22s %7v %8v %8v %8v %5v %6v"

func require(t *testing.T, program string) {
	t.Helper()
	_, err := exec.LookPath(program)
	switch {
	case err == nil:
	case os.Getenv("REXWRAP_TEST_ALL_TOOLS") != "":
		t.Fatal(err)
	default:
		t.Skip(err)
	}
}

// builds are the builds of one project with one compiler.
type builds struct {
	t       *testing.T
	project *project
	cc      string
	store   *debsrc.Store
	dir     string
	bin     string
}

// run makes all builds and returns a line for the table.
func (b *builds) run() string {
	b.t.Helper()
	plain := b.build("plain", rig.BareEnv(b.dir, b.dir))
	want := b.objects("plain")
	if len(want) == 0 {
		b.t.Fatal("the build made no object")
	}
	var took time.Duration
	var counted rig.Stats
	var sent int64
	rounds := []string{"first"}
	if slices.Contains(b.project.twice, b.cc) {
		rounds = append(rounds, "second")
	}
	for _, name := range rounds {
		server := clienttest.New(b.t, clienttest.Options{Quirks: clienttest.Quirks{Confined: true}})
		r := b.machine(name, server)
		b.warm(r)
		before := b.stats(r)
		took = b.build(name, b.wrapped(r))
		counted = b.stats(r).Sub(before)
		b.compare(want, b.objects(name))
		b.count(r, counted, int64(len(want)))
		sent = server.Received()
	}
	return fmt.Sprintf(format, b.project.name, b.cc, seconds(plain), seconds(took), len(want), counted.Remotely, counted.Executed+counted.FellBack, sent>>20)
}

// machine is one with an empty cache and a remote.
func (b *builds) machine(name string, server *clienttest.Server) *rig.Rig {
	b.t.Helper()
	dir := filepath.Join(b.dir, "machine-"+name)
	if err := os.Mkdir(dir, 0o755); err != nil {
		b.t.Fatal(err)
	}
	r, err := rig.New(b.bin, dir)
	if err != nil {
		b.t.Fatal(err)
	}
	r.Set = []string{"REXWRAP_REMOTE=" + server.Address, "REXWRAP_STRATEGY=remote", "REXWRAP_TOOLCHAIN=ship", "LC_ALL=C"}
	b.t.Cleanup(r.Close)
	if _, err := r.Verb("links", b.links(r)); err != nil {
		b.t.Fatal(err)
	}
	return r
}

func (b *builds) links(r *rig.Rig) string { return filepath.Join(r.Dir, "links") }

// wrapped is an environment in which rexwrap stands for all compilers.
func (b *builds) wrapped(r *rig.Rig) []string {
	return r.Env("PATH=" + b.links(r) + ":" + os.Getenv("PATH"))
}

// cxx is the C++ compiler of the same toolchain.
func (b *builds) cxx() string {
	return strings.NewReplacer("gcc", "g++", "clang", "clang++").Replace(b.cc)
}

// warm has the toolchain delivered: compiles run here until that is done.
func (b *builds) warm(r *rig.Rig) {
	b.t.Helper()
	dir := b.t.TempDir()
	for _, name := range []string{"x.c", "x.cc"} {
		compiler := map[string]string{"x.c": "$CC", "x.cc": "$CXX"}[name]
		const most = 50 // a server that has no time is not waited for by compiles
		for i, done := 0, b.stats(r).Remotely; b.stats(r).Remotely == done; i++ {
			if i == most {
				b.t.Fatalf("%d compiles of %s and no worker", most, name)
			}
			if err := os.WriteFile(filepath.Join(dir, name), fmt.Appendf(nil, "int x%d;\n", i), 0o600); err != nil {
				b.t.Fatal(err)
			}
			b.shell(compiler+" -c "+name, dir, b.wrapped(r))
		}
	}
}

// build builds a checkout in the folder that all builds use, and keeps it under
// name.
func (b *builds) build(name string, env []string) time.Duration {
	b.t.Helper()
	checkout := filepath.Join(b.dir, "checkout")
	for folder, source := range b.project.sources {
		if err := b.store.Unpack(source, filepath.Join(checkout, folder)); err != nil {
			b.t.Fatal(err)
		}
	}
	if b.project.configure != "" {
		bare := rig.Environ(rig.BareEnv(b.dir, b.dir))
		if name != "plain" { // CMake keeps the path of the compiler that it finds
			launcher := filepath.Join(b.bin, "rexwrap")
			// No server is started for configuring: none of the machine would end it.
			bare = bare.Set("CMAKE_C_COMPILER_LAUNCHER="+launcher, "CMAKE_CXX_COMPILER_LAUNCHER="+launcher, "REXWRAP_DISABLE=1")
		}
		b.shell(b.project.configure, checkout, bare)
	}
	begin := time.Now()
	b.shell(b.project.script, checkout, env)
	took := time.Since(begin)
	if err := os.Rename(checkout, filepath.Join(b.dir, name)); err != nil {
		b.t.Fatal(err)
	}
	return took
}

func (b *builds) shell(script, dir string, env []string) {
	b.t.Helper()
	env = rig.Environ(env).Set("CC="+b.cc, "CXX="+b.cxx(), "SOURCE_DATE_EPOCH=1", "PWD="+dir, "LC_ALL=C")
	res, err := rig.Command{Argv: []string{"sh", "-c", script}, Dir: dir, Env: env, Limit: time.Hour}.Run()
	if err != nil {
		b.t.Fatal(err)
	}
	if res.Status != 0 {
		b.t.Fatalf("%s: %s: %s", script, res.Ended(), res.Stderr[max(0, len(res.Stderr)-4000):])
	}
}

// objects are those that a build has left, by path.
func (b *builds) objects(name string) map[string]string {
	b.t.Helper()
	out, root := make(map[string]string), filepath.Join(b.dir, name)
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".o") && !strings.HasSuffix(path, ".lo") {
			return err
		}
		text, err := os.ReadFile(path)
		out[strings.TrimPrefix(path, root)] = string(text)
		return err
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return out
}

func (b *builds) compare(want, got map[string]string) {
	b.t.Helper()
	if len(got) != len(want) {
		b.t.Errorf("%d objects, want %d", len(got), len(want))
	}
	for name, text := range want {
		if got[name] != text {
			b.t.Errorf("%s differs from the plain compiler's", name)
		}
	}
}

// count checks who compiled the objects.
func (b *builds) count(r *rig.Rig, s rig.Stats, objects int64) {
	b.t.Helper()
	var local int64
	for reason, n := range b.project.local {
		local += n
		if s.Reasons[reason] != n {
			b.t.Errorf("%d compiles were kept here as %s, want %d", s.Reasons[reason], reason, n)
		}
	}
	// A machine that is busy with other things may run some without asking.
	if s.Remotely < objects*3/4-local || s.FellBack+s.Executed != local {
		text, err := r.Verb("log", "-n", "500")
		b.t.Errorf("%d objects, of which %d may be made here: %+v\n%s%v", objects, local, s, text, err)
	}
}

// stats returns the counters once all is uploaded and recorded.
func (b *builds) stats(r *rig.Rig) rig.Stats {
	b.t.Helper()
	if _, err := r.Verb("cache", "flush"); err != nil {
		b.t.Fatal(err)
	}
	s, err := r.Stats()
	if err != nil {
		b.t.Fatal(err)
	}
	return s
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.2f", d.Seconds()) }
