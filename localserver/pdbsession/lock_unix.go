//go:build unix

package pdbsession

import (
	"errors"
	"syscall"
)

// isLocked reports whether another process has the file open in a way that excludes us.
func isLocked(err error) bool {
	return errors.Is(err, syscall.EBUSY) || errors.Is(err, syscall.ETXTBSY) || errors.Is(err, syscall.EAGAIN)
}
