package endpoint

import (
	"io"
	"os"
	"syscall"
	"time"
)

// A tcpStream is a connection over the loopback interface. Package net would do
// more than the wrapper has time for.
type tcpStream struct {
	socket   syscall.Handle
	deadline time.Time
}

// dialTCP connects, says the first half of the token and is answered by the
// second one: only who can read this user's file knows both.
func dialTCP(a address, timeout time.Duration) (*tcpStream, error) {
	var data syscall.WSAData
	if err := syscall.WSAStartup(0x202, &data); err != nil {
		return nil, err
	}
	s, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, syscall.IPPROTO_TCP)
	if err != nil {
		return nil, err
	}
	t := &tcpStream{socket: s}
	if err := syscall.Connect(s, &syscall.SockaddrInet4{Port: a.port, Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Close()
		return nil, err
	}
	t.deadline = time.Now().Add(timeout)
	if err := t.introduce(a.token); err != nil {
		t.Close()
		return nil, err
	}
	return t, nil
}

func (t *tcpStream) introduce(token string) error {
	if _, err := t.Write([]byte(token[:TokenLength/2])); err != nil {
		return err
	}
	var answer [TokenLength / 2]byte
	if _, err := io.ReadFull(t, answer[:]); err != nil {
		return err
	}
	if string(answer[:]) != token[TokenLength/2:] {
		return ErrUnsafe
	}
	return nil
}

// SetDeadline implements stream.
func (t *tcpStream) SetDeadline(at time.Time) error {
	t.deadline = at
	return nil
}

// limit sets what is left until the deadline for one kind of operation.
func (t *tcpStream) limit(option int) error {
	left := 0 // no limit
	if !t.deadline.IsZero() {
		if left = int(time.Until(t.deadline).Milliseconds()); left <= 0 {
			return os.ErrDeadlineExceeded
		}
	}
	return syscall.SetsockoptInt(t.socket, syscall.SOL_SOCKET, option, left)
}

const (
	sendTimeout    = 0x1005 // SO_SNDTIMEO, in milliseconds
	receiveTimeout = 0x1006 // SO_RCVTIMEO
	wsaTimedOut    = syscall.Errno(10060)
)

// Read implements io.Reader.
func (t *tcpStream) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if err := t.limit(receiveTimeout); err != nil {
		return 0, err
	}
	var n, flags uint32
	buf := syscall.WSABuf{Len: uint32(len(p)), Buf: &p[0]}
	err := syscall.WSARecv(t.socket, &buf, 1, &n, &flags, nil, nil)
	switch {
	case err == wsaTimedOut:
		return 0, os.ErrDeadlineExceeded
	case err != nil:
		return 0, err
	case n == 0:
		return 0, io.EOF
	}
	return int(n), nil
}

// Write implements io.Writer.
func (t *tcpStream) Write(p []byte) (int, error) {
	done := 0
	for done < len(p) {
		if err := t.limit(sendTimeout); err != nil {
			return done, err
		}
		var n uint32
		buf := syscall.WSABuf{Len: uint32(len(p) - done), Buf: &p[done]}
		err := syscall.WSASend(t.socket, &buf, 1, &n, 0, nil, nil)
		done += int(n)
		if err == wsaTimedOut {
			return done, os.ErrDeadlineExceeded
		}
		if err != nil {
			return done, err
		}
	}
	return done, nil
}

// Close implements io.Closer.
func (t *tcpStream) Close() error { return syscall.Closesocket(t.socket) }
