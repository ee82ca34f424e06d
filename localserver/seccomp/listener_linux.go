//go:build amd64 || arm64

package seccomp

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A Notification is one system call that waits: struct seccomp_notif.
type Notification struct {
	id         uint64
	Pid, flags uint32 // of the thread
	Number     int32
	arch       uint32
	ip         uint64
	Args       [6]uint64
}

// Foreign reports whether the call is one of another architecture, whose Number
// means something else.
func (n *Notification) Foreign() bool { return n.arch != auditArch || uint32(n.Number) >= otherCalls }

// reply is struct seccomp_notif_resp.
type reply struct {
	id      uint64
	value   int64
	errno   int32
	proceed uint32
}

// syncWakeup has who waits woken on the same processor. Linux has it since 6.6.
const syncWakeup = 1

// Serve takes what the listener gets, calls note with each call, and lets it go on.
// It returns when nobody is left who could be heard of.
func Serve(listener int, note func(*Notification)) error {
	_, _, _ = unix.Syscall(unix.SYS_IOCTL, uintptr(listener), unix.SECCOMP_IOCTL_NOTIF_SET_FLAGS, syncWakeup) // it is only faster
	for {
		ready := []unix.PollFd{{Fd: int32(listener), Events: unix.POLLIN}}
		_, err := unix.Poll(ready, -1)
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return err
		case ready[0].Revents&unix.POLLHUP != 0:
			return nil
		case ready[0].Revents&unix.POLLIN == 0: // a signal came while the kernel looked: POLLERR
			continue
		}
		if errno := serveOne(listener, note); errno != 0 {
			return errno
		}
	}
}

func serveOne(listener int, note func(*Notification)) syscall.Errno {
	var n Notification
	switch errno := ioctl(listener, unix.SECCOMP_IOCTL_NOTIF_RECV, unsafe.Pointer(&n)); errno {
	case 0:
	case unix.ENOENT, unix.EINTR: // killed meanwhile, or a signal of ours
		return 0
	default:
		return errno
	}
	note(&n)
	r := reply{id: n.id, proceed: unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE}
	for {
		switch errno := ioctl(listener, unix.SECCOMP_IOCTL_NOTIF_SEND, unsafe.Pointer(&r)); errno {
		case unix.EINTR: // by a signal of ours
		case unix.ENOENT: // killed meanwhile, or interrupted: it will ask again
			return 0
		default:
			return errno
		}
	}
}

func ioctl(fd int, request uintptr, argument unsafe.Pointer) syscall.Errno {
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), request, uintptr(argument))
	return errno
}
