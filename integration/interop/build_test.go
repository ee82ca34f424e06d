//go:build linux

package interop

import (
	"cmp"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rexwrap/rexwrap/integration/debsrc"
	"github.com/rexwrap/rexwrap/integration/rig"
)

// A project is a real one that is built through workers.
type project struct {
	name, configure, script string
	cc                      string // gcc where empty
	large                   bool
}

func projects() []project {
	return []project{
		{name: "lua5.4", script: `make -j4 -C src linux CC="$CC -std=gnu99"`},
		{name: "zlib", configure: "./configure", script: "make -j4 libz.a"},
		{name: "redis", script: `make -j4 MALLOC=libc CC="$CC" OPTIMIZATION=-O2 DEBUG= DEBUG_FLAGS= V=1`, large: true},
	}
}

// released builds rexwrap and rexd once.
var released = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "rexwrap-interop")
	if err == nil {
		err = rig.Build("../..", dir)
	}
	return dir, err
})

func TestMain(m *testing.M) {
	status := m.Run()
	if os.Getenv("REXWRAP_TEST_INTEROP") != "" {
		if dir, err := released(); err == nil {
			_ = os.RemoveAll(dir)
		}
	}
	os.Exit(status)
}

// Everything that workers make is what the plain compiler makes; and a machine
// that has seen nothing, with no compiler run, has it all from the remote.
func TestProjects(t *testing.T) {
	for _, p := range projects() {
		if p.large && os.Getenv("REXWRAP_TEST_INTEROP") != "all" {
			continue
		}
		t.Run(p.name, func(t *testing.T) {
			open(t)
			s := newSite(t, p)
			s.plain()
			eachServer(t, func(t *testing.T, k kind, start func(*testing.T) string) {
				s := *s
				s.t, s.server, s.address = t, k, start(t)
				s.run()
			})
		})
	}
}

// A site is a project in one place, built by several machines.
type site struct {
	t       *testing.T
	project project
	store   *debsrc.Store
	bin     string
	base    string
	want    rig.Tree      // what the plain compiler makes
	took    time.Duration // by it

	server  kind
	address string
}

func newSite(t *testing.T, p project) *site {
	t.Helper()
	if err := rig.TrackSources("../.."); err != nil {
		t.Fatal(err)
	}
	bin, err := released()
	if err != nil {
		t.Fatal(err)
	}
	store, err := debsrc.Open("../../.cache/debsrc", io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	return &site{t: t, project: p, store: store, bin: bin, base: t.TempDir()}
}

func (s *site) plain() {
	s.took = s.build(rig.BareEnv(s.base, s.base), nil)
	s.want = s.tree()
}

func (s *site) run() {
	one := s.machine("one")
	executed, first := s.measure(one)
	s.compare("executed")
	if first.Remotely == 0 || first.Errors > 0 {
		s.t.Errorf("nothing ran on a worker: %+v\n%s", first, s.explain(one))
	}
	s.flush(one)

	fresh := s.machine("fresh")
	hits, second := s.measure(fresh)
	s.compare("hits")
	compiles := second.Calls - second.SteppedAside
	s.t.Logf("plain %s, executed %s (%d remotely, %d here, %d fell back: %v), hits %s (%d of %d)", round(s.took), round(executed),
		first.Remotely, first.Executed, first.FellBack, first.Reasons, round(hits), second.HitsRemote, compiles)
	if s.server.readOnly { // what was compiled here after a worker's answer was of no use is not shared
		compiles -= second.FellBack
		if second.FellBack > first.FellBack {
			s.t.Errorf("%d fell back", second.FellBack)
		}
	}
	// A build may compile one thing twice (redis): the second is a local hit.
	if second.HitsRemote+second.HitsLocal+second.Merged != compiles || second.HitsLocal > second.HitsRemote/10 || second.Remotely > 0 {
		s.t.Errorf("want %d remote hits: %+v\n%s", compiles, second, s.explain(fresh))
	}
}

func round(d time.Duration) time.Duration { return d.Round(10 * time.Millisecond) }

func (s *site) dir() string { return filepath.Join(s.base, "checkout") }

// machine is one with an empty cache.
func (s *site) machine(name string) *rig.Rig {
	s.t.Helper()
	dir := filepath.Join(s.base, s.server.name+"-"+name)
	if err := os.Mkdir(dir, 0o755); err != nil {
		s.t.Fatal(err)
	}
	r, err := rig.New(s.bin, dir)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(r.Close)
	r.Set = []string{"REXWRAP_REMOTE=" + s.address, "REXWRAP_STRATEGY=remote"}
	return r
}

// measure builds on r and returns the time and what was counted of the build
// proper.
func (s *site) measure(r *rig.Rig) (time.Duration, rig.Stats) {
	s.t.Helper()
	links := filepath.Join(r.Dir, "links")
	if _, err := r.Verb("links", links); err != nil {
		s.t.Fatal(err)
	}
	var before rig.Stats
	took := s.build(r.Env("PATH="+links+":"+os.Getenv("PATH")), func() { before = s.settled(r) })
	return took, s.settled(r).Sub(before)
}

// build builds a fresh checkout. configured is called between configuring and
// the build proper, of which the time is returned.
func (s *site) build(env []string, configured func()) time.Duration {
	s.t.Helper()
	if err := os.RemoveAll(s.dir()); err != nil {
		s.t.Fatal(err)
	}
	if err := s.store.Unpack(s.project.name, s.dir()); err != nil {
		s.t.Fatal(err)
	}
	env = rig.Environ(env).Set("CC="+cmp.Or(s.project.cc, "gcc"), "SOURCE_DATE_EPOCH=1", "PWD="+s.dir())
	s.shell(s.project.configure, env)
	if configured != nil {
		configured()
	}
	start := time.Now()
	s.shell(s.project.script, env)
	return time.Since(start)
}

func (s *site) shell(script string, env []string) {
	s.t.Helper()
	cmd := exec.Command("sh", "-c", script)
	cmd.Dir, cmd.Env = s.dir(), env
	if out, err := cmd.CombinedOutput(); err != nil {
		s.t.Fatalf("%s: %v\n%s", script, err, out[max(0, len(out)-4000):])
	}
}

// settled returns the counters once nothing more arrives.
func (s *site) settled(r *rig.Rig) rig.Stats {
	s.t.Helper()
	for last := (rig.Stats{Calls: -1}); ; {
		now, err := r.Stats()
		if err != nil {
			s.t.Fatal(err)
		}
		if now.Calls == last.Calls {
			return now
		}
		last = now
	}
}

func (s *site) flush(r *rig.Rig) {
	s.t.Helper()
	if out, err := r.Verb("cache", "flush"); err != nil {
		s.t.Errorf("flush: %v: %s", err, out)
	}
}

func (s *site) explain(r *rig.Rig) []byte {
	s.t.Helper()
	text, err := r.Verb("explain", "--build")
	if err != nil {
		s.t.Error(err)
	}
	return text
}

// tree is what a build left but for logs and times.
func (s *site) tree() rig.Tree {
	s.t.Helper()
	tree, err := rig.ReadTree(s.dir())
	if err != nil {
		s.t.Fatal(err)
	}
	for name, e := range tree {
		e.Written = false
		tree[name] = e
		if strings.HasSuffix(name, ".log") {
			delete(tree, name)
		}
	}
	return tree
}

func (s *site) compare(build string) {
	s.t.Helper()
	const most = 10
	for i, d := range s.want.Diff(s.tree()) {
		if i == most {
			s.t.Errorf("%s: and more", build)
			return
		}
		s.t.Errorf("%s: %s", build, d)
	}
}
