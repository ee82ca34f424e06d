package endpoint

import (
	"os"
	"strconv"
	"syscall"
)

// A Slot is the right to run one compiler on this machine. It ends with the
// process that has taken it.
type Slot struct{ lock *Lock }

// SlotFile returns the path of the nth slot file, counted from 0.
func (p Place) SlotFile(n int) string { return p.Socket + ".slot" + strconv.Itoa(n) }

// HasSlots reports whether there are slot files.
func (p Place) HasSlots() bool {
	_, err := os.Lstat(p.SlotFile(0))
	return err == nil
}

// TrySlot takes a free slot. limited is not set where there are no slot files:
// then anything may run. A file that cannot be used counts for none.
func (p Place) TrySlot() (slot *Slot, limited bool) {
	for n := 0; ; n++ {
		lock, err := takeLock(p.SlotFile(n), syscall.OPEN_EXISTING)
		if err != nil && err != ErrLocked {
			return nil, n > 0
		}
		if err == nil {
			_ = lock.Say(strconv.Itoa(os.Getpid()) + "\n") // for people
			return &Slot{lock}, true
		}
	}
}

// SlotTaken returns when a slot was last taken, in nanoseconds since 1970, 0
// where none was.
func (p Place) SlotTaken() (last int64) {
	for n := 0; ; n++ {
		info, err := os.Lstat(p.SlotFile(n))
		if err != nil {
			return last
		}
		last = max(last, info.ModTime().UnixNano())
	}
}

// Release gives the slot up.
func (s *Slot) Release() { _ = s.lock.Close() }
