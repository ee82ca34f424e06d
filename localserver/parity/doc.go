// Package parity finds out whether a worker has, at the same absolute paths and
// by content, what a compile takes from this machine without sending it: the
// compiler with its programs, and system headers. Only then may an Action leave
// them out of its InputRoot. Its only users are localserver/pipeline and the
// verbs that explain it.
//
// # Proof
//
// Prove runs probes: Actions that hash files and look for names that must be
// absent, by /bin/sh, stat and sha256sum. What was found is a fact about the
// worker that ran the probe, and holds for an hour. Facts are asked for in
// batches: everything that callers need while a probe is under way goes into the
// next one. A file that any worker of the platform has otherwise is not proven,
// because the scheduler chooses the worker.
//
// # Upkeep
//
// A worker can change, and another one can be chosen than the one that was
// probed. So each Action is wrapped in a line of shell (Host.Arguments) that
// reports size and mtime of the same files, on the worker that compiles, as an
// output of its own; Accept compares it with the facts before the result may be
// stored or believed, cached results included. One in RecheckEvery results is
// compiled here as well (Executed); where the bytes differ, host mode ends for
// that platform and everything that was stored since the last good check goes
// (Differed).
//
// Not here: how a compile is laid out (localserver/layout), and workers that get
// the compiler sent (toolchains/pack).
package parity
