package filestate

import (
	"os"
	"path"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/rexwrap/rexwrap/depscan/inotify"
)

// A watcher hears of changes of files and directories on local file systems, by
// inotify(7). It is safe for concurrent use.
//
// An answer is never older than its question, see inotify.Queue. A file written
// through a memory mapping is heard of when the mapping ends, which closes the
// file for writing.
//
// Inodes are watched, not names: each file itself, so that it does not matter by
// which of its links it changes, and every directory and symbolic link that its
// path leads through. What is moved, replaced or removed says so itself; only a
// directory that is removed while somebody has it open is heard of by the one
// above it, and one that is replaced then has but its links changed. When paths
// may lead elsewhere, when a directory's mode changes, when a file system is
// mounted, or when events were lost, nothing is believed that was seen before.
//
// The kernel does not report changes made by other machines or by layers below an
// overlay: only some file systems are watched. Before Linux 6.4 it did not report
// what splice(2) writes until the file is closed.
type watcher struct {
	clock atomic.Uint64
	epoch atomic.Uint64 // until this tick nothing is believed

	mu    sync.Mutex
	queue *inotify.Queue
	wards map[int32]*watched // by watch descriptor
	ways  map[string]*watched
}

// A watched is an inode that is watched.
type watched struct {
	ward
	wd    int32
	kind  Kind     // Other for symbolic links
	names bool     // the names in the directory count
	paths []string // real ones, of directories and links
	to    string   // where a link leads
}

const (
	selfEvents = unix.IN_ATTRIB | unix.IN_DELETE_SELF | unix.IN_MOVE_SELF
	fileEvents = selfEvents | unix.IN_MODIFY | unix.IN_CLOSE_WRITE
	wayEvents  = selfEvents | unix.IN_DELETE
	nameEvents = unix.IN_CREATE | unix.IN_DELETE | unix.IN_MOVED_FROM | unix.IN_MOVED_TO
)

// newWatcher returns nil where the system gives none.
func newWatcher() *watcher {
	q := inotify.New()
	if q == nil {
		return nil
	}
	return &watcher{queue: q, wards: map[int32]*watched{}, ways: map[string]*watched{}}
}

// close ends the watching: everything is looked at from then on.
func (w *watcher) close() {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.forget()
	w.queue.Close()
}

// forget takes notice that all watches are gone.
func (w *watcher) forget() {
	w.epoch.Store(w.clock.Add(1))
	for _, y := range w.wards {
		y.lost.Store(true)
	}
	clear(w.wards)
	clear(w.ways)
}

// silent reports whether nothing has been heard of y from the tick at on.
func (w *watcher) silent(y *ward, at uint64) bool {
	return !y.lost.Load() && y.heard.Load() < at && w.epoch.Load() < at
}

// now takes notice of all that has happened, and returns a tick after it.
func (w *watcher) now() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.queue.Open() && !w.queue.Drain(w.apply) {
		w.forget()
		w.queue.Restart()
	}
	return w.clock.Add(1)
}

// apply takes notice of ev. It returns false where paths may lead elsewhere.
func (w *watcher) apply(ev inotify.Event) bool {
	y := w.wards[ev.WD]
	switch {
	case y == nil: // not watched any more
	case len(ev.Name) > 0:
		if ev.Mask&nameEvents != 0 {
			y.heard.Store(w.clock.Add(1))
		}
		if ev.Mask&unix.IN_DELETE != 0 && ev.Mask&unix.IN_ISDIR != 0 {
			w.removed(y, string(ev.Name))
		}
	case y.kind == Other, y.kind == Directory && ev.Mask&(unix.IN_MOVE_SELF|unix.IN_ATTRIB) != 0:
		return false
	case ev.Mask&(selfEvents|unix.IN_IGNORED) != 0:
		w.lose(y)
	default:
		y.heard.Store(w.clock.Add(1))
	}
	return true
}

