// Package msvc is the command-line language of Microsoft's cl.exe and of clang-cl: the
// option tables and the parser that makes a toolchains.Compile of a call.
//
// Options begin with "/" or "-"; arguments of a Compile keep the one they had, and Name
// returns the other spelling's too. The variable CL stands before the arguments and _CL_ behind them. "@FILE" holds more, in UTF-16 or UTF-8 with
// a byte order mark, else in the system's code page, of which only ASCII is taken (of
// clang-cl UTF-8). clang-cl has besides those options of clang that neither name files
// nor change what is made.
//
// Members splits a call with several sources; PrivateDatabase turns a call that shares
// its program database with others into one that has its own, for localserver/pdbsession.
//
// Checked against clang-cl 14 by this package's tests. For cl.exe the source of fact is
// Microsoft's documentation of its options: no cl.exe has been run.
//
// Not modelled: linking, precompiled headers, modules, /clr, edit and continue, listings
// with machine code, and everything that goes to stdout. The package reads no files but
// response files, and starts no process.
package msvc
