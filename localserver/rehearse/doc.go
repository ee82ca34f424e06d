// Package rehearse runs a compile with a shipped toolchain here as it would run
// on a worker that has nothing: in a mount namespace that holds the InputRoot at
// a place of its own, /proc and /dev/null. What the compile looks for in vain
// although this machine has it is what the InputRoot should have brought along;
// each such file is named.
//
// A process cannot enter a mount namespace and then become another program in
// Go's os/exec alone, so the program that calls Rehearse starts itself again and
// calls Confine there: see Stage.Self. The system calls which open or ask for a file
// are seen by localserver/seccomp. Files that a compile merely tries to write are
// none of its inputs, and /proc, /dev and /sys are the worker's own.
//
// Not seen: what 32-bit programs look for, and names that a program changes in
// memory during the call. Linux on amd64 and arm64 only. Used by the verb
// `toolchain verify` and by integration's corpus tests.
package rehearse
