//go:build linux

package wrapper

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rexwrap/rexwrap/wrapper/wire"
)

// serveRun has the compiler run unchanged and ends the call. What was reported
// comes through the channel.
func (f *fixture) serveRun(change func(*wire.Run)) <-chan wire.Ran {
	f.Helper()
	reports := make(chan wire.Ran, 1)
	f.serveCalls(func(p *peer) {
		run := p.asIs()
		if change != nil {
			change(run)
		}
		p.send(run)
		var ran wire.Ran
		if !p.receive(&ran) {
			close(reports)
			return
		}
		if !ran.Killed {
			p.send(&wire.Done{Status: 99})
			p.receive(&wire.Committed{})
		}
		reports <- ran
	})
	return reports
}

func TestRun(t *testing.T) {
	f := newFixture(t)
	f.compiler("cc", `cat; echo "$1 $COLOUR"; echo warning >&2; exit 3`)
	reports := f.serveRun(func(r *wire.Run) {
		r.Argv = []string{"cc", "-changed"}
		r.Env = []string{"COLOUR=red"}
	})
	cmd := f.command("rexwrap", "cc", "-c", "x.c")
	cmd.Env = append(cmd.Env, "COLOUR=blue")
	cmd.Stdin = strings.NewReader("from stdin\n")
	f.want(f.finish(cmd), result{status: 3, stdout: "from stdin\n-changed red\n", stderr: "warning\n"})
	ran := <-reports
	if ran.Status != 3 || ran.Signal != 0 || ran.Truncated || ran.Killed {
		t.Errorf("reported %+v", ran)
	}
	if ran.MaxRSS < 100<<10 || ran.WallTime <= 0 || ran.UserTime+ran.SysTime <= 0 {
		t.Errorf("resources: %d bytes, %d, %d, %d µs", ran.MaxRSS, ran.WallTime, ran.UserTime, ran.SysTime)
	}
	if got := joined(ran.Chunks); len(ran.Chunks) != 2 || !strings.Contains(got, "1:from stdin\n-changed red\n") || !strings.Contains(got, "2:warning\n") {
		t.Errorf("chunks %q", got)
	}
}

// TestOrder checks that what goes to one pipe keeps its order.
func TestOrder(t *testing.T) {
	f := newFixture(t)
	var want strings.Builder
	var script strings.Builder
	for i := range 20 {
		script.WriteString("echo o" + strconv.Itoa(i) + "; echo e" + strconv.Itoa(i) + " >&2\n")
		want.WriteString("o" + strconv.Itoa(i) + "\ne" + strconv.Itoa(i) + "\n")
	}
	f.compiler("cc", script.String())
	reports := f.serveRun(nil)
	var both bytes.Buffer
	cmd := f.command("rexwrap", "cc", "-c", "x.c")
	cmd.Stdout, cmd.Stderr = &both, &both // os/exec makes one pipe of them
	f.finish(cmd)
	if both.String() != want.String() {
		t.Errorf("got %q", both.String())
	}
	if got := joined((<-reports).Chunks); got != "1:"+want.String() {
		t.Errorf("reported %q", got)
	}
}

// TestSameFile checks what counts as one file.
func TestSameFile(t *testing.T) {
	dir := t.TempDir()
	open := func(flags int) int {
		t.Helper()
		file, err := os.OpenFile(dir+"/log", os.O_CREATE|os.O_WRONLY|flags, 0o666)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { file.Close() })
		return int(file.Fd())
	}
	a, b := open(0), open(0)
	again, err := syscall.Dup(a)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(again)
	r, w, err := pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(r)
	defer syscall.Close(w)
	if _, err := syscall.Write(a, []byte("moves the position of a")); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		a, b int
		want bool
	}{
		{"one descriptor", a, a, true},
		{"a copy", a, again, true},
		{"two openings", a, b, false},
		{"file and pipe", a, w, false},
		{"two ends of a pipe", r, w, true},
		{"closed", a, 1 << 20, false},
	} {
		if got := sameFile(tt.a, tt.b); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}

