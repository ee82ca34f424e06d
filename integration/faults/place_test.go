//go:build linux

package faults

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/rexwrap/rexwrap/integration/rig"
)

// Many first calls at once start one server.
func TestConcurrentFirstCalls(t *testing.T) {
	s := newSite(t)
	const calls = 64
	jobs := make([]*job, calls)
	for i := range jobs {
		jobs[i] = s.start(s.rig.Env(), "rexwrap", "gcc", "-O1", "-Wall", "-c", fmt.Sprintf("f%d.c", i%files), "-o", fmt.Sprintf("x%d.o", i))
	}
	for _, j := range jobs {
		j.wait().wantStatus(t, 0)
	}
	if n := len(s.noStrays()); n != 1 {
		t.Errorf("%d servers, want 1", n)
	}
	for i := range jobs {
		s.remove(fmt.Sprintf("x%d.o", i))
	}
	s.usable("after 64 first calls")
}

// Many calls at once, over and over.
func TestManyCalls(t *testing.T) {
	s := newSite(t)
	s.wrapped("undisturbed", s.rig.Env())
	n := points(300, 10_000)
	before := s.stats()
	var group sync.WaitGroup
	next := make(chan int)
	var failed sync.Map
	for range 16 {
		group.Go(func() {
			for i := range next {
				out := fmt.Sprintf("many%d.o", i)
				res, err := rig.Command{
					Argv: []string{"rexwrap", "gcc", "-O1", "-Wall", "-MMD", "-c", fmt.Sprintf("f%d.c", i%files), "-o", out},
					Dir:  s.dir, Env: s.rig.Env(),
				}.Run()
				if err == nil && res.Status != 0 {
					err = fmt.Errorf("%s: %s", res.Ended(), res.Stderr)
				}
				if err == nil {
					err = sameFile(filepath.Join(s.dir, out), s.want[fmt.Sprintf("f%d.o", i%files)].Data)
				}
				if err != nil {
					failed.Store(i, err)
				}
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	group.Wait()
	failed.Range(func(i, err any) bool { t.Errorf("call %v: %v", i, err); return true })
	d := s.since(before, int64(n))
	// Of each source there is one miss: make's stdout and stderr are one
	// pipe, here they are two, and the warnings are kept for each way.
	if d.HitsLocal+d.Merged+d.Misses != int64(n) || d.Misses != files {
		t.Errorf("want %d misses among %d calls: %+v", files, n, d)
	}
}

func sameFile(name, want string) error {
	got, err := os.ReadFile(name)
	if err == nil && string(got) != want {
		err = fmt.Errorf("%s: %s", name, rig.DiffText([]byte(want), got))
	}
	return err
}

// A server that a build starts holds nothing of the build's: no pipe, no lock.
func TestServerHoldsNothing(t *testing.T) {
	s := newSite(t)
	for name, script := range map[string]string{
		"pipe":      `make -j4 CC="rexwrap gcc" 2>&1 | tee log >/dev/null && rm log`,
		"lock":      `flock lock make -j4 CC="rexwrap gcc" && flock -n lock rm lock`,
		"jobserver": `make -j4 CC="rexwrap gcc"`,
		"fd":        `exec 7>held; make -j4 CC="rexwrap gcc"; exec 7>&-; rm held`,
	} {
		t.Run(name, func(t *testing.T) {
			s := &site{t: t, rig: s.rig, dir: s.dir, want: s.want}
			s.rig.Close()
			s.clean()
			s.start(s.rig.Env(), "sh", "-c", script).wait().wantStatus(t, 0)
			s.check(name)
			for _, p := range s.noStrays() {
				s.checkDescriptors(p.Pid)
			}
		})
	}
}

// checkDescriptors fails if the server has anything of the project open.
func (s *site) checkDescriptors(pid int) {
	s.t.Helper()
	links, err := filepath.Glob("/proc/" + strconv.Itoa(pid) + "/fd/*")
	if err != nil || len(links) == 0 {
		s.t.Fatalf("server %d: no descriptors: %v", pid, err)
	}
	for _, link := range append(links, "/proc/"+strconv.Itoa(pid)+"/cwd") {
		if target, err := os.Readlink(link); err == nil && strings.HasPrefix(target, s.dir) {
			s.t.Errorf("the server holds %s", target)
		}
	}
}

// Limits on the calling process are none on a server, so none is started.
func TestLimits(t *testing.T) {
	for _, limit := range []string{"ulimit -t 60", "ulimit -f 100000", "ulimit -v 4000000"} {
		t.Run(limit, func(t *testing.T) {
			s := newSite(t)
			s.start(s.rig.Env(), "sh", "-c", limit+`; make -B -j4 CC="rexwrap gcc"`).wait().wantStatus(t, 0)
			s.check(limit)
			if servers := s.noStrays(); len(servers) != 0 {
				t.Errorf("a server was started: %v", servers)
			}
		})
	}
}

// Variables that other programs take for granted are missing.
func TestPoorEnvironment(t *testing.T) {
	s := newSite(t)
	for _, env := range [][]string{
		{"HOME"},
		{"HOME", "XDG_RUNTIME_DIR"},
		{"HOME=/nowhere", "XDG_RUNTIME_DIR=/nowhere"},
		{"TMPDIR=/nowhere"},
		{"XDG_RUNTIME_DIR=" + s.rig.Dir + strings.Repeat("/long", 40)},
	} {
		s.wrapped(strings.Join(env, " "), s.rig.Env(env...))
	}
	s.wrapped("no HOME and no cache dir", s.rig.Env("HOME", "REXWRAP_CACHE_DIR", "XDG_RUNTIME_DIR", "XDG_CACHE_HOME"))
	s.noStrays()
}

// Two sessions with runtime directories of their own share one cache directory,
// and so one server.
func TestTwoRuntimeDirs(t *testing.T) {
	s := newSite(t)
	other := t.TempDir()
	s.wrapped("first", s.rig.Env())
	before := s.stats()
	s.wrapped("second", s.rig.Env("XDG_RUNTIME_DIR="+other))
	if n := len(s.noStrays()); n != 1 {
		t.Errorf("%d servers, want 1", n)
	}
	if d := s.since(before, files); d.HitsLocal != files {
		t.Errorf("%d hits, want %d: %+v", d.HitsLocal, files, d)
	}
}

// Another mount namespace has another view of the files: what it compiles is
// not answered by this one's server.
func TestTwoNamespaces(t *testing.T) {
	needRoot(t)
	s := newSite(t)
	s.usable("first namespace")
	before := s.stats()
	s.clean()
	// The other namespace has another h.h at the same path.
	script := `echo '#define H 2' >other.h && mount --bind other.h h.h && make -j4 CC="rexwrap gcc"`
	s.start(s.rig.Env(), "unshare", "-m", "sh", "-c", script).wait().wantStatus(t, 0)
	got := s.objects()
	s.clean()
	s.start(s.bare(), "unshare", "-m", "sh", "-c", strings.ReplaceAll(script, "rexwrap ", "")).wait().wantStatus(t, 0)
	for _, d := range s.objects().Diff(got) {
		t.Error(d)
	}
	if d := s.since(before, files); d.HitsLocal != 0 {
		t.Errorf("%d hits across namespaces", d.HitsLocal)
	}
	s.remove("other.h")
	s.usable("first namespace again")
}

// Another user finds a server and a cache that are not his.
func TestOtherUser(t *testing.T) {
	needRoot(t)
	s := newSite(t)
	s.wrapped("root", s.rig.Env())
	for dir := s.dir; dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	s.clean()
	if err := os.Chmod(s.dir, 0o777); err != nil {
		t.Fatal(err)
	}
	other := append([]string{"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"}, "make", "-j4", "CC=rexwrap gcc")
	s.start(s.rig.Env("TMPDIR=/tmp"), other...).wait().wantStatus(t, 0)
	if err := os.Chmod(s.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	s.check("another user")
	err := filepath.WalkDir(s.rig.Cache(), func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		var st unix.Stat_t
		if err := unix.Lstat(name, &st); err == nil && st.Uid != 0 {
			t.Errorf("%s belongs to user %d", name, st.Uid)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// Root with the variables of a user, as sudo leaves them: the user's cache
// directory is not opened.
func TestCacheOfAnotherUser(t *testing.T) {
	needRoot(t)
	s := newSite(t)
	dir := filepath.Join(s.rig.Dir, "theirs")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(dir, 65534, 65534); err != nil {
		t.Fatal(err)
	}
	s.wrapped("cache of another user", s.rig.Env("REXWRAP_CACHE_DIR="+dir))
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		t.Errorf("%s was made in another user's cache directory", e.Name())
	}
}

// Root with the home directory of a user, as sudo may leave it: nothing is made
// there that the user could not open.
func TestHomeOfAnotherUser(t *testing.T) {
	needRoot(t)
	s := newSite(t)
	home, run := filepath.Join(s.rig.Dir, "theirs"), filepath.Join(s.rig.Dir, "their-run")
	for _, dir := range []string{home, run} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(dir, 65534, 65534); err != nil {
			t.Fatal(err)
		}
	}
	s.wrapped("home of another user", s.rig.Env("HOME="+home, "XDG_RUNTIME_DIR="+run, "REXWRAP_CACHE_DIR"))
	for _, dir := range []string{home, run} {
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("%v was made in another user's directory, %v", left, err)
		}
	}
}

// The one real device that every build uses stays what it is, for root too.
func TestDevNull(t *testing.T) {
	s := newSite(t)
	before := nullDevice(t)
	t.Cleanup(func() {
		if nullDevice(t) == before {
			return
		}
		t.Error("/dev/null was replaced")
		_ = os.Remove("/dev/null")
		_ = unix.Mknod("/dev/null", unix.S_IFCHR|0o666, int(unix.Mkdev(1, 3)))
		_ = os.Chmod("/dev/null", 0o666)
	})
	for _, args := range []string{
		"-c f0.c -o /dev/null", "-S f0.c -o /dev/null", "-MD -MF /dev/null -c f0.c -o x.o",
		"-fsyntax-only f0.c -o /dev/null", "-c missing.c -o /dev/null", "-Wp,-MMD,/dev/null -c f0.c -o x.o",
	} {
		for range 3 {
			for _, cc := range []string{"gcc", "clang"} {
				if _, err := exec.LookPath(cc); err != nil {
					continue
				}
				s.start(s.rig.Env(), append([]string{"rexwrap", cc}, strings.Fields(args)...)...).wait()
				if nullDevice(t) != before {
					t.Fatalf("%s %s replaces /dev/null", cc, args)
				}
			}
		}
	}
	if _, err := os.Lstat("/dev/null.d"); err == nil {
		t.Error("/dev/null.d was made")
	}
}

// nullDevice describes what /dev/null is.
func nullDevice(t *testing.T) string {
	t.Helper()
	var st unix.Stat_t
	if err := unix.Lstat("/dev/null", &st); err != nil {
		return err.Error()
	}
	return fmt.Sprintf("mode %o device %d inode %d", st.Mode, st.Rdev, st.Ino)
}
