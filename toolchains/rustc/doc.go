// Package rustc is the command-line language of rustc and clippy-driver: the
// option tables and the parser that makes a toolchains.Compile of a call.
//
// Arguments are read as rustc's own reader does (the getopts crate): long options
// take their value behind "=" or in the next word, short ones joined or in the
// next word, short flags can be clustered. "@FILE" holds one argument a line,
// without quoting. What a call writes follows from crate name, extra filename,
// crate types and kinds of output; where any of these comes from the source text
// or from the target description the call steps aside.
//
// Checked against rustc 1.63 and later ones by this package's tests, which
// compare the tables with what the installed compilers list.
//
// Not modelled: output to stdout, sources from stdin, sysroots of the caller's
// own, linking for targets that are not ELF, incremental compilation that makes
// code, and all but a few unstable options. The package reads no files but
// argument files, and starts no process.
package rustc
