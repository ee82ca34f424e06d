//go:build unix

package materialize

import (
	"io/fs"
	"os"
	"syscall"
)

func links(info fs.FileInfo) uint64 {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(st.Nlink)
	}
	return 1
}

// enterable reports whether this process may make entries in dir.
func enterable(dir string) bool {
	const write, search = 2, 1 // W_OK, X_OK of access(2)
	return syscall.Access(dir, write|search) == nil
}

// isNull compares device numbers, as /dev/null may be spelled in many ways.
func isNull(info fs.FileInfo) bool {
	if info.Mode()&fs.ModeCharDevice == 0 {
		return false
	}
	null, err := os.Stat(os.DevNull)
	if err != nil {
		return false
	}
	a, okA := info.Sys().(*syscall.Stat_t)
	b, okB := null.Sys().(*syscall.Stat_t)
	return okA && okB && null.Mode()&fs.ModeCharDevice != 0 && a.Rdev == b.Rdev
}
