//go:build linux

package rust

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"
	"golang.org/x/sys/unix"

	"github.com/rexwrap/rexwrap/integration/rig"
)

// points is how many moments a test tries.
func points() int {
	if rig.Long() {
		return 20
	}
	return 1
}

// A breakage is what faults are tried on: the whole workspace, or, where a test may not
// take the time, what of it has a macro and a build script.
type breakage struct {
	argv    []string
	longest time.Duration // into a build: most of it where nothing else runs
	hits    int64         // at least, of a warm build
}

func breakages() breakage {
	if rig.Long() {
		return breakage{[]string{cargo, "build", "--offline"}, 2 * time.Second, 10}
	}
	return breakage{[]string{cargo, "build", "--offline", "-p", "mycore"}, time.Second, 3}
}

// broken is a site of the workspace, with what a plain build leaves.
func broken(t *testing.T) (s *site, want []string) {
	t.Helper()
	files, err := txtar.ParseFile("testdata/workspace.txtar")
	if err != nil {
		t.Fatal(err)
	}
	s = newSite(t, files)
	r := s.run(s.bare(), breakages().argv...)
	if r.Status != 0 {
		t.Fatalf("%s\n%s", r.Ended(), r.Stderr)
	}
	return s, s.artefacts("target")
}

// moment comes at some point of a build.
func moment(t *testing.T) <-chan time.Time {
	t.Helper()
	after := time.Duration(rand.Int64N(int64(breakages().longest)))
	t.Logf("after %v", after)
	return time.After(after)
}

// begin starts a build in a process group of its own.
func (s *site) begin(argv ...string) (cmd *exec.Cmd, output *bytes.Buffer) {
	s.t.Helper()
	cmd, output = exec.Command(argv[0], argv[1:]...), &bytes.Buffer{}
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = s.dir, s.wrapped(), output, output
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.WaitDelay = 10 * time.Second // should a stray process hold the pipe
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	return cmd, output
}

// rebuild builds what is missing, and compares with a plain build. What compilers
// that were killed have left beside it is theirs.
func (s *site) rebuild(when string, want []string) {
	s.t.Helper()
	if r := s.run(s.wrapped(), breakages().argv...); r.Status != 0 {
		s.t.Errorf("%s: %s\n%s", when, r.Ended(), r.Stderr)
	}
	s.holds(when, want)
}

func (s *site) holds(when string, want []string) {
	s.t.Helper()
	got := s.artefacts("target")
	for _, line := range want {
		if !slices.Contains(got, line) {
			s.t.Errorf("%s: lost or not as plain: %s", when, line)
		}
	}
	for _, line := range got {
		if strings.Contains(line, ".rexwrap-") {
			s.t.Errorf("%s: litter: %s", when, line)
		}
	}
}

// usable checks that a build after what has happened is stored and found again.
func (s *site) usable(want []string) {
	s.t.Helper()
	s.remove("target")
	s.rebuild("afterwards", want)
	s.remove("target")
	before := s.stats()
	s.rebuild("warm afterwards", want)
	if now := s.stats().Sub(before); now.Executed != 1 || now.HitsLocal+now.Merged < breakages().hits { // a probe has to fail
		s.t.Errorf("warm afterwards: %+v", now)
	}
}

// alive are the processes of the rig for which is holds.
func (s *site) alive(is func(command string) bool) []rig.Process {
	return slices.DeleteFunc(s.rig.Processes(), func(p rig.Process) bool { return !is(p.Command) })
}

func isServer(command string) bool { return strings.Contains(command, "rexd") }

// gone waits until no process is left for which is holds.
func (s *site) gone(is func(command string) bool) {
	s.t.Helper()
	deadline := time.Now().Add(time.Minute)
	for left := s.alive(is); len(left) > 0; left = s.alive(is) {
		if time.Now().After(deadline) {
			s.t.Fatalf("still there: %v", left)
		}
	}
}

// TestServerKilled kills the server at some moment of builds with an empty and with
// a full cache.
func TestServerKilled(t *testing.T) {
	t.Parallel()
	s, want := broken(t)
	for i := range points() {
		if i%2 == 0 {
			if _, err := s.rig.Verb("cache", "clear"); err != nil {
				t.Fatal(err)
			}
		}
		s.remove("target")
		cmd, output := s.begin(breakages().argv...)
		<-moment(t)
		for _, p := range s.alive(isServer) {
			_ = syscall.Kill(p.Pid, syscall.SIGKILL) // may be gone
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("%v\n%s", err, output)
		}
		s.holds("server killed", want)
	}
	s.usable(want)
}

