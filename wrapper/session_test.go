//go:build unix

package wrapper

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/rexwrap/rexwrap/wrapper/wire"
)

func TestCallFrame(t *testing.T) {
	f := newFixture(t)
	f.env = append(f.env, "COLOUR=yes")
	calls := make(chan wire.Call, 1)
	f.serveCalls(func(p *peer) {
		calls <- p.call
		p.send(&wire.StepAside{Reason: "test"})
	})
	cmd := f.command("rexwrap", "cc", "-c", "x.c")
	f.want(f.finish(cmd), result{})
	got := <-calls
	if got.Version != wire.Version || got.Program != f.dir+"/bin/cc" || !slices.Equal(got.Argv, []string{"cc", "-c", "x.c"}) {
		t.Errorf("call of %q %q in version %d", got.Program, got.Argv, got.Version)
	}
	if got.Dir != f.dir || got.PWD != f.dir {
		t.Errorf("Dir %q, PWD %q, want %q", got.Dir, got.PWD, f.dir)
	}
	if !slices.Equal(got.Env, cmd.Env) {
		t.Errorf("environment of %d entries, want %d", len(got.Env), len(cmd.Env))
	}
	mask := syscall.Umask(0)
	syscall.Umask(mask)
	if int(got.Umask) != mask || int(got.Pid) != cmd.Process.Pid || got.Token == "" || got.Started == 0 {
		t.Errorf("umask %o, pid %d, token %q, started %d", got.Umask, got.Pid, got.Token, got.Started)
	}
	if got.SameFile || got.Stdout != wire.StreamOther || got.Stderr != wire.StreamOther {
		t.Errorf("streams %v %v %v", got.SameFile, got.Stdout, got.Stderr)
	}
}

func TestApparentDir(t *testing.T) {
	f := newFixture(t)
	calls := make(chan wire.Call, 1)
	f.serveCalls(func(p *peer) {
		calls <- p.call
		p.send(&wire.StepAside{})
	})
	if err := os.Symlink(f.dir, f.dir+"/link"); err != nil {
		t.Fatal(err)
	}
	for pwd, want := range map[string]string{f.dir + "/link": f.dir + "/link", f.dir + "/bin": "", "relative": "", "": ""} {
		f.env = environ(f.env).with("PWD=" + pwd)
		f.want(f.wrap("rexwrap", "cc", "-c", "x.c"), result{})
		if got := (<-calls).PWD; got != want {
			t.Errorf("PWD=%q: got %q, want %q", pwd, got, want)
		}
	}
}

func TestStepAside(t *testing.T) {
	f := newFixture(t)
	f.compiler("cc", `echo "$0 $@"; echo warned >&2; exit 3`)
	f.serveCalls(func(p *peer) {
		p.send(&wire.Heartbeat{})
		p.send(&wire.StepAside{Reason: "test"})
	})
	f.want(f.wrap("rexwrap", "cc", "-c", "a b"), result{status: 3, stdout: f.dir + "/bin/cc -c a b\n", stderr: "warned\n"})
	f.env = append(f.env, "REXWRAP_VERBOSE=1")
	got := f.wrap("rexwrap", "cc", "-c")
	if want := "rexwrap: cc: runs without the cache: test\nwarned\n"; got.stderr != want {
		t.Errorf("verbose: %q, want %q", got.stderr, want)
	}
}

