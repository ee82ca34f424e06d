// Package remote builds with the released binaries and real compilers against an
// REv2 server that executes, has the quirks of real ones, and fails on demand:
// client/clienttest, in this process, on loopback. Whatever the server does, a
// build must end with the objects, messages and status of the plain compiler.
package remote
