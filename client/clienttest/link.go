package clienttest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// A Link is a network in memory between clients and one server, with a latency
// of its own: what is written arrives after half of RoundTrip. Within a bubble
// of testing/synctest a test over it counts round trips exactly, and takes no
// time. The zero Link has no latency.
type Link struct {
	RoundTrip time.Duration

	accept chan net.Conn
	closed chan struct{}
	once   sync.Once

	mu    sync.Mutex
	dials int
}

func (l *Link) open() {
	l.once.Do(func() { l.accept, l.closed = make(chan net.Conn), make(chan struct{}) })
}

// Dials returns how many connections were made.
func (l *Link) Dials() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.dials
}

var errLinkDown = errors.New("nobody listens on the link")

// Dial implements client.Options.Dialer.
func (l *Link) Dial(ctx context.Context, _ string) (net.Conn, error) {
	l.mu.Lock()
	l.dials++
	name := linkAddr(fmt.Sprintf("link %d", l.dials))
	l.mu.Unlock()
	up, down := newPipe(l.RoundTrip/2), newPipe(l.RoundTrip/2)
	select {
	case <-time.After(l.RoundTrip):
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	select {
	case l.accept <- &linkConn{in: up, out: down, remote: name}:
		return &linkConn{in: down, out: up, remote: "server"}, nil
	case <-l.closed:
		return nil, errLinkDown
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// Accept implements net.Listener.
func (l *Link) Accept() (net.Conn, error) {
	select {
	case c := <-l.accept:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (l *Link) Close() error {
	close(l.closed)
	return nil
}

// Addr implements net.Listener.
func (l *Link) Addr() net.Addr { return linkAddr("server") }

type linkAddr string

// Network implements net.Addr.
func (linkAddr) Network() string { return "link" }

// String implements net.Addr.
func (a linkAddr) String() string { return string(a) }

// A linkConn is one end of a connection. Deadlines have no effect.
type linkConn struct {
	in, out *pipe
	remote  linkAddr
}

// Read implements net.Conn.
func (c *linkConn) Read(p []byte) (int, error) { return c.in.read(p) }

// Write implements net.Conn.
func (c *linkConn) Write(p []byte) (int, error) { return c.out.write(p) }

// Close implements net.Conn. What is under way to the other end is lost, as
// after a reset.
func (c *linkConn) Close() error {
	c.in.close()
	c.out.close()
	return nil
}

// LocalAddr implements net.Conn.
func (c *linkConn) LocalAddr() net.Addr { return linkAddr("link") }

// RemoteAddr implements net.Conn.
func (c *linkConn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline implements net.Conn.
func (c *linkConn) SetDeadline(time.Time) error { return nil }

// SetReadDeadline implements net.Conn.
func (c *linkConn) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline implements net.Conn.
func (c *linkConn) SetWriteDeadline(time.Time) error { return nil }

// A pipe is one direction of a connection.
type pipe struct {
	latency time.Duration
	closed  chan struct{}
	once    sync.Once

	mu    sync.Mutex
	parts []part
	more  chan struct{} // holds one token while there may be a part
}

// A part was written at once.
type part struct {
	data []byte
	at   time.Time // when it arrives
}

func newPipe(latency time.Duration) *pipe {
	return &pipe{latency: latency, closed: make(chan struct{}), more: make(chan struct{}, 1)}
}

func (p *pipe) close() { p.once.Do(func() { close(p.closed) }) }

func (p *pipe) write(data []byte) (int, error) {
	select {
	case <-p.closed:
		return 0, io.ErrClosedPipe
	default:
	}
	p.mu.Lock()
	p.parts = append(p.parts, part{append([]byte(nil), data...), time.Now().Add(p.latency)})
	p.mu.Unlock()
	p.wake()
	return len(data), nil
}

func (p *pipe) wake() {
	select {
	case p.more <- struct{}{}:
	default:
	}
}

func (p *pipe) read(data []byte) (int, error) {
	for {
		n, wait := p.take(data)
		if n > 0 || len(data) == 0 {
			return n, nil
		}
		var arrives <-chan time.Time
		if wait > 0 {
			arrives = time.After(wait)
		}
		select {
		case <-p.more:
		case <-arrives:
		case <-p.closed:
			return 0, io.EOF
		}
	}
}

// take returns what has arrived, or how long it takes until something does; 0
// where nothing is under way.
func (p *pipe) take(data []byte) (n int, wait time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.parts) == 0 {
		return 0, 0
	}
	first := &p.parts[0]
	if wait := time.Until(first.at); wait > 0 {
		return 0, wait
	}
	n = copy(data, first.data)
	if first.data = first.data[n:]; len(first.data) == 0 {
		p.parts = p.parts[1:]
	}
	return n, 0
}
