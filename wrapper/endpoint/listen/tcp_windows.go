package listen

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/rexwrap/rexwrap/wrapper/endpoint"
)

// A tcpDoor is a port of the loopback interface. Who does not know the token
// does not come in.
type tcpDoor struct {
	socket *net.TCPListener
	token  string
	known  chan net.Conn
	once   sync.Once
	closed chan struct{}
}

// introduction bounds how long a connection may take to say the token.
const introduction = 2 * time.Second

func newTCPDoor(address, token string) (*tcpDoor, error) {
	port, ok := endpoint.PortOf(address)
	if !ok {
		return nil, fmt.Errorf("%s is not tcp:127.0.0.1:PORT", address)
	}
	socket, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
	if err != nil {
		return nil, err
	}
	d := &tcpDoor{socket: socket, token: token, known: make(chan net.Conn), closed: make(chan struct{})}
	go d.admit()
	return d, nil
}

func (d *tcpDoor) port() string { return strconv.Itoa(d.socket.Addr().(*net.TCPAddr).Port) }

// admit takes connections until the socket is closed.
func (d *tcpDoor) admit() {
	for {
		conn, err := d.socket.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil {
			go d.meet(conn)
		}
	}
}

// meet lets a connection in that knows the first half of the token, and answers
// with the second.
func (d *tcpDoor) meet(conn net.Conn) {
	const half = endpoint.TokenLength / 2
	var said [half]byte
	err := conn.SetDeadline(time.Now().Add(introduction))
	if err == nil {
		_, err = io.ReadFull(conn, said[:])
	}
	if err != nil || subtle.ConstantTimeCompare(said[:], []byte(d.token[:half])) != 1 {
		conn.Close()
		return
	}
	if _, err = conn.Write([]byte(d.token[half:])); err == nil {
		err = conn.SetDeadline(time.Time{})
	}
	if err != nil {
		conn.Close()
		return
	}
	select {
	case d.known <- conn:
	case <-d.closed:
		conn.Close()
	}
}

// accept implements door.
func (d *tcpDoor) accept() (net.Conn, Peer, error) {
	select {
	case conn := <-d.known:
		return conn, Peer{UID: -1, GID: -1, PID: -1}, nil
	case <-d.closed:
		return nil, Peer{}, net.ErrClosed
	}
}

// shut implements door.
func (d *tcpDoor) shut() {
	d.once.Do(func() {
		close(d.closed)
		d.socket.Close()
	})
}
