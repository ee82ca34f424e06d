//go:build unix

package wrapper

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rexwrap/rexwrap/wrapper/proc"
	"github.com/rexwrap/rexwrap/wrapper/wire"
)

// The test binary is started again as the wrapper, because a wrapper ends its
// process, as the server that a wrapper starts, and as a compiler that waits for
// a signal, which shells cannot do without missing one now and then.
func TestMain(m *testing.M) {
	switch {
	case os.Getenv("REXWRAP_TEST_COMPILER") != "":
		os.Exit(awaitSignal())
	case filepath.Base(os.Args[0]) == "rexd":
		os.Exit(serveForTest())
	case os.Getenv(limitsVariable) != "":
		os.Exit(start(proc.Args(), proc.Environ(), limitsForTest(os.Getenv(limitsVariable))))
	}
	os.Exit(m.Run())
}

// awaitSignal is a compiler that cleans up when it is stopped.
func awaitSignal() int {
	arrived := make(chan os.Signal, 1)
	signal.Notify(arrived, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)
	fmt.Println("started")
	sig := <-arrived
	f, err := os.OpenFile("cleaned", os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o666)
	if err != nil {
		return 1
	}
	fmt.Fprintln(f, "cleaned")
	f.Close()
	dieBy(sig.(syscall.Signal))
	return 1
}

// waitingCompiler makes the compiler cc one that awaits a signal.
func (f *fixture) waitingCompiler() {
	f.Helper()
	exe, err := os.Executable()
	if err != nil {
		f.Fatal(err)
	}
	f.compiler("cc", "REXWRAP_TEST_COMPILER=1 exec "+exe)
}

// limitsVariable makes the test binary the wrapper. It holds the limits that
// the test wants to be short.
const limitsVariable = "REXWRAP_TEST_LIMITS"

// patient limits are for tests in which no wait may end by its limit, however
// slow the machine; hasty ones for those in which it must; eager ones only want
// a first answer soon.
const (
	patient = "patient"
	hasty   = "hasty"
	eager   = "eager"
)

func limitsForTest(kind string) limits {
	l := defaultLimits()
	l.connect, l.first, l.gap, l.start = 60_000, 60_000, 60_000, 60_000
	switch kind {
	case hasty:
		l.connect, l.first, l.gap, l.start = 100, 100, 100, 100
		l.slot, l.token = 500, 100
	case eager:
		l.first = 1000
	}
	return l
}

// A fixture is a scratch directory with a compiler, and a server to be.
type fixture struct {
	*testing.T
	dir    string // short, for the socket's sake
	limits string
	env    []string
	server net.Listener
	served sync.WaitGroup
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	dir, err := os.MkdirTemp("", "rw")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	f := &fixture{T: t, dir: dir, limits: patient}
	f.env = []string{
		"PATH=" + dir + "/bin:/usr/bin:/bin", "HOME=" + dir, "PWD=" + dir,
		"REXWRAP_SOCKET=" + dir + "/s", "REXWRAP_CACHE_DIR=" + dir + "/cache", "REXWRAP_REXD=/nonexistent",
	}
	f.compiler("cc", `echo compiled > out.o; echo run >> runs`)
	return f
}

// compiler puts a shell script named name on the fixture's PATH.
func (f *fixture) compiler(name, script string) {
	f.Helper()
	f.write("bin/"+name, "#!/bin/sh\n"+script+"\n")
	if err := os.Chmod(f.dir+"/bin/"+name, 0o755); err != nil {
		f.Fatal(err)
	}
}

func (f *fixture) write(name, text string) {
	f.Helper()
	path := filepath.Join(f.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		f.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		f.Fatal(err)
	}
}

// text returns a file's content, "-" where there is no file.
func (f *fixture) text(name string) string {
	f.Helper()
	text, err := os.ReadFile(filepath.Join(f.dir, name))
	if errors.Is(err, os.ErrNotExist) {
		return "-"
	}
	if err != nil {
		f.Fatal(err)
	}
	return string(text)
}

// runs is how often the compiler of newFixture has run.
func (f *fixture) runs() int { return strings.Count(f.text("runs"), "run") }

// noTemps fails the test where a temp file is left behind.
func (f *fixture) noTemps() {
	f.Helper()
	left, err := filepath.Glob(f.dir + "/.rexwrap-*")
	if err != nil || len(left) > 0 {
		f.Errorf("left behind: %v %v", left, err)
	}
}

