package endpoint

import "errors"

// Errors of Dial and its kin. Other errors are system errors: no server is
// there, or the place cannot be used.
var (
	// ErrStalled is returned where a wrapper waited in vain a moment ago.
	ErrStalled = errors.New("server does not answer")
	// ErrUnsafe is returned for a directory or a peer that another user
	// controls.
	ErrUnsafe = errors.New("not this user's")
	// ErrUnsupported is returned where the system cannot say who a peer is.
	ErrUnsupported = errors.New("not supported on this system")
)

// A View is what a server serves, and where relative settings start from.
type View struct {
	UID, GID int
	// Namespace identifies the mount namespace, empty where the system has
	// none.
	Namespace string
	// Dir is the working directory.
	Dir string
}

// A Place is where the server of a View is met.
type Place struct {
	// Socket is the socket's path, absolute and short enough to bind to. On
	// Windows it is the file that says where the server listens.
	Socket string
	// Address is where the server is to listen; only Windows has a choice.
	// Empty is a pipe with a name of its own.
	Address string
	// CacheDir is the server's cache directory, absolute.
	CacheDir string
	// Dir is the socket's directory where it is ours to make and to check,
	// empty where REXWRAP_SOCKET names another.
	Dir string
}

// hash is 64-bit FNV-1a over its arguments, each ended by a zero byte. It names
// things, it protects nothing; a cryptographic hash would be one more
// initialiser in the thin binary.
func hash(parts ...string) string {
	h := uint64(14695981039346656037)
	for _, s := range parts {
		for i := range len(s) + 1 {
			c := byte(0)
			if i < len(s) {
				c = s[i]
			}
			h = (h ^ uint64(c)) * 1099511628211
		}
	}
	const digits = "0123456789abcdef"
	var out [16]byte
	for i := range out {
		out[i] = digits[h>>(60-4*i)&15]
	}
	return string(out[:])
}
