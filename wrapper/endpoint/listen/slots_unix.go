//go:build unix

package listen

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"syscall"

	"github.com/rexwrap/rexwrap/wrapper/endpoint"
)

// Slots keeps the slot files beside a server's socket. They outlive the server,
// so that its wrappers do not start more compilers without it than with it. It
// is safe for concurrent use.
type Slots struct {
	place endpoint.Place

	mu   sync.Mutex
	kept int // -1 before the first Keep
}

// NewSlots returns the Slots of the server at p. It touches no file.
func NewSlots(p endpoint.Place) *Slots { return &Slots{place: p, kept: -1} }

// Keep makes n compilers at once the limit on this machine; 0 is none. Compilers
// under way are not touched. Where n is what it was nothing is done.
func (s *Slots) Keep(n int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n == s.kept {
		return nil
	}
	return s.keep(n)
}

// Discard ends the limit that a server before this one has left, once: after
// Keep it does nothing.
func (s *Slots) Discard() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.kept >= 0 {
		return nil
	}
	return s.keep(0)
}

func (s *Slots) keep(n int) error {
	for i := range n {
		if err := makeSlot(s.place.SlotFile(i)); err != nil {
			return err
		}
	}
	for i := n; ; i++ {
		err := os.Remove(s.place.SlotFile(i))
		if errors.Is(err, fs.ErrNotExist) {
			break
		}
		if err != nil {
			return fmt.Errorf("remove slot: %w", err)
		}
	}
	s.kept = n
	return nil
}

// makeSlot leaves alone a file that is there: a compiler may have it locked.
func makeSlot(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return fmt.Errorf("make slot: %w", err)
	}
	return f.Close()
}
