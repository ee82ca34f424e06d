package wrapper

import (
	"os"
	"strconv"
	"syscall"
	"unsafe"

	"github.com/rexwrap/rexwrap/wrapper/wire"
)

// A stream is our end of the pipe that the compiler writes to in the place of
// descriptor to.
type stream struct {
	pipe   *os.File
	to     int
	filter streamFilter // nil where nothing is taken out
}

// available returns how many bytes wait in the pipe.
func (s *stream) available() (int, error) {
	raw, err := s.pipe.SyscallConn()
	if err != nil {
		return 0, err
	}
	n := 0
	if controlErr := raw.Control(func(fd uintptr) { n, err = available(syscall.Handle(fd)) }); controlErr != nil {
		return 0, controlErr
	}
	return n, err
}

// plumb gives a compiler a pipe for each of stdout and stderr. Where the two are
// one file they share one, which keeps their order.
func (c *child) plumb(frame *wire.Call, run *wire.Run) (theirs [2]*os.File, err error) {
	filter := filterOf(run)
	if frame.SameFile {
		if theirs[0], err = c.connect(frame.Token, 1, filter); err != nil {
			return theirs, err
		}
		theirs[1] = theirs[0]
		return theirs, nil
	}
	if theirs[0], err = c.connect(frame.Token, 1, nil); err != nil {
		return theirs, err
	}
	if theirs[1], err = c.connect(frame.Token, 2, filter); err != nil {
		_ = theirs[0].Close()
		c.close()
	}
	return theirs, err
}

// connect adds a stream and returns the compiler's end of it.
func (c *child) connect(token string, to int, filter streamFilter) (*os.File, error) {
	ours, theirs, err := pipe(`\\.\pipe\rexwrap-out-` + token + "-" + strconv.Itoa(to))
	if err != nil {
		return nil, err
	}
	c.streams = append(c.streams, &stream{pipe: ours, to: to, filter: filter})
	return theirs, nil
}

// pipe returns the ends of a new pipe. The reading end can be read with a
// deadline, which those of CreatePipe cannot; so it has a name, which nobody can
// have taken before.
func pipe(name string) (r, w *os.File, err error) {
	const (
		inbound      = 0x00000001 // PIPE_ACCESS_INBOUND
		firstOnly    = 0x00080000 // FILE_FLAG_FIRST_PIPE_INSTANCE
		rejectRemote = 0x00000008 // PIPE_REJECT_REMOTE_CLIENTS
		size         = 64 << 10
	)
	path, err := syscall.UTF16PtrFromString(name)
	if err != nil {
		return nil, nil, err
	}
	h, _, err := kernel32("CreateNamedPipeW").Call(uintptr(unsafe.Pointer(path)),
		inbound|firstOnly|syscall.FILE_FLAG_OVERLAPPED, rejectRemote, 1, size, size, 0, 0)
	if syscall.Handle(h) == syscall.InvalidHandle {
		return nil, nil, err
	}
	end, err := syscall.CreateFile(path, syscall.GENERIC_WRITE, 0, nil, syscall.OPEN_EXISTING, 0, 0)
	if err != nil {
		syscall.CloseHandle(syscall.Handle(h))
		return nil, nil, err
	}
	return os.NewFile(h, name), os.NewFile(uintptr(end), name), nil
}
