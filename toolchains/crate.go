package toolchains

import (
	"slices"
	"strings"
)

// A Crate is what a Compile of rustc makes, beside what every Compile has. All
// paths are as spelled.
type Crate struct {
	Name string
	// Types are the crate types in the order given, "lib" as "rlib"; a test
	// harness is a "bin".
	Types []string
	// Emits are the kinds of output asked for, sorted: "dep-info", "link",
	// "metadata", ….
	Emits []string
	// OutDir is the directory of all outputs, empty for the working
	// directory.
	OutDir  string
	Externs []Extern
	Search  []SearchDir
	// Libraries are the values of -l.
	Libraries []string
	// Target is the value of --target, empty for the host.
	Target string
	// LinkDirs are further folders for the linker to look for libraries in.
	LinkDirs []string
	// Linker is the value of -C linker, empty for the default. FuseLd is the word
	// by which the call has it start another linker than its own, empty for none.
	Linker, FuseLd string
	// Test is set for test harnesses.
	Test bool
	// Clippy is set where clippy-driver does the work.
	Clippy bool
	// Native is set where code is made for the processor at hand, whichever.
	Native bool
	// Split is how the paths of the files of split debug information begin
	// that a run leaves under names of its own: Split "." … ".dwo". It is
	// empty where there are none.
	Split string
	// Argv is the argument list to run where it is not the call's: without
	// -C incremental, where that is dropped.
	Argv []string
}

// An Extern is one --extern with a path.
type Extern struct{ Name, Path string }

// A SearchDir is one -L. Kind is "dependency", "crate", "native", "framework" or
// "all".
type SearchDir struct{ Kind, Dir string }

// String names the crate and its types, as in "syn (rlib)"; "metadata" for what
// cargo check makes.
func (c *Crate) String() string {
	what := strings.Join(c.Types, ", ")
	switch {
	case c.Test:
		what = "test"
	case !c.EmitsKind("link"):
		what += ", metadata"
	}
	return c.Name + " (" + what + ")"
}

// Links reports whether a linker makes one of the outputs.
func (c *Crate) Links() bool { return c.Linked() > 0 }

// Linked returns the number of outputs that a linker makes.
func (c *Crate) Linked() int {
	if !c.EmitsKind("link") {
		return 0
	}
	n := 0
	for _, t := range c.Types {
		switch t {
		case "bin", "dylib", "cdylib", "proc-macro":
			n++
		}
	}
	return n
}

// EmitsKind reports whether kind is among Emits.
func (c *Crate) EmitsKind(kind string) bool { return slices.Contains(c.Emits, kind) }
