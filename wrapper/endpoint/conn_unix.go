//go:build unix

package endpoint

import (
	"io"
	"syscall"
)

// A Conn is a connection to the server. It is for one goroutine.
type Conn struct{ fd int }

// Dial connects to the server at p, waiting no longer than timeout
// milliseconds for a place in its queue.
func (p Place) Dial(timeout int) (*Conn, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	return dial(p.Socket, timeout)
}

// DialNow connects to the server at p if that takes no waiting at all. Nothing
// written to the connection waits either; it is for one-way messages.
func (p Place) DialNow() (*Conn, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	return dial(p.Socket, 0)
}

func dial(path string, timeout int) (*Conn, error) {
	fd, err := socket()
	if err != nil {
		return nil, err
	}
	c := &Conn{fd}
	if err := c.connect(path, timeout); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

func (c *Conn) connect(path string, timeout int) error {
	var err error
	if timeout == 0 {
		err = syscall.SetNonblock(c.fd, true)
	} else {
		err = c.SetTimeout(timeout)
	}
	if err != nil {
		return err
	}
	for {
		err = syscall.Connect(c.fd, &syscall.SockaddrUnix{Name: path})
		if err != syscall.EINTR {
			break
		}
	}
	if err == syscall.EAGAIN || err == syscall.EINPROGRESS {
		return ErrStalled
	}
	if err != nil && err != syscall.EISCONN {
		return err
	}
	return c.checkPeer()
}

func (c *Conn) checkPeer() error {
	uid, err := PeerUID(c.fd)
	if err != nil {
		return err
	}
	if uid != 0 && uid != syscall.Geteuid() {
		return ErrUnsafe
	}
	return nil
}

// SetTimeout limits each of the following Reads and Writes to so many
// milliseconds.
func (c *Conn) SetTimeout(ms int) error {
	tv := syscall.NsecToTimeval(int64(ms) * 1e6)
	if err := syscall.SetsockoptTimeval(c.fd, syscall.SOL_SOCKET, syscall.SO_SNDTIMEO, &tv); err != nil {
		return err
	}
	return syscall.SetsockoptTimeval(c.fd, syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, &tv)
}

// Read implements io.Reader. After the timeout it returns ErrStalled.
func (c *Conn) Read(p []byte) (int, error) {
	for {
		n, err := syscall.Read(c.fd, p)
		switch {
		case err == syscall.EINTR:
		case err == syscall.EAGAIN:
			return 0, ErrStalled
		case err != nil:
			return 0, err
		case n == 0 && len(p) > 0:
			return 0, io.EOF
		default:
			return n, nil
		}
	}
}

// Write implements io.Writer. After the timeout it returns ErrStalled.
func (c *Conn) Write(p []byte) (int, error) {
	done := 0
	for done < len(p) {
		n, err := syscall.Write(c.fd, p[done:])
		switch {
		case err == syscall.EINTR:
		case err == syscall.EAGAIN:
			return done, ErrStalled
		case err != nil:
			return done, err
		default:
			done += n
		}
	}
	return done, nil
}

// Fd returns the connection's descriptor, to be polled.
func (c *Conn) Fd() int { return c.fd }

// Close closes the connection.
func (c *Conn) Close() error { return syscall.Close(c.fd) }
