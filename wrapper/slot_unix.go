//go:build unix

package wrapper

import (
	"strings"
	"sync/atomic"
	"syscall"

	"github.com/rexwrap/rexwrap/wrapper/endpoint"
)

// A slotWait is one wait for a slot to run the compiler in. Those who wait stand
// in a queue; its head looks for a free slot every few milliseconds.
type slotWait struct {
	place  endpoint.Place
	limits limits
	// slot is what was waited for, nil where the compiler runs without.
	slot *endpoint.Slot

	queue *endpoint.Queue // nil where nothing is waited for
	head  bool            // of the queue
	wake  int             // is readable when the head is ours
	left  atomic.Bool     // the queue was left before that

	taken   int64 // when a slot was last taken, once that was looked at
	since   int64 // when that was found to be so (monotonic)
	checkAt int64 // when to look again (monotonic)
}

// newSlotWait returns the wait of a compiler for its slot. Without slot files,
// and below a compiler that has one, there is nothing to wait for.
func newSlotWait(c *call) *slotWait {
	w := &slotWait{place: c.place, limits: c.limits, wake: -1}
	if c.env.get(slotVariable) == "" && w.limited() && !usesPipe(c.argv) {
		w.join()
	}
	return w
}

// limited reports whether there are slot files, and sticks to the place that has
// them: that of the server which had the cache last.
func (w *slotWait) limited() bool {
	if w.place.HasSlots() {
		return true
	}
	holder, ok := w.place.Holder()
	if ok {
		w.place = holder
	}
	return ok && holder.HasSlots()
}

// usesPipe reports whether the compiler reads or writes a pipe that its
// arguments name. A compiler that waits for a slot may be at the other end, so
// that this one takes none.
func usesPipe(argv []string) bool {
	for _, arg := range argv[1:] {
		var st syscall.Stat_t
		switch {
		case arg == "-":
			return true
		case !strings.HasPrefix(arg, "-") && syscall.Stat(arg, &st) == nil && st.Mode&syscall.S_IFMT == syscall.S_IFIFO:
			return true
		}
	}
	return false
}

// join enters the queue.
func (w *slotWait) join() {
	queue, err := w.place.OpenQueue()
	if err != nil {
		w.slot, _ = w.place.TrySlot()
		return
	}
	w.queue, w.head = queue, queue.TryEnter()
	if w.head {
		return
	}
	r, wake, err := pipe()
	if err != nil {
		w.leave()
		return
	}
	w.wake = r
	go func() {
		err := queue.Enter()
		if w.left.Load() {
			queue.Close()
		} else if err == nil {
			_, _ = syscall.Write(wake, []byte{0})
		}
	}()
}

// leave gives up the place in the queue. Before it is the head's, a goroutine
// still uses the descriptor.
func (w *slotWait) leave() {
	w.left.Store(true)
	if w.head {
		w.queue.Close()
	}
	w.queue = nil
}

// wait waits for the slot, or until word, a descriptor unless it is negative,
// can be read from; then over is not set, and it has to be called again.
func (w *slotWait) wait(word int32) (over bool) {
	for w.queue != nil {
		if w.head {
			slot, limited := w.place.TrySlot()
			if slot != nil || !limited {
				w.slot = slot
				w.leave()
				return true
			}
		}
		fds := []pollFd{{fd: int32(w.wake), events: pollIn}, {fd: word, events: pollIn}}
		if poll(fds, w.timeout()) > 0 {
			if fds[1].revents != 0 {
				return false
			}
			w.head, w.wake = true, -1
		}
		if w.hopeless() {
			w.leave()
		}
	}
	return true
}

func (w *slotWait) timeout() int {
	if w.head {
		return w.limits.vacancy
	}
	return slotCheck
}

// slotCheck is how often it is looked whether slots change hands, in
// milliseconds.
const slotCheck = 1000

// hopeless reports whether no slot has changed hands for so long that none will.
// The clock by which files are stamped may be set; it is only compared with
// itself.
func (w *slotWait) hopeless() bool {
	now := monotonic()
	if now < w.checkAt {
		return false
	}
	w.checkAt = now + slotCheck*1e6
	if taken := w.place.SlotTaken(); taken != w.taken {
		w.taken, w.since = taken, now
	}
	return now-w.since > int64(w.limits.slot)*1e6
}

// exec replaces this process by the compiler, in a slot where there are any.
func (c *call) exec() int {
	w := newSlotWait(c)
	w.wait(-1)
	if w.slot != nil {
		w.slot.Inherit()
		c.env = c.env.with(inSlot)
	}
	return c.command.exec()
}
