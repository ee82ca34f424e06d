package gnu

import (
	"os"
	"strings"
)

// Base returns what follows the last directory separator of path.
func Base(path string) string { return path[baseIndex(path):] }

func baseIndex(path string) int {
	i := len(path)
	for i > 0 && !os.IsPathSeparator(path[i-1]) {
		i--
	}
	return i
}

// Suffix returns the last suffix of path's base with its dot, empty where the
// base has no dot.
func Suffix(path string) string {
	base := Base(path)
	if i := strings.LastIndexByte(base, '.'); i >= 0 {
		return base[i:]
	}
	return ""
}

// Strip returns path without its last suffix; of ".x" nothing is left. It is
// how dep-files and clang's side outputs get their stems.
func Strip(path string) string { return strings.TrimSuffix(path, Suffix(path)) }

// StripName is Strip for names that keep a dot at their start: ".x" stays. It
// is how gcc makes the stems of side outputs.
func StripName(path string) string {
	if s := Suffix(path); len(s) < len(Base(path)) {
		return strings.TrimSuffix(path, s)
	}
	return path
}

// IsStream reports whether path names a stream of the process that opens it
// rather than a file.
func IsStream(path string) bool {
	return path == "-" || strings.HasPrefix(path, "/dev/") && path != os.DevNull ||
		strings.HasPrefix(path, "/proc/")
}

// IsDevice reports whether path names a device: the null device or a stream.
func IsDevice(path string) bool { return path == os.DevNull || IsStream(path) }
