package wrapper

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"
)

// replaceable reports whether there is a file or link at path that can be written,
// or nothing. It may have to wait for somebody who has it open: that it cannot be
// replaced must show before anything is said, since the compiler will say so.
func replaceable(path string) (bool, error) {
	regular, err := isFile(path)
	if err != nil || !regular {
		return errors.Is(err, fs.ErrNotExist), nil
	}
	return patiently(func() error {
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err == nil {
			err = f.Close()
		}
		return err
	}) == nil, nil
}

// isFile reports whether what is at path is a file or a link. The names of devices
// are none of files, in whatever folder they stand.
func isFile(path string) (bool, error) {
	info, err := os.Lstat(path)
	return err == nil && (info.Mode().IsRegular() || info.Mode().Type() == fs.ModeSymlink), err
}

func removeStale(path string) error {
	if regular, err := isFile(path); err != nil || !regular {
		return nil
	}
	return remove(path)
}

func remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Errors of files that another process has open.
const (
	errorAccessDenied     = syscall.Errno(5)
	errorSharingViolation = syscall.Errno(32)
	errorLockViolation    = syscall.Errno(33)
	errorUserMapped       = syscall.Errno(1224)
)

// isOpen reports whether err may be due to a process that has a file open, or,
// which looks the same, to its attributes.
func isOpen(err error) bool {
	for _, code := range []syscall.Errno{errorAccessDenied, errorSharingViolation, errorLockViolation, errorUserMapped} {
		if errors.Is(err, code) {
			return true
		}
	}
	return false
}

// busyWaits are the pauses, in milliseconds, after which a file is tried again
// that could not be replaced: virus scanners and indexers let go of it soon.
func busyWaits() [6]int { return [...]int{1, 4, 15, 60, 120, 300} }

// patiently tries until it does not fail because of a file that is open, or for
// too long.
func patiently(try func() error) error {
	err := try()
	for _, pause := range busyWaits() {
		if err == nil || !isOpen(err) {
			break
		}
		sleep(pause)
		err = try()
	}
	return err
}

// moveTo puts temp in the place of target. A file that is open cannot be
// replaced; it may still be written over, as the compiler would.
func moveTo(target, temp string) error {
	return patiently(func() error {
		err := os.Rename(temp, target)
		if err != nil && isOpen(err) && copyThrough(target, temp) == nil {
			return remove(temp)
		}
		if err == nil {
			_ = touch(target) // it is in place
		}
		return err
	})
}

// touch opens a file for writing, as the compiler would have, and has it changed
// now: MSBuild takes for outputs what the processes of a call open so, and knows
// nothing of a server's writes.
func touch(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	at := syscall.NsecToFiletime(now())
	return errors.Join(syscall.SetFileTime(syscall.Handle(f.Fd()), nil, nil, &at), f.Close())
}

// openTarget opens an output as a compiler does: the file that is there stays the
// same one, with its attributes.
func openTarget(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o666)
}

// writeThrough leaves data in the file at path.
func writeThrough(path string, data []byte) error {
	return overwrite(path, strings.NewReader(string(data)))
}

func copyThrough(path, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	return overwrite(path, in)
}

// overwrite writes from over the file at path and cuts what is left of the old
// content.
func overwrite(path string, from io.Reader) error {
	out, err := openTarget(path)
	if err != nil {
		return err
	}
	n, err := io.Copy(out, from)
	if info, statErr := out.Stat(); err == nil && statErr == nil && info.Mode().IsRegular() {
		err = out.Truncate(n)
	}
	return errors.Join(err, out.Close())
}

// writeStream writes p to descriptor 1 or 2, as it is: package os would take what
// goes to a console for UTF-8.
func writeStream(fd int, p []byte) error {
	for len(p) > 0 {
		n, err := syscall.Write(standard(fd), p)
		if err != nil {
			return err
		}
		p = p[n:]
	}
	return nil
}
