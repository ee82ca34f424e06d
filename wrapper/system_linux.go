package wrapper

import (
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
	var limit *syscall.Timespec
	if timeout >= 0 {
		ts := syscall.NsecToTimespec(int64(timeout) * 1e6)
		limit = &ts
	}
	n, _, errno := syscall.Syscall6(syscall.SYS_PPOLL, uintptr(unsafe.Pointer(unsafe.SliceData(fds))),
		uintptr(len(fds)), uintptr(unsafe.Pointer(limit)), 0, 0, 0)
	if errno != 0 {
		return -1
	}
	return int(n)
}

// pipe returns the ends of a new pipe that no other program inherits.
func pipe() (r, w int, err error) {
	var p [2]int
	err = syscall.Pipe2(p[:], syscall.O_CLOEXEC)
	return p[0], p[1], err
}

// replace makes to name what from names.
func replace(from, to int) error { return syscall.Dup3(from, to, 0) }

// rssUnit is the unit of rusage.ru_maxrss, in bytes.
const rssUnit = 1024

// wnowait is WNOWAIT of waitid(2): the process stays to be reaped.
const wnowait = 0x1000000

// dispositions is what SIGQUIT did before defaultQuit.
type dispositions struct{ quit [16]uint64 }

// defaultQuit makes SIGQUIT end this process as it ends a compiler. The runtime
// would print its stacks first.
func defaultQuit() dispositions {
	var d dispositions
	sigaction(syscall.SIGQUIT, nil, &d.quit)
	setDefault(syscall.SIGQUIT)
	return d
}

// restore gives SIGQUIT back to the runtime.
func (d *dispositions) restore() { sigaction(syscall.SIGQUIT, &d.quit, nil) }

// setDefault makes sig do what it does by default. All-zero bytes are SIG_DFL
// with no flags and an empty mask in every layout of the kernel's sigaction.
func setDefault(sig syscall.Signal) {
	var zero [16]uint64
	sigaction(sig, &zero, nil)
}

func sigaction(sig syscall.Signal, set, old *[16]uint64) {
	_, _, _ = syscall.RawSyscall6(syscall.SYS_RT_SIGACTION, uintptr(sig), uintptr(unsafe.Pointer(set)),
		uintptr(unsafe.Pointer(old)), sigsetSize, 0, 0)
}

// sigsetSize is the size of the kernel's signal set, as every call has to
// repeat.
const sigsetSize = 8

// dieBy ends this process by sig, without a core of ours over the compiler's.
func dieBy(sig syscall.Signal) {
	_, _, _ = syscall.RawSyscall6(syscall.SYS_PRCTL, syscall.PR_SET_DUMPABLE, 0, 0, 0, 0, 0)
	setDefault(sig)
	_ = syscall.Kill(syscall.Getpid(), sig)
	sleep(100) // the signal is blocked, or on its way to another thread
}
