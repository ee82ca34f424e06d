package endpoint

import (
	"errors"
	"strconv"
)

// Errors of Dial and its kin. Other errors are system errors: no server is
// there, or the place cannot be used.
var (
	// ErrStalled is returned where a wrapper waited in vain a moment ago.
	ErrStalled = errors.New("server does not answer")
	// ErrUnsafe is returned for a directory or a peer that another user
	// controls.
	ErrUnsafe = errors.New("not this user's")
	// ErrUnsupported is returned where the system has no endpoint yet.
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
	// Socket is the socket's path, absolute and short enough to bind to.
	Socket string
	// CacheDir is the server's cache directory, absolute.
	CacheDir string
	// Dir is the socket's directory where it is ours to make and to check,
	// empty where REXWRAP_SOCKET names another.
	Dir string
}

// maxSocketPath is what sockaddr_un holds on every system we know (104 bytes on
// BSDs, 108 on Linux), less the final zero.
const maxSocketPath = 103

// Locate returns the place of view's server. getenv returns the value of an
// environment variable, empty where it is unset; an empty setting counts as
// unset.
func Locate(getenv func(string) string, view View) Place {
	p := Place{CacheDir: cacheDir(getenv, view)}
	if socket := getenv("REXWRAP_SOCKET"); socket != "" {
		p.Socket = absolute(view.Dir, socket)
	} else {
		p.Dir = fallbackDir(view.UID)
		if run := getenv("XDG_RUNTIME_DIR"); isAbsolute(run) && private(run, view.UID) {
			p.Dir = run + "/rexwrap"
		}
		p.Socket = p.Dir + "/" + view.name(p.CacheDir)
	}
	if len(p.Socket) > maxSocketPath {
		p.Dir = fallbackDir(view.UID)
		p.Socket = p.Dir + "/" + hash(p.Socket)
	}
	return p
}

func cacheDir(getenv func(string) string, view View) string {
	if dir := getenv("REXWRAP_CACHE_DIR"); dir != "" {
		return absolute(view.Dir, dir)
	}
	if dir := getenv("XDG_CACHE_HOME"); isAbsolute(dir) && !view.intrudes(dir) {
		return dir + "/rexwrap"
	}
	if dir := getenv("HOME"); isAbsolute(dir) && !view.intrudes(dir) {
		return dir + "/.cache/rexwrap"
	}
	return fallbackDir(view.UID) + "/cache"
}

// intrudes reports whether root would make files in another user's directory, as
// sudo has it do that leaves HOME alone: that user could not open them.
func (v View) intrudes(dir string) bool { return v.UID == 0 && foreign(dir, v.UID) }

func fallbackDir(uid int) string { return "/tmp/rexwrap-" + strconv.Itoa(uid) }

// name is the same for two views only if one server may serve both.
func (v View) name(cacheDir string) string {
	return hash(strconv.Itoa(v.UID), strconv.Itoa(v.GID), v.Namespace, cacheDir)
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

func isAbsolute(path string) bool { return len(path) > 0 && path[0] == '/' }

// absolute returns path as seen from dir, without a trailing slash, so that two
// spellings of one setting mostly name one place.
func absolute(dir, path string) string {
	if !isAbsolute(path) {
		path = dir + "/" + path
	}
	for len(path) > 1 && path[len(path)-1] == '/' {
		path = path[:len(path)-1]
	}
	return path
}
