package filestate

import (
	"bytes"
	"encoding/binary"
	"os"
	"path"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// A watcher hears of changes of files and directories on local file systems, by
// inotify(7). It is safe for concurrent use.
//
// An answer is never older than its question: the kernel queues an event before
// the system call that caused it returns, and now reads the queue until it is
// empty. A file written through a memory mapping is heard of when the mapping
// ends, which closes the file for writing.
//
// Inodes are watched, not names: each file itself, so that it does not matter by
// which of its links it changes, and every directory and symbolic link that its
// path leads through. What is moved, replaced or removed says so itself; only a
// directory that is removed while somebody has it open is heard of by the one
// above it. When paths may lead elsewhere, when a file system is mounted, or when
// events were lost, nothing is believed that was seen before.
//
// The kernel does not report changes made by other machines or by layers below an
// overlay: only some file systems are watched. Before Linux 6.4 it did not report
// what splice(2) writes until the file is closed.
type watcher struct {
	clock atomic.Uint64
	epoch atomic.Uint64 // until this tick nothing is believed

	mu     sync.Mutex
	fd     int      // -1 where there is none
	mounts *os.File // readable in an urgent way after a change of mounts
	polled [2]unix.PollFd
	wards  map[int32]*watched // by watch descriptor
	ways   map[string]*watched
	local  map[uint64]bool // by device
	buf    []byte
	limit  int // of watches
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
	return min(n/4, 1<<16)
}

// open begins without watches.
func (w *watcher) open() bool {
	fd, err := unix.InotifyInit1(unix.IN_NONBLOCK | unix.IN_CLOEXEC)
	if err != nil {
		w.fd = -1
		return false
	}
	w.fd = fd
	w.wards, w.ways, w.local = map[int32]*watched{}, map[string]*watched{}, map[uint64]bool{}
	w.polled = [2]unix.PollFd{
		{Fd: int32(fd), Events: unix.POLLIN},
		{Fd: int32(w.mounts.Fd()), Events: unix.POLLPRI},
	}
	return true
}

// close ends the watching: everything is looked at from then on.
func (w *watcher) close() {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.drop()
	w.mounts.Close()
}

// drop ends all watches.
func (w *watcher) drop() {
	w.epoch.Store(w.clock.Add(1))
	for _, y := range w.wards {
		y.lost.Store(true)
	}
	w.wards, w.ways = nil, nil
	if w.fd >= 0 {
		_ = unix.Close(w.fd)
		w.fd = -1
	}
}

func (w *watcher) restart() {
	w.drop()
	w.open()
}

// silent reports whether nothing has been heard of y from the tick at on.
func (w *watcher) silent(y *ward, at uint64) bool {
	return !y.lost.Load() && y.heard.Load() < at && w.epoch.Load() < at
}

// now takes notice of all that has happened, and returns a tick after it.
func (w *watcher) now() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.fd >= 0 {
		w.polled[0].Revents, w.polled[1].Revents = 0, 0
		n, err := unix.Poll(w.polled[:], 0)
		if err == unix.EINTR {
			continue
		}
		if err != nil || w.polled[1].Revents != 0 || n > 0 && !w.read() {
			w.restart()
			break
		}
		if n == 0 {
			break
		}
	}
	return w.clock.Add(1)
}

// read applies one buffer of events. It returns false where watching has to start
// anew.
func (w *watcher) read() bool {
	n, err := unix.Read(w.fd, w.buf)
	if err == unix.EINTR || err == unix.EAGAIN {
		return true
	}
	if err != nil || n <= 0 {
		return false
	}
	tick := w.clock.Add(1)
	for b := w.buf[:n]; len(b) >= unix.SizeofInotifyEvent; {
		size := unix.SizeofInotifyEvent + int(binary.NativeEndian.Uint32(b[12:]))
		name, _, _ := bytes.Cut(b[unix.SizeofInotifyEvent:size], []byte{0})
		wd, mask := int32(binary.NativeEndian.Uint32(b)), binary.NativeEndian.Uint32(b[4:])
		if mask&(unix.IN_Q_OVERFLOW|unix.IN_UNMOUNT) != 0 || !w.apply(w.wards[wd], mask, name, tick) {
			return false
		}
		b = b[size:]
	}
	return true
}

// apply takes notice of an event of y, nil for one that is not watched any more.
// It returns false where paths may lead elsewhere.
func (w *watcher) apply(y *watched, mask uint32, name []byte, tick uint64) bool {
	switch {
	case y == nil:
	case len(name) > 0:
		if mask&nameEvents != 0 {
			y.heard.Store(tick)
		}
		if mask&unix.IN_DELETE != 0 && mask&unix.IN_ISDIR != 0 {
			w.removed(y, string(name))
		}
	case y.kind == Other, y.kind == Directory && mask&unix.IN_MOVE_SELF != 0:
		return false
	case mask&(unix.IN_DELETE_SELF|unix.IN_MOVE_SELF|unix.IN_IGNORED) != 0, y.kind == Regular && mask&unix.IN_ATTRIB != 0:
		w.lose(y)
	case y.kind == Directory:
		w.epoch.Store(tick) // others may see what is in it, or nobody
	default:
		y.heard.Store(tick)
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
	_, _ = unix.InotifyRmWatch(w.fd, uint32(y.wd)) // fails where the inode is gone
}

// guard watches the file or directory that p, which ends in a zero byte, leads to;
// of a directory the names in it too, where names says so. It returns nil where
// that cannot be done.
func (w *watcher) guard(p string, names bool) *ward {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fd < 0 {
		return nil
	}
	y, real := w.follow(strings.TrimSuffix(p, "\x00"))
	if y == nil {
		return nil
	}
	if names {
		wd, err := unix.InotifyAddWatch(w.fd, real, nameEvents|unix.IN_MASK_ADD|unix.IN_ONLYDIR|unix.IN_DONT_FOLLOW)
		if err != nil || int32(wd) != y.wd {
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
	if len(w.wards) >= w.limit || unix.Lstat(p, &before) != nil {
		return nil
	}
	kind, events := inodeKind(before.Mode), uint32(fileEvents)
	if kind == Directory {
		events = wayEvents
	}
	if kind == Missing || !w.isLocal(p, &before) {
		return nil
	}
	wd, err := unix.InotifyAddWatch(w.fd, p, events|unix.IN_MASK_ADD|unix.IN_DONT_FOLLOW)
	if err == unix.ENOSPC {
		w.limit = len(w.wards)
	}
	if err != nil {
		return nil
	}
	y := w.wards[int32(wd)]
	if y == nil {
		y = &watched{wd: int32(wd), kind: kind}
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

// isLocal reports whether all changes on the device of what is at p pass through
// this kernel. A link is where its directory is.
func (w *watcher) isLocal(p string, st *unix.Stat_t) bool {
	local, known := w.local[st.Dev]
	if !known {
		if st.Mode&unix.S_IFMT == unix.S_IFLNK {
			return true
		}
		var fs unix.Statfs_t
		local = unix.Statfs(p, &fs) == nil && isLocalType(uint32(fs.Type))
		w.local[st.Dev] = local
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
