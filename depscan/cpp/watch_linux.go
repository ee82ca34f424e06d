package cpp

import (
	"bytes"
	"encoding/binary"
	"os"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// A watcher hears of changes in directories of local file systems.
//
// An answer is never older than its question: the kernel queues an event before
// the system call that caused it returns, and every scan reads the queue until it
// is empty before it looks at anything. What was changed before a scan began, by
// a call that had returned, is therefore known to it.
//
// The watches of a path's directories hold it in place: all of them are watched,
// from the root on, and those that hold symbolic links on the way. When something
// happens that can make a path lead elsewhere (a directory or a link to one
// moves, a file system is mounted) or when events were lost, all watches are
// dropped, and nothing is believed that was seen before.
//
// The kernel does not report changes made by other machines, by layers below an
// overlay, or through a memory mapping; the first two are why only some file
// systems are watched. A file that changes through another hard link or behind a
// symbolic link is not reported in the directory that is watched: files with such
// names are looked at each time.
type watcher struct {
	mu     sync.Mutex
	fd     int      // -1 when closed
	mounts *os.File // readable in an urgent way after a change of mounts
	polled [2]unix.PollFd
	nodes  map[int32][]*node // by watch descriptor
	local  map[uint64]bool   // by device
	buf    []byte
	limit  int // of watches
}

const watchedEvents = unix.IN_CREATE | unix.IN_DELETE | unix.IN_MOVED_FROM | unix.IN_MOVED_TO | unix.IN_MODIFY |
	unix.IN_CLOSE_WRITE | unix.IN_ATTRIB | unix.IN_DELETE_SELF | unix.IN_MOVE_SELF | unix.IN_ONLYDIR | unix.IN_EXCL_UNLINK

// structural are the events that make or remove names.
const structural = unix.IN_CREATE | unix.IN_DELETE | unix.IN_MOVED_FROM | unix.IN_MOVED_TO

// general are the events after which nothing seen before is believed.
const general = unix.IN_Q_OVERFLOW | unix.IN_MOVE_SELF | unix.IN_UNMOUNT

// newWatcher returns nil where the system gives none.
func newWatcher() *watcher {
	mounts, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return nil
	}
	w := &watcher{mounts: mounts, buf: make([]byte, 64<<10), limit: maxWatches()}
	if !w.open() {
		mounts.Close()
		return nil
	}
	return w
}

// maxWatches returns a part of what the user may have: editors watch as well.
func maxWatches() int {
	data, err := os.ReadFile("/proc/sys/fs/inotify/max_user_watches")
	if err != nil {
		return 0
	}
	n, _ := strconv.Atoi(strings.TrimSpace(string(data)))
	return min(n/4, 1<<13)
}

// open begins without watches.
func (w *watcher) open() bool {
	fd, err := unix.InotifyInit1(unix.IN_NONBLOCK | unix.IN_CLOEXEC)
	if err != nil {
		w.fd = -1
		return false
	}
	w.fd = fd
	w.nodes, w.local = make(map[int32][]*node), make(map[uint64]bool)
	w.polled = [2]unix.PollFd{
		{Fd: int32(fd), Events: unix.POLLIN},
		{Fd: int32(w.mounts.Fd()), Events: unix.POLLPRI},
	}
	return true
}

// close ends the watching. Scans that run go on by looking at everything.
func (w *watcher) close(f *files) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mounts.Close()
	if w.fd >= 0 {
		w.unwatch(f)
	}
}

// unwatch drops all watches.
func (w *watcher) unwatch(f *files) {
	f.epoch.Store(f.clock.Add(1))
	for _, list := range w.nodes {
		for _, n := range list {
			n.watched.Store(unwatched)
		}
	}
	clear(w.nodes)
	_ = unix.Close(w.fd)
	w.fd = -1
	f.events.Add(1)
}

// add watches the directory n with all that its path leads through, and reports
// whether it could.
func (w *watcher) add(f *files, n *node) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.fd >= 0 && w.hold(f, n)
}

// hold watches what is above n and behind the symbolic links on its path, from
// the root on, and then n.
func (w *watcher) hold(f *files, n *node) bool {
	if n.watched.Load() != unwatched {
		return true
	}
	if n.dir != nil && !w.hold(f, n.dir) {
		return false
	}
	n.straight = n.dir == nil || n.dir.straight && !isLink(n.path)
	if !n.straight && !w.holdReal(f, n.path) {
		return false
	}
	kind, key := statPath(n.path)
	return kind == kindDir && w.isLocal(n.path, key.dev) && w.addOne(f, n)
}

// holdReal watches the directories of the symbolic links on path, and the one
// that it leads to.
func (w *watcher) holdReal(f *files, path string) bool {
	real := resolveLinks(path)
	for _, l := range real.links {
		if !w.hold(f, f.node(l.Path).dir) {
			return false
		}
	}
	return w.hold(f, f.node(real.path))
}

