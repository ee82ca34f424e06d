package cpp

import (
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/rexwrap/rexwrap/depscan/inotify"
)

// A watcher hears of changes in directories of local file systems.
//
// An answer is never older than its question: every scan reads the queue until it
// is empty before it looks at anything, see inotify.Queue.
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
	mu    sync.Mutex
	queue *inotify.Queue
	nodes map[int32][]*node // by watch descriptor
}

const watchedEvents = unix.IN_CREATE | unix.IN_DELETE | unix.IN_MOVED_FROM | unix.IN_MOVED_TO | unix.IN_MODIFY |
	unix.IN_CLOSE_WRITE | unix.IN_ATTRIB | unix.IN_DELETE_SELF | unix.IN_MOVE_SELF | unix.IN_ONLYDIR | unix.IN_EXCL_UNLINK

// structural are the events that make or remove names.
const structural = unix.IN_CREATE | unix.IN_DELETE | unix.IN_MOVED_FROM | unix.IN_MOVED_TO

// newWatcher returns nil where the system gives none.
func newWatcher() *watcher {
	q := inotify.New()
	if q == nil {
		return nil
	}
	return &watcher{queue: q, nodes: make(map[int32][]*node)}
}

// close ends the watching. Scans that run go on by looking at everything.
func (w *watcher) close(f *files) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.queue.Open() {
		w.unwatch(f)
	}
	w.queue.Close()
}

// unwatch takes notice that all watches are gone.
func (w *watcher) unwatch(f *files) {
	f.epoch.Store(f.clock.Add(1))
	for _, list := range w.nodes {
		for _, n := range list {
			n.watched.Store(unwatched)
		}
	}
	clear(w.nodes)
	f.events.Add(1)
}

// add watches the directory n with all that its path leads through, and reports
// whether it could.
func (w *watcher) add(f *files, n *node) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.queue.Open() && w.hold(f, n)
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
	return kind == kindDir && w.queue.IsLocal(n.path, key.dev) && w.addOne(f, n)
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
	wd, err := w.queue.Add(n.path, watchedEvents)
	if err != nil {
		return false
	}
	w.nodes[wd] = append(w.nodes[wd], n)
	n.watched.Store(f.clock.Add(1))
	return true
}

// drain applies the events queued so far. Where paths may lead elsewhere or events
// were lost, all watches are dropped; those that scans need come back with them.
func (w *watcher) drain(f *files) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.queue.Open() {
		return
	}
	tick := f.clock.Add(1)
	heard := false
	ok := w.queue.Drain(func(e inotify.Event) bool {
		ev := event{e}
		heard = w.apply(f, &ev, tick) || heard
		return !ev.moves(w, f)
	})
	if !ok {
		w.unwatch(f)
		w.queue.Restart()
	}
	if heard {
		f.events.Add(1) // last: who reads it sees the nodes marked
	}
}

// An event is one that this package knows what to do with.
type event struct{ inotify.Event }

// apply marks what ev is about, and reports whether any scan has looked at that.
func (w *watcher) apply(f *files, ev *event, tick uint64) (heard bool) {
	for _, n := range w.nodes[ev.WD] {
		if len(ev.Name) == 0 || ev.Mask&structural != 0 {
			n.changed.Store(tick)
		}
		if child := ev.child(f, n); child != nil {
			child.heard.Store(tick)
			heard = true
		}
	}
	if ev.Mask&unix.IN_IGNORED != 0 { // removed, after all that was in it
		for _, n := range w.nodes[ev.WD] {
			n.watched.Store(unwatched)
		}
		delete(w.nodes, ev.WD)
		heard = true
	}
	return heard
}

// child returns the node in dir that ev names, nil if nobody asked for it.
func (ev *event) child(f *files, dir *node) *node {
	if len(ev.Name) == 0 {
		return nil
	}
	return f.known(strings.TrimSuffix(dir.path, "/") + "/" + string(ev.Name))
}

// moves reports whether paths may lead elsewhere after ev, or events are lost.
func (ev *event) moves(w *watcher, f *files) bool {
	if ev.Mask&unix.IN_MOVE_SELF != 0 || len(ev.Name) == 0 && ev.Mask&unix.IN_ATTRIB != 0 {
		return true
	}
	if ev.Mask&(structural|unix.IN_ATTRIB) == 0 || ev.Mask&unix.IN_ISDIR != 0 && ev.Mask&(unix.IN_CREATE|unix.IN_DELETE) != 0 {
		return false // a directory that comes or goes is empty
	}
	for _, n := range w.nodes[ev.WD] {
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
