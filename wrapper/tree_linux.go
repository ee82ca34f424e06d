package wrapper

import (
	"strconv"
	"syscall"
)

// canCancel says that this system lets a process find and end all that it has
// started.
const canCancel = true

// adopt makes this process the parent of what its descendants leave behind, or
// ends that. It outlives exec.
func adopt(on bool) error {
	const setChildSubreaper = 36 // PR_SET_CHILD_SUBREAPER
	value := uintptr(0)
	if on {
		value = 1
	}
	_, _, errno := syscall.RawSyscall6(syscall.SYS_PRCTL, setChildSubreaper, value, 0, 0, 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// endDescendants kills all that this process has started, directly or not, and
// returns when all of it is dead and reaped. The process must have adopted what
// they leave behind. Each death can give us new children; all of them descend
// from one that was killed, so that a wait that lasts waits for a dying one.
func endDescendants() {
	for {
		for _, pid := range children() {
			_ = syscall.Kill(pid, syscall.SIGKILL) // it may be dead already
		}
		_, err := syscall.Wait4(-1, nil, 0, nil)
		if err != nil && err != syscall.EINTR {
			return // ECHILD: nobody is left
		}
	}
}

// children lists the children of this process. /proc/PID/task/TID/children would
// be shorter, but few kernels have it.
func children() []int {
	self := syscall.Getpid()
	var list []int
	for _, pid := range numbersIn("/proc") {
		if parentOf(pid) == self {
			list = append(list, pid)
		}
	}
	return list
}

// parentOf returns the number of pid's parent, 0 where pid is gone. In the stat
// of a process its number and its name, which may hold anything, come first:
//
//	1234 (a name) S 1233 …
func parentOf(pid int) int {
	fd, err := syscall.Open("/proc/"+strconv.Itoa(pid)+"/stat", syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return 0
	}
	defer syscall.Close(fd)
	var buf [256]byte
	n, err := syscall.Read(fd, buf[:])
	if err != nil {
		return 0
	}
	text := string(buf[:n])
	for i := len(text) - 1; i >= 0; i-- {
		if text[i] == ')' && i+4 < len(text) {
			return leadingNumber(text[i+4:])
		}
	}
	return 0
}

func leadingNumber(s string) int {
	end := 0
	for end < len(s) && s[end] >= '0' && s[end] <= '9' {
		end++
	}
	n, _ := decimal(s[:end])
	return n
}
