package diskstore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"golang.org/x/sys/windows"
)

// blocks returns the disk space of a file in bytes.
func blocks(fi fs.FileInfo) int64 { return (fi.Size() + 4095) &^ 4095 }

// free returns the disk space in bytes that may still be used below dir.
func free(dir string) (int64, error) {
	name, err := windows.UTF16PtrFromString(dir)
	if err != nil {
		return 0, err
	}
	var n uint64
	err = windows.GetDiskFreeSpaceEx(name, &n, nil, nil)
	return int64(n), err
}

// lockFile takes the lock on f, or fails with ErrLocked.
func lockFile(f *os.File) error {
	err := windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, &windows.Overlapped{})
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
		return ErrLocked
	}
	return err
}

// typed returns ErrFull or ErrReadOnly for the system errors that mean that.
func typed(err error) error {
	switch {
	case errors.Is(err, windows.ERROR_DISK_FULL), errors.Is(err, windows.ERROR_HANDLE_DISK_FULL):
		return fmt.Errorf("%w: %w", ErrFull, err)
	case errors.Is(err, windows.ERROR_WRITE_PROTECT), errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w: %w", ErrReadOnly, err)
	}
	return err
}

// renameWaits bounds how often, after pauses that double, a file is tried again that
// another process has open: virus scanners look at what has just been written.
const renameWaits = 8

func rename(from, to string) error {
	err := os.Rename(from, to)
	for pause := time.Millisecond; err != nil && isOpen(err) && pause < 1<<renameWaits*time.Millisecond; pause *= 2 {
		time.Sleep(pause)
		err = os.Rename(from, to)
	}
	return err
}

// isOpen reports whether err may be due to a process that has a file open.
func isOpen(err error) bool {
	return errors.Is(err, windows.ERROR_ACCESS_DENIED) || errors.Is(err, windows.ERROR_SHARING_VIOLATION)
}
