//go:build unix

package wrapper

import "syscall"

// samePosition is what can be said of two descriptors of one file without
// asking the kernel: one opening has one set of flags and one position.
func samePosition(a, b int) bool {
	flagsA, okA := fileFlags(a)
	flagsB, okB := fileFlags(b)
	if !okA || !okB || flagsA != flagsB {
		return false
	}
	const current = 1 // SEEK_CUR
	posA, errA := syscall.Seek(a, 0, current)
	posB, errB := syscall.Seek(b, 0, current)
	return errA == nil && errB == nil && posA == posB
}

func fileFlags(fd int) (int, bool) {
	flags, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_GETFL, 0)
	return int(flags), errno == 0
}
