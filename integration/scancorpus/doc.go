// Package scancorpus compares depscan/cpp with gcc, clang and clang-cl on real code: the
// files of a compile, their spelling and their order must be those of the
// compiler's own -E -MD, or the scanner must have fallen back.
//
// Plain `go test` takes translation units that include one header of the C
// library, the compilers or the C++ library each. `make scan-corpus` adds Debian
// source packages and the headers of large libraries, which it fetches with apt
// into a folder of its own; nothing is installed.
package scancorpus
