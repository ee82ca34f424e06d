package ask

import (
	"os"
	"syscall"
	"time"
)

// A stamp changes whenever a name appears in a directory or goes.
type stamp struct {
	dev, ino uint64
	changed  time.Time // ctime: no user can set it back
}

// stampOf returns the stamp of a directory.
func stampOf(info os.FileInfo) (stamp, bool) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return stamp{}, false
	}
	return stamp{uint64(st.Dev), st.Ino, time.Unix(st.Ctim.Unix())}, true
}
