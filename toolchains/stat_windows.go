package toolchains

import (
	"os"
	"time"
)

// statFile describes the file behind path, symbolic links followed. Windows has
// no change time that is worth asking for; what a key leaves open, the digests
// of Files settle.
func statFile(path string) (statKey, error) {
	info, err := os.Stat(path)
	if err != nil {
		return statKey{}, err
	}
	return statKey{size: info.Size(), mode: uint32(info.Mode()), mtime: info.ModTime().UnixNano(), ino: 1}, nil
}

func (k statKey) isDir() bool            { return os.FileMode(k.mode).IsDir() }
func (k statKey) isRegular() bool        { return os.FileMode(k.mode).IsRegular() }
func (k statKey) executable(string) bool { return k.isRegular() }
func (k statKey) youngest() time.Time    { return time.Unix(0, k.mtime) }

func notDirectory(error) bool { return false }
