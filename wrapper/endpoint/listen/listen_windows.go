package listen

import (
	"net"

	"github.com/rexwrap/rexwrap/wrapper/endpoint"
)

// A Listener accepts wrappers.
type Listener struct{}

// A Peer is the process on the other end of a connection.
type Peer struct{ UID, GID, PID int }

// A HeldError says that another server has what was asked for.
type HeldError struct{ Socket string }

// Error names the other server's socket.
func (e *HeldError) Error() string { return "held by the server at " + e.Socket }

// A CacheLock is the right to use a cache directory.
type CacheLock struct{}

// Listen returns endpoint.ErrUnsupported.
func Listen(endpoint.Place) (*Listener, error) { return nil, endpoint.ErrUnsupported }

// Accept returns endpoint.ErrUnsupported.
func (l *Listener) Accept() (net.Conn, Peer, error) { return nil, Peer{}, endpoint.ErrUnsupported }

// Lost reports true.
func (l *Listener) Lost() bool { return true }

// Retire does nothing.
func (l *Listener) Retire() error { return nil }

// Close does nothing.
func (l *Listener) Close() error { return nil }

// LockCache returns endpoint.ErrUnsupported.
func LockCache(endpoint.Place) (*CacheLock, error) { return nil, endpoint.ErrUnsupported }

// Close does nothing.
func (l *CacheLock) Close() error { return nil }

// Slots keeps no slot files: no wrapper looks for them here.
type Slots struct{}

// NewSlots returns Slots that do nothing.
func NewSlots(endpoint.Place) *Slots { return &Slots{} }

// Keep does nothing.
func (s *Slots) Keep(int) error { return nil }

// Discard does nothing.
func (s *Slots) Discard() error { return nil }