func TestHit(t *testing.T) {
	f := newFixture(t)
	f.write("stale.dwo", "")
	f.write("shared.pdb", "types")
	long := time.Unix(1e9, 0)
	if err := os.Chtimes(filepath.Join(f.dir, "shared.pdb"), long, long); err != nil {
		t.Fatal(err)
	}
	committed := make(chan bool, 1)
	f.serveCalls(func(p *peer) {
		temps := []string{p.temp("out.d", 0, "dep"), p.temp("out.o", 1, "object"), wire.TempName("out.su", p.call.Token, 2)}
		p.send(&wire.Prepare{Temps: temps[:1]})
		p.send(&wire.Heartbeat{})
		p.send(&wire.Prepare{Temps: temps[1:]})
		p.temp("out.su", 2, "announced, not used")
		p.send(&wire.Done{
			Status: 4,
			Chunks: []wire.Chunk{{Fd: 2, Data: []byte("w1\n")}, {Fd: 1, Data: []byte("o\n")}, {Fd: 2, Data: []byte("w2\n")}},
			Files:  []wire.File{{Target: "out.d", Temp: temps[0]}, {Target: "out.o", Temp: temps[1]}},
			Remove: []string{"stale.dwo", "absent.dwo"},
			Touch:  []string{"absent.pdb", "shared.pdb"},
		})
		committed <- p.receive(&wire.Committed{})
	})
	f.want(f.wrap("rexwrap", "cc", "-c", "x.c"), result{status: 4, stdout: "o\n", stderr: "w1\nw2\n"})
	if f.text("out.o") != "object" || f.text("out.d") != "dep" || f.text("stale.dwo") != "-" {
		t.Errorf("out.o %q, out.d %q, stale.dwo %q", f.text("out.o"), f.text("out.d"), f.text("stale.dwo"))
	}
	if info, err := os.Stat(filepath.Join(f.dir, "shared.pdb")); err != nil || time.Since(info.ModTime()) > time.Minute || f.text("shared.pdb") != "types" {
		t.Errorf("shared.pdb: %v, %v", info, err)
	}
	if f.text("absent.pdb") != "-" {
		t.Error("absent.pdb was made")
	}
	if f.runs() != 0 {
		t.Error("the compiler ran")
	}
	f.noTemps()
	if !<-committed {
		t.Error("no Committed")
	}
}

// TestBroken breaks the conversation at every point: the compiler runs, once,
// and no temp file is left.
func TestBroken(t *testing.T) {
	prepare := func(p *peer) *wire.Prepare {
		return &wire.Prepare{Temps: []string{p.temp("out.o", 0, "object")}}
	}
	for name, script := range map[string]func(p *peer){
		"after Call":      func(*peer) {},
		"after Heartbeat": func(p *peer) { p.send(&wire.Heartbeat{}) },
		"after Prepare":   func(p *peer) { p.send(prepare(p)) },
		"within Done": func(p *peer) {
			m := prepare(p)
			p.send(m)
			frame := wire.Append(nil, &wire.Done{Files: []wire.File{{Target: "out.o", Temp: m.Temps[0]}}})
			_, _ = p.conn.Write(frame[:len(frame)-3])
		},
		"after Ran": func(p *peer) {
			p.send(prepare(p))
			p.send(p.asIs())
			p.receive(&wire.Ran{})
		},
		"while it runs": func(p *peer) { p.send(p.asIs()) },
		"garbage":       func(p *peer) { _, _ = p.conn.Write([]byte("HTTP/1.1 400 Bad Request\r\n")) },
		"wrong frame":   func(p *peer) { p.send(&wire.Notice{}) },
		"bad payload":   func(p *peer) { _, _ = p.conn.Write([]byte{3, 0, 0, 0, byte(wire.TypeDone), 1, 2}) },
		"second Run": func(p *peer) {
			p.send(p.asIs())
			p.receive(&wire.Ran{})
			p.send(p.asIs())
		},
		"foreign temp": func(p *peer) {
			p.write("precious", "")
			p.send(&wire.Prepare{Temps: []string{"precious"}})
		},
		"rename of a foreign file": func(p *peer) {
			p.write("precious", "")
			p.send(&wire.Done{Files: []wire.File{{Target: "out.o", Temp: "precious"}}})
		},
		"descriptor 3": func(p *peer) { p.send(&wire.Done{Chunks: []wire.Chunk{{Fd: 3, Data: []byte("x")}}}) },
		"missing temp": func(p *peer) {
			p.send(&wire.Done{Files: []wire.File{{Target: "out.o", Temp: wire.TempName("out.o", p.call.Token, 7)}}})
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.serveCalls(script)
			f.want(f.wrap("rexwrap", "cc", "-c", "x.c"), result{})
			if f.text("out.o") != "compiled\n" || f.runs() != 1 {
				t.Errorf("out.o is %q, compiler ran %d times", f.text("out.o"), f.runs())
			}
			if strings.Contains(name, "foreign") && f.text("precious") == "-" {
				t.Error("a file of the user's is gone")
			}
			f.noTemps()
		})
	}
}

