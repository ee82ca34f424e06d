//go:build unix

package toolchains

import (
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// statFile describes the file behind path, symbolic links followed.
func statFile(path string) (statKey, error) {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return statKey{}, &os.PathError{Op: "stat", Path: path, Err: err}
	}
	mtime, ctime := st.Mtim, st.Ctim
	return statKey{
		dev:   uint64(st.Dev), //nolint:unconvert // int32 on darwin
		ino:   st.Ino,
		size:  st.Size,
		mode:  uint32(st.Mode), //nolint:unconvert // uint16 on darwin
		mtime: mtime.Nano(),
		ctime: ctime.Nano(),
	}, nil
}

func (k statKey) isDir() bool     { return k.mode&unix.S_IFMT == unix.S_IFDIR }
func (k statKey) isRegular() bool { return k.mode&unix.S_IFMT == unix.S_IFREG }

// executable reports whether this process may run path, which stat described as
// k.
func (k statKey) executable(path string) bool {
	return k.isRegular() && k.mode&0o111 != 0 && unix.Access(path, unix.X_OK) == nil
}

// youngest is the later of a key's two times.
func (k statKey) youngest() time.Time { return time.Unix(0, max(k.mtime, k.ctime)) }

func notDirectory(err error) bool { return errors.Is(err, unix.ENOTDIR) }
