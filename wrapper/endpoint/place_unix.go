//go:build unix

package endpoint

import "strconv"

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
