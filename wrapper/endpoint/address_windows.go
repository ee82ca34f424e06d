package endpoint

import (
	"errors"
	"os"
	"strings"
)

// The file at Place.Socket says where the server listens, and is there as long
// as it does:
//
//	file  = place newline [ token newline ] ;
//	place = "pipe:" name                 (* \\.\pipe\… *)
//	      | "tcp:127.0.0.1:" port ;
//	token = half half ;                  (* said by the wrapper, by the server *)
//	half  = 16 characters ;
//
// Only the user can read it.
const (
	schemePipe = "pipe:"
	schemeTCP  = "tcp:"
	loopback   = "127.0.0.1:"
)

// An address is where a server listens.
type address struct {
	pipe  string // empty for TCP
	port  int
	token string
}

var errAddress = errors.New("malformed address of a server")

// readAddress reads the file at path. Where there is none, Absent holds for the
// error.
func readAddress(path string) (address, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return address{}, err
	}
	place, rest, whole := strings.Cut(string(text), "\n")
	token, _, _ := strings.Cut(rest, "\n")
	if !whole {
		return address{}, errAddress
	}
	if pipe, ok := strings.CutPrefix(place, schemePipe); ok {
		if !strings.HasPrefix(pipe, `\\.\pipe\`) {
			return address{}, errAddress
		}
		return address{pipe: pipe}, nil
	}
	port, ok := PortOf(place)
	if !ok || port == 0 || len(token) != TokenLength {
		return address{}, errAddress
	}
	return address{port: port, token: token}, nil
}

// TokenLength is the number of characters of the token by which wrapper and
// server know each other where the server listens on TCP.
const TokenLength = 32

// PortOf returns the port of a Place.Address, 0 for any that is free.
func PortOf(place string) (port int, ok bool) {
	digits, ok := strings.CutPrefix(place, schemeTCP+loopback)
	if !ok || digits == "" || len(digits) > 5 {
		return 0, false
	}
	for i := range len(digits) {
		if digits[i] < '0' || digits[i] > '9' {
			return 0, false
		}
		port = 10*port + int(digits[i]-'0')
	}
	return port, port < 1<<16
}

// AddressFile returns the text of the file at Place.Socket: of a server that
// listens at a pipe, or, where there is a token, on a port.
func AddressFile(pipe, port, token string) string {
	if token == "" {
		return schemePipe + pipe + "\n"
	}
	return schemeTCP + loopback + port + "\n" + token + "\n"
}
