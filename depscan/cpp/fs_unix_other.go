//go:build unix && !linux

package cpp

import "golang.org/x/sys/unix"

func keyOf(st *unix.Stat_t) statKey {
	return statKey{
		dev: uint64(st.Dev), ino: uint64(st.Ino), size: int64(st.Size),
		mtime: st.Mtim.Nano(), ctime: st.Ctim.Nano(), links: uint64(st.Nlink),
	}
}
