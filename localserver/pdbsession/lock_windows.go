package pdbsession

import (
	"errors"

	"golang.org/x/sys/windows"
)

// isLocked reports whether another process has the file open in a way that excludes us.
// Replacing a file that is open ends in ERROR_ACCESS_DENIED.
func isLocked(err error) bool {
	return errors.Is(err, windows.ERROR_SHARING_VIOLATION) || errors.Is(err, windows.ERROR_LOCK_VIOLATION) ||
		errors.Is(err, windows.ERROR_ACCESS_DENIED)
}
