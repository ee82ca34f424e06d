// Package localserver is rexd: a persistent server that answers the compiler
// calls of one user in one view of the files. It accepts connections, keeps the
// conversation with each wrapper alive, answers management requests, and ends
// when it is told to or has been idle. What is done about a call is the business
// of localserver/pipeline; cmd/rexd puts the parts together.
//
// # Words
//
// The protocol's words are the protocol's: Action, Command, Digest, Directory,
// InputRoot, ActionResult, CAS, ActionCache, Execution. Ours:
//
//   - wrapper: the thin client that a build calls in place of its compiler
//   - local server: this one, rexd
//   - family: one command-line language: gcc, clang, msvc, rustc
//   - toolchain: a compiler with all it starts, identified by content
//   - compile: one parsed call
//   - inputs: what a compile reads, and what it looks for and does not find
//   - manifest: remembered inputs of a compile, so that a hit needs no scan
//   - hit, miss: whether a result was there
//   - step aside: run the real compiler unchanged, with a reason
//   - exec root: the folder that the InputRoot mirrors
//
// # The life of a compile
//
// The wrapper sends its Call: arguments, environment, directory, what its
// standard streams are. The pipeline then
//
//  1. resolves the program to a toolchain, by the content of the driver and of
//     every program it starts under this call's PATH;
//  2. parses the arguments by the family's option table: an argument that no
//     row knows makes the call step aside;
//  3. makes the manifest key of what is known before any header is read, and
//     checks the manifest's candidates against the files, by stat alone where
//     nothing changed; a match names an Action, and its result is a hit;
//  4. else waits for an equal compile that is under way;
//  5. else, with a remote, scans for the inputs, and asks the remote's
//     ActionCache for the Action that they make, beside that for candidates that
//     other machines have shared; blobs are fetched, verified and kept;
//  6. else has it executed where the strategy says: by a worker, whose result is
//     checked and fetched;
//  7. or has the wrapper run the compiler as its own child, so that jobserver,
//     limits, terminal and signals stay the build's, and learns from the run
//     which files it read where no scan has told;
//  8. reads the outputs while the wrapper waits, lets it go, and stores them
//     under the Action digest, with a candidate in the manifest; what was made
//     here is uploaded in the background.
//
// A hit is written to temp files beside the targets; only the live wrapper
// renames them. Every step that fails makes the call step aside or its result
// stay unstored, never fail.
//
// # Processes
//
// Each connection has a goroutine. One more sends heartbeats to the wrappers
// that wait. Locks: Server.mu and conversation.mu are never held together.
package localserver
