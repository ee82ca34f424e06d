// Package shipped builds real projects by workers that have nothing: each Action
// runs in a mount namespace that holds its InputRoot, at a place of its own, /proc
// and /dev/null. The toolchain travels with the compiles. All objects must be
// those that the bare compiler makes here, and all that was not compiled by a
// worker must be said and counted.
//
// Two small projects belong to the ordinary tests. REXWRAP_TEST_PROJECTS=all adds
// the large ones.
package shipped
