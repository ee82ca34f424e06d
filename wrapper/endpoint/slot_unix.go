//go:build unix

package endpoint

import (
	"strconv"
	"syscall"
)

// A Slot is the right to run one compiler on this machine. It belongs to every
// process that has inherited it, and ends with the last of them.
type Slot struct{ fd int }

// inheritedFrom is the lowest descriptor that a slot is inherited as: build
// tools look for their jobserver in low ones that may be closed.
const inheritedFrom = 200

// SlotFile returns the path of the nth slot file, counted from 0.
func (p Place) SlotFile(n int) string { return p.Socket + ".slot" + strconv.Itoa(n) }

// HasSlots reports whether there are slot files.
func (p Place) HasSlots() bool {
	var st syscall.Stat_t
	return syscall.Lstat(p.SlotFile(0), &st) == nil
}

// TrySlot takes a free slot. limited is not set where there are no slot files:
// then anything may run. A file that cannot be used counts for none.
func (p Place) TrySlot() (slot *Slot, limited bool) {
	for n := 0; ; n++ {
		lock, held, err := tryOpen(p.SlotFile(n))
		if err != nil && !held {
			return nil, n > 0
		}
		if !held {
			slot := &Slot{lock.fd}
			slot.sign()
			return slot, true
		}
	}
}

// tryOpen is tryLock for a file that somebody else has to make.
func tryOpen(path string) (lock *Lock, held bool, err error) {
	return tryLockWith(path, syscall.O_RDWR|syscall.O_CLOEXEC|syscall.O_NOFOLLOW)
}

// sign leaves the holder's process number in the file, for people, and the time
// as its mtime, for those who wait.
func (s *Slot) sign() {
	line := []byte(strconv.Itoa(syscall.Getpid()) + "\n")
	if _, err := syscall.Pwrite(s.fd, line, 0); err == nil {
		_ = syscall.Ftruncate(s.fd, int64(len(line))) // at worst a longer number's end stays
	}
}

// SlotTaken returns when a slot was last taken, in nanoseconds since 1970, 0
// where none was.
func (p Place) SlotTaken() (last int64) {
	for n := 0; ; n++ {
		var st syscall.Stat_t
		if syscall.Lstat(p.SlotFile(n), &st) != nil {
			return last
		}
		last = max(last, mtime(&st))
	}
}

// Inherit lets the processes that this one starts, or becomes, have the slot as
// well.
func (s *Slot) Inherit() {
	fd, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(s.fd), syscall.F_DUPFD, inheritedFrom)
	if errno == 0 {
		syscall.Close(s.fd)
		s.fd = int(fd)
	} // few descriptors are allowed; without it the slot ends with this process
}

// Release gives the slot up, for the processes that have inherited it too.
func (s *Slot) Release() {
	_ = syscall.Flock(s.fd, syscall.LOCK_UN) // closing may leave copies
	syscall.Close(s.fd)
}

// OpenQueue opens the file whose lock belongs to the process that gets the next
// free slot.
func (p Place) OpenQueue() (*Queue, error) {
	const flags = syscall.O_RDWR | syscall.O_CREAT | syscall.O_CLOEXEC | syscall.O_NOFOLLOW
	fd, err := syscall.Open(p.Socket+".queue", flags, 0o600)
	if err != nil {
		return nil, err
	}
	return &Queue{fd}, nil
}

// A Queue is where processes wait for a slot. The kernel wakes them in the order
// they came.
type Queue struct{ fd int }

// TryEnter enters the queue's head if nobody has it.
func (q *Queue) TryEnter() bool {
	return syscall.Flock(q.fd, syscall.LOCK_EX|syscall.LOCK_NB) == nil
}

// Enter waits for the queue's head, for as long as it takes.
func (q *Queue) Enter() error {
	for {
		err := syscall.Flock(q.fd, syscall.LOCK_EX)
		if err != syscall.EINTR {
			return err
		}
	}
}

// Close leaves the queue.
func (q *Queue) Close() { syscall.Close(q.fd) }
