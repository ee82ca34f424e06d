package cpp

import (
	"slices"
	"strings"
	"sync"
)

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
	stacks includers
	last   int32 // the next resolution's id
	gone   map[string]*goneName
	deps   map[dependencyKey]*dependency
	ranked *ranking
	// unranked are those of gone that ranked lacks.
	unranked []*goneName
}

// A dirName is one spelling of a directory.
type dirName struct {
	ident int32
	own   int32
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

// ownName is the directory with a number.
func (c *chain) ownName(id int32) string {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.ownDir[id]
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
