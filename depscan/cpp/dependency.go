package cpp

import "sync/atomic"

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
