//go:build linux

package faults

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/rexwrap/rexwrap/integration/rig"
)

// files is how many sources the project has.
const files = 12

// A site is a small project with a rig beside it.
type site struct {
	t    *testing.T
	rig  *rig.Rig
	dir  string // of the project
	want rig.Tree
}

// bin is where the binaries go, and build what puts them there, once for all
// tests of the package and not before one asks.
var (
	bin   string
	build = sync.OnceValue(func() error { return rig.Build("../..", bin) })
)

func TestMain(m *testing.M) {
	os.Exit(inTempDir(m.Run))
}

// inTempDir runs f with bin, and removes it afterwards.
func inTempDir(f func() int) int {
	dir, err := os.MkdirTemp("", "rexwrap-faults")
	if err == nil {
		defer os.RemoveAll(dir)
		err = os.Chmod(dir, 0o755) // another user runs them too
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	bin = dir
	return f()
}

// newSite writes the project and builds it plain.
func newSite(t *testing.T) *site {
	t.Helper()
	if err := rig.TrackSources("../.."); err != nil {
		t.Fatal(err)
	}
	if err := build(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	r, err := rig.New(bin, filepath.Join(dir, "rig"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	s := &site{t: t, rig: r, dir: filepath.Join(dir, "project")}
	s.write()
	s.build(s.bare(), "gcc").wantStatus(t, 0)
	s.want = s.objects()
	return s
}

// write makes the project anew.
func (s *site) write() {
	s.t.Helper()
	var a txtar.Archive
	add := func(name, text string) { a.Files = append(a.Files, txtar.File{Name: name, Data: []byte(text)}) }
	var objects strings.Builder
	for i := range files {
		fmt.Fprintf(&objects, " f%d.o", i)
		add(fmt.Sprintf("f%d.c", i), fmt.Sprintf("#include <stdio.h>\n#include \"h.h\"\nint f%d(int n)\n{\n\tint unused;\n\treturn printf(\"%%d\", n * %d + H);\n}\n", i, i))
	}
	add("h.h", "#define H 1\n")
	add("Makefile", "CFLAGS = -O1 -Wall -MMD\nall:"+objects.String()+"\n%.o: %.c\n\t$(CC) $(CFLAGS) -c $< -o $@\n")
	if err := rig.Write(s.dir, &a); err != nil {
		s.t.Fatal(err)
	}
	if err := rig.Settle(); err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) bare() []string { return rig.BareEnv(s.rig.Home(), s.rig.Temp()) }

// A job is a command that has been started.
type job struct {
	cmd    *exec.Cmd
	output *strings.Builder
}

// start starts a command in the project's folder, in a process group of its own.
func (s *site) start(env []string, argv ...string) *job {
	s.t.Helper()
	j := &job{cmd: exec.Command(argv[0], argv[1:]...), output: &strings.Builder{}}
	j.cmd.Dir, j.cmd.Env = s.dir, env
	j.cmd.Stdout, j.cmd.Stderr = j.output, j.output
	j.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	j.cmd.WaitDelay = 10 * time.Second
	path, err := exec.LookPath(argv[0])
	if strings.HasPrefix(argv[0], "rexwrap") {
		path, err = filepath.Join(s.rig.Bin, argv[0]), nil
	}
	j.cmd.Path, j.cmd.Err = path, nil
	if err == nil {
		err = j.cmd.Start()
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return j
}

// wait waits for the end of the job and returns its status.
func (j *job) wait() *job {
	_ = j.cmd.Wait() // the status is looked at by wantStatus
	return j
}

func (j *job) wantStatus(t *testing.T, status int) {
	t.Helper()
	if got := j.cmd.ProcessState.ExitCode(); got != status {
		t.Fatalf("%v: %v, want status %d\n%s", j.cmd.Args, j.cmd.ProcessState, status, j.output)
	}
}

// make starts a build of the whole project.
func (s *site) make(env []string, cc string) *job {
	s.t.Helper()
	return s.start(env, "make", "-j4", "CC="+cc)
}

// build runs a build of the whole project.
func (s *site) build(env []string, cc string) *job {
	s.t.Helper()
	return s.make(env, cc).wait()
}

// clean removes what a build makes.
func (s *site) clean() {
	s.t.Helper()
	for _, pattern := range []string{"*.o", "*.d"} {
		found, err := filepath.Glob(filepath.Join(s.dir, pattern))
		if err != nil {
			s.t.Fatal(err)
		}
		for _, name := range found {
			if err := os.Remove(name); err != nil {
				s.t.Fatal(err)
			}
		}
	}
}

// objects is what the project's folder holds.
func (s *site) objects() rig.Tree {
	s.t.Helper()
	tree, err := rig.ReadTree(s.dir)
	if err != nil {
		s.t.Fatal(err)
	}
	return tree
}

// check compares the folder with that after the plain build.
func (s *site) check(when string) {
	s.t.Helper()
	for _, d := range s.want.Diff(s.objects()) {
		s.t.Errorf("%s: %s", when, d)
	}
	if s.t.Failed() {
		s.t.FailNow()
	}
}

// wrapped builds through rexwrap and checks the result.
func (s *site) wrapped(when string, env []string) {
	s.t.Helper()
	s.clean()
	s.build(env, "rexwrap gcc").wantStatus(s.t, 0)
	s.check(when)
}

// usable checks that the cache works: a build fills it, another one uses it.
func (s *site) usable(when string) {
	s.t.Helper()
	s.wrapped(when+", filling the cache", s.rig.Env())
	before := s.stats()
	s.wrapped(when+", using the cache", s.rig.Env())
	if d := s.since(before, files); d.HitsLocal != files {
		log, _ := s.rig.Verb("log")
		s.t.Errorf("%s: %d hits, want %d: %+v\n%s", when, d.HitsLocal, files, d, log)
	}
}

func (s *site) stats() rig.Stats {
	s.t.Helper()
	stats, err := s.rig.Stats()
	if err != nil {
		s.t.Fatal(err)
	}
	return stats
}

// since returns what was counted since old, once at least calls calls were.
func (s *site) since(old rig.Stats, calls int64) rig.Stats {
	s.t.Helper()
	stats, err := s.rig.Settled(old.Calls + calls)
	if err != nil {
		s.t.Fatal(err)
	}
	return stats.Sub(old)
}

// noStrays waits until nothing of the rig runs but servers, and returns these.
func (s *site) noStrays() []rig.Process {
	s.t.Helper()
	var servers, strays []rig.Process
	s.eventually("processes outlive the build", func() bool {
		servers, strays = nil, nil
		for _, p := range s.rig.Processes() {
			if strings.Contains(p.Command, "rexd") {
				servers = append(servers, p)
			} else {
				strays = append(strays, p)
			}
		}
		return len(strays) == 0
	})
	return servers
}

// eventually waits until ok holds, ten seconds at most.
func (s *site) eventually(what string, ok func() bool) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for !ok() {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			s.t.Fatalf("%s: %v", what, s.rig.Processes())
		}
	}
}

// points is how many points in time a test tries.
func points(short, long int) int {
	if rig.Long() {
		return long
	}
	return short
}

// seeded returns a random source whose seed is printed.
func seeded(t *testing.T) *rand.Rand {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("REXWRAP_TEST_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("REXWRAP_TEST_SEED=%d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// needRoot skips or, where every tool is promised, fails without root.
func needRoot(t *testing.T) {
	t.Helper()
	switch {
	case os.Geteuid() == 0:
	case os.Getenv("REXWRAP_TEST_ALL_TOOLS") != "":
		t.Fatal("needs root")
	default:
		t.Skip("needs root")
	}
}
