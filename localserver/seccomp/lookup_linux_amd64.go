package seccomp

import "golang.org/x/sys/unix"

const auditArch = unix.AUDIT_ARCH_X86_64

// otherCalls is where the numbers begin of the calls that this architecture has
// for another size of pointers (x32).
const otherCalls = 0x40000000

// Lookups returns all system calls that look for a file.
func Lookups() []Lookup {
	return append(common(), []Lookup{
		{Number: unix.SYS_OPEN, Folder: -1, Name: 0, Flags: 1},
		{Number: unix.SYS_STAT, Folder: -1, Name: 0, Flags: -1, AsksOnly: true},
		{Number: unix.SYS_LSTAT, Folder: -1, Name: 0, Flags: -1, AsksOnly: true},
		{Number: unix.SYS_ACCESS, Folder: -1, Name: 0, Flags: -1, AsksOnly: true},
		{Number: unix.SYS_READLINK, Folder: -1, Name: 0, Flags: -1, AsksOnly: true},
	}...)
}
