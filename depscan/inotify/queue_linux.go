package inotify

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// ErrFull is returned by Add where the share of the user's watches is used up.
var ErrFull = errors.New("no watch is left")

// maxWatches bounds the watches of one Queue.
const maxWatches = 1 << 16

// An Event is one of inotify's. Name is valid during the call it is given to.
type Event struct {
	WD   int32
	Mask uint32
	Name []byte // of the entry of a watched directory; empty for what is watched itself
}

// A Queue is an instance of inotify. The kernel queues an event before the system
// call that caused it returns: what was changed before Drain began, by a call that
// had returned, is told by it. It is not safe for concurrent use.
type Queue struct {
	fd      int      // -1 when closed
	mounts  *os.File // readable in an urgent way after a change of mounts
	polled  [2]unix.PollFd
	watches map[int32]struct{}
	local   map[uint64]bool // by device
	buf     []byte
	limit   int // of watches
}

// New returns nil where the system gives none.
func New() *Queue {
	mounts, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return nil
	}
	q := &Queue{fd: -1, mounts: mounts, buf: make([]byte, 64<<10), limit: share()}
	if !q.Restart() {
		mounts.Close()
		return nil
	}
	return q
}

// share returns a part of what the user may have: editors watch as well.
func share() int {
	data, err := os.ReadFile("/proc/sys/fs/inotify/max_user_watches")
	if err != nil {
		return 0
	}
	n, _ := strconv.Atoi(strings.TrimSpace(string(data)))
	return min(n/4, maxWatches)
}

// Restart begins anew without watches and reports whether it could. Where it could
// not, the Queue is closed.
func (q *Queue) Restart() bool {
	q.drop()
	fd, err := unix.InotifyInit1(unix.IN_NONBLOCK | unix.IN_CLOEXEC)
	if err != nil {
		return false
	}
	q.fd = fd
	q.watches, q.local = map[int32]struct{}{}, map[uint64]bool{}
	q.polled = [2]unix.PollFd{
		{Fd: int32(fd), Events: unix.POLLIN},
		{Fd: int32(q.mounts.Fd()), Events: unix.POLLPRI},
	}
	return true
}

func (q *Queue) drop() {
	if q.fd >= 0 {
		_ = unix.Close(q.fd)
	}
	q.fd, q.watches = -1, nil
}

// Close ends all watches for good.
func (q *Queue) Close() {
	q.drop()
	q.mounts.Close()
}

// Limit lowers the number of watches that q may have.
func (q *Queue) Limit(n int) { q.limit = min(q.limit, n) }

// Open reports whether q can watch.
func (q *Queue) Open() bool { return q.fd >= 0 }

// Add watches what is at path for the events of mask and returns its descriptor,
// which is one for all paths of an inode.
func (q *Queue) Add(path string, mask uint32) (wd int32, err error) {
	if len(q.watches) >= q.limit {
		return 0, ErrFull
	}
	n, err := unix.InotifyAddWatch(q.fd, path, mask)
	if err == unix.ENOSPC {
		q.limit = len(q.watches)
		return 0, ErrFull
	}
	if err != nil {
		return 0, &os.PathError{Op: "watch", Path: path, Err: err}
	}
	q.watches[int32(n)] = struct{}{}
	return int32(n), nil
}

// Remove ends one watch.
func (q *Queue) Remove(wd int32) {
	delete(q.watches, wd)
	_, _ = unix.InotifyRmWatch(q.fd, uint32(wd)) // fails where the inode is gone
}

// Drain gives all events that are queued to apply. It returns false where nothing
// that was seen before may be believed, and Restart is due: when events were lost,
// a file system was mounted or unmounted, or apply has returned false.
func (q *Queue) Drain(apply func(Event) bool) bool {
	for {
		q.polled[0].Revents, q.polled[1].Revents = 0, 0
		n, err := unix.Poll(q.polled[:], 0)
		switch {
		case err == unix.EINTR:
		case err != nil || q.polled[1].Revents != 0:
			return false
		case n == 0:
			return true
		case !q.read(apply):
			return false
		}
	}
}

func (q *Queue) read(apply func(Event) bool) bool {
	n, err := unix.Read(q.fd, q.buf)
	if err == unix.EINTR || err == unix.EAGAIN {
		return true
	}
	if err != nil || n <= 0 {
		return false
	}
	for b := q.buf[:n]; len(b) >= unix.SizeofInotifyEvent; {
		ev := Event{WD: int32(binary.NativeEndian.Uint32(b)), Mask: binary.NativeEndian.Uint32(b[4:])}
		size := unix.SizeofInotifyEvent + int(binary.NativeEndian.Uint32(b[12:]))
		ev.Name, _, _ = bytes.Cut(b[unix.SizeofInotifyEvent:size], []byte{0})
		if ev.Mask&(unix.IN_Q_OVERFLOW|unix.IN_UNMOUNT) != 0 || !apply(ev) {
			return false
		}
		if ev.Mask&unix.IN_IGNORED != 0 {
			delete(q.watches, ev.WD)
		}
		b = b[size:]
	}
	return true
}

// IsLocal reports whether all changes on the device dev, which path is on, pass
// through this kernel: none are made by other machines, or by layers below an
// overlay.
func (q *Queue) IsLocal(path string, dev uint64) bool {
	local, known := q.local[dev]
	if !known {
		var st unix.Statfs_t
		local = unix.Statfs(path, &st) == nil && isLocalType(uint32(st.Type))
		q.local[dev] = local
	}
	return local
}

func isLocalType(magic uint32) bool {
	switch magic {
	case unix.EXT4_SUPER_MAGIC, unix.XFS_SUPER_MAGIC, unix.BTRFS_SUPER_MAGIC, unix.TMPFS_MAGIC, unix.F2FS_SUPER_MAGIC:
		return true
	}
	return false
}
