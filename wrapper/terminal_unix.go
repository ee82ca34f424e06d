//go:build unix

package wrapper

import (
	"syscall"
	"unsafe"
)

// isTerminal is isatty(3).
func isTerminal(fd int) bool {
	var t syscall.Termios
	return ioctl(fd, getTermios, unsafe.Pointer(&t)) == nil
}

// A winsize is struct winsize of <sys/ioctl.h>.
type winsize struct{ rows, cols, xpixel, ypixel uint16 }

// columns returns the width of the terminal fd, 0 where it has none.
func columns(fd int) uint32 {
	var w winsize
	if ioctl(fd, syscall.TIOCGWINSZ, unsafe.Pointer(&w)) != nil {
		return 0
	}
	return uint32(w.cols)
}

// inForeground reports whether the terminal sends its signals to the process
// group of this process.
func inForeground() bool {
	fd, err := syscall.Open("/dev/tty", syscall.O_RDONLY|syscall.O_NOCTTY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return false
	}
	defer syscall.Close(fd)
	var group int32
	err = ioctl(fd, syscall.TIOCGPGRP, unsafe.Pointer(&group))
	return err == nil && int(group) == syscall.Getpgrp()
}

func ioctl(fd int, request uintptr, arg unsafe.Pointer) error {
	_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), request, uintptr(arg))
	if errno != 0 {
		return errno
	}
	return nil
}

// sameFile reports whether what is written to a and b lands in one place, in
// the order of writing. Two openings of one regular file do not: each has a
// position of its own.
func sameFile(a, b int) bool {
	var sa, sb syscall.Stat_t
	if syscall.Fstat(a, &sa) != nil || syscall.Fstat(b, &sb) != nil || sa.Dev != sb.Dev || sa.Ino != sb.Ino {
		return false
	}
	return sa.Mode&syscall.S_IFMT != syscall.S_IFREG || sameOpening(a, b)
}
