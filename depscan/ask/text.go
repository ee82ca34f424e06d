package ask

import (
	"github.com/rexwrap/rexwrap/depscan"
)

// A Text is what the content of one file mentions: the names it makes the
// compiler look for, and the identifiers that matter. It is a superset of what
// any one compile sees of the file, as no condition is evaluated. A Text is
// immutable and shared.
type Text struct {
	// Names are the file names spelled literally, each once.
	Names []Name
	// Candidates are literals that a computed name may turn out to be: what
	// macros are defined as and what stands in conditions.
	Candidates []Name
	// ComputedInclude is set when the name of an #include is a macro's.
	ComputedInclude bool
	// ComputedProbes are the arguments of __has_include and its like that
	// are no literals: a macro's name, "" for anything else.
	ComputedProbes []string
	// Probes is set when __has_include stands in a macro's definition, so
	// that its arguments stand in the conditions that use the macro.
	ProbeMacro bool
	// Lines are names given by #line and line markers. The compiler opens
	// them to quote the line of a diagnostic.
	Lines []string
	// Identifiers are those that stand in plain text; Defined those in
	// macro definitions, where only a use of the macro expands them.
	Identifiers, Defined depscan.Identifiers
	// Heads are those of which a proper beginning is a word: "##" may make
	// them of it.
	Heads depscan.Identifiers
	// SystemHeader is set when #pragma GCC system_header is mentioned.
	SystemHeader bool
	// Once is set when #pragma once is mentioned, Imports when #import is.
	Once, Imports bool
	// Trouble is the reason why compiles that read the file are not
	// cacheable, empty for none, TroubleArg what it is about.
	Trouble, TroubleArg string

	words words
}

// A Name is one file name as a file spells it.
type Name struct {
	Path string
	Use  Use
	// Quoted is set for "x.h", clear for <x.h>.
	Quoted bool
	// Late is set behind a #pragma GCC system_header.
	Late bool
}

// Use says by what a Name is looked for, which decides where.
type Use uint8

const (
	UseInclude   Use = iota // #include, #import
	UseNext                 // #include_next
	UseProbe                // __has_include
	UseProbeNext            // __has_include_next
	UseEmbed                // #embed, __has_embed
	UseIncbin               // .incbin
	UseAsm                  // .include
)

// probes reports whether u looks for a file without including it.
func (u Use) probes() bool { return u == UseProbe || u == UseProbeNext || u == UseEmbed }

// next reports whether u starts behind the directory of the including file.
func (u Use) next() bool { return u == UseNext || u == UseProbeNext }

// assembles reports whether the assembler looks for the file.
func (u Use) assembles() bool { return u == UseIncbin || u == UseAsm }
