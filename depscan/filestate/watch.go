package filestate

import "sync/atomic"

// worthWatching is how often a path must have been looked at, and been found
// unchanged, before it is watched.
const worthWatching = 2

// notAgain is the count of looks that a path which cannot be watched begins anew
// with.
const notAgain = -1000

// A ward is a file or a directory that is watched.
type ward struct {
	heard atomic.Uint64 // tick of the last change
	lost  atomic.Bool   // not watched any more, or at another path
}

// A vigil knows since when what it belongs to has been watched. The zero vigil
// knows nothing. It is safe for concurrent use.
type vigil struct {
	ward  atomic.Pointer[ward]
	at    atomic.Uint64 // tick of the last look, if it was watched by then
	looks atomic.Int32
}

// quiet reports whether nothing has happened since the last look.
func (g *vigil) quiet(v *View) bool {
	w, at := g.ward.Load(), g.at.Load()
	if w == nil || at == 0 {
		return false
	}
	v.tick() // hears of what happened until now
	return v.s.watch.silent(w, at)
}

// looked notes that v has looked at path and found it unchanged. Names says that
// of a directory its names count.
func (g *vigil) looked(v *View, path string, names bool) {
	s := v.s.watch
	if s == nil {
		return
	}
	w := g.ward.Load()
	if w != nil && !w.lost.Load() {
		if at := v.tick(); s.silent(w, at) {
			g.at.Store(at)
		}
		return
	}
	if g.looks.Add(1) < worthWatching {
		return
	}
	g.looks.Store(0)
	if w = s.guard(path, names); w == nil {
		g.looks.Store(notAgain)
	}
	g.at.Store(0)
	g.ward.Store(w)
}

// tick returns the watcher's time from which on v looks at files.
func (v *View) tick() uint64 {
	if t := v.ticked.Load(); t != 0 {
		return t
	}
	v.ticked.CompareAndSwap(0, v.s.watch.now())
	return v.ticked.Load()
}
