// Package relocation proves what localserver/layout says: it compiles for real.
// Each row of a table is a command line in a project at some place. It is run
// there by the bare compiler, laid out, and run again at two other absolute
// paths, in directories that hold nothing but the InputRoot, with no environment
// but the declared one, while the project itself is not to be found. All bytes
// must be equal: outputs, and dep-file and diagnostics in the client's names.
//
// A row says whether its class is proven; the table of localserver/layout rests
// on these rows. Plain `go test` takes a part of them, REXWRAP_TEST_LONG=1 all.
package relocation