// TestCargoCancelled interrupts builds, as ^C does and as a job's end does, and
// builds on.
func TestCargoCancelled(t *testing.T) {
	t.Parallel()
	s, want := broken(t)
	for i := range points() {
		sig := []syscall.Signal{syscall.SIGINT, syscall.SIGTERM}[i%2]
		if _, err := s.rig.Verb("cache", "clear"); err != nil {
			t.Fatal(err)
		}
		s.remove("target")
		cmd, _ := s.begin(breakages().argv...)
		<-moment(t)
		_ = syscall.Kill(-cmd.Process.Pid, sig) // may have ended
		_ = cmd.Wait()                          // by the signal, as a rule
		s.gone(func(command string) bool { return !isServer(command) })
		s.rebuild(fmt.Sprintf("after %v", sig), want)
	}
	s.usable(want)
}

// TestCacheFull builds with a cache directory on a file system that is too small for
// what is to be stored, or for anything.
func TestCacheFull(t *testing.T) {
	t.Parallel()
	sizes := []string{"40m", "1m", "90m"}
	if points() < len(sizes) {
		sizes = sizes[:1]
	}
	for _, size := range sizes {
		t.Run(size, func(t *testing.T) {
			s, want := broken(t)
			s.mount(size)
			for range 2 {
				s.remove("target")
				s.rebuild(size, want)
			}
			s.rig.Close()
		})
	}
}

func (s *site) mount(size string) {
	s.t.Helper()
	dir := s.rig.Cache()
	err := os.MkdirAll(dir, 0o700)
	if err == nil {
		err = unix.Mount("none", dir, "tmpfs", 0, "mode=700,size="+size)
	}
	switch {
	case err == nil:
		s.t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	case os.Getenv("REXWRAP_TEST_ALL_TOOLS") != "":
		s.t.Fatal(err)
	default:
		s.t.Skip(err)
	}
}

// TestOneJobserver has make start 64 compiles at a time that share its jobserver, or
// 16 where a test may not take the time, cold and warm. make says so when tokens are
// lost.
func TestOneJobserver(t *testing.T) {
	calls := int64(16)
	if rig.Long() {
		calls = 64
	}
	var makefile strings.Builder
	var names []string
	archive := &txtar.Archive{Files: []txtar.File{{Name: "o/CACHEDIR.TAG"}}}
	for i := range calls {
		name := fmt.Sprintf("x%d", i)
		names = append(names, name)
		fmt.Fprintf(&makefile, "%s:\n\t+$(WRAPPER) %s --edition=2018 --crate-name %s %s.rs --crate-type lib"+
			" --emit=dep-info,metadata,link -O -C codegen-units=8 --out-dir o\n", name, rustc, name, name)
		archive.Files = append(archive.Files, txtar.File{Name: name + ".rs", Data: fmt.Appendf(nil, "pub mod a { pub fn f() -> u64 { %d } }\npub mod b { pub fn g(x: &[u64]) -> u64 { x.iter().sum() } }\n", i)})
	}
	head := "all: " + strings.Join(names, " ") + "\n.PHONY: all " + strings.Join(names, " ") + "\n"
	archive.Files = append(archive.Files, txtar.File{Name: "Makefile", Data: []byte(head + makefile.String())})
	s := newSite(t, archive)
	var want []string
	for _, wrapper := range []string{"", filepath.Join(bin, "rexwrap"), filepath.Join(bin, "rexwrap")} {
		s.remove("o")
		s.write("o/CACHEDIR.TAG", "")
		r, err := rig.Command{Argv: []string{"make", "-s", "-j64", "WRAPPER=" + wrapper}, Dir: s.dir, Env: s.wrapped(), Limit: 3 * time.Minute}.Run()
		if err != nil {
			t.Fatal(err)
		}
		if r.Status != 0 || len(r.Stderr) != 0 {
			t.Errorf("%q: %s\n%s", wrapper, r.Ended(), r.Stderr)
		}
		if want == nil {
			want = s.artefacts("o")
		}
		for _, line := range differences(want, s.artefacts("o")) {
			t.Errorf("%q: %s", wrapper, line)
		}
	}
	// A call that comes while the result of the one before is still put away takes
	// part in it.
	if st := s.stats(); st.Executed != calls || st.HitsLocal+st.Merged != calls {
		t.Errorf("%+v", st)
	}
}
