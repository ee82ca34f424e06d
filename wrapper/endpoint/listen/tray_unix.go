//go:build unix

package listen

import (
	"errors"
	"io"
	"os"
	"sync"
	"syscall"

	"github.com/rexwrap/rexwrap/wrapper/endpoint"
)

// A tray is the file in which wrappers leave messages for the server. Many may
// write to it at once, nobody while it is emptied.
type tray struct {
	mu   sync.Mutex
	file *os.File // nil where there is none
}

// makeTray makes the tray of p, or takes over the one that another server left.
// Where there can be none, messages are sent.
func makeTray(p endpoint.Place) *tray {
	if p.Dir == "" {
		return &tray{}
	}
	file, err := os.OpenFile(p.TrayFile(), os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return &tray{}
	}
	return &tray{file: file}
}

// empty returns what is in the tray and takes it out, or nothing while a wrapper is
// writing to it: then the next time does.
func (t *tray) empty() ([]byte, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.file == nil {
		return nil, nil
	}
	if info, err := t.file.Stat(); err != nil || info.Size() == 0 {
		return nil, err
	}
	fd := int(t.file.Fd())
	err := syscall.Flock(fd, syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.NewSectionReader(t.file, 0, 1<<62))
	if err == nil {
		err = t.file.Truncate(0)
	}
	return text, errors.Join(err, syscall.Flock(fd, syscall.LOCK_UN))
}

// remove takes the tray away. What is put into it from now on is lost.
func (t *tray) remove() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.file == nil {
		return nil
	}
	err := errors.Join(os.Remove(t.file.Name()), t.file.Close())
	t.file = nil
	return err
}
