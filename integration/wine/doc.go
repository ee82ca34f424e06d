// Package wine runs the binaries for Windows under Wine, with a compiler of its own
// (fakecl) in the place of cl.exe: the server, misses and hits, what becomes of a call
// that Ctrl-C ends or whose wrapper or server is killed, files and pipes that others hold,
// shared program databases, precompiled headers, job objects, paths that are long or on
// shares, and the names by which the compiler is found. What Wine does not show of Windows
// is not shown here: other users, sharing with virus scanners, MSBuild, real compilers, and
// Ctrl-Break, which nobody can press in Wine; package os/signal makes one of it and Ctrl-C.
//
// `make test-windows` runs it, or says NOT RUN and why. Programs written in Go need a
// library that Debian's Wine has not got (bcryptprimitives.dll, for one function that
// another one has by another name); clang and lld-link make it.
package wine