// TestBrokenAfterChange is for a server that breaks after it had the compiler
// run with other arguments: what that left may lack outputs.
func TestBrokenAfterChange(t *testing.T) {
	f := newFixture(t)
	f.compiler("cc", `echo warning >&2; echo "$@" >> runs; case "$*" in *-H*) ;; *) echo all > out.d;; esac; exit 5`)
	f.serveCalls(func(p *peer) {
		run := p.asIs()
		run.Argv = append(run.Argv, "-H")
		p.send(run)
		p.receive(&wire.Ran{})
	})
	f.want(f.wrap("rexwrap", "cc", "-c"), result{status: 5, stderr: "warning\n"})
	if f.text("runs") != "-c -H\n-c\n" || f.text("out.d") != "all\n" {
		t.Errorf("runs %q, out.d %q", f.text("runs"), f.text("out.d"))
	}
}

// A cl.exe that steps aside shares its database with the compiles that do not, unless the
// user has chosen otherwise.
func TestStepAsideWithDatabase(t *testing.T) {
	for reason, want := range map[string]string{"precompiled-header": "/FS /c /Zi x.c\n", reasonUnshared: "/c /Zi x.c\n"} {
		f := newFixture(t)
		f.compiler("cl", `echo "$@" >> runs`)
		f.serveCalls(func(p *peer) { p.send(&wire.StepAside{Reason: reason}) })
		f.want(f.wrap("rexwrap", "cl", "/c", "/Zi", "x.c"), result{})
		if got := f.text("runs"); got != want {
			t.Errorf("%s: runs %q, want %q", reason, got, want)
		}
	}
}

// A cl.exe that is run again shares its database: the other compiles of the build may be
// run again as well.
func TestBrokenAfterPrivateDatabase(t *testing.T) {
	f := newFixture(t)
	f.compiler("cl", `echo "$@" >> runs`)
	f.serveCalls(func(p *peer) {
		run := p.asIs()
		run.Argv = append(run.Argv, "/Fdown.pdb")
		p.send(run)
		p.receive(&wire.Ran{})
	})
	f.want(f.wrap("rexwrap", "cl", "/c", "/Zi", "x.c"), result{})
	if got, want := f.text("runs"), "/c /Zi x.c /Fdown.pdb\n/FS /c /Zi x.c\n"; got != want {
		t.Errorf("runs %q, want %q", got, want)
	}
}

// TestStalled is for a server that takes the call and never answers. Only the
// first call waits.
func TestStalled(t *testing.T) {
	f := newFixture(t)
	f.limits = hasty
	var calls atomic.Int32
	release := make(chan struct{})
	f.serveCalls(func(p *peer) {
		calls.Add(1)
		<-release
	})
	for range 3 {
		f.want(f.wrap("rexwrap", "cc", "-c", "x.c"), result{})
	}
	f.want(f.wrap("rexwrap", "cc", "x.o"), result{}) // a notice is not sent either
	close(release)
	f.server.Close()
	f.served.Wait()
	if calls.Load() != 1 || f.runs() != 4 {
		t.Errorf("%d calls reached the server, want 1; compiler ran %d times, want 4", calls.Load(), f.runs())
	}
}

// TestHeartbeats is for a server that works for longer than its first answer
// may take.
func TestHeartbeats(t *testing.T) {
	f := newFixture(t)
	f.limits = eager
	f.serveCalls(func(p *peer) {
		p.send(&wire.Heartbeat{})
		p.silence(limitsForTest(eager).first * 3 / 2)
		p.send(&wire.Done{Status: 9})
		p.receive(&wire.Committed{})
	})
	f.want(f.wrap("rexwrap", "cc", "-c", "x.c"), result{status: 9})
}

func TestNotice(t *testing.T) {
	f := newFixture(t)
	notices := make(chan wire.Notice, 1)
	f.serve(func(p *peer) {
		var n wire.Notice
		p.receive(&n)
		notices <- n
	})
	f.want(f.wrap("rexwrap", "cc", "-o", "prog", "x.o"), result{})
	n := <-notices
	if n.Reason != reasonLink || n.Program != f.dir+"/bin/cc" || n.Dir != f.dir || n.Started == 0 {
		t.Errorf("notice %+v", n)
	}
}

func TestDisabled(t *testing.T) {
	f := newFixture(t)
	f.serve(func(p *peer) { t.Error("the server was asked") })
	f.env = append(f.env, "REXWRAP_DISABLE=1")
	f.want(f.wrap("rexwrap", "cc", "-c", "x.c"), result{})
	f.want(f.wrap("rexwrap", "cc", "x.o"), result{})
	if f.runs() != 2 || f.text("cache") != "-" {
		t.Errorf("compiler ran %d times", f.runs())
	}
}