// removed takes notice that the directory name is gone from y.
func (w *watcher) removed(y *watched, name string) {
	for _, p := range y.paths {
		if gone := w.ways[join(p, name)]; gone != nil {
			w.lose(gone)
		}
	}
}

// lose ends the watch of y.
func (w *watcher) lose(y *watched) {
	y.lost.Store(true)
	delete(w.wards, y.wd)
	for _, p := range y.paths {
		delete(w.ways, p)
	}
	w.queue.Remove(y.wd)
}

// guard watches the file or directory that p, which ends in a zero byte, leads to;
// of a directory the names in it too, where names says so. It returns nil where
// that cannot be done.
func (w *watcher) guard(p string, names bool) *ward {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.queue.Open() {
		return nil
	}
	y, real := w.follow(strings.TrimSuffix(p, "\x00"))
	if y == nil {
		return nil
	}
	if names {
		wd, err := w.queue.Add(real, nameEvents|unix.IN_MASK_ADD|unix.IN_ONLYDIR|unix.IN_DONT_FOLLOW)
		if err != nil || wd != y.wd {
			return nil
		}
		if !y.names { // who has looked before knows nothing of them
			y.names = true
			y.heard.Store(w.clock.Add(1))
		}
	}
	return &y.ward
}

const maxLinks = 40

// follow watches all that p leads through, and what it leads to at the path real.
func (w *watcher) follow(p string) (y *watched, real string) {
	real = "/"
	y = w.step(real)
	rest := strings.Split(p, "/")
	for links := 0; len(rest) > 0 && y != nil; {
		part := rest[0]
		rest = rest[1:]
		switch {
		case part == "" || part == ".":
			continue
		case y.kind == Regular:
			return nil, ""
		case part == "..":
			real = path.Dir(real)
			y = w.step(real)
			continue
		}
		next := w.step(join(real, part))
		if next == nil || next.kind != Other {
			y, real = next, join(real, part)
			continue
		}
		if links++; links > maxLinks {
			return nil, ""
		}
		rest = append(strings.Split(next.to, "/"), rest...)
		if path.IsAbs(next.to) {
			real = "/"
			y = w.step(real)
		}
	}
	return y, real
}

// step watches what is at the real path p, a link itself; nil where it cannot.
func (w *watcher) step(p string) *watched {
	if y := w.ways[p]; y != nil {
		return y
	}
	var before, after unix.Stat_t
	if unix.Lstat(p, &before) != nil {
		return nil
	}
	kind, events := inodeKind(before.Mode), uint32(fileEvents)
	if kind == Directory {
		events = wayEvents
	}
	// A link is where its directory is, and a question about it one about its end.
	if kind == Missing || kind != Other && !w.queue.IsLocal(p, before.Dev) {
		return nil
	}
	wd, err := w.queue.Add(p, events|unix.IN_MASK_ADD|unix.IN_DONT_FOLLOW)
	if err != nil {
		return nil
	}
	y := w.wards[wd]
	if y == nil {
		y = &watched{wd: wd, kind: kind}
		y.heard.Store(w.clock.Add(1))
		w.wards[y.wd] = y
	}
	if unix.Lstat(p, &after) != nil || after.Ino != before.Ino || after.Dev != before.Dev || y.kind != kind {
		w.lose(y)
		return nil
	}
	return w.place(y, p)
}

// place notes that y is at p, unless it is a file.
func (w *watcher) place(y *watched, p string) *watched {
	if y.kind == Regular {
		return y
	}
	if y.kind == Other {
		to, err := os.Readlink(p)
		if err != nil {
			w.lose(y)
			return nil
		}
		y.to = to
	}
	y.paths = append(y.paths, p)
	w.ways[p] = y
	return y
}

// inodeKind returns Other for links and Missing for what is not watched.
func inodeKind(mode uint32) Kind {
	switch mode & unix.S_IFMT {
	case unix.S_IFREG:
		return Regular
	case unix.S_IFDIR:
		return Directory
	case unix.S_IFLNK:
		return Other
	}
	return Missing
}
