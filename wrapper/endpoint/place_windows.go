package endpoint

import (
	"strings"
	"syscall"
)

// Locate returns the place of view's server. getenv returns the value of an
// environment variable, empty where it is unset; an empty setting counts as
// unset.
func Locate(getenv func(string) string, _ View) Place {
	local := localData(getenv)
	p := Place{CacheDir: local + `\cache`}
	if dir := getenv("REXWRAP_CACHE_DIR"); dir != "" {
		p.CacheDir = fullPath(dir)
	}
	socket := getenv("REXWRAP_SOCKET")
	switch {
	case strings.HasPrefix(socket, schemeTCP):
		p.Address = socket
	case socket != "":
		p.Socket = fullPath(socket)
		return p
	}
	p.Dir = local + `\run`
	p.Socket = p.Dir + `\` + hash(fold(p.CacheDir), p.Address)
	return p
}

// localData is the folder for what stays on this machine.
func localData(getenv func(string) string) string {
	for _, place := range []struct{ variable, below string }{
		{"LOCALAPPDATA", ""}, {"USERPROFILE", `\AppData\Local`}, {"TEMP", ""},
	} {
		if dir := getenv(place.variable); isAbsolute(dir) {
			return fullPath(dir + place.below + `\rexwrap`)
		}
	}
	return `C:\rexwrap` // no user's environment: only services have that
}

// isAbsolute holds for paths with a drive, and for those of a share.
func isAbsolute(path string) bool {
	return len(path) > 2 && path[1] == ':' && isSeparator(path[2]) ||
		len(path) > 2 && isSeparator(path[0]) && isSeparator(path[1])
}

func isSeparator(c byte) bool { return c == '\\' || c == '/' }

// fullPath returns path with its drive, with back-slashes, and without a
// separator at its end.
func fullPath(path string) string {
	if full, err := syscall.FullPath(path); err == nil {
		path = full
	}
	for len(path) > 3 && isSeparator(path[len(path)-1]) {
		path = path[:len(path)-1]
	}
	return path
}

// fold returns what is equal for two spellings of a path.
func fold(path string) string { return strings.ToLower(path) }
