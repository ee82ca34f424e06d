package wrapper

import (
	"os"

	"github.com/rexwrap/rexwrap/wrapper/endpoint"
)

// takeSlot waits for a slot to run the compiler in, nil where there is no limit.
func (s *session) takeSlot(bool) (slot *endpoint.Slot, cancelled bool) {
	return awaitSlot(s.call), false
}

// repeat runs the compiler again, unheard.
func (s *session) repeat() int {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return s.call.exec()
	}
	env := s.env.with(s.guard.entering(s.program))
	return s.command.run(env, [3]*os.File{os.Stdin, null, null})
}

// exec runs the compiler in our place, in a slot where there are any.
func (c *call) exec() int {
	if slot := awaitSlot(c); slot != nil {
		defer slot.Release()
		c.env = c.env.with(inSlot)
	}
	return c.command.exec()
}

// awaitSlot takes a slot to run the compiler in, nil where there are no slot
// files, below a compiler that has one, and where none changes hands for so long
// that none will. Who waits looks every few milliseconds: there is no queue.
func awaitSlot(c *call) *endpoint.Slot {
	place := c.place
	if c.env.get(slotVariable) != "" || !place.HasSlots() {
		return nil
	}
	taken, since := int64(0), monotonic()
	for {
		slot, limited := place.TrySlot()
		if slot != nil || !limited {
			return slot
		}
		sleep(c.limits.vacancy)
		if last := place.SlotTaken(); last != taken {
			taken, since = last, monotonic()
		}
		if monotonic()-since > int64(c.limits.slot)*1e6 {
			return nil
		}
	}
}
