//go:build unix && !linux

package endpoint

import "syscall"

// socket returns a new socket. The program starts no other process while it
// runs, so that nobody can inherit it before it is marked.
func socket() (int, error) {
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(fd)
	}
	return fd, err
}
