// Package differential compares what rexwrap does with what the bare compiler
// does, over a table of command lines: exit status or signal, stdout, stderr
// and the whole file tree that is left, on a miss, on a hit, and on a hit after
// the server was restarted.
//
// The bare compiler runs twice, in directories of the same name and content;
// what it does not hold still itself is not compared. Each command line also
// states whether it is to be answered from the cache, so that one that never
// is does not look right.
//
// An ordinary run takes one of a command line's compilers, in turn, and restarts
// the server for every sixth hit; REXWRAP_TEST_LONG=1 runs every command line with
// each of its compilers.
package differential
