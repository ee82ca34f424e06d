package cpp

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// A searchSpec is what the command line and the environment say about the
// search for headers. Its fields are in the compiler's order.
type searchSpec struct {
	clang     bool
	cwd       string
	canonical bool // gcc: shorten the paths of system headers
	noOwn     bool // -I-: a header's own directory is not searched
	quote     []specDir
	bracket   []specDir
	system    []specDir
	after     []specDir
}

// A specDir is one directory as given.
type specDir struct {
	path      string
	framework bool
}

// key returns a string that is equal for equal specs.
func (s *searchSpec) key() string {
	var b strings.Builder
	for _, f := range []bool{s.clang, s.canonical, s.noOwn} {
		if f {
			b.WriteByte('1')
		}
		b.WriteByte(';')
	}
	b.WriteString(s.cwd)
	for _, list := range [][]specDir{s.quote, s.bracket, s.system, s.after} {
		b.WriteByte(0)
		for _, d := range list {
			if d.framework {
				b.WriteByte(1)
			}
			b.WriteString(d.path)
			b.WriteByte(0)
		}
	}
	return b.String()
}

// A searchDir is one directory of a chain.
type searchDir struct {
	path      string
	system    bool
	framework bool
	node      *node
	ident     int32
	hmap      *headerMap
	key       statKey // of a header map
}

// A chain is a spec applied to the file system: the directories that exist, in
// order, without duplicates. It remembers where names were found. It is safe
// for concurrent use.
type chain struct {
	spec    *searchSpec
	fs      *files
	dirs    []searchDir
	angled  int // where the search for <…> starts
	met     []dirName
	given   []searchDir
	absent  []string    // given, and missing
	lacking []*goneName // those
	present []string    // given, and there

	mu     sync.RWMutex
	found  map[lookup]*resolution
	refs   map[string]*fileRef
	owns   map[string]int32
	ownDir []string
	last   int32 // the next resolution's id
	gone   map[string]*goneName
	deps   map[dependencyKey]*dependency
	ranked *ranking
	// unranked are those of gone that ranked lacks.
	unranked []*goneName
}

// A lookup is one question: what does name mean?
type lookup struct {
	name   string
	own    int32 // the directory to look in first; -1 for none
	start  int32 // where in the chain to go on
	system bool  // own is a system directory
	pch    bool  // a directory will do
}

// A resolution is the answer to a lookup.
type resolution struct {
	id     int32    // dense in its chain
	file   *fileRef // nil when there is none
	dir    int32    // where in the chain it was found, -1 for elsewhere
	system bool     // found in a system directory
	broken bool     // something is there that cannot be read
	gone   []*goneName
	met    []dirName // clang: directories that were asked for, beside those of the chain
	deps   []*dependency
	// Where a path may be shortened: what was found, and where it led.
	spelled *node
	real    *realPath
	checked atomic.Uint64
}

// A ranking orders the gone names of a chain.
type ranking struct {
	sorted []*goneName
	rank   []int32 // by goneName.id
}

