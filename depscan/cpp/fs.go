package cpp

import (
	"hash/maphash"
	"math"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/depscan"
)

// files is the scanner's view of the file system. Every observation carries a
// tick of the view's clock; a scan believes only those made after it began, or
// those of directories that are watched. It is safe for concurrent use.
type files struct {
	seed   maphash.Seed
	clock  atomic.Uint64
	idents atomic.Int32
	shards [nodeShards]nodeShard
	count  atomic.Int64 // of nodes
	links  sync.Map     // inode → ident
	watch  *watcher     // nil where there is none
	// epoch is the tick up to which nothing is believed for being watched;
	// events counts the changes heard of in what was looked at.
	epoch  atomic.Uint64
	events atomic.Uint64
}

const nodeShards = 32

type nodeShard struct {
	mu    sync.RWMutex
	nodes map[string]*node
}

// A node is one absolute path as somebody spelled it.
type node struct {
	path    string
	dir     *node // of the path's text before the last slash; nil for the root
	base    string
	checked atomic.Uint64
	state   atomic.Pointer[nodeState]
	mu      sync.Mutex
	// heard is the tick of the last event about this name in its directory.
	heard atomic.Uint64
	// real is where n led at the tick placed.
	real   atomic.Pointer[realPath]
	placed atomic.Uint64
	// Of directories: since when it is watched, the tick of the last event
	// that made or removed a name in it, and that its path has no symbolic
	// links, which the watcher knows.
	watched  atomic.Uint64
	changed  atomic.Uint64
	straight bool
}

const unwatched = math.MaxUint64

type nodeKind uint8

const (
	kindMissing nodeKind = iota
	kindFile
	kindDir
	kindOther // exists and cannot be used: no permission, a device
)

// A nodeState is what was found at a node. It is immutable but for what is
// learned on demand.
type nodeState struct {
	kind  nodeKind
	key   statKey
	ident int32 // equal for equal inodes
	young bool  // may change without a change of key
	plain bool  // a file that changes through its directory only: no links lead to it
	names atomic.Pointer[map[string]struct{}]
	asked atomic.Int32 // names looked up before there was a listing
	text  atomic.Pointer[source]
	last  atomic.Pointer[slot] // of the lexMode asked for last
}

// A statKey changes when a file does.
type statKey struct {
	dev, ino     uint64
	size         int64
	mtime, ctime int64
	links        uint64
}

// A source is the content of a file.
type source struct{ digest digest.Digest }

// A realPath is where a node leads. It is immutable.
type realPath struct {
	path  string
	links []depscan.Symlink
	// What it was found from: the states of the node and, where the node is
	// a link itself, of its directory; and where that leads.
	state, in *nodeState
	dir       *realPath
}

// same reports whether r and o are the same place by the same way.
func (r *realPath) same(o *realPath) bool {
	return r == o || r.path == o.path && slices.Equal(r.links, o.links)
}

func newFiles(watch bool) *files {
	f := &files{seed: maphash.MakeSeed()}
	if watch {
		f.watch = newWatcher()
	}
	for i := range f.shards {
		f.shards[i].nodes = make(map[string]*node)
	}
	return f
}

// A moment is when a scan began.
type moment struct {
	tick   uint64 // from which on observations are good for it
	events uint64 // of the file system until then
}

// begin begins a scan.
func (f *files) begin() moment {
	if f.watch != nil {
		f.watch.drain(f)
	}
	events := f.events.Load()
	return moment{f.clock.Add(1), events}
}

// unheard reports whether n is watched and without an event since it was looked
// at.
func (f *files) unheard(n *node) bool { return f.unheardSince(n, n.checked.Load()) }

func (f *files) unheardSince(n *node, c uint64) bool { return f.quiet(n, n.state.Load(), c) }

// quiet reports whether n, observed at the tick c as st, has been watched since
// without an event.
func (f *files) quiet(n *node, st *nodeState, c uint64) bool {
	if n.dir == nil || n.heard.Load() >= c || f.epoch.Load() >= c {
		return false
	}
	if n.dir.watched.Load() >= c {
		return st.kind == kindMissing && !st.dangles() && f.isAbsent(n.dir)
	}
	switch st.kind {
	case kindFile:
		return st.plain
	case kindDir:
		return n.watched.Load() < c && n.changed.Load() < c
	}
	return st.kind == kindMissing && !st.dangles()
}

