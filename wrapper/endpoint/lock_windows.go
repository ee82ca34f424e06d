package endpoint

import (
	"os"
	"strings"
	"syscall"
)

// LockFile is the name, in the cache directory, of the file that the server
// keeps locked and that names its socket.
const LockFile = "lock"

// A Lock is the right to write a file, which one process has. It ends when it
// is closed or its holder dies.
type Lock struct{ file *os.File }

// ErrLocked is what the system says of a file that another process has locked.
const ErrLocked = syscall.Errno(32) // ERROR_SHARING_VIOLATION

// TakeLock creates the file at path where it is missing and locks it. Others can
// read it. The error for one that is locked is ErrLocked.
func TakeLock(path string) (*Lock, error) { return takeLock(path, syscall.OPEN_ALWAYS) }

func takeLock(path string, mode uint32) (*Lock, error) {
	name, err := syscall.UTF16PtrFromString(path)
	if err != nil {
		return nil, err
	}
	h, err := syscall.CreateFile(name, syscall.GENERIC_READ|syscall.GENERIC_WRITE, syscall.FILE_SHARE_READ, nil,
		mode, syscall.FILE_ATTRIBUTE_NORMAL, 0)
	if err != nil {
		return nil, err
	}
	return &Lock{os.NewFile(uintptr(h), path)}, nil
}

// Say replaces what is in the locked file.
func (l *Lock) Say(text string) error {
	if err := l.file.Truncate(0); err != nil {
		return err
	}
	_, err := l.file.WriteAt([]byte(text), 0)
	return err
}

// Close gives the lock up.
func (l *Lock) Close() error { return l.file.Close() }

// TryStart takes the right to start a server at p. held is set, and no lock
// returned, while another process has it.
func (p Place) TryStart() (lock *Lock, held bool, err error) {
	if err := p.MakeDir(); err != nil {
		return nil, false, err
	}
	lock, err = TakeLock(p.Socket + ".start")
	return lock, err == ErrLocked, err
}

// MakeDir creates the socket's directory where it is missing. Who may use it is
// the business of its access list, which it has from the user's profile.
func (p Place) MakeDir() error {
	if p.Dir == "" {
		return nil
	}
	return os.MkdirAll(p.Dir, 0o700)
}

// Holder returns where the server is met that has p's cache directory, if its
// lock file names another socket than p's. The server may be gone.
func (p Place) Holder() (Place, bool) {
	text, err := os.ReadFile(p.CacheDir + `\` + LockFile)
	if err != nil {
		return Place{}, false
	}
	socket, rest, whole := strings.Cut(string(text), "\n")
	if !whole || rest != "" || !isAbsolute(socket) || fold(socket) == fold(p.Socket) {
		return Place{}, false
	}
	return Place{Socket: socket, CacheDir: p.CacheDir}, true
}
