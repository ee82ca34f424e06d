//go:build linux

package projects

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rexwrap/rexwrap/integration/debsrc"
	"github.com/rexwrap/rexwrap/integration/rig"
)

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
	for i, p := range projects() {
		if p.large && wanted != "all" && wanted != p.name {
			continue
		}
		compilers := []string{"gcc", "clang"}
		if wanted == "" && !rig.Long() { // one each, in turn
			compilers = compilers[i%2:][:1]
		}
		for _, cc := range compilers {
			t.Run(p.name+"/"+cc, func(t *testing.T) {
				require(t, cc)
				b := &builds{t: t, project: p, cc: cc, store: store, dir: t.TempDir(), bin: bin}
				table = append(table, b.run())
			})
		}
	}
	t.Logf("seconds of wall time; calls, of which passed on; hits; hits of the second checkout\n%s\n%s",
		fmt.Sprintf(format, "project", "compiler", "plain", "cold", "warm", "calls", "aside", "hits", "elsewhere"), strings.Join(table, "\n"))
}

const format = "%-10s %-6s %7v %7v %7v %6v %6v %7v %9v"

func require(t *testing.T, programs ...string) {
	t.Helper()
	for _, p := range programs {
		_, err := exec.LookPath(p)
		switch {
		case err == nil:
		case os.Getenv("REXWRAP_TEST_ALL_TOOLS") != "":
			t.Fatal(err)
		default:
			t.Skip(err)
		}
	}
}

// builds are the builds of one project with one compiler.
type builds struct {
	t       *testing.T
	project project
	cc      string
	store   *debsrc.Store
	dir     string
	bin     string
	rig     *rig.Rig
	links   string
}

// run makes all builds and returns a line for the table.
func (b *builds) run() string {
	b.setUp()
	here, elsewhere := filepath.Join(b.dir, "checkout"), filepath.Join(b.dir, "another", "place")

	plain, _ := b.build(here, b.plainEnv())
	want := b.tree(here)

	cold, _ := b.build(here, b.wrapped())
	b.compare("cold", want, b.tree(here))

	warm, d := b.build(here, b.wrapped())
	b.compare("warm", want, b.tree(here))
	if d.HitsLocal+d.SteppedAside != d.Calls || d.HitsLocal == 0 {
		b.t.Errorf("warm: want nothing but hits and calls that step aside: %+v\n%s", d, b.explain())
	}
	share := b.elsewhere(elsewhere, want)
	b.checkLitter()
	return fmt.Sprintf(format, b.project.name, b.cc, seconds(plain), seconds(cold), seconds(warm), d.Calls, d.SteppedAside, percent(d), share)
}

// explain says why the last build's misses were none.
func (b *builds) explain() []byte {
	text, err := b.rig.Verb("explain", "--build")
	if err != nil {
		b.t.Error(err)
	}
	return text
}

// elsewhere builds a second checkout and returns its share of hits.
func (b *builds) elsewhere(dir string, want rig.Tree) string {
	_, d := b.build(dir, b.wrapped())
	if b.project.anywhere {
		b.compare("second checkout", want, b.tree(dir))
		if 100*d.HitsLocal < 99*(d.Calls-d.SteppedAside) {
			b.t.Errorf("second checkout: want 99 %% hits: %+v\n%s", d, b.explain())
		}
	}
	return percent(d)
}

func (b *builds) setUp() {
	b.t.Helper()
	r, err := rig.New(b.bin, filepath.Join(b.dir, "rig"))
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(r.Close)
	b.rig = r
	b.links = filepath.Join(b.dir, "links")
	if _, err := r.Verb("links", b.links); err != nil {
		b.t.Fatal(err)
	}
}

// unpack makes dir a fresh checkout.
func (b *builds) unpack(dir string) {
	b.t.Helper()
	if err := os.RemoveAll(dir); err != nil {
		b.t.Fatal(err)
	}
	for folder, name := range b.project.sources {
		if err := b.store.Unpack(name, filepath.Join(dir, folder)); err != nil {
			b.t.Fatal(err)
		}
	}
}

