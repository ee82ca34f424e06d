//go:build unix

package wrapper

import (
	"syscall"
	"unsafe"
)

// hasChildren reports whether this process has children, dead ones included.
func hasChildren() bool {
	const (
		all    = 0 // P_ALL
		exited = 4 // WEXITED
	)
	var info [32]uint64
	_, _, errno := syscall.Syscall6(syscall.SYS_WAITID, all, 0,
		uintptr(unsafe.Pointer(&info)), exited|wnowait|syscall.WNOHANG, 0, 0)
	return errno != syscall.ECHILD
}

// awaitExit returns when the child pid has ended, and leaves it to be reaped:
// until then no other process gets its number.
func awaitExit(pid int) {
	const (
		byPid  = 1 // P_PID
		exited = 4 // WEXITED
	)
	var info [32]uint64 // siginfo_t, of no interest
	for {
		_, _, errno := syscall.Syscall6(syscall.SYS_WAITID, byPid, uintptr(pid),
			uintptr(unsafe.Pointer(&info)), exited|wnowait, 0, 0)
		if errno != syscall.EINTR {
			return
		}
	}
}
