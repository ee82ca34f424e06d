package journal

import (
	"iter"

	"github.com/rexwrap/rexwrap/client/digest"
)

// A Backend keeps small values under keys in named buckets, across restarts.
// It is implemented by localserver/diskstore. Implementations are safe for
// concurrent use.
type Backend interface {
	PutMeta(bucket, key string, value []byte) error
	// Meta returns an error for a key that is not there.
	Meta(bucket, key string) ([]byte, error)
	DeleteMeta(bucket, key string)
	// EachMeta yields keys that begin with prefix in order, EachMetaDown
	// in reverse. The values may be kept.
	EachMeta(bucket, prefix string) iter.Seq2[string, []byte]
	EachMetaDown(bucket, prefix string) iter.Seq2[string, []byte]
}

// Blobs are where InputLists and ProgramLists are found. They may be evicted.
type Blobs interface {
	Blob(d digest.Digest) ([]byte, error)
}

// The buckets.
const (
	bucketRecords = "journal"        // ID, 8 bytes big endian → record
	bucketOutputs = "journal.output" // outputKey → latest
	bucketState   = "journal.state"  // "ring" → ring, "counters" → JSON
)
