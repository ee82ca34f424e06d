//go:build linux && (amd64 || arm64)

package rehearse

import "golang.org/x/sys/unix"

// A lookup is a system call that looks for a file. Arguments are counted from 0;
// −1 says that there is none.
type lookup struct {
	number   int
	folder   int // the descriptor that relative names start from
	name     int
	flags    int  // of open(2)
	asksOnly bool // for a file's being there, or its attributes
}

// common are the calls that all machines have.
func common() []lookup {
	return []lookup{
		{number: unix.SYS_OPENAT, folder: 0, name: 1, flags: 2},
		{number: unix.SYS_OPENAT2, folder: 0, name: 1, flags: -1},
		{number: unix.SYS_EXECVE, folder: -1, name: 0, flags: -1},
		{number: unix.SYS_EXECVEAT, folder: 0, name: 1, flags: -1},
		{number: unix.SYS_FACCESSAT, folder: 0, name: 1, flags: -1, asksOnly: true},
		{number: unix.SYS_FACCESSAT2, folder: 0, name: 1, flags: -1, asksOnly: true},
		{number: unix.SYS_NEWFSTATAT, folder: 0, name: 1, flags: -1, asksOnly: true},
		{number: unix.SYS_STATX, folder: 0, name: 1, flags: -1, asksOnly: true},
		{number: unix.SYS_READLINKAT, folder: 0, name: 1, flags: -1, asksOnly: true},
	}
}
