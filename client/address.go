package client

import (
	"errors"
	"fmt"
	"net"
	"strings"
)

// ErrAddress is wrapped by the errors of ParseAddress.
var ErrAddress = errors.New("malformed address")

// An Address says where a server listens and whether it speaks TLS.
//
//	address = "grpc://" host [":" port]     plaintext, port 80
//	        | "grpcs://" host [":" port]    TLS, port 443
//	        | "unix:" path                  plaintext over a Unix socket
type Address struct {
	text   string
	target string // as gRPC spells it
	host   string // the authority of the credential helper's URI
	secure bool
}

// ParseAddress reads an address. A trailing slash is ignored.
func ParseAddress(s string) (Address, error) {
	if path, ok := strings.CutPrefix(s, "unix:"); ok {
		path = strings.TrimPrefix(path, "//")
		if path == "" {
			return Address{}, fmt.Errorf("%w: %q names no socket", ErrAddress, s)
		}
		return Address{text: s, target: "unix:" + path, host: "localhost"}, nil
	}
	scheme, rest, ok := strings.Cut(s, "://")
	a := Address{text: s, secure: scheme == "grpcs"}
	if !ok || (scheme != "grpc" && !a.secure) {
		return Address{}, fmt.Errorf("%w: %q starts with none of 'grpc://', 'grpcs://' and 'unix:'", ErrAddress, s)
	}
	hostport := strings.TrimSuffix(rest, "/")
	if hostport == "" || strings.ContainsAny(hostport, "/ @?#") {
		return Address{}, fmt.Errorf("%w: %q is not %s://HOST[:PORT]", ErrAddress, s, scheme)
	}
	if _, _, err := net.SplitHostPort(hostport); err != nil {
		hostport = net.JoinHostPort(strings.Trim(hostport, "[]"), a.defaultPort())
	}
	a.host, a.target = hostport, "dns:///"+hostport
	return a, nil
}

func (a Address) defaultPort() string {
	if a.secure {
		return "443"
	}
	return "80"
}

// String returns the address as it was written.
func (a Address) String() string { return a.text }
