package pipeline

import (
	"path/filepath"

	"github.com/rexwrap/rexwrap/localserver/layout"
)

// names are the worker's names of folders with the client's, in the order of
// layout.Names. The client's are encoded by place.encode, so that they hold for
// every place that shares the Action.
type names []layout.Name

func namesOf(l *layout.Layout, at place) names {
	out := make(names, 0, 2)
	for _, n := range l.Names() {
		out = append(out, layout.Name{Worker: n.Worker, Client: at.encode(n.Client)})
	}
	return out
}

// at returns n with the client's names as they are at a place.
func (n names) at(at place) layout.Names {
	out := make(layout.Names, len(n))
	for i := range n {
		out[i] = layout.Name{Worker: n[i].Worker, Client: at.spell(n[i].Client)}
	}
	return out
}

// portable reports whether n holds at other places than the one it was made at.
func (n names) portable() bool {
	for i := range n {
		if filepath.IsAbs(n[i].Client) {
			return false
		}
	}
	return true
}

func (n names) append(e *encoder) {
	e.uint(uint64(len(n)))
	for i := range n {
		e.string(n[i].Worker)
		e.string(n[i].Client)
	}
}

func decodeNames(d *decoder) names {
	var n names
	for range d.count(2) {
		n = append(n, layout.Name{Worker: d.string(), Client: d.string()})
	}
	return n
}
