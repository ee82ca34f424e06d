// Package wine runs the binaries for Windows under Wine, with a compiler of its own
// (fakecl) in the place of cl.exe: the server, misses and hits, what becomes of a call
// whose wrapper or server is killed, files and pipes that others hold, and the names by
// which the compiler is found. What Wine does not show of Windows is not shown here:
// other users, sharing with virus scanners, real compilers.
//
// `make test-windows` runs it, or says NOT RUN and why. Programs written in Go need a
// library that Debian's Wine has not got (bcryptprimitives.dll, for one function that
// another one has by another name); clang and lld-link make it.
package wine
