//go:build amd64 || arm64

package seccomp

import "golang.org/x/sys/unix"

// A Lookup is a system call that looks for a file by name. Arguments are counted
// from 0; −1 says that there is none.
type Lookup struct {
	Number   int
	Folder   int // the descriptor that relative names start from
	Name     int
	Flags    int  // of open(2)
	AsksOnly bool // for a file's being there, or its attributes
	// Emptiable is the argument whose AT_EMPTY_PATH allows the name to be
	// empty, 0 for none.
	Emptiable int
}

// common are the calls that all machines have.
func common() []Lookup {
	return []Lookup{
		{Number: unix.SYS_OPENAT, Folder: 0, Name: 1, Flags: 2},
		{Number: unix.SYS_OPENAT2, Folder: 0, Name: 1, Flags: -1},
		{Number: unix.SYS_EXECVE, Folder: -1, Name: 0, Flags: -1},
		{Number: unix.SYS_EXECVEAT, Folder: 0, Name: 1, Flags: -1},
		{Number: unix.SYS_FACCESSAT, Folder: 0, Name: 1, Flags: -1, AsksOnly: true},
		{Number: unix.SYS_FACCESSAT2, Folder: 0, Name: 1, Flags: -1, AsksOnly: true, Emptiable: 3},
		{Number: unix.SYS_NEWFSTATAT, Folder: 0, Name: 1, Flags: -1, AsksOnly: true, Emptiable: 3},
		{Number: unix.SYS_STATX, Folder: 0, Name: 1, Flags: -1, AsksOnly: true, Emptiable: 2},
		{Number: unix.SYS_READLINKAT, Folder: 0, Name: 1, Flags: -1, AsksOnly: true},
	}
}
