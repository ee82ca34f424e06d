//go:build unix && !linux

package wrapper

import (
	"strconv"
	"syscall"
	"unsafe"
)

// A pollFd is struct pollfd of <poll.h>.
type pollFd struct {
	fd      int32
	events  int16
	revents int16
}

const (
	pollIn  = 0x1
	pollOut = 0x4
)

// poll returns how many of fds are ready within timeout milliseconds (negative:
// for ever), negative where a signal came first.
func poll(fds []pollFd, timeout int) int {
	n, _, errno := syscall.Syscall(syscall.SYS_POLL, uintptr(unsafe.Pointer(unsafe.SliceData(fds))),
		uintptr(len(fds)), uintptr(timeout))
	if errno != 0 {
		return -1
	}
	return int(n)
}

// pipe returns the ends of a new pipe that no other program inherits.
func pipe() (r, w int, err error) {
	var p [2]int
	if err = syscall.Pipe(p[:]); err == nil {
		syscall.CloseOnExec(p[0])
		syscall.CloseOnExec(p[1])
	}
	return p[0], p[1], err
}

// replace makes to name what from names.
func replace(from, to int) error { return syscall.Dup2(from, to) }

// rssUnit is the unit of rusage.ru_maxrss, in bytes.
const rssUnit = 1

// wnowait is WNOWAIT of waitid(2): the process stays to be reaped.
const wnowait = 0x20

// dispositions is empty: the runtime keeps SIGQUIT.
type dispositions struct{}

func defaultQuit() dispositions { return dispositions{} }

func (d *dispositions) restore() {}

// dieBy ends this process by sig. A signal that the runtime would print stacks
// for is left to a shell, which has no handler.
func dieBy(sig syscall.Signal) {
	number := strconv.Itoa(int(sig))
	_ = syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{})
	_ = syscall.Exec(shell, []string{shell, "-c", "kill -" + number + " $$"}, nil)
}
