// Package diskstore keeps what the local cache holds in one directory: badger for
// the index, results, manifests and small metadata, and a file for every blob
// above InlineMax bytes. It knows digests and bytes; what a result or a manifest
// says is the business of localserver/pipeline and localserver/journal, which use
// it. A store that is damaged, full or read-only costs hits, never a build.
package diskstore
