package wrapper

import (
	"math/rand/v2"
	"os"
	"strconv"
	"syscall"
	"unsafe"
)

// pwd returns $PWD where it names the working directory, as shells from Unix set
// it: some compilers take it for their own then.
func (c *call) pwd() string {
	pwd := c.env.get("PWD")
	if pwd == c.dir {
		return pwd
	}
	if !isAbsolute(pwd) {
		return ""
	}
	named, err := os.Stat(pwd)
	if err != nil {
		return ""
	}
	real, err := os.Stat(".")
	if err != nil || !os.SameFile(named, real) {
		return ""
	}
	return pwd
}

// workingDir returns the working directory, empty where it has been removed.
func workingDir() string {
	dir, err := os.Getwd()
	if err != nil {
		return ""
	}
	return dir
}

// umask is of Unix.
func umask() uint32 { return 0 }

// token returns a name that no other call has or had: temp files carry it.
func token(started int64) string {
	return strconv.FormatInt(int64(os.Getpid()), 36) + "." + strconv.FormatInt(started, 36) +
		"." + strconv.FormatUint(uint64(rand.Uint32()), 36)
}

// isTerminal is false: a compiler gets a pipe even where we have a console, and
// says what it says through pipes.
func isTerminal(int) bool { return false }

func columns(int) uint32 { return 0 }

// canCancel says that this system lets a process find and end all that it has
// started. A job object would, and end with it what other builds share.
const canCancel = false

// sameFile reports whether what is written to the standard handles a and b lands
// in one place, in the order of writing.
func sameFile(a, b int) bool {
	ha, hb := standard(a), standard(b)
	if ha == hb {
		return true
	}
	compare := syscall.NewLazyDLL("kernelbase.dll").NewProc("CompareObjectHandles")
	if compare.Find() != nil {
		return false // older than Windows 10
	}
	same, _, _ := compare.Call(uintptr(ha), uintptr(hb))
	return same != 0
}

// standard returns the handle of descriptor 0, 1 or 2.
func standard(fd int) syscall.Handle {
	return [...]syscall.Handle{syscall.Stdin, syscall.Stdout, syscall.Stderr}[fd]
}

// defaultQuit does nothing: SIGQUIT is of Unix.
func defaultQuit() dispositions { return dispositions{} }

type dispositions struct{}

func (d *dispositions) restore() {}

// A loan is never made: make's tokens are in a semaphore here.
type loan struct{}

func (s *session) lend() {}

func (s *session) takeBack() {}

// kernel32 returns a function of the system that package syscall lacks.
func kernel32(name string) *syscall.LazyProc {
	return syscall.NewLazyDLL("kernel32.dll").NewProc(name)
}

// available returns how many bytes a pipe holds.
func available(pipe syscall.Handle) (int, error) {
	var n uint32
	ok, _, err := kernel32("PeekNamedPipe").Call(uintptr(pipe), 0, 0, 0, uintptr(unsafe.Pointer(&n)), 0)
	if ok == 0 {
		return 0, err
	}
	return int(n), nil
}