// ranking returns an order of all gone names known so far.
func (c *chain) ranking() *ranking {
	c.mu.RLock()
	r, n := c.ranked, len(c.gone)
	c.mu.RUnlock()
	if r != nil && len(r.sorted) == n {
		return r
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ranked == nil {
		c.ranked = &ranking{}
	}
	c.ranked = c.ranked.with(c.unranked)
	c.unranked = nil
	return c.ranked
}

// with returns r with more names.
func (r *ranking) with(more []*goneName) *ranking {
	slices.SortFunc(more, func(a, b *goneName) int { return strings.Compare(a.path, b.path) })
	out := &ranking{sorted: make([]*goneName, 0, len(r.sorted)+len(more)), rank: make([]int32, len(r.sorted)+len(more))}
	old := r.sorted
	for len(old)+len(more) > 0 {
		from := &old
		if len(old) == 0 || len(more) > 0 && more[0].path < old[0].path {
			from = &more
		}
		g := (*from)[0]
		*from = (*from)[1:]
		out.rank[g.id] = int32(len(out.sorted))
		out.sorted = append(out.sorted, g)
	}
	return out
}

// A dirName is one spelling of a directory.
type dirName struct {
	ident int32
	own   int32
}

// A dependency is a state that a resolution rests on.
type dependency struct {
	node  *node
	state atomic.Pointer[nodeState]
	// name is what the directory node lacks, base its last component; nil
	// where the state as such counts.
	name *node
	base string
}

// holds reports whether d is as it was: a directory may have changed if it
// still lacks the name.
func (d *dependency) holds(fs *files, since uint64) bool {
	watching := fs.watch != nil && d.name != nil
	if watching && fs.lacks(d.node, d.name) {
		return true
	}
	st, old := fs.stat(d.node, since), d.state.Load()
	if st == old && !watching {
		return true
	}
	if watching {
		return st.kind == kindDir && st.ident == old.ident && fs.stat(d.name, since).kind == kindMissing
	}
	if d.name == nil || st.kind != kindDir || st.ident != old.ident || fs.lists(d.node, st, d.base) {
		return false
	}
	d.state.Store(st)
	return true
}

// isQuiet reports whether d is watched and without an event since it was looked
// at.
func (d *dependency) isQuiet(fs *files) bool {
	if d.name != nil {
		return fs.lacks(d.node, d.name)
	}
	return fs.unheard(d.node)
}

// A goneName is a name that does not exist.
type goneName struct {
	path string
	id   int32
}

// A fileRef is one spelling of one file.
type fileRef struct {
	id   int32
	path string // as the compiler opens it
	dep  string // as the compiler lists it
	own  int32  // the directory that it is in, as the compiler spells that
	node *node
	same *fileRef // the ref of dep, nil for this one
	// climbs are the directories that ".." in dep climbs out of.
	climbs []string
	// opened is the longer name of a path that is shortened, severalNames
	// where there are more, nil where there is none.
	opened   atomic.Pointer[string]
	subtrees atomic.Pointer[[]*subtree]
}

// severalNames stands for more than one; see depscan.File.
const severalNames = "..."

// openedAs notes a longer name of r.
func (r *fileRef) openedAs(path string) {
	if !r.opened.CompareAndSwap(nil, &path) && *r.opened.Load() != path {
		several := severalNames
		r.opened.Store(&several)
	}
}

// openedName is the longer name of r, empty where there is none.
func (r *fileRef) openedName() string {
	if name := r.opened.Load(); name != nil {
		return *name
	}
	return ""
}

// shown returns the ref that stands for all spellings that are listed alike.
func (r *fileRef) shown() *fileRef {
	if r.same != nil {
		return r.same
	}
	return r
}

func newChain(spec *searchSpec, fs *files, since uint64) *chain {
	c := &chain{
		spec: spec, fs: fs,
		found: make(map[lookup]*resolution), refs: make(map[string]*fileRef),
		owns: make(map[string]int32), gone: make(map[string]*goneName),
		deps: make(map[dependencyKey]*dependency),
	}
	if spec.clang {
		c.buildClang(since)
	} else {
		c.buildGCC(since)
	}
	for _, path := range c.absent {
		c.lacking = append(c.lacking, c.goneRef(path))
	}
	return c
}

// holds reports whether the directories are still those c was built of.
func (c *chain) holds(since uint64) bool {
	for i := range c.given {
		d := &c.given[i]
		st := c.fs.stat(d.node, since)
		if st.ident != d.ident || d.hmap != nil && st.key != d.key {
			return false
		}
	}
	return true
}

func (c *chain) abs(path string) string {
	if strings.HasPrefix(path, "/") {
		return path
	}
	return c.spec.cwd + "/" + path
}

// existing returns those of list that are directories and notes the others.
func (c *chain) existing(list []specDir, system bool, since uint64) []searchDir {
	var out []searchDir
	for _, d := range list {
		n := c.fs.node(c.abs(d.path))
		st := c.fs.stat(n, since)
		sd := searchDir{path: d.path, system: system, framework: d.framework, node: n, ident: st.ident}
		switch {
		case st.kind == kindDir:
			c.present = append(c.present, d.path)
			out = append(out, sd)
		case st.kind == kindFile && c.spec.clang:
			if sd.hmap, sd.key = readHeaderMap(n.path), st.key; sd.hmap != nil {
				out = append(out, sd)
			}
		case st.kind == kindMissing:
			c.absent = append(c.absent, strings.TrimRight(d.path, "/")+"/")
		}
		c.given = append(c.given, sd)
	}
	return out
}

func indexIdent(dirs []searchDir, d searchDir) int {
	return slices.IndexFunc(dirs, func(o searchDir) bool {
		return o.ident == d.ident && o.framework == d.framework
	})
}

// buildGCC joins the lists as gcc does: a directory given twice stays where it
// comes first, one that is also a system directory stays only there, and the
// last of a list may be the first of the next.
func (c *chain) buildGCC(since uint64) {
	system := c.existing(slices.Concat(c.spec.system, c.spec.after), true, since)
	bracket := c.existing(c.spec.bracket, false, since)
	quote := c.existing(c.spec.quote, false, since)
	system = uniqueGCC(system, nil, nil)
	bracket = uniqueGCC(bracket, system, system)
	joined := append(bracket, system...)
	quote = uniqueGCC(quote, system, joined)
	c.dirs = append(quote, joined...)
	c.angled = len(quote)
}

func uniqueGCC(list, system, join []searchDir) []searchDir {
	var out []searchDir
	for i, d := range list {
		switch {
		case indexIdent(system, d) >= 0, indexIdent(out, d) >= 0:
		case i == len(list)-1 && len(join) > 0 && join[0].ident == d.ident:
		default:
			out = append(out, d)
		}
	}
	return out
}

// buildClang joins the lists as clang does.
func (c *chain) buildClang(since uint64) {
	quote := c.existing(c.spec.quote, false, since)
	bracket := c.existing(c.spec.bracket, false, since)
	system := c.existing(slices.Concat(c.spec.system, c.spec.after), true, since)
	quote = uniqueClang(quote)
	c.dirs = append(quote, uniqueClang(append(uniqueClang(bracket), system...))...)
	c.angled = len(quote)
	for _, list := range [][]specDir{c.spec.bracket, c.spec.after, c.spec.quote, c.spec.system} {
		for _, d := range list {
			st := c.fs.stat(c.fs.node(c.abs(d.path)), since)
			if st.kind == kindDir {
				c.met = append(c.met, dirName{st.ident, c.ownID(trimSlash(d.path))})
			}
		}
	}
}

// trimSlash returns the name that clang looks a directory up by.
func trimSlash(dir string) string {
	if len(dir) > 1 {
		return strings.TrimSuffix(dir, "/")
	}
	return dir
}

// uniqueClang drops the later of two equal directories, or the earlier one if
// that is a user's and the later one a system directory.
func uniqueClang(list []searchDir) []searchDir {
	var out []searchDir
	for _, d := range list {
		i := indexIdent(out, d)
		switch {
		case i < 0:
			out = append(out, d)
		case d.system && !out[i].system:
			out = append(slices.Delete(out, i, i+1), d)
		}
	}
	return out
}

// ownID returns the number of a directory as spelled.
func (c *chain) ownID(dir string) int32 {
	c.mu.RLock()
	id, ok := c.owns[dir]
	c.mu.RUnlock()
	if ok {
		return id
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ownIDLocked(dir)
}

func (c *chain) ownIDLocked(dir string) int32 {
	if id, ok := c.owns[dir]; ok {
		return id
	}
	id := int32(len(c.ownDir))
	c.owns[dir] = id
	c.ownDir = append(c.ownDir, dir)
	return id
}

// ref returns the fileRef of a path as the compiler opens it.
func (c *chain) ref(path string) *fileRef {
	c.mu.RLock()
	r := c.refs[path]
	c.mu.RUnlock()
	if r != nil {
		return r
	}
	n := c.fs.node(c.abs(path))
	var same *fileRef
	dep := trimDots(path)
	if dep != path {
		same = c.ref(dep)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if r := c.refs[path]; r != nil {
		return r
	}
	path = strings.Clone(path)
	r = &fileRef{id: int32(len(c.refs)), path: path, dep: dep, node: n, same: same}
	if strings.Contains(dep, "/..") {
		r.climbs = climbed(dep)
	}
	r.own = c.ownIDLocked(c.dirOf(path))
	c.refs[path] = r
	return r
}

// trimDots returns path as a dep-file shows it.
func trimDots(path string) string {
	for strings.HasPrefix(path, "./") {
		path = strings.TrimLeft(path[2:], "/")
	}
	return path
}

// dirOf returns the directory part of path as the compiler takes it.
func (c *chain) dirOf(path string) string {
	i := strings.LastIndexByte(path, '/')
	if !c.spec.clang {
		return path[:i+1]
	}
	if i < 0 {
		return "."
	}
	if dir := strings.TrimRight(path[:i], "/"); dir != "" {
		return dir
	}
	return "/"
}

// join returns name in dir.
func (c *chain) join(dir, name string) string {
	if dir == "" || dir[len(dir)-1] == '/' {
		return dir + name
	}
	return dir + "/" + name
}

// found is an inline cache: the answer that a directive got last.
type found struct {
	c *chain
	l lookup
	r *resolution
}

// is reports whether f answers l in c, whose name is the directive's.
func (f *found) is(c *chain, l *lookup) bool {
	return f.c == c && f.l.own == l.own && f.l.start == l.start && f.l.system == l.system
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
		if st := fs.stat(r.file.node, since); st.kind != kindFile {
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
		c.mu.RLock()
		dir := c.ownDir[l.own]
		c.mu.RUnlock()
		if s.try(c.join(dir, l.name), l.system) {
			s.r.system = l.system
			return s.r
		}
	}
	name := l.name
	for i := int(l.start); i < len(c.dirs); i++ {
		d := &c.dirs[i]
		var hit bool
		if name, hit = s.tryDir(d, name); hit {
			s.r.dir, s.r.system = int32(i), d.system
			break
		}
	}
	return s.r
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

// dependency returns the dependency on a state, the same one for all that rest
// on it.
func (c *chain) dependency(n *node, st *nodeState, name *node) *dependency {
	key := dependencyKey{n, name}
	c.mu.Lock()
	defer c.mu.Unlock()
	d := c.deps[key]
	if d == nil || d.state.Load() != st {
		d = &dependency{node: n, name: name}
		if name != nil {
			d.base = name.base
		}
		d.state.Store(st)
		c.deps[key] = d
	}
	return d
}

type dependencyKey struct{ node, name *node }

func (c *chain) goneRef(path string) *goneName {
	path = trimDots(path)
	c.mu.Lock()
	defer c.mu.Unlock()
	g := c.gone[path]
	if g == nil {
		g = &goneName{path: path, id: int32(len(c.gone))}
		c.gone[path] = g
		c.unranked = append(c.unranked, g)
	}
	return g
}
