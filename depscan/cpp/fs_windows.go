package cpp

import (
	"errors"
	"io/fs"
	"os"
)

const (
	listable = false
	// drives is set where paths have drives and backslashes, and names no case.
	drives = true
)

func statPath(path string) (nodeKind, statKey) {
	fi, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return kindMissing, statKey{}
	case err != nil:
		return kindOther, statKey{}
	case fi.IsDir():
		return kindDir, statKey{mtime: fi.ModTime().UnixNano()}
	case fi.Mode().IsRegular():
		return kindFile, statKey{size: fi.Size(), mtime: fi.ModTime().UnixNano()}
	}
	return kindOther, statKey{}
}
