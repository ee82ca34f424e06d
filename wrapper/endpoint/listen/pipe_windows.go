package listen

import (
	"errors"
	"net"
	"os"
	"sync"
	"unsafe"

	"golang.org/x/sys/windows"
)

// A pipeDoor is a named pipe of which one instance waits for a wrapper.
type pipeDoor struct {
	name    string
	user    *windows.SecurityAttributes
	waiting windows.Handle // used by accept alone
	came    windows.Handle // event: a wrapper has
	closing windows.Handle // event: shut was called
	once    sync.Once
}

// pipeBuffer is what a pipe holds in bytes before its writer waits.
const pipeBuffer = 64 << 10

func newAttributes(sd *windows.SECURITY_DESCRIPTOR) *windows.SecurityAttributes {
	sa := &windows.SecurityAttributes{SecurityDescriptor: sd}
	sa.Length = uint32(unsafe.Sizeof(*sa))
	return sa
}

// newPipeDoor makes the pipe, which must not be there.
func newPipeDoor(name string, user *windows.SecurityAttributes) (*pipeDoor, error) {
	d := &pipeDoor{name: name, user: user}
	var err error
	if d.came, err = windows.CreateEvent(nil, 1, 0, nil); err != nil {
		return nil, err
	}
	if d.closing, err = windows.CreateEvent(nil, 1, 0, nil); err != nil {
		return nil, err
	}
	d.waiting, err = d.instance(windows.FILE_FLAG_FIRST_PIPE_INSTANCE)
	if err != nil {
		return nil, err
	}
	return d, nil
}

func (d *pipeDoor) instance(flags uint32) (windows.Handle, error) {
	name, err := windows.UTF16PtrFromString(d.name)
	if err != nil {
		return 0, err
	}
	return windows.CreateNamedPipe(name, windows.PIPE_ACCESS_DUPLEX|windows.FILE_FLAG_OVERLAPPED|flags,
		windows.PIPE_REJECT_REMOTE_CLIENTS, windows.PIPE_UNLIMITED_INSTANCES, pipeBuffer, pipeBuffer, 0, d.user)
}

// accept implements door. The next instance is there before this one is served.
func (d *pipeDoor) accept() (net.Conn, Peer, error) {
	if d.waiting == 0 {
		return nil, Peer{}, net.ErrClosed
	}
	if err := d.await(); err != nil {
		windows.CloseHandle(d.waiting)
		d.waiting = 0
		return nil, Peer{}, err
	}
	h := d.waiting
	next, err := d.instance(0)
	if err != nil {
		windows.CloseHandle(h)
		return nil, Peer{}, err
	}
	d.waiting = next
	return pipeConn{os.NewFile(uintptr(h), d.name), pipeName(d.name)}, Peer{UID: -1, GID: -1, PID: clientOf(h)}, nil
}

// await returns when a wrapper has opened the instance that waits.
func (d *pipeDoor) await() error {
	if err := windows.ResetEvent(d.came); err != nil {
		return err
	}
	pending := &windows.Overlapped{HEvent: d.came}
	err := windows.ConnectNamedPipe(d.waiting, pending)
	switch {
	case errors.Is(err, windows.ERROR_PIPE_CONNECTED), errors.Is(err, windows.ERROR_NO_DATA), err == nil:
		return nil // it was quicker than we
	case !errors.Is(err, windows.ERROR_IO_PENDING):
		return err
	}
	which, err := windows.WaitForMultipleObjects([]windows.Handle{d.came, d.closing}, false, windows.INFINITE)
	var n uint32
	if err != nil || which != windows.WAIT_OBJECT_0 {
		_ = windows.CancelIoEx(d.waiting, pending) // its end is awaited below
		err = net.ErrClosed
	}
	if windows.GetOverlappedResult(d.waiting, pending, &n, true) == nil {
		return nil
	}
	if err == nil {
		err = net.ErrClosed
	}
	return err
}

// shut implements door.
func (d *pipeDoor) shut() { d.once.Do(func() { _ = windows.SetEvent(d.closing) }) }

// clientOf returns the process on the other end of a pipe.
func clientOf(h windows.Handle) int {
	var pid uint32
	if windows.GetNamedPipeClientProcessId(h, &pid) != nil {
		return -1
	}
	return int(pid)
}

// A pipeConn is one connected instance of a pipe.
type pipeConn struct {
	*os.File
	name pipeName
}

func (c pipeConn) LocalAddr() net.Addr  { return c.name }
func (c pipeConn) RemoteAddr() net.Addr { return c.name }

// A pipeName implements net.Addr.
type pipeName string

func (pipeName) Network() string  { return "pipe" }
func (n pipeName) String() string { return string(n) }
