package cpp

import (
	"slices"
	"strings"
	"sync/atomic"
)

// A lookup is one question: what does name mean?
type lookup struct {
	name   string
	own    int32 // the directory to look in first; -1 for none
	start  int32 // where in the chain to go on
	system bool  // own is a system directory
	pch    bool  // a directory will do
	way    lookWay
	// Of questions that are put together of others: stack are the directories
	// to look in after own, 0 for none, see includers. quiet is set where
	// clang-cl does not tell of what it finds there, and looks no further.
	stack int32
	quiet bool
}

// A lookWay says how own is searched.
type lookWay uint8

const (
	wayPlain  lookWay = iota
	wayBeside         // as an includer's directory
	wayBoth           // so, and the chain with it
)

// A resolution is the answer to a lookup.
type resolution struct {
	id     int32    // dense in its chain
	file   *fileRef // nil when there is none
	ident  int32    // clang: its inode
	dir    int32    // where in the chain it was found, -1 for elsewhere
	system bool     // found in a system directory
	broken bool     // something is there that cannot be read
	beside bool     // found in an includer's directory, of which system tells
	// passed is what the chain has of this name, at dir, in place of file.
	passed       *fileRef
	passedSystem bool
	gone         []*goneName
	met          []dirName // clang: directories that were asked for, beside those of the chain
	deps         []*dependency
	// Where a path may be shortened: what was found, and where it led.
	spelled *node
	real    *realPath
	checked atomic.Uint64
}

// found is an inline cache: the answer that a directive got last.
type found struct {
	c *chain
	l lookup
	r *resolution
	// parts are the answers that r is put together of, stacked is set where
	// the directories of l.stack were searched.
	parts   []*resolution
	stacked bool
}

// holds reports whether f would be found again.
func (f *found) holds(fs *files, since uint64) bool {
	for _, r := range f.parts {
		if !r.holds(fs, since) {
			return false
		}
	}
	return f.r.holds(fs, since)
}

// is reports whether f answers l in c, whose name is the directive's.
func (f *found) is(c *chain, l *lookup) bool {
	return f.c == c && f.l.own == l.own && f.l.start == l.start && f.l.system == l.system && f.l.stack == l.stack && f.l.quiet == l.quiet
}

// find answers l for a scan that began at since.
func (c *chain) find(l lookup, since uint64) *resolution {
	c.mu.RLock()
	r := c.found[l]
	c.mu.RUnlock()
	if r != nil && r.holds(c.fs, since) {
		return r
	}
	r = c.resolve(l, since)
	r.checked.Store(since)
	l.name = strings.Clone(l.name)
	c.mu.Lock()
	if old := c.found[l]; old != nil {
		r.id = old.id
	} else {
		r.id = c.last
		c.last++
	}
	c.found[l] = r
	c.mu.Unlock()
	return r
}

// holds reports whether all that r rests on is as it was.
func (r *resolution) holds(fs *files, since uint64) bool {
	if r.checked.Load() >= since {
		return true
	}
	if r.broken {
		return false
	}
	for _, d := range r.deps {
		if !d.holds(fs, since) {
			return false
		}
	}
	if r.file != nil {
		if st := fs.stat(r.file.node, since); st.kind != kindFile || r.ident != 0 && st.ident != r.ident {
			return false
		}
	}
	if r.spelled != nil && !fs.real(r.spelled, since).same(r.real) {
		return false
	}
	r.checked.Store(since)
	return true
}

func (c *chain) resolve(l lookup, since uint64) *resolution {
	s := &search{c: c, since: since, pch: l.pch, r: &resolution{dir: -1}}
	if strings.HasPrefix(l.name, "/") {
		s.try(l.name, false)
		return s.r
	}
	if l.own >= 0 {
		if s.try(c.join(c.ownName(l.own), l.name), l.system) {
			s.r.system, s.r.beside = l.system, l.way != wayPlain
			if l.way == wayBoth && s.r.file != nil {
				s.preferChain(l)
			}
			return s.r
		}
	}
	s.walk(l)
	return s.r
}

