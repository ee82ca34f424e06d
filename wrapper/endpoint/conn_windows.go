package endpoint

import (
	"errors"
	"io"
	"os"
	"syscall"
	"time"
)

// A Conn is a connection to the server. It is for one goroutine.
type Conn struct {
	stream  stream
	timeout time.Duration // 0 for none
}

// A stream is what a Conn speaks through. Deadlines are as for os.File.
type stream interface {
	io.ReadWriteCloser
	SetDeadline(t time.Time) error
}

// noWait, in milliseconds, is what DialNow allows for what takes no waiting.
const noWait = 20

// Dial connects to the server at p, waiting no longer than timeout
// milliseconds for a place in its queue.
func (p Place) Dial(timeout int) (*Conn, error) {
	address, err := readAddress(p.Socket)
	if err != nil {
		return nil, err
	}
	c := &Conn{timeout: milliseconds(timeout)}
	if address.pipe != "" {
		c.stream, err = dialPipe(address.pipe, c.timeout)
	} else {
		c.stream, err = dialTCP(address, c.timeout)
	}
	if err != nil {
		return nil, stalled(err)
	}
	return c, nil
}

// DialNow connects to the server at p if that takes hardly any waiting, and nor
// does what is written to the connection; it is for one-way messages.
func (p Place) DialNow() (*Conn, error) { return p.Dial(noWait) }

// Absent reports whether an error of Dial says that no server listens.
func Absent(err error) bool {
	return errors.Is(err, syscall.ERROR_FILE_NOT_FOUND) || errors.Is(err, syscall.ERROR_PATH_NOT_FOUND) ||
		errors.Is(err, wsaConnectionRefused)
}

// SetTimeout limits each of the following Reads and Writes to so many
// milliseconds; 0 is no limit.
func (c *Conn) SetTimeout(ms int) error {
	c.timeout = milliseconds(ms)
	if ms == 0 {
		return c.stream.SetDeadline(time.Time{})
	}
	return nil
}

func milliseconds(n int) time.Duration { return time.Duration(n) * time.Millisecond }

// begin starts the clock of one Read or Write.
func (c *Conn) begin() error {
	if c.timeout == 0 {
		return nil
	}
	return c.stream.SetDeadline(time.Now().Add(c.timeout))
}

// Read implements io.Reader. After the timeout it returns ErrStalled.
func (c *Conn) Read(p []byte) (int, error) {
	if err := c.begin(); err != nil {
		return 0, err
	}
	n, err := c.stream.Read(p)
	return n, stalled(err)
}

// Write implements io.Writer. After the timeout it returns ErrStalled.
func (c *Conn) Write(p []byte) (int, error) {
	if err := c.begin(); err != nil {
		return 0, err
	}
	n, err := c.stream.Write(p)
	return n, stalled(err)
}

func stalled(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return ErrStalled
	}
	return err
}

// Close closes the connection.
func (c *Conn) Close() error { return c.stream.Close() }
