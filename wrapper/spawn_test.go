//go:build unix

package wrapper

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/rexwrap/rexwrap/wrapper/endpoint"
	"github.com/rexwrap/rexwrap/wrapper/wire"
)

// serveForTest is a server: it notes what it was given, and answers as many
// calls as REXWRAP_TEST_CALLS says.
func serveForTest() int {
	log := os.Getenv("REXWRAP_TEST_LOG")
	if os.Args[1] == "server" && os.Args[2] == "spawn" {
		return detachForTest(log)
	}
	n, err := strconv.Atoi(os.Getenv("REXWRAP_TEST_CALLS"))
	if err != nil {
		return 1
	}
	place := endpoint.Locate(os.Getenv, endpoint.View{})
	ln, err := net.Listen("unix", place.Socket)
	if err != nil {
		return 1
	}
	defer ln.Close()
	for range n {
		conn, err := ln.Accept()
		if err != nil {
			return 1
		}
		if _, _, err := wire.NewReader(conn).Next(); err != nil {
			return 1
		}
		if err := wire.Write(conn, &wire.StepAside{Reason: "test"}); err != nil {
			return 1
		}
		conn.Close()
	}
	return 0
}

func detachForTest(log string) int {
	if os.Getenv("REXWRAP_TEST_CALLS") == "" {
		return 1 // a server that cannot start
	}
	mask := syscall.Umask(0o077)
	wd, _ := os.Getwd()
	sid, _, _ := syscall.Syscall(syscall.SYS_GETSID, 0, 0, 0)
	var fds []int
	for _, fd := range openDescriptors() {
		flags, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_GETFD, 0)
		if errno == 0 && flags&syscall.FD_CLOEXEC == 0 {
			fds = append(fds, fd)
		}
	}
	slices.Sort(fds)
	var env []string
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "REXWRAP_") {
			env = append(env, nameOf(kv))
		}
	}
	slices.Sort(env)
	f, err := os.OpenFile(log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return 1
	}
	fmt.Fprintf(f, "umask %o dir %s leader %v fds %v env %v\n", mask, wd, int(sid) == os.Getpid(), fds, env)
	f.Close()
	exe, err := os.Executable()
	if err != nil {
		return 1
	}
	cmd := exec.Cmd{Path: exe, Args: []string{"rexd", "serve", "on"}}
	if cmd.Start() != nil {
		return 1
	}
	return 0
}

// serverFixture is a fixture whose wrappers find a server to start, which
// answers so many calls and ends.
func serverFixture(t *testing.T, calls int) *fixture {
	f := newFixture(t)
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(exe, f.dir+"/bin/rexd"); err != nil {
		t.Fatal(err)
	}
	f.env = append(environ(f.env).with("REXWRAP_REXD="+f.dir+"/bin/rexd"), "REXWRAP_TEST_LOG="+f.dir+"/log", "SECRET=1")
	if calls > 0 {
		f.env = append(f.env, "REXWRAP_TEST_CALLS="+strconv.Itoa(calls))
	}
	return f
}

// TestStart lets many first calls come at once, with descriptors that a server
// must not have.
func TestStart(t *testing.T) {
	const calls = 64
	f := serverFixture(t, calls)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	f.compiler("cc", `echo run >> runs; echo token >&3 || echo closed >> runs`)
	var all sync.WaitGroup
	for range calls {
		all.Go(func() {
			cmd := f.command("rexwrap", "cc", "-c", "x.c")
			cmd.ExtraFiles = []*os.File{w}
			f.want(f.finish(cmd), result{})
		})
	}
	all.Wait()
	w.Close()
	if f.runs() != calls || strings.Contains(f.text("runs"), "closed") {
		t.Errorf("compiler ran %d times, want %d; %s", f.runs(), calls, f.text("runs"))
	}
	const want = "umask 77 dir / leader true fds [0 1 2] env [HOME PATH]\n"
	if got := f.text("log"); got != want {
		t.Errorf("server started with %q, want once %q", got, want)
	}
	tokens := make([]byte, 1<<10)
	n, err := readFull(int(r.Fd()), tokens)
	if err != nil || string(tokens[:n]) != strings.Repeat("token\n", calls) {
		t.Errorf("the inherited pipe got %q, %v", tokens[:n], err)
	}
}

// TestStartFails lets a server fail to start: the calls run, and only the first
// one tries.
func TestStartFails(t *testing.T) {
	f := serverFixture(t, 0)
	for range 3 {
		f.want(f.wrap("rexwrap", "cc", "-c", "x.c"), result{})
	}
	if f.runs() != 3 {
		t.Errorf("compiler ran %d times, want 3", f.runs())
	}
	if _, err := os.Stat(f.dir + "/s.stalled"); err != nil {
		t.Error("no mark of the failure")
	}
}

// TestStartLimited starts no server under a limit on CPU time.
func TestStartLimited(t *testing.T) {
	f := serverFixture(t, 1)
	wrapped := f.command("rexwrap", "cc", "-c", "x.c")
	cmd := exec.Command("/bin/sh", "-c", `ulimit -t 100; exec "$0" rexwrap cc -c x.c`, wrapped.Path)
	// sh cannot give argv[0]; the link's name does.
	if err := os.Symlink(wrapped.Path, f.dir+"/rexwrap"); err != nil {
		t.Fatal(err)
	}
	cmd.Args[3] = f.dir + "/rexwrap"
	cmd.Env, cmd.Dir = wrapped.Env, f.dir
	f.want(f.finish(cmd), result{})
	if f.runs() != 1 || f.text("log") != "-" {
		t.Errorf("compiler ran %d times, server log %q", f.runs(), f.text("log"))
	}
}

// TestHolder lets the cache directory's lock lead to a server that listens
// elsewhere than this call would look.
func TestHolder(t *testing.T) {
	f := newFixture(t)
	f.serveCalls(func(p *peer) { p.send(&wire.Done{Status: 7}) })
	f.write("cache/"+endpoint.LockFile, f.dir+"/s\n")
	f.env = environ(f.env).with("REXWRAP_SOCKET=" + f.dir + "/other")
	f.want(f.wrap("rexwrap", "cc", "-c", "x.c"), result{status: 7})
}

func TestServerEnv(t *testing.T) {
	env := environ{
		"HOME=/h", "PWD=/p", "MAKEFLAGS=-j", "CPATH=/i", "XDG_RUNTIME_DIR=/run/u", "REXWRAP_CACHE_DIR=c",
		"REXWRAP_SOCKET=s", "REXWRAP_GUARD=/usr/bin/cc", "LD_PRELOAD=x.so", "REXWRAP_LOG=debug", "PATH=/bin",
	}
	got := serverEnv(env, endpoint.Place{Socket: "/p/s", CacheDir: "/p/c"})
	want := []string{"HOME=/h", "XDG_RUNTIME_DIR=/run/u", "REXWRAP_LOG=debug", "PATH=/bin", "REXWRAP_CACHE_DIR=/p/c", "REXWRAP_SOCKET=/p/s"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestManage(t *testing.T) {
	f := newFixture(t)
	f.compiler("rexd", `echo "$@"; exit 3`)
	f.env = environ(f.env).with("REXWRAP_REXD=")
	f.want(f.wrap("rexwrap", "stats", "--json"), result{status: 3, stdout: "stats --json\n"})
	f.want(f.wrap("rexwrap", "rexwrap", "-s"), result{status: 3, stdout: "-s\n"})
	f.env = environ(f.env).with("PATH=/nonexistent")
	f.want(f.wrap("rexwrap", "stats"), result{status: 127, stderr: "rexwrap: rexd: command not found\n"})
}
