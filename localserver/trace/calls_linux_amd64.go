package trace

import (
	"golang.org/x/sys/unix"

	"github.com/rexwrap/rexwrap/localserver/seccomp"
)

func changing() []seccomp.Lookup {
	at := func(number, name int) seccomp.Lookup {
		return seccomp.Lookup{Number: number, Folder: -1, Name: name, Flags: -1}
	}
	return append(changingAll(),
		at(unix.SYS_CREAT, 0), at(unix.SYS_MKDIR, 0), at(unix.SYS_MKNOD, 0), at(unix.SYS_UNLINK, 0), at(unix.SYS_RMDIR, 0),
		at(unix.SYS_RENAME, 1), at(unix.SYS_LINK, 1), at(unix.SYS_SYMLINK, 1), at(unix.SYS_CHMOD, 0), at(unix.SYS_CHOWN, 0),
		at(unix.SYS_LCHOWN, 0), at(unix.SYS_UTIME, 0), at(unix.SYS_UTIMES, 0))
}

// reading are the calls that read a symbolic link.
func reading() []int { return []int{unix.SYS_READLINK, unix.SYS_READLINKAT} }
