//go:build unix

package wrapper

import (
	"syscall"

	"github.com/rexwrap/rexwrap/wrapper/proc"
)

// runnable returns why the kernel would refuse to run path, empty where it
// would not.
func runnable(path string) string {
	var st syscall.Stat_t
	if err := syscall.Stat(path, &st); err != nil {
		if err == syscall.EACCES {
			return "permission denied"
		}
		return "no such file or directory"
	}
	if st.Mode&syscall.S_IFMT == syscall.S_IFDIR {
		return "is a directory"
	}
	const execute = 1 // X_OK
	if st.Mode&syscall.S_IFMT != syscall.S_IFREG || syscall.Access(path, execute) != nil {
		return "permission denied"
	}
	return ""
}

// A self knows rexwrap under every name it has.
type self struct {
	stat  syscall.Stat_t
	known bool
}

func newSelf() self {
	st, err := proc.ExecutableStat()
	return self{st, err == nil}
}

// is reports whether path is this program: the same file, a link that leads
// through a file called rexwrap (one of another version), or a copy.
func (s *self) is(path string) bool {
	if leadsToOurName(path) {
		return true
	}
	var st syscall.Stat_t
	if !s.known || syscall.Stat(path, &st) != nil {
		return false
	}
	if st.Dev == s.stat.Dev && st.Ino == s.stat.Ino {
		return true
	}
	return st.Size == s.stat.Size && sameContent(path, proc.Executable())
}

// leadsToOurName follows the symbolic links of path's last element.
func leadsToOurName(path string) bool {
	const maxLinks = 40 // as Linux follows
	var buf [4096]byte
	for range maxLinks {
		if isOurName(path) {
			return true
		}
		n, err := syscall.Readlink(path, buf[:])
		if err != nil || n == len(buf) {
			return false
		}
		target := string(buf[:n])
		if !isAbsolute(target) {
			target = path[:len(path)-len(base(path))] + target
		}
		path = target
	}
	return false
}

// sameContent is asked only of files of one size, which a compiler and rexwrap
// hardly ever are.
func sameContent(a, b string) bool {
	fa, err := syscall.Open(a, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return false
	}
	defer syscall.Close(fa)
	fb, err := syscall.Open(b, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return false
	}
	defer syscall.Close(fb)
	var bufA, bufB [32 << 10]byte
	for {
		n, errA := readFull(fa, bufA[:])
		m, errB := readFull(fb, bufB[:])
		if errA != nil || errB != nil || string(bufA[:n]) != string(bufB[:m]) {
			return false
		}
		if n < len(bufA) {
			return true
		}
	}
}

// readFull reads until p is full or the file ends.
func readFull(fd int, p []byte) (int, error) {
	done := 0
	for done < len(p) {
		n, err := syscall.Read(fd, p[done:])
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			return done, err
		}
		if n == 0 {
			break
		}
		done += n
	}
	return done, nil
}