func (b *builds) plainEnv() []string { return rig.BareEnv(b.rig.Home(), b.rig.Temp()) }

// wrapped is an environment in which rexwrap stands for all compilers.
func (b *builds) wrapped() []string {
	return b.rig.Env("PATH=" + b.links + ":" + os.Getenv("PATH"))
}

// build builds a fresh checkout in dir. It returns the wall time of all of it
// and what the build proper added to the counters.
func (b *builds) build(dir string, env []string) (time.Duration, rig.Stats) {
	b.t.Helper()
	b.unpack(dir)
	start := time.Now()
	if b.project.configure != "" {
		b.shell(b.project.configure, dir, env)
	}
	before := b.settled()
	b.shell(b.project.script, dir, env)
	return time.Since(start), b.settled().Sub(before)
}

// buildLimit is how long a build may take on a machine that does other things
// too; the largest takes 4 minutes on 2 idle cores.
const buildLimit = time.Hour

// shell runs one of the project's scripts.
func (b *builds) shell(script, dir string, env []string) {
	b.t.Helper()
	cxx := map[string]string{"gcc": "g++", "clang": "clang++"}[b.cc]
	env = rig.Environ(env).Set("CC="+b.cc, "CXX="+cxx, "SOURCE_DATE_EPOCH=1", "PWD="+dir)
	res, err := rig.Command{Argv: []string{"sh", "-c", script}, Dir: dir, Env: env, Limit: buildLimit}.Run()
	if err != nil {
		b.t.Fatal(err)
	}
	if res.Status != 0 {
		b.t.Fatalf("%s: %s: %s", script, res.Ended(), tail(res.Stderr))
	}
}

func tail(text []byte) string { return string(text[max(0, len(text)-4000):]) }

// tree is what a build left, without its noise. Link counts and what was
// written are the unpacking's business as well, so they are left out.
func (b *builds) tree(dir string) rig.Tree {
	b.t.Helper()
	tree, err := rig.ReadTree(dir)
	if err != nil {
		b.t.Fatal(err)
	}
	for name, e := range tree {
		if b.isNoise(name) {
			delete(tree, name)
			continue
		}
		e.Written = false
		tree[name] = e
	}
	return tree
}

func (b *builds) isNoise(name string) bool {
	return slices.ContainsFunc(b.project.noise, func(pattern string) bool {
		folder, isFolder := strings.CutSuffix(pattern, "/*")
		if isFolder {
			return strings.Contains("/"+name, "/"+folder+"/")
		}
		return path.Base(name) == pattern
	})
}

// compare reports what differs.
func (b *builds) compare(build string, want, got rig.Tree) {
	b.t.Helper()
	const most = 20
	diffs := want.Diff(got)
	for i, d := range diffs {
		if i == most {
			b.t.Errorf("%s: and %d more differences", build, len(diffs)-most)
			return
		}
		b.t.Errorf("%s: %s", build, d)
	}
}

// settled returns the counters once nothing more arrives.
func (b *builds) settled() rig.Stats {
	b.t.Helper()
	last := rig.Stats{Calls: -1}
	for {
		s, err := b.rig.Stats()
		if err != nil {
			b.t.Fatal(err)
		}
		if s.Calls == last.Calls {
			return s
		}
		last = s
	}
}

func (b *builds) checkLitter() {
	b.t.Helper()
	for _, dir := range []string{b.dir, b.rig.Temp()} {
		err := filepath.WalkDir(dir, func(name string, d os.DirEntry, err error) error {
			if err == nil && strings.HasPrefix(d.Name(), ".rexwrap-") {
				b.t.Errorf("%s was left behind", name)
			}
			return err
		})
		if err != nil {
			b.t.Error(err)
		}
	}
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.2f", d.Seconds()) }

func percent(d rig.Stats) string {
	compiles := d.Calls - d.SteppedAside
	if compiles == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f%%", 100*float64(d.HitsLocal)/float64(compiles))
}
