package listen

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/windows"

	"github.com/rexwrap/rexwrap/wrapper/endpoint"
)

// A Listener accepts wrappers. Its methods may be called concurrently.
type Listener struct {
	door door
	path string
	own  string // the text of the file at path
	held *endpoint.Lock

	retire, close sync.Once
}

// A door is what wrappers come through. After shut, accept returns net.ErrClosed
// once those have come in who were there.
type door interface {
	accept() (net.Conn, Peer, error)
	shut()
}

// A Peer is the process on the other end of a connection.
type Peer struct {
	// UID and GID are -1: who comes in is this user.
	UID, GID int
	// PID is -1 where the system does not tell.
	PID int
}

// Listen listens at p and takes the mark of a stalled server away. It returns a
// *HeldError where another server listens already. Only the user can connect.
func Listen(p endpoint.Place) (*Listener, error) {
	if err := p.MakeDir(); err != nil {
		return nil, fmt.Errorf("make socket directory %s: %w", p.Dir, err)
	}
	held, err := endpoint.TakeLock(p.Socket + ".held")
	if errors.Is(err, endpoint.ErrLocked) {
		return nil, &HeldError{Socket: p.Socket}
	}
	if err != nil {
		return nil, fmt.Errorf("open lock: %w", err)
	}
	l := &Listener{path: p.Socket, held: held}
	if err := l.open(p.Address); err != nil {
		return nil, errors.Join(fmt.Errorf("listen: %w", err), held.Close())
	}
	_ = p.ClearStalled() // at worst the wrappers wait out the mark
	return l, nil
}

// open opens the door and says where it is. What a server left behind says is
// replaced: the lock says that no server listens there.
func (l *Listener) open(address string) error {
	user, err := userDescriptor()
	if err != nil {
		return err
	}
	if address == "" {
		name := `\\.\pipe\rexwrap-` + secret()
		l.own = endpoint.AddressFile(name, "", "")
		l.door, err = newPipeDoor(name, user)
	} else {
		var d *tcpDoor
		if d, err = newTCPDoor(address, secret()); err == nil {
			l.door, l.own = d, endpoint.AddressFile("", d.port(), d.token)
		}
	}
	if err != nil {
		return err
	}
	if err := writePrivate(l.path, l.own, user); err != nil {
		l.door.shut()
		return err
	}
	return nil
}

// secret returns what nobody can guess.
func secret() string {
	var noise [endpoint.TokenLength / 2]byte
	_, _ = rand.Read(noise[:]) // never fails
	return hex.EncodeToString(noise[:])
}

// userDescriptor is the security descriptor of what belongs to the user and is
// closed to all others.
func userDescriptor() (*windows.SecurityAttributes, error) {
	user, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		return nil, err
	}
	sid := user.User.Sid.String()
	sd, err := windows.SecurityDescriptorFromString("O:" + sid + "D:P(A;;GA;;;" + sid + ")")
	if err != nil {
		return nil, err
	}
	return newAttributes(sd), nil
}

// writePrivate replaces the file at path.
func writePrivate(path, text string, user *windows.SecurityAttributes) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return err
	}
	h, err := windows.CreateFile(name, windows.GENERIC_WRITE, 0, user, windows.CREATE_NEW, windows.FILE_ATTRIBUTE_NORMAL, 0)
	if err != nil {
		return err
	}
	f := os.NewFile(uintptr(h), path)
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

// Accept waits for the next wrapper. After Close, and at the end of Retire, it
// returns an error that is net.ErrClosed.
func (l *Listener) Accept() (net.Conn, Peer, error) {
	conn, peer, err := l.door.accept()
	if err != nil {
		return nil, Peer{}, fmt.Errorf("accept: %w", err)
	}
	return conn, peer, nil
}

// Lost reports whether no wrapper can find this server any more.
func (l *Listener) Lost() bool {
	text, err := os.ReadFile(l.path)
	if errors.Is(err, endpoint.ErrLocked) {
		return false // somebody looks at it in a way that keeps us out
	}
	return err != nil || string(text) != l.own
}

// Left returns nothing: wrappers send what they have to say.
func (l *Listener) Left() ([]byte, error) { return nil, nil }

// lastCalls is how long a retiring listener looks for wrappers that have read
// where it listens.
const lastCalls = 50 * time.Millisecond

// Retire takes away what says where the server listens, unless it speaks of
// another one by now. Accept goes on until it has returned all connections that
// were made before.
func (l *Listener) Retire() error {
	var err error
	l.retire.Do(func() {
		if !l.Lost() {
			err = os.Remove(l.path)
		}
		time.AfterFunc(lastCalls, l.door.shut)
	})
	return err
}

// Close retires the listener and stops listening. Connections that were accepted
// live on.
func (l *Listener) Close() error {
	err := l.Retire()
	l.close.Do(func() {
		l.door.shut()
		err = errors.Join(err, l.held.Close())
	})
	return err
}
