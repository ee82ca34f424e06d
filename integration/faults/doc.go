// Package faults breaks things while builds run: servers, wrappers and compilers
// killed or stopped, cache directories deleted, full, read-only, corrupt, clocks
// that go back, strange surroundings. Each time the build ends with the objects
// and the status of a plain one, nothing is left behind, and the cache is usable
// afterwards.
//
// REXWRAP_TEST_LONG=1 runs many more points. Points in time are chosen by a seed
// that is printed; REXWRAP_TEST_SEED repeats one.
package faults
