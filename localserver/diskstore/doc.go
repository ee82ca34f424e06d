// Package diskstore keeps what the local cache holds in one directory: badger for
// the index, results, manifests and small metadata, and a file for every blob
// above InlineMax bytes. It knows digests and bytes; what a result or a manifest
// says is the business of localserver/pipeline and localserver/journal, which use
// it. A store that is damaged, full or read-only costs hits, never a build.
//
// # Layout
//
//	DIR/CACHEDIR.TAG          for backup programs (bford.info/cachedir)
//	DIR/v1/                   this format; another version has a folder of its own
//	DIR/v1/lock               held while the store is open
//	DIR/v1/CURRENT            "index-N" and a newline: which index is in use
//	DIR/v1/checked            which tables of the index are sound (seal)
//	DIR/v1/index-N/           badger; others than CURRENT's are left over
//	DIR/v1/blobs/HH/HASH      a blob, HH being the first two digits of HASH
//	DIR/v1/blobs/HH/HASH.zst  a blob, one zstd frame without checksum
//	DIR/v1/blobs/HH/*.tmp     a blob being written, or left over
//
// A newer rexwrap whose format differs makes v2 beside v1 and may take over what it
// can read; an older one finds its v1 as it left it, and knows nothing of v2. What
// the index's keys and values look like is in record.go.
//
// Blobs are compressed where that pays: small ones always, those of plainMin bytes
// and more from when the store is half full on. Where the file system can share disk
// space none is.
//
// # What is safe against what
//
// A blob file is complete before its entry is made, and an entry is believed only
// when the file is there and has its checksum. So after kill -9 at any point the
// store is usable: the last tenth of a second may be missing, files without an
// entry are removed by a sweep in the background, an entry without a file is a
// miss. Nothing is synced: after a power failure blobs may be damaged, which the
// checksum finds. Reads compare 64 bits of checksum (against decay, not against
// malice: who can write here can write the index too); Verify compares SHA-256.
//
// badger writes through memory maps, where a full disk is a fatal signal and not an
// error. So nothing is put into the index, nor is it closed in order, when less is
// free than badger may need next (see index.room). Should others take that much
// between the look and the write, which took them 100 rounds of filling the disk
// and giving it back, the process ends as by kill -9.
package diskstore