// command returns the wrapper, to be started with argv.
func (f *fixture) command(argv ...string) *exec.Cmd {
	exe, err := os.Executable()
	if err != nil {
		f.Fatal(err)
	}
	return &exec.Cmd{
		Path: exe, Args: argv, Dir: f.dir,
		Env: append([]string{limitsVariable + "=" + f.limits}, f.env...),
	}
}

// A result is what a wrapper left.
type result struct {
	status, signal int
	stdout, stderr string
}

func (f *fixture) wrap(argv ...string) result {
	f.Helper()
	return f.finish(f.command(argv...))
}

// finish runs cmd with pipes for stdout and stderr, where it has none.
func (f *fixture) finish(cmd *exec.Cmd) result {
	f.Helper()
	var out, errs bytes.Buffer
	if cmd.Stdout == nil {
		cmd.Stdout = &out
	}
	if cmd.Stderr == nil {
		cmd.Stderr = &errs
	}
	if err := cmd.Start(); err != nil {
		f.Fatal(err)
	}
	return f.wait(cmd, &out, &errs)
}

func (f *fixture) wait(cmd *exec.Cmd, out, errs *bytes.Buffer) result {
	f.Helper()
	var exit *exec.ExitError
	if err := cmd.Wait(); err != nil && !errors.As(err, &exit) {
		f.Fatal(err)
	}
	status := cmd.ProcessState.Sys().(syscall.WaitStatus)
	r := result{stdout: out.String(), stderr: errs.String()}
	if status.Signaled() {
		r.signal = int(status.Signal())
	} else {
		r.status = status.ExitStatus()
	}
	return r
}

// want compares a result.
func (f *fixture) want(got, want result) {
	f.Helper()
	if got != want {
		f.Errorf("got %+v, want %+v", got, want)
	}
}

// A peer is the server's end of one conversation.
type peer struct {
	*fixture
	conn   net.Conn
	frames *wire.Reader
	call   wire.Call // once it was received
}

// serve answers each connection by script, which runs in its own goroutine; the
// connection is closed after it.
func (f *fixture) serve(script func(p *peer)) {
	f.Helper()
	ln, err := net.Listen("unix", f.dir+"/s")
	if err != nil {
		f.Fatal(err)
	}
	f.server = ln
	f.Cleanup(func() {
		ln.Close()
		f.served.Wait()
	})
	f.served.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			f.served.Go(func() {
				defer conn.Close()
				script(&peer{fixture: f, conn: conn, frames: wire.NewReader(conn)})
			})
		}
	})
}

// serveCalls is serve for scripts that begin with a received Call.
func (f *fixture) serveCalls(script func(p *peer)) {
	f.Helper()
	f.serve(func(p *peer) {
		if p.receive(&p.call) {
			script(p)
		}
	})
}

// receive reads the next frame into m.
func (p *peer) receive(m wire.Message) bool {
	kind, payload, err := p.frames.Next()
	if err == nil && kind != m.Type() {
		err = fmt.Errorf("frame of type %d", kind)
	}
	if err == nil {
		err = wire.Decode(payload, m)
	}
	if err != nil {
		p.Errorf("receive %T: %v", m, err)
	}
	return err == nil
}

func (p *peer) send(m wire.Message) {
	if err := wire.Write(p.conn, m); err != nil {
		p.Errorf("send %T: %v", m, err)
	}
}

// silence waits so many milliseconds, for a wrapper that says nothing.
func (p *peer) silence(ms int) {
	deadline := time.Now().Add(time.Duration(ms) * time.Millisecond)
	if err := p.conn.SetReadDeadline(deadline); err != nil {
		p.Error(err)
	}
	if _, err := p.conn.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		p.Errorf("the wrapper broke the silence: %v", err)
	}
	if err := p.conn.SetReadDeadline(time.Time{}); err != nil {
		p.Error(err)
	}
}

// temp makes the nth temp file for target, and returns its name as announced.
func (p *peer) temp(target string, n int, text string) string {
	name := wire.TempName(target, p.call.Token, n)
	p.write(name, text)
	return name
}

// asIs is the Run that changes nothing.
func (p *peer) asIs() *wire.Run { return &wire.Run{Program: p.call.Program, Argv: p.call.Argv} }

// joined puts chunks together as "1:text 2:text".
func joined(chunks []wire.Chunk) string {
	var parts []string
	for _, c := range chunks {
		parts = append(parts, strconv.Itoa(int(c.Fd))+":"+string(c.Data))
	}
	return strings.Join(parts, " ")
}
