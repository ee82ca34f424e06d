// Package interop runs rexwrap's client, and rexwrap as it is released, against
// real REv2 servers on loopback: buildbox-casd with its own runner, and `just
// execute`. Both are packages of Debian sid, which are unpacked below .cache and
// run from there; nothing is installed.
//
// `make interop` runs it; it says which versions it tested, or NOT RUN and why
// where the packages cannot be had. The ordinary tests leave it out, since it
// needs the network the first time.
package interop
