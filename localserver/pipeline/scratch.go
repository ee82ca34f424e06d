package pipeline

import (
	"os"
	"path/filepath"
)

// MakeScratch makes a scratch directory of dir, for Options.Scratch. What a server
// left there is removed; names there are never used twice, so that what cannot be
// removed, since a process still has it open, does no harm.
func MakeScratch(dir string) error {
	removeTree(dir)
	return os.MkdirAll(dir, 0o700)
}

// removeTree removes path with all in it, as far as that can be done. os.RemoveAll
// asks more of Windows than all of its file systems know.
func removeTree(path string) {
	if os.Remove(path) == nil {
		return
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return
	}
	for _, e := range entries {
		removeTree(filepath.Join(path, e.Name()))
	}
	_ = os.Remove(path) // a process may have something in it open
}
