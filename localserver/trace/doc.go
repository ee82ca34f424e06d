// Package trace finds out what procedural macros read. They run inside rustc and can
// look at any file; dep-info has no trace of it.
//
// The local server has the wrapper start rexd in the compiler's place (Tracer.Argv).
// That process (Main) starts the compiler as its child, under a filter that shows it
// each lookup of a file (localserver/seccomp), writes a report when the compiler has
// ended, and ends as it did. Signals are passed on; standard streams, descriptors of a
// jobserver, limits, environment and working directory are the compiler's own, so that
// nothing stands between it and who called it.
//
// # The window
//
// Macros run between the moment at which the compiler first opens a library of one
// and the moment at which it writes the dep-info, after all expansion. Only what
// happens in between is reported; reading crates, making code and linking is the
// compiler's own work, which depscan/rustdeps knows about. All processes count, the
// compiler's own lookups included: they do no harm. Where either moment cannot be
// seen, all from the first one on counts, or nothing was traced.
//
// # What is reported
//
// Each lookup with what was found: a regular file, a folder, nothing; the symbolic
// links on the way; of a folder that was opened the names in it. What no list of files
// can stand for bars the result from being stored: starting a program, the network,
// shared memory, changes to the file system.
//
// Not seen: the clock, random numbers, what comes through descriptors that are open
// already, what a macro reads by mapping memory of others. Where no filter can be had
// (before Linux 5.5, in some containers, on other systems) the compiler just runs, and
// there is no report. Used by localserver/pipeline and cmd/rexd.
package trace
