package diskstore

import (
	"errors"
	"io"
	"iter"
	"os"
	"time"

	"github.com/rs/zerolog"

	"github.com/rexwrap/rexwrap/client/digest"
)

// Errors that callers test for. ErrNotFound is a miss. ErrFull and ErrReadOnly
// say why nothing can be stored at present; the store goes on to serve what it
// has and stores again when it can.
var (
	ErrNotFound = errors.New("not found")
	ErrFull     = errors.New("no space in cache directory")
	ErrReadOnly = errors.New("cache directory is read-only")
	ErrClosed   = errors.New("store is closed")
)

// InlineMax is the size in bytes up to which a blob is kept in badger and not in
// a file of its own.
const InlineMax = 1 << 10

// Options are the settings of a Store.
type Options struct {
	// Size is the limit on the disk space used, in bytes; 0 stands for 10 GiB.
	Size int64
	// Now is the clock; nil stands for time.Now.
	Now func() time.Time
	// Log is where trouble is reported.
	Log zerolog.Logger
}

// Stats is what a Store holds.
type Stats struct {
	// Bytes is the disk space used, Index the part of it that badger uses,
	// and Limit what they may use, all in bytes.
	Bytes, Index, Limit int64
	// Blobs, Results and Manifests are numbers of entries.
	Blobs, Results, Manifests int64
	// Evicted and EvictedBytes count since Open.
	Evicted, EvictedBytes int64
	// Corrupt counts the blobs dropped since Open because their bytes did
	// not have their digest.
	Corrupt int64
	// Cloned tells that blobs are shared with outputs by reflink.
	Cloned bool
}

// A Store is an open cache directory. It is safe for concurrent use.
type Store struct {
	dir string
}

// Open opens the store in dir, which is made where it does not exist. A damaged
// index is set aside and begun anew (see Rebuilt). The error is ErrReadOnly,
// ErrFull, or says why dir cannot be used.
func Open(dir string, o Options) (*Store, error) {
	return &Store{dir: dir}, os.MkdirAll(dir, 0o700)
}

// Rebuilt returns why the index was begun anew by Open, empty where it was not.
func (s *Store) Rebuilt() string { return "" }

// PutBlob stores data. The digest is returned even where storing fails.
func (s *Store) PutBlob(data []byte) (digest.Digest, error) { return digest.Of(data), ErrReadOnly }

// PutBlobFile stores what f holds from its beginning. f's offset is left
// undefined.
func (s *Store) PutBlobFile(f *os.File) (digest.Digest, error) {
	return digest.Digest{}, ErrReadOnly
}

// HasBlob reports whether the index knows d, and marks it as used.
func (s *Store) HasBlob(d digest.Digest) bool { return false }

// Blob returns the bytes of d, verified, or ErrNotFound.
func (s *Store) Blob(d digest.Digest) ([]byte, error) { return nil, ErrNotFound }

// OpenBlob returns a reader of d, or ErrNotFound. Its last Read returns
// ErrNotFound in place of io.EOF where the bytes read do not have the digest d.
func (s *Store) OpenBlob(d digest.Digest) (io.ReadCloser, error) { return nil, ErrNotFound }

// CopyTo writes d to dst, an empty file open for writing, by reflink where the
// file system can and by copying where it cannot. On error, ErrNotFound for a
// blob that is absent or damaged, dst may hold a part.
func (s *Store) CopyTo(d digest.Digest, dst *os.File) error { return ErrNotFound }

// PutResult stores the encoded ActionResult of action.
func (s *Store) PutResult(action digest.Digest, data []byte) error { return ErrReadOnly }

// Result returns the encoded ActionResult of action, or ErrNotFound.
func (s *Store) Result(action digest.Digest) ([]byte, error) { return nil, ErrNotFound }

// DeleteResult drops the result of action, as a caller does that finds one of
// its blobs missing.
func (s *Store) DeleteResult(action digest.Digest) {}

// PutManifest stores the encoded manifest of key.
func (s *Store) PutManifest(key digest.Digest, data []byte) error { return ErrReadOnly }

// Manifest returns the encoded manifest of key, or ErrNotFound.
func (s *Store) Manifest(key digest.Digest) ([]byte, error) { return nil, ErrNotFound }

// DeleteManifest drops the manifest of key.
func (s *Store) DeleteManifest(key digest.Digest) {}

// PutMeta stores value under key in bucket. Metadata is not evicted; its owner
// bounds it. A bucket's name has no zero byte.
func (s *Store) PutMeta(bucket, key string, value []byte) error { return ErrReadOnly }

// Meta returns the value under key in bucket, or ErrNotFound.
func (s *Store) Meta(bucket, key string) ([]byte, error) { return nil, ErrNotFound }

// DeleteMeta drops the value under key in bucket.
func (s *Store) DeleteMeta(bucket, key string) {}

// EachMeta yields the keys of bucket that begin with prefix, in order of their
// bytes, and their values. The values may be kept.
func (s *Store) EachMeta(bucket, prefix string) iter.Seq2[string, []byte] {
	return func(func(string, []byte) bool) {}
}

// EachMetaDown is EachMeta from the last key to the first.
func (s *Store) EachMetaDown(bucket, prefix string) iter.Seq2[string, []byte] {
	return func(func(string, []byte) bool) {}
}

// Flush returns when everything put before is in the index on disk.
func (s *Store) Flush() error { return nil }

// SetSize changes the limit and evicts down to it.
func (s *Store) SetSize(bytes int64) {}

// Stats returns what the store holds now.
func (s *Store) Stats() Stats { return Stats{} }

// Evict drops the entries that were last used before, then the least recently
// used ones until the store uses at most bytes, and returns the number of
// entries dropped and the bytes freed. A zero before or a negative bytes sets
// no bound.
func (s *Store) Evict(before time.Time, bytes int64) (entries, freed int64, err error) {
	return 0, 0, nil
}

// Verify reads every blob and drops those whose bytes do not have their digest.
// progress, where not nil, is told how many of how many blobs are done.
func (s *Store) Verify(progress func(done, total int64)) (corrupt int64, err error) { return 0, nil }

// Clear drops everything but the metadata.
func (s *Store) Clear() error { return nil }

// Close flushes and closes the store. Every method may still be called and then
// finds nothing and stores nothing.
func (s *Store) Close() error { return nil }