func TestRunFiltersHeaders(t *testing.T) {
	f := newFixture(t)
	f.compiler("cc", `printf '. a.h\nwarning\n.. b.h\nMultiple include guards may be useful for:\na.h\nb.h\nerror' >&2`)
	reports := f.serveRun(func(r *wire.Run) { r.FilterHeaders = true })
	f.want(f.wrap("rexwrap", "cc", "-c", "x.c"), result{stderr: "warning\nerror"})
	ran := <-reports
	if string(ran.Headers) != ". a.h\n.. b.h\n" || joined(ran.Chunks) != "2:warning\nerror" {
		t.Errorf("headers %q, chunks %q", ran.Headers, joined(ran.Chunks))
	}
}

func TestRunNotThere(t *testing.T) {
	f := newFixture(t)
	f.serveCalls(func(p *peer) { p.send(&wire.Run{Program: f.dir + "/bin/gone", Argv: []string{"gone"}}) })
	f.want(f.wrap("rexwrap", "cc", "-c", "x.c"), result{})
	if f.runs() != 1 {
		t.Errorf("compiler ran %d times, want once", f.runs())
	}
}

// TestMuchOutput passes more on than is kept.
func TestMuchOutput(t *testing.T) {
	f := newFixture(t)
	const size = wire.MaxStream + 1
	f.compiler("cc", "head -c "+strconv.Itoa(size)+" /dev/zero; echo end >&2")
	reports := f.serveRun(nil)
	got := f.wrap("rexwrap", "cc", "-c", "x.c")
	if got.status != 0 || len(got.stdout) != size || got.stderr != "end\n" {
		t.Errorf("status %d, %d bytes on stdout, stderr %q", got.status, len(got.stdout), got.stderr)
	}
	if ran := <-reports; !ran.Truncated || ran.Chunks != nil {
		t.Errorf("truncated %v, %d chunks", ran.Truncated, len(ran.Chunks))
	}
}

// TestSignalled has the compiler die by signals: the wrapper dies by the same.
func TestSignalled(t *testing.T) {
	for _, sig := range []syscall.Signal{
		syscall.SIGKILL, syscall.SIGTERM, syscall.SIGINT, syscall.SIGSEGV, syscall.SIGABRT, syscall.SIGQUIT,
		syscall.SIGPIPE, syscall.SIGXCPU, syscall.SIGUSR1,
	} {
		t.Run(sig.String(), func(t *testing.T) {
			f := newFixture(t)
			f.compiler("cc", "ulimit -c 0; kill -"+strconv.Itoa(int(sig))+" $$")
			reports := f.serveRun(nil)
			f.want(f.wrap("rexwrap", "cc", "-c", "x.c"), result{signal: int(sig)})
			if ran := <-reports; ran.Signal != uint32(sig) || ran.Status != 0 || ran.Killed {
				t.Errorf("reported %+v", ran)
			}
		})
	}
}

// TestStopped sends a signal to the wrapper alone: the compiler gets it and
// cleans up, the wrapper ends as the compiler does, and the temp files go.
func TestStopped(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGQUIT} {
		t.Run(sig.String(), func(t *testing.T) {
			f := newFixture(t)
			f.waitingCompiler()
			killed := make(chan bool, 1)
			f.serveCalls(func(p *peer) {
				p.send(&wire.Prepare{Temps: []string{p.temp("x.d", 0, "")}})
				p.send(p.asIs())
				var ran wire.Ran
				p.receive(&ran)
				killed <- ran.Killed
			})
			cmd := f.command("rexwrap", "cc", "-c", "x.c")
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadFull(out, make([]byte, len("started\n"))); err != nil {
				t.Fatal(err)
			}
			if err := cmd.Process.Signal(sig); err != nil {
				t.Fatal(err)
			}
			f.want(f.wait(cmd, &bytes.Buffer{}, &bytes.Buffer{}), result{signal: int(sig)})
			if !<-killed {
				t.Error("the report does not say that the call was stopped")
			}
			if f.text("cleaned") != "cleaned\n" {
				t.Error("the compiler could not clean up")
			}
			f.noTemps()
		})
	}
}

