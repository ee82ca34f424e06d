// Package pipeline is what the local server does about a call: the chain of
// stages from the wrapper's Call to its answer, as told in localserver's
// comment. Each stage is a file: request (understand), lookup, inflight, remote
// and fetch (look-ups elsewhere), action, contest (where a miss runs), execute,
// capture, store, share (what this machine made, for others), answer.
//
// # Keys
//
// A compile is known by two digests. The manifest key covers what is known
// before any header is read: toolchain by content, canonical arguments, the
// environment that the compiler reads, and the source. Under it the manifest
// keeps candidates, each a list of files with digests, of names that must be
// absent and of directories that must be there, with the Action that a compile
// in that state is. The result is stored under the Action digest, whose
// InputRoot holds the files below the exec root.
//
// A run whose inputs were known before it is held against them after it: files have
// the same stamps, absent names are absent, and a dep-file lists what was foreseen.
// Without a dep-file a header that appears and is gone again while the compiler runs
// is not seen.
//
// # Paths
//
// Paths below the exec root lose it in keys unless they can reach the result:
// by flags (debug information, coverage: toolchains.Carries), or by the text
// (__FILE__ and its like: depscan.Identifiers), which guards the candidate. So
// checkouts at different places share entries, and never an object that names
// the other place. With paths = relocatable a compile that can be relocated
// (layout.Relocation) has a name for the root that all places share, and so one
// key everywhere.
//
// # Remotes
//
// An Action is one that a worker can execute: its Command, as layout has it, is
// the key here and everywhere. So there is one result for what this machine, a
// worker or another machine made, and it is kept as a worker spells it: paths in
// dep-files and messages are translated for each call. A remote is asked only
// after the cache here, and costs a hit at most: whatever is wrong with it, or
// with a result, is a miss, and whatever is wrong with a worker is compiled here.
//
// # Program databases
//
// A compile of cl.exe with /Zi (database) runs with a program database of its own, here
// and on workers (msvcworker); the pair is the result. Whenever that is put in place its
// types are merged into the database that the build expects.
//
// # Rust
//
// A compile of rustc has its inputs read off every run (depscan/rustdeps). Its
// paths stay in keys as they are, but for folders that are only searched, which
// stand by number (mount). A candidate holds the variables that the source asks
// for, and, where a procedural macro ran, a digest of the whole environment. Such a
// run is traced (localserver/trace): what macros looked for are inputs like others,
// and an output that holds the modification time of one makes that count. Where it
// could not be traced the package's files count, and their names. A linker that makes an output is in the key by content. On
// a hit the files are in their places before the chunks that announce them are
// replayed.
//
// With a remote (farcrate) runs here have the identity map that runs of workers
// have, results are found by the candidates that others share, and no compiler is
// asked before one is missed. Only then, and only where a worker has the compiler or
// gets it (see localserver/layout), are inputs foreseen: by a run for the dep-info
// alone, and for a link by what links here have read before. What the worker's run
// reports must be that. Crates that load procedural macros run here unless a setting
// says otherwise. A worker's answer comes at once: dependents start when it is all
// there, not at the metadata.
//
// With paths = relocatable (relocate) the checkout, cargo's home and the target
// directory have canonical names in results and stand in keys by number, variables
// with such paths included. A result is kept for its place alone where an output
// holds one of them, where a source asks for one other than to include a file, and
// where macros ran and no code shows what they took. Texts are translated: to the
// names of this call on the way to the caller, to canonical ones on that to others.
//
// Not here: sockets (localserver), option tables (toolchains), where blobs are
// (localserver/diskstore).
package pipeline
