// Package keytable is a table of single changes: each row compiles, changes one
// thing, and compiles again. A change that can reach the result must be a miss,
// one that cannot must be a hit, and the object after it is in any case the one
// that a fresh run of the bare compiler makes.
//
// A flag or an input that gets into the key gets a row here. An ordinary run takes
// gcc and clang in turn, REXWRAP_TEST_LONG=1 both.
package keytable
