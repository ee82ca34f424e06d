//go:build linux

package wine

import (
	"encoding/json"
	"io"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rexwrap/rexwrap/integration/rig"
)

// A process that outlives the compiler and keeps its output open, as mspdbsrv does, is
// not waited for.
func TestOutputHeldOpen(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.set = append(s.set, "FAKECL_LEAVE="+windows(s.dir+"/go"))
	got := s.compile("/c", "a.c")
	if got.Status != 0 || !strings.Contains(got.Stdout, "said") || !strings.Contains(got.Stderr, "shouted") {
		t.Errorf("%+v", got)
	}
	if s.read("src/a.obj") == "(absent)" {
		t.Error("no object")
	}
	s.write("go", "")
	s.want(0, 1)
}

// A wrapper that is killed leaves a server behind that is none the worse for it.
func TestWrapperKilled(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.set = append(s.set, "FAKECL_GATE="+windows(s.dir+"/go"))
	cmd := s.command(s.rexwrap(), s.cl(), "/c", "a.c")
	wait := s.start(cmd)
	s.eventually("the compiler", func() bool { return s.runs() == 1 })
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	wait()
	s.write("go", "")
	s.eventually("the end of the call", func() bool { return !strings.Contains(s.rexd("server", "status").Stdout, "under way: 1") })
	if got := s.compile("/c", "a.c"); got.Status != 0 {
		t.Errorf("%+v", got)
	}
	if got := s.compile("/c", "a.c"); got.Status != 0 {
		t.Errorf("%+v", got)
	}
	if n, most := s.runs(), 2+int(unstored(s.stats())); n < 2 || n > most {
		t.Errorf("%d runs, want 2 to %d", n, most)
	}
	s.noLitter()
}

