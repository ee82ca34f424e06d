package cpp

import (
	"strings"
	"sync/atomic"
)

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
