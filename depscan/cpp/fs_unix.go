//go:build unix

package cpp

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// listable is set where a name that a directory does not list cannot be
// opened; file systems that fold case break that.
const listable = runtime.GOOS == "linux"

const drives = false

func statPath(path string) (nodeKind, statKey) {
	var st unix.Stat_t
	for {
		err := unix.Stat(path, &st)
		switch err {
		case nil:
			return kindOf(uint32(st.Mode)), keyOf(&st)
		case unix.EINTR:
			continue
		case unix.ENOENT, unix.ENOTDIR:
			return kindMissing, statKey{}
		}
		return kindOther, statKey{}
	}
}

func kindOf(mode uint32) nodeKind {
	switch mode & unix.S_IFMT {
	case unix.S_IFREG:
		return kindFile
	case unix.S_IFDIR:
		return kindDir
	}
	return kindOther
}
