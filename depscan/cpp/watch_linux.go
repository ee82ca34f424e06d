package cpp

import (
	"encoding/binary"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// A watcher hears of changes in directories of local file systems. The kernel
// queues an event before the call that caused it returns, so an empty queue
// means that nothing changed. Changes that it does not report are those of
// other machines and of layers below an overlay, which is why only some file
// systems are watched; those through another hard link or symbolic link, which
// is why such files are never quiet; and those through a memory mapping that
// outlives its descriptor.
type watcher struct {
	mu    sync.Mutex
	fd    int
	nodes map[int32][]*node // by watch descriptor
	buf   []byte
	full  bool // the system allows no more watches
}

const watchedEvents = unix.IN_CREATE | unix.IN_DELETE | unix.IN_MOVED_FROM | unix.IN_MOVED_TO | unix.IN_MODIFY |
	unix.IN_CLOSE_WRITE | unix.IN_ATTRIB | unix.IN_DELETE_SELF | unix.IN_MOVE_SELF | unix.IN_ONLYDIR

// structural are the events that make or remove names.
const structural = unix.IN_CREATE | unix.IN_DELETE | unix.IN_MOVED_FROM | unix.IN_MOVED_TO | unix.IN_ATTRIB

// general are the events after which nothing watched is believed.
const general = unix.IN_Q_OVERFLOW | unix.IN_IGNORED | unix.IN_DELETE_SELF | unix.IN_MOVE_SELF | unix.IN_UNMOUNT

// newWatcher returns nil where the system gives none.
func newWatcher() *watcher {
	fd, err := unix.InotifyInit1(unix.IN_NONBLOCK | unix.IN_CLOEXEC)
	if err != nil {
		return nil
	}
	return &watcher{fd: fd, nodes: make(map[int32][]*node), buf: make([]byte, 64<<10)}
}

func (w *watcher) close() { _ = unix.Close(w.fd) }

// add watches the directory n, those above it, those above the place that
// symbolic links lead it to, and those that hold the links.
func (w *watcher) add(f *files, n *node) {
	if !isLocal(n.path) {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	real := resolveLinks(n.path)
	ok := w.addUp(f, f.node(real.path)) && w.addUp(f, n.dir)
	for _, l := range real.links {
		ok = ok && w.addUp(f, f.node(l.Path).dir)
	}
	if ok {
		w.addOne(f, n)
	}
}

// addUp watches n and all above it.
func (w *watcher) addUp(f *files, n *node) bool {
	for ; n != nil; n = n.dir {
		if !w.addOne(f, n) {
			return false
		}
	}
	return true
}

func (w *watcher) addOne(f *files, n *node) bool {
	if n.dirty.Load() != unwatched {
		return true
	}
	if w.full {
		return false
	}
	wd, err := unix.InotifyAddWatch(w.fd, n.path, watchedEvents)
	if err != nil {
		w.full = err == unix.ENOSPC
		return false
	}
	w.nodes[int32(wd)] = append(w.nodes[int32(wd)], n)
	n.dirty.Store(f.clock.Add(1))
	return true
}

// isLocal reports whether all changes below path pass through this kernel.
func isLocal(path string) bool {
	var st unix.Statfs_t
	if err := unix.Statfs(path, &st); err != nil {
		return false
	}
	switch uint32(st.Type) {
	case unix.EXT4_SUPER_MAGIC, unix.XFS_SUPER_MAGIC, unix.BTRFS_SUPER_MAGIC, unix.TMPFS_MAGIC, unix.F2FS_SUPER_MAGIC:
		return true
	}
	return false
}

// drain applies the events queued so far.
func (w *watcher) drain(f *files) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for {
		n, err := unix.Read(w.fd, w.buf)
		if err == unix.EINTR {
			continue
		}
		if err != nil || n <= 0 {
			return
		}
		tick := f.clock.Add(1)
		for b := w.buf[:n]; len(b) >= unix.SizeofInotifyEvent; {
			b = b[w.event(f, b, tick):]
		}
		f.events.Add(1) // last: who reads it sees the nodes marked
	}
}

// event applies the event at the head of b and returns its length.
func (w *watcher) event(f *files, b []byte, tick uint64) int {
	wd := int32(binary.NativeEndian.Uint32(b))
	mask := binary.NativeEndian.Uint32(b[4:])
	size := unix.SizeofInotifyEvent + int(binary.NativeEndian.Uint32(b[12:]))
	name, _, _ := strings.Cut(string(b[unix.SizeofInotifyEvent:size]), "\x00")
	if mask&general != 0 {
		f.epoch.Store(tick)
	}
	for _, n := range w.nodes[wd] {
		n.dirty.Store(tick)
		if mask&structural != 0 && f.isDirectory(strings.TrimSuffix(n.path, "/")+"/"+name) {
			f.epoch.Store(tick)
		}
	}
	if mask&unix.IN_IGNORED != 0 {
		for _, n := range w.nodes[wd] {
			n.dirty.Store(unwatched)
		}
		delete(w.nodes, wd)
	}
	return size
}

// isDirectory reports whether path is known as a directory.
func (f *files) isDirectory(path string) bool {
	shard := f.shard(path)
	shard.mu.RLock()
	defer shard.mu.RUnlock()
	n := shard.nodes[path]
	if n == nil {
		return false
	}
	st := n.state.Load()
	return st == nil || st.kind != kindFile && st.kind != kindMissing || n.dirty.Load() != unwatched
}
