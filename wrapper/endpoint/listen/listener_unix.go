//go:build unix

package listen

import (
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/rexwrap/rexwrap/wrapper/endpoint"
)

// A Listener accepts wrappers. Its methods may be called concurrently.
type Listener struct {
	socket *net.UnixListener
	path   string
	own    os.FileInfo // the socket as it was bound
	held   *os.File
	tray   *tray

	retire, close sync.Once
}

// A Peer is the process on the other end of a connection.
type Peer struct {
	UID int
	// GID and PID are -1 where the system does not tell.
	GID, PID int
}

// Listen listens at p and takes the mark of a stalled server away. It returns a
// *HeldError where another server listens already. The socket is open to the
// user alone.
func Listen(p endpoint.Place) (*Listener, error) {
	if err := p.MakeDir(); err != nil {
		return nil, fmt.Errorf("make socket directory %s: %w", p.Dir, err)
	}
	held, err := lockFile(p.Socket + ".held")
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, &HeldError{Socket: p.Socket}
	}
	if err != nil {
		return nil, err
	}
	l := &Listener{path: p.Socket, held: held}
	if err := l.bind(); err != nil {
		held.Close()
		return nil, err
	}
	l.tray = makeTray(p)
	_ = p.ClearStalled() // at worst the wrappers wait out the mark
	return l, nil
}

// bind replaces a socket that a server left behind: the lock says that no
// server listens there.
func (l *Listener) bind() error {
	if err := removeSocket(l.path); err != nil {
		return err
	}
	socket, err := net.ListenUnix("unix", &net.UnixAddr{Name: l.path, Net: "unix"})
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	socket.SetUnlinkOnClose(false)
	if err := os.Chmod(l.path, 0o600); err != nil {
		socket.Close()
		return fmt.Errorf("listen: %w", err)
	}
	if l.own, err = os.Lstat(l.path); err != nil {
		socket.Close()
		return fmt.Errorf("listen: %w", err)
	}
	l.socket = socket
	return nil
}

func removeSocket(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	if info.Mode().Type() != os.ModeSocket {
		return fmt.Errorf("listen: %s is no socket", path)
	}
	if err := os.Remove(path); err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	return nil
}

// Accept waits for the next wrapper. Connections of other users are closed
// without a word. After Close, and at the end of Retire, it returns an error that
// is net.ErrClosed.
func (l *Listener) Accept() (net.Conn, Peer, error) {
	for {
		conn, err := l.socket.AcceptUnix()
		if errors.Is(err, os.ErrDeadlineExceeded) {
			err = net.ErrClosed
		}
		if err != nil {
			return nil, Peer{}, fmt.Errorf("accept: %w", err)
		}
		peer, err := peerOf(conn)
		if err == nil && (peer.UID == 0 || peer.UID == os.Geteuid()) {
			return conn, peer, nil
		}
		conn.Close()
	}
}

// Lost reports whether the socket's name is gone or names another socket, so
// that no wrapper can find this server any more.
func (l *Listener) Lost() bool {
	info, err := os.Lstat(l.path)
	return err != nil || !os.SameFile(info, l.own)
}

// Left returns what wrappers have left since it was last called (see
// endpoint.Place.Leave), and takes it out of there.
func (l *Listener) Left() ([]byte, error) {
	text, err := l.tray.empty()
	if err != nil {
		return nil, fmt.Errorf("empty tray: %w", err)
	}
	return text, nil
}

// lastCalls is how long a retiring listener looks for connections in its queue.
const lastCalls = 50 * time.Millisecond

// Retire removes the socket, unless its name has come to mean another one, so
// that nobody finds it any more. Accept goes on until it has returned all
// connections that were made before.
func (l *Listener) Retire() error {
	var err error
	l.retire.Do(func() {
		if !l.Lost() {
			err = os.Remove(l.path)
		}
		err = errors.Join(err, l.socket.SetDeadline(time.Now().Add(lastCalls)))
	})
	return err
}

// Close retires the listener and stops listening. Connections that were accepted
// live on.
func (l *Listener) Close() error {
	err := l.Retire()
	l.close.Do(func() {
		err = errors.Join(err, l.tray.remove(), l.socket.Close(), l.held.Close())
	})
	return err
}

func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open lock: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return f, nil
}
