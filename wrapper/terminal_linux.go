package wrapper

import (
	"strconv"
	"syscall"
	"unsafe"
)

const getTermios = syscall.TCGETS

// sameOpening reports whether a and b are one open file description.
func sameOpening(a, b int) bool {
	if kcmp == 0 {
		return samePosition(a, b)
	}
	const file = 0 // KCMP_FILE
	pid := uintptr(syscall.Getpid())
	order, _, errno := syscall.RawSyscall6(kcmp, pid, pid, file, uintptr(a), uintptr(b), 0)
	if errno != 0 { // a kernel without it, or a container that forbids it
		return samePosition(a, b)
	}
	return order == 0
}

// openTerminal returns a new pseudo terminal: the end we read from, and the end
// that a compiler writes to. Bytes pass through it unchanged; it has the window
// size of the terminal like.
func openTerminal(like int) (master, slave int, err error) {
	const flags = syscall.O_RDWR | syscall.O_NOCTTY | syscall.O_CLOEXEC
	master, err = syscall.Open("/dev/ptmx", flags, 0)
	if err != nil {
		return -1, -1, err
	}
	var number, unlock int32
	if err = ioctl(master, syscall.TIOCSPTLCK, unsafe.Pointer(&unlock)); err == nil {
		err = ioctl(master, syscall.TIOCGPTN, unsafe.Pointer(&number))
	}
	if err == nil {
		slave, err = syscall.Open("/dev/pts/"+strconv.Itoa(int(number)), flags, 0)
	}
	if err != nil {
		syscall.Close(master)
		return -1, -1, err
	}
	if err = prepareTerminal(slave, like); err != nil {
		syscall.Close(master)
		syscall.Close(slave)
		return -1, -1, err
	}
	return master, slave, nil
}

func prepareTerminal(fd, like int) error {
	var t syscall.Termios
	if err := ioctl(like, syscall.TCGETS, unsafe.Pointer(&t)); err != nil {
		return err
	}
	t.Oflag &^= syscall.OPOST // the real terminal does this
	t.Lflag &^= syscall.ECHO
	if err := ioctl(fd, syscall.TCSETS, unsafe.Pointer(&t)); err != nil {
		return err
	}
	var w winsize
	if ioctl(like, syscall.TIOCGWINSZ, unsafe.Pointer(&w)) == nil {
		return ioctl(fd, syscall.TIOCSWINSZ, unsafe.Pointer(&w))
	}
	return nil
}
