// Package integration tests rexwrap as it is released: scripts that a user
// could type (testdata/script) run the built binaries with the real compilers
// and build tools; and every command of README.md runs in a sample project.
//
// The folders beside it look at one promise each:
//
//	arch          import policy, package comments, no hidden state
//	differential  every command line gives what the bare compiler gives
//	keytable      one change, one miss; and what must stay a hit
//	projects      real projects by their own build systems
//	interop       real REv2 servers, from Debian sid
//	faults        killed, stopped, starved, corrupted: the build goes on
//	bench         what it costs, beside an empty Go program and ccache
//	demo          a real project plain, cold and warm
//	rig           what all these share: a private installation of rexwrap
//	debsrc        sources and servers, from Debian
//
// The module below tools pins the programs that `make lint` runs.
package integration
