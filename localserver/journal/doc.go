// Package journal keeps one Record per call of a compiler, the totals over
// them, and the explanation of why a compile was not a hit.
//
// Records live in a ring bounded by count and bytes that survives restarts;
// they are written in batches, off the path of the compile. What a key was made
// of is recorded as KeyParts: arguments in full, variables by name with a short
// sum of the value, files and programs as digests of lists that are blobs of
// their own, so that the many records that share a list keep it once. Values of
// environment variables are never recorded.
//
// Not here: the keys themselves (localserver/pipeline), the storage
// (localserver/diskstore implements Backend and Blobs), and how any of it looks
// on a terminal (cmd/rexd). Used by localserver/pipeline, which adds records,
// and by localserver/admin, which serves them.
package journal
