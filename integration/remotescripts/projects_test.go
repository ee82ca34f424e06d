//go:build linux

package remotescripts

import (
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rexwrap/rexwrap/client/clienttest"
	"github.com/rexwrap/rexwrap/integration/debsrc"
	"github.com/rexwrap/rexwrap/integration/rig"
)

// A project is a real one. $CC and $CXX are compilers, $FLAGS what to add to
// their flags.
type project struct {
	name              string
	sources           map[string]string // Debian source packages by folder
	configure, script string
	noise             []string // names of files that no two builds leave alike
	large             bool     // built where REXWRAP_TEST_PROJECTS asks for it
	// spelled: the build names files by absolute paths, which __FILE__ then
	// carries into objects.
	spelled bool
	placed  bool // its other place, relocatable, is for a long run
}

func projects() []project {
	cmake := []string{
		".ninja_log", ".ninja_deps", "CMakeOutput.log", "CMakeError.log", "CMakeCache.txt", "LastTest.log",
		// They name the compiler that CMake has found: ours in one build.
		"CMakeCCompiler.cmake", "CMakeCXXCompiler.cmake", "rules.ninja", "build.make", "flags.make", "link.txt",
	}
	return []project{
		{
			name: "lua5.4", sources: map[string]string{"": "lua5.4"},
			script: `make -j4 -C src linux CC="$CC -std=gnu99" MYCFLAGS="-O0 $FLAGS"`, placed: true,
		},
		{
			name: "zlib", sources: map[string]string{"": "zlib"},
			configure: `CFLAGS="-O0 $FLAGS" ./configure`, script: "make -j4 libz.a", noise: []string{"configure.log"},
		},
		{
			name: "redis", sources: map[string]string{"": "redis"}, large: true,
			script: `make -j4 MALLOC=libc CC="$CC" OPTIMIZATION=-O2 DEBUG="$FLAGS" DEBUG_FLAGS= V=1`,
		},
		{
			name: "fmtlib", sources: map[string]string{"": "fmtlib"}, large: true, spelled: true, noise: cmake,
			configure: `cmake -G Ninja -S . -B build -DFMT_DOC=OFF -DFMT_TEST=OFF -DCMAKE_CXX_FLAGS="$FLAGS"`, script: "ninja -j4 -C build",
		},
		{
			name: "protobuf", sources: map[string]string{"": "protobuf"}, large: true, spelled: true, noise: cmake,
			configure: `cmake -S . -B build -Dprotobuf_BUILD_TESTS=OFF -DCMAKE_CXX_FLAGS="$FLAGS"`, script: "make -j4 -C build",
		},
	}
}

// TestProjects builds real projects by workers. All that they make is what the
// plain compiler makes; a machine that has seen nothing, with no compiler run,
// has it all from the remote; and so has one with another checkout, as it is
// without debug information, relocatably with it.
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
	wanted := os.Getenv("REXWRAP_TEST_PROJECTS")
	for _, p := range projects() {
		if p.large && wanted != "all" && wanted != p.name {
			continue
		}
		t.Run(p.name, func(t *testing.T) {
			b := &builds{t: t, project: p, store: store, bin: bin, base: t.TempDir(), server: clienttest.New(t, clienttest.Options{})}
			b.exact()
			if !p.placed || rig.Long() {
				b.relocatable()
			}
		})
	}
}

// builds are those of one project with one remote.
type builds struct {
	t         *testing.T
	project   project
	store     *debsrc.Store
	bin, base string
	server    *clienttest.Server
	machines  int
}

func (b *builds) exact() {
	b.t.Helper()
	here := filepath.Join(b.base, "checkout")
	b.build(here, rig.BareEnv(b.base, b.base), "", nil)
	want := b.tree(here)

	one := b.machine()
	first := b.count(one, here, "")
	b.compare("by workers", want, b.tree(here))
	if first.Remotely == 0 || first.FellBack > 0 || first.Errors > 0 {
		b.t.Errorf("by workers: %+v\n%s", first, b.explain(one))
	}
	b.flush(one)

	fresh := b.machine()
	hits := b.count(fresh, here, "")
	b.compare("hits", want, b.tree(here))
	b.wantHits("a fresh machine", fresh, hits, 100)
	if b.project.spelled {
		return
	}
	there := filepath.Join(b.base, "another", "place")
	other := b.machine()
	elsewhere := b.count(other, there, "")
	b.compare("second checkout", want, b.tree(there))
	b.wantHits("a second checkout", other, elsewhere, 99)
	b.t.Logf("exact: %d by workers, %d here; %d hits; %d hits elsewhere", first.Remotely, first.Executed, hits.HitsRemote, elsewhere.HitsRemote)
}

