// Command bench measures rexwrap against the targets that its design sets
// itself and prints one line per target: the thin binary's start, hits beside
// ccache's, the tail under load, the server's memory, and what a first build
// costs over the bare compiler; of Rust cold builds, warm ones beside sccache's,
// and hits beside copies of their outputs.
//
// What is compared runs interleaved, in one run of the program, so that the
// machine's mood meets all sides alike; figures are ratios of medians for that
// reason. CPU time is what the process used, user and system, plus the share of
// the server that worked for it. Every measurement has a cache directory and a
// socket of its own. Remote execution is not measured here.
//
// It runs on Linux, where the server's CPU time is read from /proc.
package main
