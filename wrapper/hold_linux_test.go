package wrapper

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/rexwrap/rexwrap/wrapper/wire"
)

// stubborn is a compiler that says something, leaves a process that would write
// the object whatever becomes of its parent, and waits for what never comes.
const stubborn = `echo said; echo warned >&2; echo part > out.o; mkfifo never
: > "$TMPDIR/cc1.s"; mkdir "$TMPDIR/sub"; : > "$TMPDIR/sub/x"
trap 'rm -f out.o; echo cleaned > out.o' TERM
(setsid sh -c 'trap "" TERM HUP INT; echo $$ > orphan; read x < never; echo late > out.o') &
while ! test -s orphan; do :; done
echo started > "$PROGRESS"; read x < never`

// progress returns the path of a FIFO to which the compiler reports, and what
// waits for that.
func (f *fixture) progress() (wait func()) {
	f.Helper()
	path := f.dir + "/progress"
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		f.Fatal(err)
	}
	f.env = append(f.env, "PROGRESS="+path, "TMPDIR="+f.dir+"/tmp")
	if err := os.Mkdir(f.dir+"/tmp", 0o700); err != nil {
		f.Fatal(err)
	}
	return func() {
		if _, err := os.ReadFile(path); err != nil {
			f.Error(err)
		}
	}
}

// noTmp fails the test where the compiler's temp files are left.
func (f *fixture) noTmp() {
	f.Helper()
	left, err := filepath.Glob(f.dir + "/tmp/*")
	if err != nil || len(left) > 0 {
		f.Errorf("left in TMPDIR: %q %v", left, err)
	}
}

func (p *peer) held() *wire.Run {
	run := p.asIs()
	run.Hold = true
	return run
}

// TestCancel ends a compiler without a trace and answers in its place.
func TestCancel(t *testing.T) {
	f := newFixture(t)
	f.compiler("cc", stubborn)
	wait := f.progress()
	f.serveCalls(func(p *peer) {
		if !p.call.CanCancel {
			t.Error("CanCancel is not set")
		}
		p.send(p.held())
		wait()
		p.send(&wire.Away{})
		p.send(&wire.Heartbeat{})
		p.send(&wire.Cancel{})
		var ran wire.Ran
		if !p.receive(&ran) || !ran.Cancelled || ran.Killed || len(ran.Chunks) > 0 {
			t.Errorf("reported %+v", ran)
		}
		if pid := strings.TrimSpace(f.text("orphan")); f.alive(pid) {
			t.Errorf("process %s lives", pid)
		}
		temp := p.temp("out.o", 0, "remote")
		p.send(&wire.Prepare{Temps: []string{temp}})
		p.send(&wire.Done{
			Status: 0, Chunks: []wire.Chunk{{Fd: 1, Data: []byte("from afar\n")}},
			Files: []wire.File{{Target: "out.o", Temp: temp}},
		})
		p.receive(&wire.Committed{})
	})
	f.want(f.wrap("rexwrap", "cc", "-c", "x.c"), result{stdout: "from afar\n"})
	if f.text("out.o") != "remote" {
		t.Errorf("out.o is %q", f.text("out.o"))
	}
	f.noTemps()
	f.noTmp()
}

func (f *fixture) alive(pid string) bool {
	_, err := os.Stat("/proc/" + pid)
	return pid != "-" && err == nil
}

// TestCancelBroken is for a server that dies after it had the compiler ended.
func TestCancelBroken(t *testing.T) {
	for name, after := range map[string]func(p *peer){
		"connection": func(*peer) {},
		"second run": func(p *peer) { p.send(p.asIs()) },
		"step aside": func(p *peer) { p.send(&wire.StepAside{Reason: "test"}) },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.compiler("cc", `test -e once && { echo again; echo compiled > out.o; exit 0; }; : > once`+"\n"+stubborn)
			wait := f.progress()
			f.serveCalls(func(p *peer) {
				p.send(p.held())
				wait()
				p.send(&wire.Cancel{})
				p.receive(&wire.Ran{})
				after(p)
			})
			f.want(f.wrap("rexwrap", "cc", "-c", "x.c"), result{stdout: "again\n"})
			if f.text("out.o") != "compiled\n" {
				t.Errorf("out.o is %q", f.text("out.o"))
			}
			f.noTmp()
		})
	}
}

// TestHeld is for a compiler that wins its race: what it said is said at the
// end, and a Cancel that comes too late changes nothing.
func TestHeld(t *testing.T) {
	said := result{status: 3, stdout: "said\n", stderr: "warned\n"}
	for name, end := range map[string]func(p *peer){
		"done": func(p *peer) {
			p.send(&wire.Done{Status: 99})
			p.receive(&wire.Committed{})
		},
		"cancelled late": func(p *peer) {
			p.send(&wire.Cancel{})
			p.send(&wire.Done{})
			p.receive(&wire.Committed{})
		},
		"server gone": func(*peer) {},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.progress()
			f.compiler("cc", `echo run >> runs; : > "$TMPDIR/x"; echo said; echo warned >&2; echo local > out.o; exit 3`)
			f.serveCalls(func(p *peer) {
				p.send(p.held())
				var ran wire.Ran
				if !p.receive(&ran) || ran.Cancelled || ran.Status != 3 || len(ran.Chunks) != 2 {
					t.Errorf("reported %+v", ran)
				}
				end(p)
			})
			f.want(f.wrap("rexwrap", "cc", "-c", "x.c"), said)
			if f.text("out.o") != "local\n" || f.runs() != 1 {
				t.Errorf("out.o is %q, compiler ran %d times", f.text("out.o"), f.runs())
			}
			f.noTmp()
		})
	}
}

