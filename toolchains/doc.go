// Package toolchains models compilers and their calls: a Call as the wrapper
// caught it, the Toolchain that answers it, identified by content, and the
// Compile that a Family makes of the two.
//
// A Family is one command-line language (gcc, clang, msvc, rustc); each has a
// package below this one. Parsing is a pure function of argument list,
// environment and files; whatever needs a process is run by the Runner that the
// caller passes in.
//
// A Resolver finds the Toolchain of a Call and notices, by stat alone, when it has
// become another one. What compilers say of themselves is kept in a Memory.
//
// Not modelled: where a compile runs, what its result is called in a cache, and
// which headers it reads (see depscan). Calls that rexwrap does not understand
// are not errors: they end in an UnsupportedError, which makes the wrapper run
// the compiler unchanged and record the reason.
package toolchains
