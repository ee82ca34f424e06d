//go:build unix

package endpoint

import "syscall"

// A Lock is a lock on a file. It ends when it is closed or its holder dies.
type Lock struct{ fd int }

// errLocked is what flock says of a file that another process has locked.
const errLocked = syscall.EWOULDBLOCK

// TryStart takes the right to start a server at p. held is set, and no lock
// returned, while another process has it.
func (p Place) TryStart() (lock *Lock, held bool, err error) {
	if err := p.MakeDir(); err != nil {
		return nil, false, err
	}
	return tryLock(p.Socket + ".start")
}

func tryLock(path string) (lock *Lock, held bool, err error) {
	return tryLockWith(path, syscall.O_RDWR|syscall.O_CREAT|syscall.O_CLOEXEC|syscall.O_NOFOLLOW)
}

func tryLockWith(path string, flags int) (lock *Lock, held bool, err error) {
	fd, err := syscall.Open(path, flags, 0o600)
	if err != nil {
		return nil, false, err
	}
	err = syscall.Flock(fd, syscall.LOCK_EX|syscall.LOCK_NB)
	if err != nil {
		syscall.Close(fd)
		return nil, err == errLocked, err
	}
	return &Lock{fd}, false, nil
}

// Close gives the lock up.
func (l *Lock) Close() error { return syscall.Close(l.fd) }
