//go:build unix

package config

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// statKey tells whether a file is the one that was read before.
type statKey struct {
	dev, ino     uint64
	size         int64
	mtime, ctime int64 // nanoseconds since 1970
	uid          uint32
	mode         uint32
	exists       bool
}

// statFile returns the key of the file that path names; symbolic links are
// followed. A file that does not exist is no error.
func statFile(path string) (statKey, error) {
	var st unix.Stat_t
	err := unix.Stat(path, &st)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) || err == unix.ENOTDIR {
			return statKey{}, nil
		}
		return statKey{}, &os.PathError{Op: "stat", Path: path, Err: err}
	}
	return statKey{
		dev: uint64(st.Dev), ino: uint64(st.Ino), size: st.Size,
		mtime: st.Mtim.Nano(), ctime: st.Ctim.Nano(), uid: st.Uid, mode: uint32(st.Mode), exists: true,
	}, nil
}

func (k statKey) regular() bool { return k.mode&unix.S_IFMT == unix.S_IFREG }

// unsafeReason says why the file must not be obeyed, empty where it may be.
func (k statKey) unsafeReason() string {
	switch {
	case !k.regular():
		return "is not a regular file"
	case k.uid != 0 && k.uid != uint32(os.Getuid()):
		return "belongs to another user"
	case k.mode&unix.S_IWOTH != 0:
		return "is writable by everybody"
	default:
		return ""
	}
}

// settled reports whether the file is old enough at now for its key to tell
// every later change: file systems with coarse clocks count in steps of up to
// two seconds.
func (k statKey) settled(now time.Time) bool {
	return now.UnixNano()-max(k.mtime, k.ctime) > int64(2*time.Second)
}

// append writes k to b, so that different keys differ.
func (k statKey) append(b *strings.Builder) {
	var buf [57]byte
	for i, n := range []uint64{
		k.dev, k.ino, uint64(k.size), uint64(k.mtime), uint64(k.ctime), uint64(k.uid), uint64(k.mode),
	} {
		binary.LittleEndian.PutUint64(buf[8*i:], n)
	}
	if k.exists {
		buf[56] = 1
	}
	b.Write(buf[:])
}