// walk tries the directories of the chain.
func (s *search) walk(l lookup) {
	c, name := s.c, l.name
	for i := int(l.start); i < len(c.dirs); i++ {
		d := &c.dirs[i]
		var hit bool
		if name, hit = s.tryDir(d, name); hit {
			s.r.dir, s.r.system = int32(i), d.system
			break
		}
	}
}

// A search is one walk over the candidates.
type search struct {
	c     *chain
	since uint64
	pch   bool
	r     *resolution
}

// tryDir tries name in d. A header map can change the name for the directories
// after it.
func (s *search) tryDir(d *searchDir, name string) (string, bool) {
	switch {
	case d.hmap != nil:
		to, ok := d.hmap.lookup(name)
		if ok && !strings.HasPrefix(to, "/") { // another name, for this map and what follows
			name = to
			to, ok = d.hmap.lookup(name)
		}
		return name, ok && s.try(to, false)
	case d.framework:
		return name, s.tryFramework(d, name)
	}
	dir := d.path
	if s.c.spec.clang {
		dir = trimSlash(dir)
	}
	return name, s.try(s.c.join(dir, name), d.system)
}

// tryFramework looks for Foo/x.h as Foo.framework/Headers/x.h.
func (s *search) tryFramework(d *searchDir, name string) bool {
	framework, rest, ok := strings.Cut(name, "/")
	if !ok {
		return false
	}
	base := s.c.join(d.path, framework) + ".framework/"
	return s.try(base+"Headers/"+rest, d.system) || s.try(base+"PrivateHeaders/"+rest, d.system)
}

// try looks whether path is a file and notes the answer.
func (s *search) try(path string, system bool) bool {
	c := s.c
	n := c.fs.node(c.abs(path))
	st := c.fs.stat(n, s.since)
	if c.spec.clang {
		s.meet(path, n)
	}
	switch st.kind {
	case kindFile:
		if system && c.spec.canonical {
			s.r.real = c.fs.real(n, s.since)
			s.r.spelled = n
			if len(s.r.real.path) < len(path) {
				s.r.file = c.ref(s.r.real.path)
				s.r.file.openedAs(path)
				return true
			}
		}
		s.r.file = c.ref(path)
		if c.spec.clang {
			s.r.ident = st.ident
		}
		return true
	case kindOther:
		s.r.broken = true
		return true
	case kindDir:
		if s.pch {
			s.r.file = c.ref(path)
			s.depend(n, st, nil)
			return true
		}
		s.r.gone = append(s.r.gone, s.c.goneRef(path))
		s.depend(n, st, nil)
		return false
	}
	s.missing(path, n)
	return false
}

// meet notes the name by which clang asks for the directory of path.
func (s *search) meet(path string, n *node) {
	if n.dir == nil {
		return
	}
	dir := s.c.fs.stat(n.dir, s.since)
	if dir.kind != kindDir {
		return
	}
	d := dirName{dir.ident, s.c.ownID(s.c.dirOf(path))}
	if !slices.Contains(s.c.met, d) && !slices.Contains(s.r.met, d) {
		s.r.met = append(s.r.met, d)
	}
}

// missing notes that path does not exist, by its first component that does
// not: a directory is noted with a slash at its end.
func (s *search) missing(path string, n *node) {
	mark := ""
	for n.dir != nil && n.dir.dir != nil {
		up := strings.LastIndexByte(path, '/')
		if up <= 0 || s.c.fs.stat(n.dir, s.since).kind != kindMissing {
			break
		}
		path, n, mark = strings.TrimRight(path[:up], "/"), n.dir, "/"
	}
	s.r.gone = append(s.r.gone, s.c.goneRef(path+mark))
	if listable && n.dir != nil && !s.c.fs.stat(n, s.since).dangles() {
		if dir := s.c.fs.stat(n.dir, s.since); dir.kind == kindDir {
			s.depend(n.dir, dir, n)
			return
		}
	}
	s.depend(n, s.c.fs.stat(n, s.since), nil)
}

func (s *search) depend(n *node, st *nodeState, name *node) {
	for _, d := range s.r.deps {
		if d.node == n && d.name == name {
			return
		}
	}
	s.r.deps = append(s.r.deps, s.c.dependency(n, st, name))
}