// A server that is killed under a compile costs the result; the next call starts
// another one.
func TestServerKilled(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	want := s.bare("/c", "a.c")
	s.set = append(s.set, "FAKECL_GATE="+windows(s.dir+"/go"))
	wait := s.start(s.command(s.rexwrap(), s.cl(), "/c", "a.c"))
	s.eventually("the compiler", func() bool { return s.runs() == 2 })
	s.killServer()
	s.write("go", "")
	if got := wait(); got.Status != 0 || got.Stderr != want.Stderr {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got := s.compile("/c", "a.c"); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	s.eventually("another server", func() bool { return s.rexd("server", "status").Status == 0 })
	for range 2 {
		if got := s.compile("/c", "a.c"); got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
	if got := s.stats(); got.HitsLocal == 0 || got.Errors != 0 {
		t.Errorf("%+v", got)
	}
	s.noLitter()
}

// What a compiler with a database of its own leaves behind ends with it, and it ends with
// the wrapper. What others leave behind may be another build's.
func TestJob(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	basic := s.set
	s.set = append(basic, "FAKECL_LEAVE="+windows(s.dir+"/go"))
	for args, stays := range map[string]bool{"/c /Zi /Fdall.pdb a.c": false, "/c /Z7 a.c": true} {
		if got := s.compile(strings.Fields(args)...); got.Status != 0 {
			t.Errorf("%s: %+v", args, got)
		}
		if s.lives("go") != stays {
			t.Errorf("%s: what it has left behind stays: %t", args, !stays)
		}
	}
	s.write("go", "")
	s.set = append(basic, "FAKECL_GATE="+windows(s.dir+"/never"))
	before := s.runs()
	cmd := s.command(s.rexwrap(), s.cl(), "/c", "/Zi", "/Fdall.pdb", "/DX", "a.c")
	wait := s.start(cmd)
	s.eventually("the compiler", func() bool { return s.runs() > before })
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	wait()
	s.eventually("the end of the compiler", func() bool { return !s.lives("runs") })
}

// lives reports whether the process runs whose number the fake compiler has noted for a
// file.
func (s *site) lives(file string) bool {
	s.Helper()
	return s.run(windows(s.in.dir+"/cl/alive.exe"), s.read(file+".pid")).Status == 0
}

// Ctrl-C ends the compiler, and the wrapper with its status; nothing of it is stored.
func TestInterrupt(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	basic := s.set
	s.set = append(basic, "FAKECL_GATE="+windows(s.dir+"/never"), "FAKECL_LOG="+windows(s.dir+"/begun"))
	want := s.interrupt(s.cl(), "/c", "a.c")
	s.remove("begun")
	if got := s.interrupt(s.rexwrap(), s.cl(), "/c", "a.c"); got != want {
		t.Errorf("status %d, want %d", got, want)
	}
	if s.lives("begun") {
		t.Error("the compiler goes on")
	}
	s.set = basic
	for range 2 {
		if got := s.compile("/c", "a.c"); got.Status != 0 {
			t.Errorf("%+v", got)
		}
	}
	if n, most := s.runs(), 1+int(unstored(s.stats())); n < 1 || n > most {
		t.Errorf("%d runs, want 1 to %d", n, most)
	}
	s.noLitter()
}

// interrupt runs a command at a console, presses Ctrl-C there when a compiler has begun, and
// returns the status of the command.
func (s *site) interrupt(argv ...string) int {
	s.Helper()
	console, user, err := rig.Terminal()
	if err != nil {
		s.Fatal(err)
	}
	defer console.Close()
	cmd := s.command(argv...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = user, user, user
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	err = cmd.Start()
	user.Close()
	if err != nil {
		s.Fatal(err)
	}
	go func() { _, _ = io.Copy(io.Discard, console) }() // until nobody has it any more
	s.eventually("a compiler", func() bool { return s.read("begun") != "(absent)" })
	if _, err := console.WriteString("\x03"); err != nil {
		s.Fatal(err)
	}
	timer := time.AfterFunc(limit, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	_ = cmd.Wait() // the status says it
	return cmd.ProcessState.ExitCode()
}

// killServer kills the server of this site.
func (s *site) killServer() {
	s.Helper()
	var status struct{ PID int }
	if err := json.Unmarshal([]byte(s.rexd("server", "status", "--json").Stdout), &status); err != nil || status.PID == 0 {
		s.Fatalf("no server: %v", err)
	}
	if got := s.run(windows(s.in.dir+"/cl/kill.exe"), strconv.Itoa(status.PID)); got.Status != 0 {
		s.Fatalf("%+v", got)
	}
}

// An object that another process reads while it is replaced is written over, as the
// compiler would do; one that nobody may open makes the compile fail as it would bare.
func TestObjectHeldOpen(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.compile("/c", "a.c")
	object := s.read("src/a.obj")
	for _, how := range []string{"shared", "alone"} {
		s.write("src/a.obj", "an old one, and a longer one than the compiler makes of so short a source")
		release := s.hold(windows(s.dir+"/src/a.obj"), how)
		want := s.bare("/c", "a.c")
		s.write("src/a.obj", "an old one, and a longer one than the compiler makes of so short a source")
		got := s.compile("/c", "a.c")
		release()
		if got != want {
			t.Errorf("%s: %+v, want %+v", how, got, want)
		}
		if text := s.read("src/a.obj"); how == "shared" && text != object {
			t.Errorf("object %q, want %q", text, object)
		}
		s.noLitter()
	}
}

// hold has another process open a file until release is called.
func (s *site) hold(path, how string) (release func()) {
	s.Helper()
	cmd := s.command(windows(s.in.dir+"/cl/hold.exe"), path, how)
	in, err := cmd.StdinPipe()
	if err != nil {
		s.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		s.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		s.Fatal(err)
	}
	said := make([]byte, 4)
	if _, err := io.ReadFull(out, said); err != nil || string(said) != "open" {
		s.Fatalf("hold said %q: %v", said, err)
	}
	return func() {
		in.Close()
		_ = cmd.Wait() // its status says nothing
	}
}