func (w *watcher) addOne(f *files, n *node) bool {
	if n.watched.Load() != unwatched {
		return true
	}
	if len(w.nodes) >= w.limit {
		return false
	}
	wd, err := unix.InotifyAddWatch(w.fd, n.path, watchedEvents)
	if err == unix.ENOSPC {
		w.limit = len(w.nodes)
	}
	if err != nil {
		return false
	}
	w.nodes[int32(wd)] = append(w.nodes[int32(wd)], n)
	n.watched.Store(f.clock.Add(1))
	return true
}

// isLocal reports whether all changes on the device dev, which path is on, pass
// through this kernel.
func (w *watcher) isLocal(path string, dev uint64) bool {
	local, known := w.local[dev]
	if !known {
		var st unix.Statfs_t
		local = unix.Statfs(path, &st) == nil && isLocalType(uint32(st.Type))
		w.local[dev] = local
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

// drain applies the events queued so far.
func (w *watcher) drain(f *files) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.fd >= 0 {
		w.polled[0].Revents, w.polled[1].Revents = 0, 0
		n, err := unix.Poll(w.polled[:], 0)
		if err == unix.EINTR {
			continue
		}
		if err != nil || w.polled[1].Revents&unix.POLLPRI != 0 {
			w.restart(f)
			return
		}
		if n == 0 {
			return
		}
		if !w.read(f) {
			w.restart(f)
			return
		}
	}
}

// restart drops all watches; those that scans need come back with them.
func (w *watcher) restart(f *files) {
	w.unwatch(f)
	w.open()
}

// read applies one buffer of events. It returns false where watching has to start
// anew.
func (w *watcher) read(f *files) bool {
	n, err := unix.Read(w.fd, w.buf)
	if err == unix.EINTR || err == unix.EAGAIN {
		return true
	}
	if err != nil || n <= 0 {
		return false
	}
	tick := f.clock.Add(1)
	ok, heard := true, false
	for b := w.buf[:n]; ok && len(b) >= unix.SizeofInotifyEvent; {
		ev := eventOf(b)
		heard = w.apply(f, &ev, tick) || heard
		ok = !ev.moves(w, f)
		b = b[ev.size:]
	}
	if heard {
		f.events.Add(1) // last: who reads it sees the nodes marked
	}
	return ok
}

// An event is one of inotify's.
type event struct {
	wd   int32
	mask uint32
	name []byte
	size int
}

// eventOf decodes the event at the head of b.
func eventOf(b []byte) event {
	ev := event{wd: int32(binary.NativeEndian.Uint32(b)), mask: binary.NativeEndian.Uint32(b[4:])}
	ev.size = unix.SizeofInotifyEvent + int(binary.NativeEndian.Uint32(b[12:]))
	ev.name, _, _ = bytes.Cut(b[unix.SizeofInotifyEvent:ev.size], []byte{0})
	return ev
}

// apply marks what ev is about, and reports whether any scan has looked at that.
func (w *watcher) apply(f *files, ev *event, tick uint64) (heard bool) {
	for _, n := range w.nodes[ev.wd] {
		if len(ev.name) == 0 || ev.mask&structural != 0 {
			n.changed.Store(tick)
		}
		if child := ev.child(f, n); child != nil {
			child.heard.Store(tick)
			heard = true
		}
	}
	if ev.mask&unix.IN_IGNORED != 0 { // removed, after all that was in it
		for _, n := range w.nodes[ev.wd] {
			n.watched.Store(unwatched)
		}
		delete(w.nodes, ev.wd)
		heard = true
	}
	return heard
}

// child returns the node in dir that ev names, nil if nobody asked for it.
func (ev *event) child(f *files, dir *node) *node {
	if len(ev.name) == 0 {
		return nil
	}
	return f.known(strings.TrimSuffix(dir.path, "/") + "/" + string(ev.name))
}

// moves reports whether paths may lead elsewhere after ev, or events are lost.
func (ev *event) moves(w *watcher, f *files) bool {
	if ev.mask&general != 0 || len(ev.name) == 0 && ev.mask&unix.IN_ATTRIB != 0 {
		return true
	}
	if ev.mask&(structural|unix.IN_ATTRIB) == 0 || ev.mask&unix.IN_ISDIR != 0 && ev.mask&(unix.IN_CREATE|unix.IN_DELETE) != 0 {
		return false // a directory that comes or goes is empty
	}
	for _, n := range w.nodes[ev.wd] {
		if child := ev.child(f, n); child != nil && child.leadsOn() {
			return true
		}
	}
	return false
}

// leadsOn reports whether n was a directory, or a link that may lead to one.
func (n *node) leadsOn() bool {
	st := n.state.Load()
	return st == nil || st.kind == kindDir || st.kind == kindOther || n.watched.Load() != unwatched
}
