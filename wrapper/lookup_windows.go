package wrapper

import (
	"os"

	"github.com/rexwrap/rexwrap/wrapper/proc"
)

// runnable returns why the system would refuse to run path, empty where it
// would not.
func runnable(path string) string {
	info, err := os.Stat(path)
	switch {
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

// is reports whether path is this program.
func (s *self) is(path string) bool {
	info, err := os.Stat(path)
	return err == nil && (isOurName(path) || s.info != nil && os.SameFile(info, s.info))
}
