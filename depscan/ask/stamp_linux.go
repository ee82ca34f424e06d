package ask

import (
	"syscall"
	"time"
)

// A stamp changes whenever a name appears in a directory or goes.
type stamp struct {
	dev, ino uint64
	ctime    int64 // in nanoseconds since 1970: no user can set it back
}

// age returns how long ago the directory changed.
func (s stamp) age() time.Duration { return time.Duration(time.Now().UnixNano() - s.ctime) }

// stampOf returns the stamp of a directory. known is false where it has none,
// missing is set where there is no directory.
func stampOf(dir string) (s stamp, known, missing bool) {
	var st syscall.Stat_t
	err := syscall.Stat(dir, &st)
	for err == syscall.EINTR {
		err = syscall.Stat(dir, &st)
	}
	switch {
	case err == syscall.ENOENT || err == syscall.ENOTDIR:
		return stamp{}, false, true
	case err != nil:
		return stamp{}, false, false
	case st.Mode&syscall.S_IFMT != syscall.S_IFDIR:
		return stamp{}, false, true
	}
	return stamp{uint64(st.Dev), st.Ino, st.Ctim.Nano()}, true, false
}
