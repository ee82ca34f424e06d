package trace

import (
	"golang.org/x/sys/unix"

	"github.com/rexwrap/rexwrap/localserver/seccomp"
)

func changing() []seccomp.Lookup { return changingAll() }

// reading are the calls that read a symbolic link.
func reading() []int { return []int{unix.SYS_READLINKAT} }
