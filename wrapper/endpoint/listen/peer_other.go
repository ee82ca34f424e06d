//go:build unix && !linux

package listen

import (
	"net"

	"github.com/rexwrap/rexwrap/wrapper/endpoint"
)

func peerOf(conn *net.UnixConn) (Peer, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return Peer{}, err
	}
	var uid int
	var credErr error
	err = raw.Control(func(fd uintptr) { uid, credErr = endpoint.PeerUID(int(fd)) })
	if err != nil {
		return Peer{}, err
	}
	return Peer{UID: uid, GID: -1, PID: -1}, credErr
}
