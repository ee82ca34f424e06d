//go:build unix

package endpoint

import "syscall"

// private reports whether dir is a directory of uid that is closed to others.
func private(dir string, uid int) bool {
	var st syscall.Stat_t
	return syscall.Lstat(dir, &st) == nil && st.Mode&syscall.S_IFMT == syscall.S_IFDIR &&
		st.Mode&0o077 == 0 && int(st.Uid) == uid
}

// foreign reports whether dir is another user's than uid. One that does not exist
// is nobody's.
func foreign(dir string, uid int) bool {
	var st syscall.Stat_t
	return syscall.Stat(dir, &st) == nil && int(st.Uid) != uid
}

// check refuses a socket directory that others could tamper with.
func (p Place) check() error {
	if p.Dir == "" {
		return nil
	}
	var st syscall.Stat_t
	if err := syscall.Lstat(p.Dir, &st); err != nil {
		return err
	}
	if !private(p.Dir, syscall.Geteuid()) {
		return ErrUnsafe
	}
	return nil
}

// MakeDir creates the socket's directory where it is missing, and refuses one
// that others could tamper with.
func (p Place) MakeDir() error {
	if p.Dir == "" {
		return nil
	}
	if err := syscall.Mkdir(p.Dir, 0o700); err != nil && err != syscall.EEXIST {
		return err
	}
	return p.check()
}
