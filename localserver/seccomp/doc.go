// Package seccomp sees the system calls of another process: a filter hands those
// that it names to a listener (seccomp_unotify(2)), which reads their arguments and
// lets them go on. Nothing is changed about a call, nor about who runs it.
//
// A filter is a thread's, and of all that the thread starts from then on. It cannot
// be taken off: while such a process lives somebody has to serve the listener.
//
// Not seen: what a program changes in memory while a call of it waits, and names in
// calls that allow an empty one where a Rule passes these over. Linux 5.5 and later
// on amd64 and arm64; elsewhere there is nothing but this comment. Used by
// localserver/rehearse and localserver/trace.
package seccomp