// TestHeldPipe has the compiler leave a process behind that holds its stdout.
func TestHeldPipe(t *testing.T) {
	f := newFixture(t)
	if err := syscall.Mkfifo(f.dir+"/fifo", 0o600); err != nil {
		t.Fatal(err)
	}
	f.compiler("cc", `(read line <fifo) & echo said`)
	reports := f.serveRun(nil)
	begin := time.Now()
	f.want(f.wrap("rexwrap", "cc", "-c", "x.c"), result{stdout: "said\n"})
	if waited := time.Since(begin); waited > 30*time.Second {
		t.Errorf("waited %v for a process that was left behind", waited)
	}
	if got := joined((<-reports).Chunks); got != "1:said\n" {
		t.Errorf("reported %q", got)
	}
	// Opening the other end lets the process go.
	fd, err := syscall.Open(f.dir+"/fifo", syscall.O_WRONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	syscall.Close(fd)
}

// TestNobodyReads has the compiler write to a pipe that nobody reads: it learns
// of it as it would have without us.
func TestNobodyReads(t *testing.T) {
	f := newFixture(t)
	f.compiler("cc", `trap 'echo pipe > pipe' PIPE; while echo x; do :; done 2>/dev/null; exit 7`)
	reports := f.serveRun(nil)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	cmd := f.command("rexwrap", "cc", "-c", "x.c")
	cmd.Stdout = w
	f.want(f.finish(cmd), result{status: 7})
	w.Close()
	if ran := <-reports; !ran.Truncated || ran.Status != 7 {
		t.Errorf("reported %+v", ran)
	}
	if f.text("pipe") != "pipe\n" {
		t.Error("the compiler got no SIGPIPE")
	}
}

// TestTerminal runs a compiler on a terminal.
func TestTerminal(t *testing.T) {
	f := newFixture(t)
	f.compiler("cc", `test -t 1 && test -t 2 && ! test -t 0 && echo terminal; printf 'a\tb\n' >&2; stty size <&2`)
	reports := f.serveRun(nil)
	master, slave := newTerminal(t)
	cmd := f.command("rexwrap", "cc", "-c", "x.c")
	cmd.Stdout, cmd.Stderr = slave, slave
	f.finish(cmd)
	const want = "terminal\na\tb\n33 101\n"
	ran := <-reports
	if got := joined(ran.Chunks); got != "1:"+want || ran.Truncated {
		t.Errorf("reported %q, truncated %v, want %q", got, ran.Truncated, want)
	}
	slave.Close()
	shown, _ := io.ReadAll(master) // ends with EIO
	if got := string(shown); got != want {
		t.Errorf("the terminal shows %q, want %q", got, want)
	}
}

// TestOneTerminal has a terminal for stderr only.
func TestOneTerminal(t *testing.T) {
	f := newFixture(t)
	f.compiler("cc", `test -t 1 || echo pipe; test -t 2 && echo terminal >&2`)
	calls := make(chan wire.Call, 1)
	f.serveCalls(func(p *peer) {
		calls <- p.call
		p.send(p.asIs())
		p.receive(&wire.Ran{})
		p.send(&wire.Done{})
	})
	master, slave := newTerminal(t)
	cmd := f.command("rexwrap", "cc", "-c", "x.c")
	cmd.Stderr = slave
	f.want(f.finish(cmd), result{stdout: "pipe\n"})
	slave.Close()
	if shown, _ := io.ReadAll(master); string(shown) != "terminal\n" {
		t.Errorf("the terminal shows %q", shown)
	}
	c := <-calls
	if c.Stdout != wire.StreamOther || c.Stderr != wire.StreamTerminal || c.SameFile || c.Columns != 101 {
		t.Errorf("call says %v %v %v %d", c.Stdout, c.Stderr, c.SameFile, c.Columns)
	}
}

// newTerminal returns a pseudo terminal of 33 rows and 101 columns that passes
// bytes unchanged.
func newTerminal(t *testing.T) (master, slave *os.File) {
	t.Helper()
	m, s, err := bareTerminal()
	if err != nil {
		t.Fatal(err)
	}
	if out, err := (&exec.Cmd{
		Path: "/bin/stty", Args: []string{"stty", "raw", "-echo", "rows", "33", "cols", "101"}, Stdin: s,
	}).CombinedOutput(); err != nil {
		t.Fatalf("stty: %v %s", err, out)
	}
	t.Cleanup(func() {
		m.Close()
		s.Close()
	})
	return m, s
}

// TestClosedDescriptors starts the wrapper with none of the standard
// descriptors: nothing of ours may take their numbers.
func TestClosedDescriptors(t *testing.T) {
	f := newFixture(t)
	f.compiler("cc", `echo lost; echo lost >&2; for n in 0 1 2; do readlink /proc/self/fd/$n; done > fds; ls /proc/$$/fd > open`)
	reports := f.serveRun(nil)
	wrapped := f.command("rexwrap", "cc", "-c", "x.c")
	if err := os.Symlink(wrapped.Path, f.dir+"/rexwrap"); err != nil {
		t.Fatal(err)
	}
	run := func(script string) result {
		cmd := exec.Command("/bin/sh", "-c", script)
		cmd.Env, cmd.Dir = wrapped.Env, f.dir
		return f.finish(cmd)
	}
	f.want(run(`exec bin/cc </dev/null >/dev/null 2>&1`), result{})
	bare := f.text("open")
	f.want(run(`exec ./rexwrap cc -c x.c <&- >&- 2>&-`), result{})
	if got := joined((<-reports).Chunks); !strings.Contains(got, "lost\n") {
		t.Errorf("reported %q", got)
	}
	if strings.Contains(f.text("fds"), "socket") || f.text("open") != bare {
		t.Errorf("the compiler's descriptors are %q, want %q; the first three are %q", f.text("open"), bare, f.text("fds"))
	}
}

// TestStoppedWhileBlocked stops a call whose output nobody takes, as of a build
// that is piped into a pager: while the compiler waits for it, and when it has
// ended, having filled the pipe to us and the one behind us.
func TestStoppedWhileBlocked(t *testing.T) {
	for _, size := range []string{"1000000", "100000"} {
		t.Run(size, func(t *testing.T) { testStoppedWhileBlocked(t, size) })
	}
}

func testStoppedWhileBlocked(t *testing.T, size string) {
	f := newFixture(t)
	f.compiler("cc", `echo started >&2; exec head -c `+size+` /dev/zero`)
	f.serveRun(nil)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cmd := f.command("rexwrap", "cc", "-c", "x.c")
	cmd.Stdout = w
	errs, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	if _, err := io.ReadFull(errs, make([]byte, len("started\n"))); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(r, make([]byte, 1)); err != nil { // it has begun
		t.Fatal(err)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	f.want(f.wait(cmd, &bytes.Buffer{}, &bytes.Buffer{}), result{signal: int(syscall.SIGTERM)})
}

// TestInterrupt runs the wrapper in the foreground of a terminal. Ctrl-C reaches
// the compiler once; a signal to the wrapper alone reaches it after a while.
func TestInterrupt(t *testing.T) {
	for name, interrupt := range map[string]func(p *os.Process, terminal *os.File) error{
		"key": func(_ *os.Process, terminal *os.File) error {
			_, err := terminal.Write([]byte{3})
			return err
		},
		"kill": func(p *os.Process, _ *os.File) error { return p.Signal(syscall.SIGINT) },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.waitingCompiler()
			reports := f.serveRun(nil)
			master, slave, err := bareTerminal()
			if err != nil {
				t.Fatal(err)
			}
			defer master.Close()
			defer slave.Close()
			cmd := f.command("rexwrap", "cc", "-c", "x.c")
			cmd.Stdin = slave
			cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadFull(out, make([]byte, len("started\n"))); err != nil {
				t.Fatal(err)
			}
			if err := interrupt(cmd.Process, master); err != nil {
				t.Fatal(err)
			}
			f.want(f.wait(cmd, &bytes.Buffer{}, &bytes.Buffer{}), result{signal: int(syscall.SIGINT)})
			// Killed is not certain: the compiler may be gone before we know.
			if ran := <-reports; ran.Signal != uint32(syscall.SIGINT) {
				t.Errorf("reported %+v", ran)
			}
			if got := f.text("cleaned"); got != "cleaned\n" {
				t.Errorf("the compiler cleaned up: %q, want once", got)
			}
		})
	}
}