// isAbsent reports whether n is missing without a doubt, and so is all below it.
func (f *files) isAbsent(n *node) bool {
	st := n.state.Load()
	return st != nil && st.kind == kindMissing && f.unheard(n)
}

// lacks reports whether the directory dir lacks name without a doubt: it did when
// somebody looked, and was watched since.
func (f *files) lacks(dir, name *node) bool {
	c := name.checked.Load()
	st := name.state.Load()
	return st != nil && st.kind == kindMissing && f.quiet(name, st, c) && f.stays(dir)
}

// stays reports whether n, a directory, was watched since it was looked at, and
// is still the same one, whatever names may have come and gone in it.
func (f *files) stays(n *node) bool {
	c := n.checked.Load()
	return n.dir != nil && n.dir.watched.Load() < c && n.watched.Load() < c && n.heard.Load() < c && f.epoch.Load() < c
}

func (f *files) shard(path string) *nodeShard {
	return &f.shards[maphash.String(f.seed, path)%nodeShards]
}

// known returns the node of an absolute path, nil if nobody asked for it.
func (f *files) known(path string) *node {
	shard := f.shard(path)
	shard.mu.RLock()
	defer shard.mu.RUnlock()
	return shard.nodes[path]
}

// node returns the node of an absolute path.
func (f *files) node(path string) *node {
	n := f.known(path)
	if n != nil {
		return n
	}
	path = strings.Clone(path) // which may be a part of something long
	n = &node{path: path}
	n.watched.Store(unwatched)
	if i := strings.LastIndexByte(strings.TrimRight(path, "/"), '/'); i >= 0 && path != "/" {
		parent := strings.TrimRight(path[:i], "/")
		if parent == "" {
			parent = "/"
		}
		n.dir, n.base = f.node(parent), strings.TrimRight(path[i+1:], "/")
	}
	shard := f.shard(path)
	shard.mu.Lock()
	defer shard.mu.Unlock()
	if old := shard.nodes[path]; old != nil {
		return old
	}
	shard.nodes[path] = n
	f.count.Add(1)
	return n
}

