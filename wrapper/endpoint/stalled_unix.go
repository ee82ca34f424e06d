//go:build unix

package endpoint

import "syscall"

// Stalled reports whether a wrapper has waited in vain for p's server within
// the last window milliseconds before now (in nanoseconds since 1970). A mark
// from the future counts for nothing: the clock was stepped back.
func (p Place) Stalled(now int64, window int) bool {
	var st syscall.Stat_t
	if syscall.Lstat(p.stalledFile(), &st) != nil {
		return false
	}
	age := now - mtime(&st)
	return age >= 0 && age < int64(window)*1e6
}

// MarkStalled makes Stalled hold from now on.
func (p Place) MarkStalled() error {
	const flags = syscall.O_WRONLY | syscall.O_CREAT | syscall.O_TRUNC | syscall.O_CLOEXEC | syscall.O_NOFOLLOW
	fd, err := syscall.Open(p.stalledFile(), flags, 0o600)
	if err != nil {
		return err
	}
	_, err = syscall.Write(fd, []byte{'\n'}) // O_TRUNC leaves the mtime of an empty file
	syscall.Close(fd)
	return err
}

// ClearStalled takes the mark away; a server does so when it starts to listen.
func (p Place) ClearStalled() error {
	if err := syscall.Unlink(p.stalledFile()); err != nil && err != syscall.ENOENT {
		return err
	}
	return nil
}

func (p Place) stalledFile() string { return p.Socket + ".stalled" }
