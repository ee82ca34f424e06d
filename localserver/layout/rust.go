package layout

import (
	"slices"
	"strings"

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

// Roots are the folders of the client that a compile of rustc in Relocatable has
// other names for: absolute, without a slash at the end, empty for none. Where one
// lies in another, the later one counts.
type Roots struct {
	Dir    string // the checkout
	Cargo  string // cargo's home, where sources of other crates are
	Target string // the target directory
}

// The names of Roots in results. That of the checkout leads there for a process
// that works in it; the dot tells it from a name of somebody else's.
const (
	sharedDir    = "/proc/self/cwd/."
	sharedCargo  = "/rexwrap/cargo"
	sharedTarget = "/rexwrap/target"
)

// Names are the names of the folders in results, as Worker's, with the folders.
func (r Roots) Names() Names {
	all := Names{{sharedTarget, r.Target}, {sharedCargo, r.Cargo}, {sharedDir, r.Dir}}
	return slices.DeleteFunc(all, func(n Name) bool { return n.Client == "" })
}

// Canonical returns what a run of rustc needs beside its own options to make the
// same in all checkouts, nil where it cannot.
func (r Roots) Canonical(c *toolchains.Compile) []string {
	options := Identity(c)
	names := r.Names()
	ambiguous := func(n Name) bool { return strings.ContainsAny(n.Client, "=\"\\\n") }
	if options == nil || len(names) == 0 || slices.ContainsFunc(names, ambiguous) {
		return nil
	}
	for _, n := range slices.Backward(names) {
		options = append(options, remapOption+n.Client+"="+n.Worker)
	}
	return options
}
