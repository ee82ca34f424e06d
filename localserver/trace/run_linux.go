//go:build amd64 || arm64

package trace

import (
	"encoding/json"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/rexwrap/rexwrap/localserver/seccomp"
)

// available reports whether the kernel lets calls go on that a listener has seen,
// as Linux does since 5.5.
func available() bool {
	var name unix.Utsname
	if unix.Uname(&name) != nil {
		return false
	}
	major, rest, _ := strings.Cut(unix.ByteSliceToString(name.Release[:]), ".")
	minor, _, _ := strings.Cut(rest, ".")
	minor = strings.TrimRightFunc(minor, func(r rune) bool { return r < '0' || r > '9' })
	m, errMajor := strconv.Atoi(major)
	n, errMinor := strconv.Atoi(minor)
	return errMajor == nil && errMinor == nil && (m > 5 || m == 5 && n >= 5)
}

// Works reports whether a process like this one could trace.
func Works() bool {
	if !available() {
		return false
	}
	got := make(chan error)
	go func() {
		runtime.LockOSThread() // the thread ends with its filter
		listener, err := seccomp.Install(&seccomp.Filter{})
		if err == nil {
			err = syscall.Close(listener)
		}
		got <- err
	}()
	return <-got == nil
}

// onlyServe is the word by which Main is told to serve the listener that is
// descriptor 3 until nobody needs it.
const onlyServe = "serve"

// Main is what the program does that Tracer.Argv starts: it runs the compiler to its
// end, and returns its exit status, or dies of what it died of. It writes nothing to
// the standard streams, unless the compiler cannot be started. Main is called once, by
// a program that does nothing else.
func Main(words []string) int {
	if len(words) == 1 && words[0] == onlyServe {
		_ = seccomp.Serve(3, func(*seccomp.Notification) {}) // nobody is left to be told
		return 0
	}
	p, err := planOf(words)
	if err != nil {
		return complain(err)
	}
	// The runtime must not stop all threads while one of them waits for the new
	// process to become the compiler, which it does when another one says so.
	percent := debug.SetGCPercent(-1)
	runtime.GOMAXPROCS(2)
	t := &tracer{
		Plan: p, watch: newWatch(p), env: os.Environ(),
		started: make(chan error, 1), deaf: make(chan struct{}), ended: make(chan struct{}),
	}
	if err := adopt(); err != nil {
		return t.becomeCompiler()
	}
	signals := t.awaitSignals()
	go t.runCompiler()
	if err := <-t.started; err != nil {
		return t.becomeCompiler()
	}
	debug.SetGCPercent(percent)
	for {
		select {
		case sig := <-signals:
			_ = syscall.Kill(t.pid, sig.(syscall.Signal)) // it may have ended
		case <-t.deaf: // nobody lets the compiler's calls go on
			_ = syscall.Kill(t.pid, syscall.SIGKILL)
			<-t.ended
			t.reap()
			return t.becomeCompiler()
		case <-t.ended:
			return t.finish(t.reap())
		}
	}
}

// becomeCompiler runs the compiler in place of this process, untraced.
func (t *tracer) becomeCompiler() int {
	signal.Reset()
	return complain(syscall.Exec(t.Program, t.Argv, t.env))
}

func complain(err error) int {
	_, _ = os.Stderr.WriteString("rexwrap: " + err.Error() + "\n")
	return statusNotRun
}

// A tracer is the process between the wrapper and the compiler.
type tracer struct {
	*Plan
	*watch
	env      []string
	listener int
	pid      int
	started  chan error    // nil, or why the compiler cannot be started so
	deaf     chan struct{} // closed where the listener fails
	ended    chan struct{} // closed when the compiler is there to be reaped
}

// awaitSignals has those caught that a compiler is ended with, before there is one
// that could outlive us. What a terminal sends comes to the compiler twice: rustc
// does not mind.
func (t *tracer) awaitSignals() <-chan os.Signal {
	ch := make(chan os.Signal, 8)
	for _, sig := range []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT} {
		if !signal.Ignored(sig) {
			signal.Notify(ch, sig)
		}
	}
	return ch
}

// runCompiler has a thread of its own, since a filter is one's: all that this thread
// starts is traced, and nothing else of this process. The compiler dies with the
// thread.
func (t *tracer) runCompiler() {
	runtime.LockOSThread()
	listener, err := seccomp.Install(filter())
	if err != nil {
		t.started <- err
		return
	}
	t.listener = listener
	serving := make(chan struct{})
	go func() {
		close(serving)
		if err := seccomp.Serve(listener, t.note); err != nil {
			_ = syscall.Close(listener) // calls fail that would wait for ever
			close(t.deaf)
		}
	}()
	<-serving
	t.pid, err = syscall.ForkExec(t.Program, t.Argv, &syscall.ProcAttr{
		Env: t.env, Files: []uintptr{0, 1, 2}, Sys: &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL},
	})
	t.started <- err
	if err != nil {
		return
	}
	for unix.Waitid(unix.P_PID, t.pid, nil, unix.WEXITED|unix.WNOWAIT, nil) == unix.EINTR {
	}
	close(t.ended)
	select {} // the filter has a user as long as this process lives
}

// reap collects the compiler. Until then no other process gets its number, so that no
// signal goes astray.
func (t *tracer) reap() (status syscall.WaitStatus) {
	for {
		if _, err := syscall.Wait4(t.pid, &status, 0, nil); err != syscall.EINTR {
			return status
		}
	}
}

// finish writes the report and ends as the compiler did.
func (t *tracer) finish(status syscall.WaitStatus) int {
	if trace := t.result(); trace != nil {
		if text, err := json.Marshal(trace); err == nil {
			_ = os.WriteFile(t.Report, text, 0o600) // without one the run counts as not traced
		}
	}
	t.leave()
	if status.Signaled() {
		dieBy(status.Signal())
		return statusSignalled + int(status.Signal())
	}
	return status.ExitStatus()
}

// leave sees to what the compiler has left behind: its lookups would fail without a
// listener, so that another process serves it from now on.
func (t *tracer) leave() {
	for {
		pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
		switch {
		case err == syscall.EINTR, err == nil && pid > 0:
			continue
		case err != nil: // nobody is left
			return
		}
		break
	}
	null, err := syscall.Open(os.DevNull, syscall.O_RDWR|syscall.O_CLOEXEC, 0)
	if err != nil {
		return
	}
	fds := []uintptr{uintptr(null), uintptr(null), uintptr(null), uintptr(t.listener)}
	self := "/proc/self/exe"
	_, _ = syscall.ForkExec(self, []string{self, Verb, onlyServe}, &syscall.ProcAttr{ // or else they fail
		Dir: "/", Env: t.env, Files: fds, Sys: &syscall.SysProcAttr{Setsid: true},
	})
}

// adopt makes this process the parent of what the compiler leaves behind.
func adopt() error { return unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) }

// dieBy ends this process by a signal, as the compiler was, which has written a core
// file if there was to be one.
func dieBy(sig syscall.Signal) {
	_ = unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0)
	var byDefault [4]uint64 // struct sigaction of the kernel
	_, _, _ = syscall.RawSyscall6(syscall.SYS_RT_SIGACTION, uintptr(sig), uintptr(unsafe.Pointer(&byDefault)), 0, 8, 0, 0)
	_ = syscall.Kill(syscall.Getpid(), sig)
	select {} // it comes to one of our threads
}