// stat returns the state of n, observed at or after the tick since.
func (f *files) stat(n *node, since uint64) *nodeState {
	if c := n.checked.Load(); c > 0 {
		if st := n.state.Load(); c >= since || f.quiet(n, st, c) {
			return st
		}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.checked.Load() >= since {
		return n.state.Load()
	}
	if f.watch != nil && n.dir != nil {
		f.stat(n.dir, since) // so that it is watched before n is looked at
	}
	now := f.clock.Load()
	kind, key := f.observe(n, since)
	if kind == kindDir && f.watch != nil && n.watched.Load() == unwatched && f.watch.add(f, n) {
		now = f.clock.Load()
		kind, key = f.observe(n, since)
	}
	if old := n.state.Load(); old == nil || old.kind != kind || old.key != key || old.young {
		n.state.Store(f.newState(n, kind, key))
	}
	n.checked.Store(now)
	return n.state.Load()
}

func (f *files) newState(n *node, kind nodeKind, key statKey) *nodeState {
	st := &nodeState{kind: kind, key: key}
	if kind == kindFile || kind == kindDir {
		st.ident = f.ident(key)
		st.young = isYoung(key, time.Now().UnixNano())
		st.plain = f.watch != nil && kind == kindFile && key.links == 1 && !isLink(n.path)
	}
	return st
}

func isLink(path string) bool {
	_, err := os.Readlink(path)
	return err == nil
}

// observe looks at n, by its directory's listing where that is known.
func (f *files) observe(n *node, since uint64) (nodeKind, statKey) {
	if n.dir != nil && listable && n.base != "." && n.base != ".." && n.base != "" {
		dir := f.stat(n.dir, since)
		if dir.kind == kindMissing || dir.kind == kindFile {
			return kindMissing, statKey{}
		}
		if dir.kind == kindDir && !f.lists(n.dir, dir, n.base) {
			return kindMissing, statKey{}
		}
	}
	kind, key := statPath(n.path)
	if kind == kindMissing && isLink(n.path) {
		return kind, danglingKey()
	}
	return kind, key
}

// danglingKey is the key of symbolic links that lead nowhere: what appears at
// their ends is not heard of where they are.
func danglingKey() statKey { return statKey{links: 1} }

func (st *nodeState) dangles() bool { return st.kind == kindMissing && st.key == danglingKey() }

// worthListing is the number of names looked up in one state of a directory from
// which on it is cheaper to have listed it: where objects are made beside their
// sources it changes with every compile.
const worthListing = 8

// lists reports whether the directory n can hold base.
func (f *files) lists(n *node, st *nodeState, base string) bool {
	names := st.names.Load()
	if names == nil && st.asked.Add(1) <= worthListing {
		return true
	}
	if names == nil {
		list, err := readNames(n.path)
		if err != nil {
			return true
		}
		names = &list
		st.names.Store(names)
	}
	_, ok := (*names)[base]
	return ok
}

func readNames(path string) (map[string]struct{}, error) {
	d, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	list, err := d.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	names := make(map[string]struct{}, len(list))
	for _, name := range list {
		names[name] = struct{}{}
	}
	return names, nil
}

// ident numbers inodes.
func (f *files) ident(k statKey) int32 {
	id := [2]uint64{k.dev, k.ino}
	if k.ino == 0 {
		return f.idents.Add(1)
	}
	if v, ok := f.links.Load(id); ok {
		return v.(int32)
	}
	v, _ := f.links.LoadOrStore(id, f.idents.Add(1))
	return v.(int32)
}

// isYoung reports whether a file with key k can be written again at now without
// a change of k: kernels stamp files with a clock that ticks every few
// milliseconds, some file systems every two seconds.
func isYoung(k statKey, now int64) bool {
	latest := max(k.mtime, k.ctime)
	gap := int64(100 * time.Millisecond)
	if k.mtime%int64(time.Millisecond) == 0 {
		gap = int64(2500 * time.Millisecond)
	}
	return now-latest < gap
}

// real returns the place without symbolic links that n leads to.
func (f *files) real(n *node, since uint64) *realPath {
	if p := n.placed.Load(); p > 0 && (p >= since || f.unheardSince(n, p)) {
		return n.real.Load()
	}
	r := n.real.Load()
	st := f.stat(n, since)
	if n.dir == nil || n.base == "" || n.base == "." || n.base == ".." {
		if r == nil || r.state != st {
			r = resolveLinks(n.path)
			r.state = st
		}
	} else if dir := f.real(n.dir, since); r == nil || r.state != st || !r.dir.same(dir) || r.in != nil && r.in != n.dir.state.Load() {
		r = f.place(n, dir)
		r.state = st
	}
	n.real.Store(r)
	n.placed.Store(since)
	return r
}

// place resolves n, whose directory leads to dir.
func (f *files) place(n *node, dir *realPath) *realPath {
	if !isLink(n.path) {
		return &realPath{path: strings.TrimSuffix(dir.path, "/") + "/" + n.base, links: dir.links, dir: dir}
	}
	r := resolveLinks(n.path)
	r.dir, r.in = dir, n.dir.state.Load()
	return r
}

const maxLinks = 40

// resolveLinks resolves an absolute path, component by component, and notes the
// links met.
func resolveLinks(path string) *realPath {
	r := &realPath{}
	rest := strings.Split(path, "/")
	at := ""
	for n := 0; len(rest) > 0; {
		part := rest[0]
		rest = rest[1:]
		switch part {
		case "", ".":
			continue
		case "..":
			at = at[:max(strings.LastIndexByte(at, '/'), 0)]
			continue
		}
		next := at + "/" + part
		target, err := os.Readlink(next)
		if err != nil {
			at = next
			continue
		}
		if n++; n > maxLinks {
			return &realPath{path: path}
		}
		r.links = append(r.links, depscan.Symlink{Path: next, Target: target})
		rest = append(strings.Split(target, "/"), rest...)
		if strings.HasPrefix(target, "/") {
			at = ""
		}
	}
	r.path = at
	if at == "" {
		r.path = "/"
	}
	return r
}
