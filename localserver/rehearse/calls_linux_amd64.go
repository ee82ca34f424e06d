package rehearse

import "golang.org/x/sys/unix"

const auditArch = unix.AUDIT_ARCH_X86_64

func lookups() []lookup {
	return append(common(), []lookup{
		{number: unix.SYS_OPEN, folder: -1, name: 0, flags: 1},
		{number: unix.SYS_STAT, folder: -1, name: 0, flags: -1, asksOnly: true},
		{number: unix.SYS_LSTAT, folder: -1, name: 0, flags: -1, asksOnly: true},
		{number: unix.SYS_ACCESS, folder: -1, name: 0, flags: -1, asksOnly: true},
		{number: unix.SYS_READLINK, folder: -1, name: 0, flags: -1, asksOnly: true},
	}...)
}
