//go:build unix

package wrapper

import (
	"slices"
	"strings"
	"syscall"

	"github.com/rexwrap/rexwrap/wrapper/wire"
)

// commit does what Done says, in the compiler's order: stale outputs go, the
// diagnostics are written, the outputs appear. Where nobody reads the
// diagnostics nothing is put in place: a compiler that has not run yet is then
// run, and fares as it fares. Targets are looked at before anything is said.
func (s *session) commit(m *wire.Done) error {
	for i := range m.Files {
		if err := s.check(&m.Files[i]); err != nil {
			return err
		}
	}
	for _, path := range m.Remove {
		if err := removeStale(path); err != nil {
			return err
		}
	}
	if !m.ChunksLast {
		if err := replayAll(m.Chunks); err != nil {
			return err
		}
	}
	for i := range m.Files {
		if err := s.put(&m.Files[i]); err != nil {
			return err
		}
	}
	s.clean()
	if m.ChunksLast {
		_ = replayAll(m.Chunks) // the files are in place: too late for anything else
	}
	return nil
}

func replayAll(chunks []wire.Chunk) error {
	for _, chunk := range chunks {
		if err := replay(chunk); err != nil {
			return err
		}
	}
	return nil
}

// check refuses what must not happen whatever the server says: a rename of
// anything but a temp file of this call, or onto anything but a regular file or
// a link (a device is written to, never replaced).
func (s *session) check(f *wire.File) error {
	if f.Temp == "" {
		return nil
	}
	if !isTempName(f.Temp, s.frame.Token) {
		return errUnexpected
	}
	if kind, err := kindOf(f.Target); err != nil || kind != 0 && kind != syscall.S_IFREG && kind != syscall.S_IFLNK {
		return errUnexpected
	}
	return nil
}

// isTempName reports whether path is one that wire.TempName gives to the call
// of this token.
func isTempName(path, token string) bool {
	return strings.HasPrefix(base(path), base(wire.TempName("", token, 0))[:len(".rexwrap-")+len(token)+1])
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

func replay(chunk wire.Chunk) error {
	if chunk.Fd != 1 && chunk.Fd != 2 {
		return errUnexpected
	}
	return writeAll(int(chunk.Fd), chunk.Data)
}

// put puts one output in its place. Removing what is there first would spare
// ext4 the early write-out of a file that replaces another, but costs more where
// the old one has reached the disk, as in any rebuild (0.6 to 1.2 ms instead of
// 0.3), and would leave nothing behind where the rename fails.
func (s *session) put(f *wire.File) error {
	switch {
	case f.Temp == "":
		return writeThrough(f.Target, f.Data)
	case f.Keep:
		return copyThrough(f.Target, f.Temp) // clean removes the temp file
	}
	if err := syscall.Rename(f.Temp, f.Target); err != nil {
		return err
	}
	if i := slices.Index(s.temps, f.Temp); i >= 0 {
		s.temps = slices.Delete(s.temps, i, i+1)
	}
	return nil
}

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
