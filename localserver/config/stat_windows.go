package config

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"strings"
	"time"
)

// statKey tells whether a file is the one that was read before.
type statKey struct {
	size   int64
	mtime  int64 // nanoseconds since 1970
	mode   fs.FileMode
	exists bool
}

// statFile returns the key of the file that path names. A file that does not
// exist is no error.
func statFile(path string) (statKey, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return statKey{}, nil
	}
	if err != nil {
		return statKey{}, err
	}
	return statKey{size: info.Size(), mtime: info.ModTime().UnixNano(), mode: info.Mode(), exists: true}, nil
}

func (k statKey) regular() bool { return k.mode.IsRegular() }

// unsafeReason says why the file must not be obeyed, empty where it may be.
// Who may write below a user's folders is the business of their access lists.
func (k statKey) unsafeReason() string {
	if !k.regular() {
		return "is not a regular file"
	}
	return ""
}

// settled reports whether the file is old enough at now for its key to tell
// every later change: file systems with coarse clocks count in steps of up to
// two seconds.
func (k statKey) settled(now time.Time) bool {
	return now.UnixNano()-k.mtime > int64(2*time.Second)
}

// append writes k to b, so that different keys differ.
func (k statKey) append(b *strings.Builder) {
	var buf [25]byte
	for i, n := range []uint64{uint64(k.size), uint64(k.mtime), uint64(k.mode)} {
		binary.LittleEndian.PutUint64(buf[8*i:], n)
	}
	if k.exists {
		buf[24] = 1
	}
	b.Write(buf[:])
}