func (b *builds) relocatable() {
	b.t.Helper()
	one := b.machine("REXWRAP_PATHS=relocatable")
	first := b.count(one, filepath.Join(b.base, "checkout"), "-g")
	if first.Remotely == 0 || first.FellBack > 0 || first.Errors > 0 {
		b.t.Errorf("relocatable, by workers: %+v\n%s", first, b.explain(one))
	}
	b.flush(one)
	other := b.machine("REXWRAP_PATHS=relocatable")
	elsewhere := b.count(other, filepath.Join(b.base, "a", "third", "place"), "-g")
	b.wantHits("a second checkout, relocatable", other, elsewhere, 99)
	b.t.Logf("relocatable: %d by workers; %d hits elsewhere", first.Remotely, elsewhere.HitsRemote)
}

// wantHits demands that a share of the compiles, in percent, was answered by the
// remote.
func (b *builds) wantHits(what string, r *rig.Rig, got rig.Stats, percent int64) {
	b.t.Helper()
	if compiles := got.Calls - got.SteppedAside; compiles == 0 || 100*(got.HitsRemote+got.HitsLocal) < percent*compiles || percent == 100 && got.Executed > 0 {
		b.t.Errorf("%s: want %d %% of %d compiles from the remote: %+v\n%s", what, percent, compiles, got, b.explain(r))
	}
}

// machine is one with an empty cache.
func (b *builds) machine(set ...string) *rig.Rig {
	b.t.Helper()
	b.machines++
	dir := filepath.Join(b.base, fmt.Sprint("machine", b.machines))
	if err := os.Mkdir(dir, 0o755); err != nil {
		b.t.Fatal(err)
	}
	r, err := rig.New(b.bin, dir)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(r.Close)
	r.Set = append([]string{"REXWRAP_REMOTE=" + b.server.Address, "REXWRAP_STRATEGY=remote"}, set...)
	if _, err := r.Verb("links", filepath.Join(dir, "links")); err != nil {
		b.t.Fatal(err)
	}
	return r
}

// count builds on r and returns what was counted of the build proper.
func (b *builds) count(r *rig.Rig, dir, flags string) rig.Stats {
	b.t.Helper()
	var before rig.Stats
	env := r.Env("PATH=" + filepath.Join(r.Dir, "links") + ":" + os.Getenv("PATH"))
	b.build(dir, env, flags, func() { before = b.settled(r) })
	return b.settled(r).Sub(before)
}

// build builds a fresh checkout. configured, if any, is called between
// configuring and the build proper.
func (b *builds) build(dir string, env []string, flags string, configured func()) {
	b.t.Helper()
	if err := os.RemoveAll(dir); err != nil {
		b.t.Fatal(err)
	}
	for folder, name := range b.project.sources {
		if err := b.store.Unpack(name, filepath.Join(dir, folder)); err != nil {
			b.t.Fatal(err)
		}
	}
	env = rig.Environ(env).Set("CC=gcc", "CXX=g++", "SOURCE_DATE_EPOCH=1", "FLAGS="+flags, "PWD="+dir)
	b.shell(b.project.configure, dir, env)
	if configured != nil {
		configured()
	}
	b.shell(b.project.script, dir, env)
}

// buildLimit is how long a build may take on a machine that does other things too.
const buildLimit = time.Hour

func (b *builds) shell(script, dir string, env []string) {
	b.t.Helper()
	res, err := rig.Command{Argv: []string{"sh", "-c", script}, Dir: dir, Env: env, Limit: buildLimit}.Run()
	if err != nil {
		b.t.Fatal(err)
	}
	if res.Status != 0 {
		b.t.Fatalf("%s: %s\n%s", script, res.Ended(), res.Stderr[max(0, len(res.Stderr)-4000):])
	}
}

// tree is what a build left, without its noise.
func (b *builds) tree(dir string) rig.Tree {
	b.t.Helper()
	tree, err := rig.ReadTree(dir)
	if err != nil {
		b.t.Fatal(err)
	}
	for name, e := range tree {
		if slices.Contains(b.project.noise, path.Base(name)) || strings.Contains("/"+name, "/CMakeTmp/") {
			delete(tree, name)
			continue
		}
		e.Written = false
		tree[name] = e
	}
	return tree
}

func (b *builds) compare(build string, want, got rig.Tree) {
	b.t.Helper()
	const most = 20
	diffs := want.Diff(got)
	if n := len(diffs); n > 0 {
		b.t.Errorf("%s: %d differences:\n%s", build, n, strings.Join(diffs[:min(n, most)], "\n"))
	}
}

func (b *builds) explain(r *rig.Rig) string {
	text, err := r.Verb("explain", "--build")
	if err != nil {
		return err.Error()
	}
	return string(text)
}

func (b *builds) flush(r *rig.Rig) {
	b.t.Helper()
	if _, err := r.Verb("cache", "flush"); err != nil {
		b.t.Error(err)
	}
}

// settled returns the counters once nothing more arrives.
func (b *builds) settled(r *rig.Rig) rig.Stats {
	b.t.Helper()
	for last := (rig.Stats{Calls: -1}); ; {
		now, err := r.Stats()
		if err != nil {
			b.t.Fatal(err)
		}
		if now.Calls == last.Calls {
			return now
		}
		last = now
	}
}
