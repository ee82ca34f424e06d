// Package wrapper is the thin side of rexwrap: it catches one call of a
// compiler, asks the local server what to do, and does it. Only cmd/rexwrap
// uses it. It knows frames and processes; what a compile is and what a cache
// holds, the server knows.
//
// # Promises
//
//   - Status, stdout, stderr, outputs and dep-files are byte for byte the
//     compiler's, and death by a signal is death by that signal.
//   - Whatever fails on our side, the real compiler runs, unchanged.
//   - Nothing is waited for without a deadline (see limits).
//   - Only this process puts outputs in their places, and it removes every temp
//     file that the server announced when the two part early.
//   - One line, prefixed "rexwrap: ", is written to stderr where the command
//     cannot be run at all (status 127 or 126, as a shell would), and nothing
//     otherwise, unless REXWRAP_VERBOSE is set.
//
// # The life of a call
//
//	dispatch  what the words of the command line mean        dispatch.go
//	resolve   which program is the compiler                  resolve.go, lookup.go
//	obvious   what is surely no compile is run at once       obvious.go
//	connect   the server is found or started                 connect.go, spawn.go
//	session   the conversation of package wire               session.go
//	exec      … ends in the compiler, unchanged,             exec_unix.go
//	child     … or in the compiler as a child, recorded,     child_unix.go, capture.go
//	hold      … which the server may end without a trace,    hold.go, tree_linux.go
//	slot      … in a slot, where the server keeps some,      slot.go
//	lend      … make getting its token meanwhile,            jobserver.go
//	commit    … and in its outputs put in their places       commit.go
//
// # Limits
//
// The runtime opens /dev/null where descriptor 0, 1 or 2 is closed, before any
// code of ours runs: the socket can never take their place, and a compiler that
// is started with a closed stdout writes to /dev/null instead of failing. It
// also forgets which signals but SIGHUP and SIGINT the process was started to
// ignore: the compiler gets them as by default.
//
// # Windows
//
// Nothing can take our place there: every compiler is a child, with the words of its
// command line as they were written to ours (cmdline.go), our standard handles or pipes
// in their place, and no other handle of ours. Its process is waited for, and then what
// its pipes hold, but never their end, which a type server may put off for long. Ctrl-C
// and Ctrl-Break reach it as they reach us; we end as it ends. A job object holds it
// where it has a type server of its own, and ends with us what is left of it: any other
// may start what further builds share, so that killing the wrapper leaves it running.
// It gets pipes even where we have a console, and so writes without colours.
//
// An output that somebody has open cannot be replaced: it is tried again for half a
// second, and written over where that is allowed; where it is not, that shows before
// anything is said, and the compiler says it. What is put in place, and the database
// that its types are in, is touched last, for those who watch what a build writes.
//
// A cl.exe that steps aside, of which no server has said anything, or that is run again,
// runs with /FS where its types go to a database, which other compiles of the build may
// want at the same time.
package wrapper
