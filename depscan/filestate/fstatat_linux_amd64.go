package filestate

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// fstatat is newfstatat(2) on a path that ends in a zero byte, without the copy of
// the path that unix.Fstatat makes.
func fstatat(path *byte, st *syscall.Stat_t, flags int) syscall.Errno {
	for {
		at := unix.AT_FDCWD // absolute paths: any would do
		_, _, e := syscall.Syscall6(syscall.SYS_NEWFSTATAT, uintptr(at), uintptr(unsafe.Pointer(path)), uintptr(unsafe.Pointer(st)), uintptr(flags), 0, 0)
		if e != syscall.EINTR {
			return e
		}
	}
}
