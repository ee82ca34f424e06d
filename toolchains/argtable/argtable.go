// Package argtable holds what all option tables share: how an option takes its
// value, what it means for the result of a compile, and look-up in a sorted
// table. The tables themselves stand with their families. It also splits and
// quotes response files.
package argtable

// A Form says how an option and its value stand in an argument list.
type Form uint8

const (
	// Flag takes no value: "-c".
	Flag Form = iota
	// Joined has the value in the same word: "-std=c11", "-O2", "-DX".
	Joined
	// Separate has it in the next word: "-o x.o".
	Separate
)

// A Class is a set of meanings. An option that no table lists has class
// Unknown and makes the call step aside.
type Class uint32

const (
	// Source is the file to compile.
	Source Class = 1 << iota
	// Output names a file that the compile writes. The name is not in the
	// key (unless the Compile carries it); that the option is there is.
	Output
	// Dep controls the dep-file; the same holds.
	Dep
	// Search adds a directory to the include search path.
	Search
	// Macro defines or undefines a macro: -D, -U.
	Macro
	// Include names a file read before the source: -include, -imacros.
	Include
	// Path marks a value that is a path, to be canonicalised in keys.
	Path
	// InputFile marks a value that names a file whose content matters.
	InputFile
	// Preprocessor marks flags that change what the preprocessor does.
	Preprocessor
	// Codegen marks flags that change the object only.
	Codegen
	// Diagnostic marks flags that change messages only.
	Diagnostic
	// Debug marks flags of debug information.
	Debug
	// Linker marks flags that only a link would read.
	Linker
	// NoKey marks flags without any influence on the result: -pipe.
	NoKey
	// LocalOnly marks flags whose result depends on this machine.
	LocalOnly
	// Aside marks flags that make the call step aside.
	Aside
	// Prefix marks path maps: -ffile-prefix-map=OLD=NEW and its like.
	Prefix
)

// Has reports whether c has any meaning of m.
func (c Class) Has(m Class) bool { return c&m != 0 }
