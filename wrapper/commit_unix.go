//go:build unix

package wrapper

import "syscall"

// replaceable reports whether there is a file or link at path, or nothing.
func replaceable(path string) (bool, error) {
	kind, err := kindOf(path)
	return kind == 0 || kind == syscall.S_IFREG || kind == syscall.S_IFLNK, err
}

// kindOf returns the file type bits of path itself, 0 where there is nothing.
func kindOf(path string) (uint32, error) {
	var st syscall.Stat_t
	err := syscall.Lstat(path, &st)
	if err == syscall.ENOENT {
		return 0, nil
	}
	return uint32(st.Mode) & syscall.S_IFMT, err
}

func removeStale(path string) error {
	kind, err := kindOf(path)
	if err != nil || kind != syscall.S_IFREG && kind != syscall.S_IFLNK {
		return err
	}
	return syscall.Unlink(path)
}

func moveTo(target, temp string) error { return syscall.Rename(temp, target) }

// touch has the file at path, if there is one, changed now.
func touch(path string) error {
	now := syscall.NsecToTimespec(now())
	return syscall.UtimesNano(path, []syscall.Timespec{now, now})
}

// writeStream writes p to descriptor 1 or 2.
func writeStream(fd int, p []byte) error { return writeAll(fd, p) }

// openTarget opens an output as a compiler does: the file that is there keeps
// its inode and mode, and a new one gets its mode by the umask. /dev/stdout
// means our own.
func openTarget(path string, flags int) (int, error) {
	flags |= syscall.O_WRONLY | syscall.O_CREAT | syscall.O_NOCTTY | syscall.O_CLOEXEC
	for {
		fd, err := syscall.Open(path, flags, 0o666)
		if err != syscall.EINTR {
			return fd, err
		}
	}
}

// writeThrough leaves data in the file at path. What is there is written over
// and cut rather than truncated first: ext4 writes a file out at once that was
// (0.02 ms instead of 0.3).
func writeThrough(path string, data []byte) error {
	flags := 0
	if len(data) == 0 {
		flags = syscall.O_TRUNC
	}
	fd, err := openTarget(path, flags)
	if err != nil {
		return err
	}
	if err = writeAll(fd, data); err == nil {
		err = cut(fd, int64(len(data)))
	}
	if closeErr := syscall.Close(fd); err == nil {
		err = closeErr
	}
	return err
}

// cut shortens a regular file to size.
func cut(fd int, size int64) error {
	var st syscall.Stat_t
	err := syscall.Fstat(fd, &st)
	if err != nil || st.Mode&syscall.S_IFMT != syscall.S_IFREG || st.Size <= size {
		return err
	}
	return syscall.Ftruncate(fd, size)
}

func copyThrough(path, from string) error {
	in, err := syscall.Open(from, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer syscall.Close(in)
	out, err := openTarget(path, syscall.O_TRUNC)
	if err != nil {
		return err
	}
	err = copyAll(out, in)
	if closeErr := syscall.Close(out); err == nil {
		err = closeErr
	}
	return err
}

func copyAll(out, in int) error {
	var buf [32 << 10]byte
	for {
		n, err := readFull(in, buf[:])
		if err != nil || n == 0 {
			return err
		}
		if err := writeAll(out, buf[:n]); err != nil {
			return err
		}
	}
}

// writeAll writes p, waiting where fd is non-blocking, as some callers leave
// the pipes they give to compilers.
func writeAll(fd int, p []byte) error {
	for len(p) > 0 {
		n, err := syscall.Write(fd, p)
		switch {
		case err == syscall.EINTR:
		case err == syscall.EAGAIN:
			poll([]pollFd{{fd: int32(fd), events: pollOut}}, -1)
		case err != nil:
			return err
		default:
			p = p[n:]
		}
	}
	return nil
}
