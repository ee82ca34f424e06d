//go:build unix

package listen

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/rexwrap/rexwrap/wrapper/endpoint"
)

// A tray is the file in which wrappers leave messages for the server. Many may
// write to it at once, nobody while it is emptied.
type tray struct {
	mu   sync.Mutex
	file *os.File // nil where the directory is not ours
}

// makeTray makes the tray of p, or takes over the one that another server left.
func makeTray(p endpoint.Place) (*tray, error) {
	if p.Dir == "" {
		return &tray{}, nil
	}
	file, err := os.OpenFile(p.TrayFile(), os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, fmt.Errorf("make tray: %w", err)
	}
	return &tray{file: file}, nil
}

// empty returns what is in the tray and takes it out. A wrapper that was stopped
// while it was writing keeps it from doing so until the next time.
func (t *tray) empty() ([]byte, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.file == nil {
		return nil, nil
	}
	if info, err := t.file.Stat(); err != nil || info.Size() == 0 {
		return nil, err
	}
	if err := t.lock(); err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.NewSectionReader(t.file, 0, 1<<62))
	if err == nil {
		err = t.file.Truncate(0)
	}
	return text, errors.Join(err, syscall.Flock(int(t.file.Fd()), syscall.LOCK_UN))
}

// lock waits for the wrappers that are writing, each of which takes some
// microseconds.
func (t *tray) lock() error {
	const tries = 20
	for n := 1; ; n++ {
		err := syscall.Flock(int(t.file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil || n == tries || !errors.Is(err, syscall.EWOULDBLOCK) {
			return err
		}
		time.Sleep(time.Millisecond)
	}
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
