package wrapper

import (
	"bytes"
	"errors"
	"io/fs"
	"os"

	"github.com/rexwrap/rexwrap/wrapper/proc"
)

// runnable returns why the system would refuse to run path, empty where it
// would not.
func runnable(path string) string {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return "permission denied"
	case err != nil:
		return "no such file or directory"
	case info.IsDir():
		return "is a directory"
	}
	return ""
}

// A self knows rexwrap under every name it has.
type self struct{ info os.FileInfo }

func newSelf() self {
	info, err := os.Stat(proc.Executable())
	if err != nil {
		return self{}
	}
	return self{info}
}

// is reports whether path is this program: a file of its name, the same file, or
// a copy.
func (s *self) is(path string) bool {
	if isOurName(path) {
		return true
	}
	info, err := os.Stat(path)
	if err != nil || s.info == nil {
		return false
	}
	return os.SameFile(info, s.info) || info.Size() == s.info.Size() && sameContent(path, proc.Executable())
}

// sameContent is asked only of files of one size, which a compiler and rexwrap
// hardly ever are.
func sameContent(a, b string) bool {
	textA, errA := os.ReadFile(a)
	textB, errB := os.ReadFile(b)
	return errA == nil && errB == nil && bytes.Equal(textA, textB)
}
