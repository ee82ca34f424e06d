package endpoint

import (
	"syscall"
	"unsafe"
)

// xucred is struct xucred of <sys/ucred.h>.
type xucred struct {
	version uint32
	uid     uint32
	ngroups int16
	groups  [16]uint32
}

// SOL_LOCAL and LOCAL_PEERCRED of <sys/un.h>.
const (
	solLocal      = 0
	localPeerCred = 1
)

// PeerUID returns the user on the other end of a connected socket: for the one
// who dialled, whoever called listen.
func PeerUID(fd int) (uid int, err error) {
	var cred xucred
	size := uint32(unsafe.Sizeof(cred))
	_, _, errno := syscall.Syscall6(syscall.SYS_GETSOCKOPT, uintptr(fd), solLocal, localPeerCred,
		uintptr(unsafe.Pointer(&cred)), uintptr(unsafe.Pointer(&size)), 0)
	if errno != 0 {
		return 0, errno
	}
	return int(cred.uid), nil
}
