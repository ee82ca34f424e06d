package endpoint

import (
	"errors"
	"io/fs"
	"os"
)

// Stalled reports whether a wrapper has waited in vain for p's server within
// the last window milliseconds before now (in nanoseconds since 1970). A mark
// from the future counts for nothing: the clock was stepped back.
func (p Place) Stalled(now int64, window int) bool {
	info, err := os.Lstat(p.stalledFile())
	if err != nil {
		return false
	}
	age := now - info.ModTime().UnixNano()
	return age >= 0 && age < int64(window)*1e6
}

// MarkStalled makes Stalled hold from now on.
func (p Place) MarkStalled() error { return os.WriteFile(p.stalledFile(), []byte{'\n'}, 0o600) }

// ClearStalled takes the mark away; a server does so when it starts to listen.
func (p Place) ClearStalled() error {
	if err := os.Remove(p.stalledFile()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func (p Place) stalledFile() string { return p.Socket + ".stalled" }
