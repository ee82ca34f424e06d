package layout

import (
	"path"

	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/argtable"
)

// Relocation returns what a local compile of c needs before its own arguments so
// that it makes what a worker makes in Relocatable: the exec root, as the working
// directory spells it, has the name that it has for a process that works in it,
// and that debuggers started there resolve. The user's own prefix maps come first,
// as gcc and newer clang try the last one first and older clang the longest.
//
// It is nil where nothing of c names the root, and where it is not proven that a
// map hides the root from all of the result: New then lays c out as in Exact. It
// depends on c alone, so that it can be known before the inputs are.
func Relocation(c *toolchains.Compile, root string) []string {
	b := &builder{c: c}
	rows := proven()
	if root == "" || c.Recorded || !within(c.Call.ApparentDir(), root) || !b.namesRoot(root) || !b.hasRow(rows, "__FILE__") {
		return nil
	}
	for i := range c.Args {
		switch carrier(&c.Args[i]) {
		case "", "-g", "-gdwarf-4":
		default:
			return nil
		}
	}
	if c.Carries&toolchains.CarriesDir != 0 && !b.hasRow(rows, b.debugRow()) {
		return nil
	}
	return []string{mapsBoth + root + "=" + here}
}

// namesRoot reports whether the flags take the working directory into the result
// or an argument names something below root by an absolute path.
func (b *builder) namesRoot(root string) bool {
	if b.c.Carries != 0 {
		return true
	}
	for i := range b.c.Args {
		a := &b.c.Args[i]
		if a.Class.Has(argtable.Path|argtable.Source) && !a.Class.Has(argtable.NoKey|argtable.Output) && path.IsAbs(a.Value) && within(a.Value, root) {
			return true
		}
	}
	return false
}
