// Package layout says how a compile is laid out for a worker: the command line,
// the environment and the InputRoot with which another machine, in an empty
// directory at any path, makes byte for byte what the client's own compiler
// makes at the client's place.
//
// # The InputRoot
//
// It mirrors the client's file system below the base: the exec root, or where
// relative arguments climb out of that, the folder that holds all they name.
// Inputs elsewhere that the worker does not have by itself stand in mounts:
//
//	InputRoot                       the base
//	InputRoot/.rexwrap-outside/N    the Nth of Request.Beside
//	InputRoot/.rexwrap-outside/root everything else, by absolute path
//	InputRoot/.rexwrap-toolchain    the compiler, where it is shipped
//
// Symbolic links are kept where they lead to another place of the InputRoot. The
// working directory is always there, and so is every directory that must exist
// for the search to go the same way.
//
// # The command line
//
// Relative arguments stay as they are. An absolute one below a mount becomes
// /proc/self/cwd/../NAME: a name that is the same wherever the worker unpacks the
// InputRoot. Such names, and the working directory, which PWD=/proc/self/cwd
// makes known under that name, are mapped back to the client's (Exact) or to a
// name that all checkouts share (Relocatable) by prefix maps, which are added
// only where a path can reach the bytes. The user's own maps hold as they would
// at the client's place; see compose.
//
// What a compiler makes of all this was found by running it: the rows of proven
// are those classes of compiles for which integration/relocation shows equal
// bytes. For every other one a Layout says Unproven: its Action is a good key,
// and is never executed elsewhere. What clang's assertions say is judged when the
// result is here (signatures.go).
//
// # Rust
//
// rustc takes the name of its working directory from the system, so a line of
// shell on the worker adds the map for that one; all other names are as above. That
// a path was mapped at all counts in the hash of a crate, so the client maps every
// path, to itself in Exact (Identity), to the names of Roots in Relocatable. A
// variable that only serves to include files has the worker's name of them. A link
// reports what the linker has read, and where the worker is. Shown to be the same
// by integration/rust, with rustc 1.63 and 1.95, for libraries, programs, test
// harnesses, procedural macros, C libraries; dylibs, clippy, packed debug
// information, incremental compiles and calls with maps of their own are not proven.
//
// A shipped rustc is told of its sysroot, and the launcher does what the shell does.
// What a link reads of the client's system stands in InputRoot/.rexwrap-outside/root,
// which is the linker's sysroot; see shipcrate.go.
//
// # Workers with a root of the client's
//
// Where the InputRoot is the root of the worker's file system all of that falls
// away: files stand at their own paths, and the command line is the client's; see
// rooted.go.
//
// A Layout is a pure function of its Request; nothing here looks at files.
// Not here: uploads, execution (localserver/pipeline), whether the worker has
// the same compiler (the parity probe).
package layout
