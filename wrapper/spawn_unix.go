//go:build unix

package wrapper

import (
	"errors"
	"syscall"
)

// errLimited says that this process may not start what is to outlive it.
var errLimited = errors.New("resource limits")

// limited reports whether a server started here would inherit a limit on its
// CPU time, memory or file sizes, which were meant for a build.
func limited() bool {
	for _, resource := range []int{syscall.RLIMIT_CPU, syscall.RLIMIT_AS, syscall.RLIMIT_FSIZE} {
		var limit syscall.Rlimit
		if syscall.Getrlimit(resource, &limit) != nil || limit.Cur != infinity {
			return true
		}
	}
	return false
}

// infinity is RLIM_INFINITY as Rlimit holds it.
const infinity = (1<<64 - 1) >> rlimitShift

// A process is the one that starts a server. A nil process has not failed.
type process struct{ pid int }

// failed reports whether the process has ended without having started a server.
// One that has started it ends with status 0.
func (p *process) failed() bool {
	if p == nil || p.pid == 0 {
		return false
	}
	var status syscall.WaitStatus
	pid, err := syscall.Wait4(p.pid, &status, syscall.WNOHANG, nil)
	if err == syscall.EINTR || err == nil && pid == 0 {
		return false
	}
	p.pid = 0
	return err != nil || !status.Exited() || status.ExitStatus() != 0
}

// spawn runs `rexd server spawn`, which puts the server into the background and
// ends. Nothing of the build goes with it: no terminal, no pipe, no jobserver,
// no lock, no working directory, and of the environment only what a server
// reads.
func (c *call) spawn(rexd string) (*process, error) {
	null, err := syscall.Open("/dev/null", syscall.O_RDWR|syscall.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer syscall.Close(null)
	defer hideDescriptors()()
	defer syscall.Umask(syscall.Umask(0o077))
	pid, err := syscall.ForkExec(rexd, []string{rexd, "server", "spawn"}, &syscall.ProcAttr{
		Dir:   "/",
		Env:   serverEnv(c.env, c.place),
		Files: []uintptr{uintptr(null), uintptr(null), uintptr(null)},
		Sys:   &syscall.SysProcAttr{Setsid: true},
	})
	if err != nil {
		return nil, err
	}
	return &process{pid}, nil
}

// hideDescriptors marks every descriptor above 2 that a child would inherit,
// and returns the function that takes the marks away again: the compiler, which
// may run in this process later, needs its jobserver.
func hideDescriptors() (restore func()) {
	var hidden []int
	for _, fd := range openDescriptors() {
		flags, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_GETFD, 0)
		if fd > 2 && errno == 0 && flags&syscall.FD_CLOEXEC == 0 {
			hidden = append(hidden, fd)
			syscall.CloseOnExec(fd)
		}
	}
	return func() {
		for _, fd := range hidden {
			_, _, _ = syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_SETFD, 0)
		}
	}
}

// openDescriptors lists the open descriptors of this process, and perhaps some
// that are not open.
func openDescriptors() []int {
	if fds := numbersIn(descriptorDir); len(fds) > 0 {
		return fds
	}
	return upTo(1024)
}

// numbersIn lists the names in a directory that are decimal numbers.
func numbersIn(dir string) []int {
	var list []int
	for _, name := range namesIn(dir) {
		if n, ok := decimal(name); ok {
			list = append(list, n)
		}
	}
	return list
}

// namesIn lists the names in a directory, as far as it can be read.
func namesIn(dir string) []string {
	fd, err := syscall.Open(dir, syscall.O_RDONLY|syscall.O_DIRECTORY|syscall.O_CLOEXEC|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return nil
	}
	defer syscall.Close(fd)
	var names []string
	buf := make([]byte, 4096)
	for {
		n, err := syscall.ReadDirent(fd, buf)
		if err != nil || n <= 0 {
			return names
		}
		_, _, names = syscall.ParseDirent(buf[:n], -1, names)
	}
}

func upTo(n int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = i
	}
	return list
}

func decimal(s string) (n int, ok bool) {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' || n > 1<<24 {
			return 0, false
		}
		n = 10*n + int(s[i]-'0')
	}
	return n, s != ""
}
