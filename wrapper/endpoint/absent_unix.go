//go:build unix

package endpoint

import "syscall"

// Absent reports whether an error of Dial says that no server listens.
func Absent(err error) bool { return err == syscall.ENOENT || err == syscall.ECONNREFUSED }
