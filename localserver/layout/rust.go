package layout

import (
	"slices"

	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/argtable"
)

// remapOption makes rustc write other paths than those that it is given. The last
// one that fits a path counts.
const remapOption = "--remap-path-prefix="

// Identity returns what a run of rustc at the client's place needs beside its own
// options to make what a worker makes in Exact: that a path was mapped counts in
// the hash of a crate, even if it was mapped to itself. It is nil where the call
// has maps of its own, or its command line reaches the result.
func Identity(c *toolchains.Compile) []string {
	own := func(a toolchains.Arg) bool { return a.Class.Has(argtable.Prefix) }
	if c.Recorded || slices.ContainsFunc(c.Args, own) {
		return nil
	}
	return []string{remapOption + "/=/"}
}
