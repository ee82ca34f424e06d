package ask

import (
	"slices"

	"github.com/rexwrap/rexwrap/depscan"
)

// identifiers returns those that the text of the closure can contain.
func (g *gathering) identifiers() depscan.Identifiers {
	var ids depscan.Identifiers
	for _, t := range append(slices.Clip(g.texts), g.command) {
		ids |= t.Identifiers | t.Defined
	}
	return ids
}

// definesWith reports whether a macro of this name has words in its body.
func (w *words) definesWith(name string) bool {
	for i := range w.ends {
		if w.name(uint32(i)) == name {
			return true
		}
	}
	return false
}

// isLiteral reports whether a macro whose name has hash h is a literal.
func (w *words) isLiteral(h uint32) bool {
	_, ok := slices.BinarySearch(w.literals, h)
	return ok
}
