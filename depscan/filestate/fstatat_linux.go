//go:build linux && !amd64

package filestate

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// fstatat stats a path that ends in a zero byte.
func fstatat(path *byte, st *syscall.Stat_t, flags int) syscall.Errno {
	var raw unix.Stat_t
	err := unix.Fstatat(unix.AT_FDCWD, unix.BytePtrToString(path), &raw, flags)
	st.Dev, st.Ino, st.Size, st.Mode = raw.Dev, raw.Ino, raw.Size, raw.Mode
	st.Mtim, st.Ctim = syscall.Timespec(raw.Mtim), syscall.Timespec(raw.Ctim)
	return errno(err)
}
