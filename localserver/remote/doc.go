// Package remote is the local server's side of REv2 remotes: which connections
// a call's settings ask for, results and blobs that are looked up, candidates
// of manifests that machines share, and the upload of local results behind the
// build's back. It composes client's connections, caches and stores; what a
// compile is, and whether a result is its answer, is the business of
// localserver/pipeline, which is its only user beside cmd/rexd.
//
// # Shared candidates
//
// A machine that has never seen a compile cannot know its inputs without a
// scan. So the candidates of a manifest are stored in the remote's ActionCache
// as the result of an Action of their own, whose only content is the manifest
// key: a Command that is never executed, with the output file "candidates".
// The blob is a hint. Whoever reads it checks each file by content, and looks
// the Action up that the candidate names.
//
// A remote that is dead, slow, full or lying costs hits, never a build: every
// error of this package means that the remote has no answer.
package remote
