//go:build unix

package wrapper

import (
	"syscall"

	"github.com/rexwrap/rexwrap/wrapper/endpoint"
	"github.com/rexwrap/rexwrap/wrapper/wire"
)

// takeSlot waits for a slot to run the compiler in, nil where there is no limit.
// A run that is held can be cancelled meanwhile.
func (s *session) takeSlot(held bool) (slot *endpoint.Slot, cancelled bool) {
	w := newSlotWait(s.call)
	word := int32(-1)
	if held {
		word = int32(s.conn.Fd())
	}
	for held && s.replies.Buffered() || !w.wait(word) {
		kind, _, err := s.replies.Next()
		switch {
		case err == nil && kind == wire.TypeCancel:
			w.leave()
			return nil, true
		case err != nil: // it will be noticed at the end
			held, word = false, -1
		}
	}
	return w.slot, false
}

// repeat runs the compiler again, unheard.
func (s *session) repeat() int {
	null, err := syscall.Open("/dev/null", syscall.O_RDWR|syscall.O_CLOEXEC, 0)
	if err != nil {
		return s.call.exec()
	}
	for _, fd := range []int{1, 2} {
		if err := replace(null, fd); err != nil {
			break
		}
	}
	return s.call.exec()
}

func remove(path string) error { return syscall.Unlink(path) }