// TestHeldAlone is for a server that dies while the compiler is held: it says
// what it has to say as without a server.
func TestHeldAlone(t *testing.T) {
	f := newFixture(t)
	wait := f.progress()
	f.compiler("cc", `echo said; echo started > "$PROGRESS"; read x < "$PROGRESS"; echo more; exit 3`)
	f.serveCalls(func(p *peer) {
		p.send(p.held())
		wait()
	})
	cmd := f.command("rexwrap", "cc", "-c", "x.c")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 5)
	if _, err := out.Read(buf); err != nil || string(buf) != "said\n" {
		t.Errorf("read %q, %v", buf, err)
	}
	f.write("progress", "go on\n")
	if _, err := out.Read(buf); err != nil || string(buf) != "more\n" {
		t.Errorf("read %q, %v", buf, err)
	}
	if err := cmd.Wait(); cmd.ProcessState.ExitCode() != 3 {
		t.Errorf("status %d, %v", cmd.ProcessState.ExitCode(), err)
	}
	f.noTmp()
}

// TestHeldTooLong is for a compiler that says more than can be kept: it wins.
func TestHeldTooLong(t *testing.T) {
	f := newFixture(t)
	f.progress()
	f.compiler("cc", `head -c 9000000 /dev/zero; exit 3`)
	f.serveCalls(func(p *peer) {
		p.send(p.held())
		var ran wire.Ran
		if !p.receive(&ran) || ran.Cancelled || !ran.Truncated || ran.Status != 3 {
			t.Errorf("reported status %d, cancelled %v, truncated %v", ran.Status, ran.Cancelled, ran.Truncated)
		}
		p.send(&wire.Done{})
		p.receive(&wire.Committed{})
	})
	got := f.wrap("rexwrap", "cc", "-c", "x.c")
	if got.status != 3 || len(got.stdout) != 9_000_000 {
		t.Errorf("status %d, %d bytes", got.status, len(got.stdout))
	}
}

// TestHeldStopped is for a call that is stopped while the compiler is held.
func TestHeldStopped(t *testing.T) {
	f := newFixture(t)
	wait := f.progress()
	f.compiler("cc", `trap 'echo stopped; exit 3' TERM; echo said; echo started > "$PROGRESS"; while :; do :; done`)
	f.serveCalls(func(p *peer) {
		p.send(p.held())
		wait()
		if err := syscall.Kill(int(p.call.Pid), syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		var ran wire.Ran
		if !p.receive(&ran) || !ran.Killed {
			t.Errorf("reported %+v", ran)
		}
	})
	f.want(f.wrap("rexwrap", "cc", "-c", "x.c"), result{status: 3, stdout: "said\nstopped\n"})
	f.noTmp()
}

// TestNotHeld is for a process that had children before it became the wrapper:
// they are not ours to end, so that Cancel is not obeyed.
func TestNotHeld(t *testing.T) {
	f := newFixture(t)
	wait := f.progress()
	f.compiler("cc", `echo started > "$PROGRESS"; read x < "$PROGRESS"; echo said`)
	f.serveCalls(func(p *peer) {
		p.send(p.held())
		wait()
		p.send(&wire.Cancel{})
		f.write("progress", "go on\n")
		var ran wire.Ran
		if !p.receive(&ran) || ran.Cancelled {
			t.Errorf("reported %+v", ran)
		}
		p.send(&wire.Done{})
		p.receive(&wire.Committed{})
	})
	wrapped := f.command("rexwrap", "cc", "-c", "x.c")
	shell := f.command("sh", "-c", `sleep 600 </dev/null >/dev/null 2>&1 & echo $! > sleeper; exec "$0" cc -c x.c`, f.dir+"/rexwrap")
	if err := os.Symlink(wrapped.Path, f.dir+"/rexwrap"); err != nil {
		t.Fatal(err)
	}
	shell.Path = "/bin/sh"
	f.want(f.finish(shell), result{stdout: "said\n"})
	pid := strings.TrimSpace(f.text("sleeper"))
	if !f.alive(pid) {
		t.Error("a process of the caller's is dead")
	}
	f.kill(pid)
}

func (f *fixture) kill(pid string) {
	f.Helper()
	if n, ok := decimal(pid); ok {
		_ = syscall.Kill(n, syscall.SIGKILL)
	}
}

// TestCancelWaiting cancels a run that waits for its slot.
func TestCancelWaiting(t *testing.T) {
	f := newFixture(t)
	place := f.slots(1)
	defer f.take(place).Release()
	f.serveCalls(func(p *peer) {
		p.send(p.held())
		p.send(&wire.Heartbeat{})
		p.silence(20)
		p.send(&wire.Cancel{})
		var ran wire.Ran
		if !p.receive(&ran) || !ran.Cancelled {
			t.Errorf("reported %+v", ran)
		}
		p.send(&wire.Done{Status: 4})
		p.receive(&wire.Committed{})
	})
	f.want(f.wrap("rexwrap", "cc", "-c", "x.c"), result{status: 4})
	if f.runs() != 0 {
		t.Error("the compiler ran")
	}
}
