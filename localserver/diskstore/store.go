package diskstore

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/rs/zerolog"

	"github.com/rexwrap/rexwrap/client/digest"
)

// Errors that callers test for. ErrNotFound is a miss. ErrFull and ErrReadOnly
// say why nothing can be stored at present; the store goes on to serve what it
// has and stores again when it can. ErrLocked is Open's when another process has
// the store open.
var (
	ErrNotFound = errors.New("not found")
	ErrFull     = errors.New("no space in cache directory")
	ErrReadOnly = errors.New("cache directory is read-only")
	ErrLocked   = errors.New("cache directory is in use")
	ErrClosed   = errors.New("store is closed")
)

// InlineMax is the size in bytes up to which a blob is kept in badger and not in
// a file of its own.
const InlineMax = 1 << 10

const defaultSize = 10 << 30

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
	// Trouble says why nothing is stored at present, empty where it is.
	Trouble string
}

// A Store is an open cache directory. It is safe for concurrent use.
//
// Lock order: maintenance, mu, touchMu; indexMu is held for no call.
type Store struct {
	opts   Options
	layout layout
	lock   *os.File
	zip    *zstd.Encoder
	unzip  *zstd.Decoder
	cloned bool

	limit atomic.Int64
	index atomic.Int64 // disk space of the index in bytes, as last seen

	// indexMu guards open, the index in use; nil where there is none.
	indexMu sync.Mutex
	open    *index

	// maintenance is held by whoever commits, evicts, sweeps or rewrites.
	maintenance sync.Mutex
	slimmed     int64 // the index's size when it was last looked at
	unclean     int   // seal.Unclean

	mu sync.RWMutex
	// pending is what the next commit writes, writing what the running one
	// does; nil values delete.
	pending, writing map[string][]byte
	pendingBytes     int
	commits          uint64 // that have ended
	counters         counters
	// reserved is disk space promised to blobs being written.
	reserved int64
	// storing holds the hashes of the blobs being written; the channel is closed at
	// the end.
	storing map[string]chan struct{}
	// leaving holds the directories of indexes that are being closed for good.
	leaving map[string]bool
	closed  bool

	touchMu sync.Mutex
	touched map[string]access

	trouble      atomic.Pointer[trouble]
	rebuilt      string
	evicted      atomic.Int64
	evictedBytes atomic.Int64
	corrupt      atomic.Int64

	compacting    atomic.Bool
	compactFailed atomic.Int64 // when that was last, in nanoseconds since 1970

	wake chan struct{} // there is something to commit
	stop chan struct{}
	done sync.WaitGroup
}

// trouble is why nothing can be stored, and when that was found.
type trouble struct {
	err  error
	when time.Time
}

// retry is how long a trouble is believed.
const retry = time.Second

// Open opens the store in dir, which is made where it does not exist. A damaged
// index is set aside and begun anew (see Rebuilt). A directory that cannot be
// written, or has no room, is opened all the same: what can be read of it is
// served. The error is ErrLocked or says why dir cannot be used at all.
func Open(dir string, o Options) (*Store, error) {
	if o.Size <= 0 {
		o.Size = defaultSize
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Store{
		opts: o, layout: newLayout(dir),
		pending: map[string][]byte{}, storing: map[string]chan struct{}{}, touched: map[string]access{}, leaving: map[string]bool{},
		wake: make(chan struct{}, 1), stop: make(chan struct{}),
	}
	s.limit.Store(o.Size)
	if err := s.codecs(); err != nil {
		return nil, err
	}
	if err := s.begin(); err != nil {
		return nil, err
	}
	s.done.Go(s.maintain)
	return s, nil
}

func (s *Store) codecs() (err error) {
	s.zip, err = zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderCRC(false),
		zstd.WithEncoderConcurrency(2), zstd.WithWindowSize(1<<20), zstd.WithLowerEncoderMem(true))
	if err != nil {
		return err
	}
	s.unzip, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(2), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxMemory(1<<32))
	return err
}

// begin takes the lock and opens the index.
func (s *Store) begin() error {
	err := s.layout.make()
	if err == nil {
		s.lock, err = s.layout.lock()
	}
	switch {
	case errors.Is(err, ErrReadOnly), errors.Is(err, ErrFull):
		s.report(err)
		s.openReadOnly()
		return nil
	case err != nil:
		return err
	}
	s.cloned = s.layout.clones()
	if err := s.openCurrent(); err != nil {
		s.report(err)
	}
	return nil
}

// clones reports whether files in the store can share disk space.
func (l layout) clones() bool {
	src, err := os.CreateTemp(l.root, "clone-*.tmp")
	if err != nil {
		return false
	}
	defer os.Remove(src.Name())
	defer src.Close()
	dst, err := os.CreateTemp(l.root, "clone-*.tmp")
	if err != nil {
		return false
	}
	defer os.Remove(dst.Name())
	defer dst.Close()
	if _, err := src.Write(make([]byte, 4096)); err != nil {
		return false
	}
	return clone(dst, src) == nil
}

// openReadOnly opens the index of a store that cannot be written, if it was closed
// in order.
func (s *Store) openReadOnly() {
	dir, n := s.layout.current()
	if n == 0 {
		return
	}
	x, err := openIndex(dir, true, nil, s.opts.Log)
	if err != nil {
		s.opts.Log.Warn().Err(err).Msg("cache directory is read-only and has no readable index")
		return
	}
	s.adopt(x)
}

// openCurrent opens the index in use, or a new one where it is damaged or gone.
func (s *Store) openCurrent() error {
	dir, n := s.layout.current()
	if err := s.roomFor(&index{dir: dir}); err != nil {
		return err
	}
	var reason error
	if n != 0 {
		x, err := s.openSealed(dir)
		if err == nil {
			err = s.adopt(x)
		}
		if err == nil {
			s.removeOthers(n)
			return nil
		}
		if e := typed(err); errors.Is(e, ErrFull) || errors.Is(e, ErrReadOnly) {
			return e
		}
		reason = err
	} else if len(s.layout.indexes()) > 0 {
		reason = errors.New("no file CURRENT")
	}
	if reason != nil {
		s.rebuilt = reason.Error()
		s.opts.Log.Warn().Err(reason).Msg("cache index begun anew")
	}
	return s.beginIndex()
}

// openSealed opens the index in dir without reading the tables that are sealed,
// unless it has ended uncleanly again and again.
func (s *Store) openSealed(dir string) (*index, error) {
	seal := s.layout.seal()
	s.unclean = seal.Unclean + 1
	if seal.Unclean >= maxUnclean {
		seal.Tables = nil
		s.unclean = 0
	}
	x, err := openIndex(dir, false, seal.Tables, s.opts.Log)
	if err != nil {
		return nil, err
	}
	s.sealTables(x)
	return x, nil
}

// sealTables seals what tables x has now.
func (s *Store) sealTables(x *index) {
	if err := s.layout.setSeal(x.dir, s.unclean); err != nil {
		s.opts.Log.Debug().Err(err).Msg("seal cache index")
	}
}

// beginIndex makes an empty index and puts it into use.
func (s *Store) beginIndex() error {
	n := 1
	for _, old := range s.layout.indexes() {
		n = max(n, old+1)
	}
	x, err := openIndex(s.layout.index(n), false, nil, s.opts.Log)
	if err != nil {
		return typed(err)
	}
	if err := s.layout.setCurrent(n); err != nil {
		s.abandon(x)
		return err
	}
	s.removeOthers(n)
	return s.adopt(x)
}

// removeOthers removes every index but n and those being closed.
func (s *Store) removeOthers(n int) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, other := range s.layout.indexes() {
		if dir := s.layout.index(other); other != n && !s.leaving[dir] {
			_ = os.RemoveAll(dir) // tried again by the next Open
		}
	}
}

// adopt puts x into use, with the counters it holds.
func (s *Store) adopt(x *index) error {
	var c counters
	switch b, err := x.get(string(kindCounters)); {
	case errors.Is(err, ErrNotFound):
	case err != nil:
		s.abandon(x)
		return err
	default:
		if err := c.decode(b); err != nil {
			s.abandon(x)
			return fmt.Errorf("%w: counters", errDamaged)
		}
	}
	s.mu.Lock()
	s.counters = c
	s.mu.Unlock()
	s.index.Store(x.used())
	s.indexMu.Lock()
	s.open = x
	s.indexMu.Unlock()
	return nil
}

// abandon closes an index that is of no use any more. badger waits for ever to
// write what it holds where its directory is gone, so it gets one.
func (s *Store) abandon(x *index) {
	_ = os.MkdirAll(x.dir, 0o700)
	if err := x.close(); err != nil {
		s.opts.Log.Warn().Err(err).Msg("close index")
	}
}

// use returns the index in use for one operation, nil where there is none. The
// caller calls users.Done when it is over.
func (s *Store) use() *index {
	s.indexMu.Lock()
	defer s.indexMu.Unlock()
	if s.open != nil {
		s.open.users.Add(1)
	}
	return s.open
}

// take takes the index out of use and returns it.
func (s *Store) take() *index {
	s.indexMu.Lock()
	defer s.indexMu.Unlock()
	x := s.open
	s.open = nil
	return x
}

// Rebuilt returns why the index was begun anew by Open, empty where it was not.
func (s *Store) Rebuilt() string { return s.rebuilt }

// report remembers why nothing can be stored.
func (s *Store) report(err error) {
	if old := s.trouble.Swap(&trouble{typed(err), time.Now()}); old == nil {
		s.opts.Log.Warn().Err(err).Msg("nothing is stored in the cache for now")
	}
}

// writable returns why nothing can be stored, nil where it can. A trouble that is
// old is looked into again.
func (s *Store) writable() error {
	t := s.trouble.Load()
	if t == nil {
		return nil
	}
	if time.Since(t.when) < retry || !s.maintenance.TryLock() {
		return t.err
	}
	defer s.maintenance.Unlock()
	if err := s.repair(); err != nil {
		s.trouble.Store(&trouble{err, time.Now()})
		return err
	}
	s.trouble.Store(nil)
	s.opts.Log.Info().Msg("the cache can be written again")
	return nil
}

// repair tries to bring the store back into order. maintenance is held.
func (s *Store) repair() error {
	s.mu.RLock()
	closed := s.closed
	s.mu.RUnlock()
	if closed {
		return ErrClosed
	}
	if err := s.layout.make(); err != nil {
		return err
	}
	if s.lock == nil {
		if x := s.take(); x != nil { // it was opened read-only
			s.abandon(x)
		}
		f, err := s.layout.lock()
		if err != nil {
			return err
		}
		s.lock = f
	}
	if x := s.use(); x != nil {
		defer x.users.Done()
		return s.roomFor(x)
	}
	return s.openCurrent()
}

// roomFor returns ErrFull where less is free than badger may need.
func (s *Store) roomFor(x *index) error {
	n, err := free(s.layout.root)
	if err != nil {
		return typed(err)
	}
	if n < x.room() {
		return fmt.Errorf("%w: %d MiB are free", ErrFull, n>>20)
	}
	return nil
}

// SetSize changes the limit and evicts down to it in the background.
func (s *Store) SetSize(bytes int64) {
	if bytes <= 0 {
		bytes = defaultSize
	}
	s.limit.Store(bytes)
	s.signal()
}

// Stats returns what the store holds now.
func (s *Store) Stats() Stats {
	s.mu.RLock()
	c, used := s.counters, s.usedLocked()
	s.mu.RUnlock()
	st := Stats{
		Bytes: used, Index: s.index.Load(), Limit: s.limit.Load(),
		Blobs: c.blobs, Results: c.results, Manifests: c.manifests,
		Evicted: s.evicted.Load(), EvictedBytes: s.evictedBytes.Load(),
		Corrupt: s.corrupt.Load(), Cloned: s.cloned,
	}
	if t := s.trouble.Load(); t != nil {
		st.Trouble = t.err.Error()
	}
	return st
}

// PutResult stores the encoded ActionResult of action.
func (s *Store) PutResult(action digest.Digest, data []byte) error {
	return s.put(hashKey(kindResult, action), data)
}

// Result returns the encoded ActionResult of action, or ErrNotFound.
func (s *Store) Result(action digest.Digest) ([]byte, error) {
	return s.value(hashKey(kindResult, action))
}

// DeleteResult drops the result of action, as a caller does that finds one of
// its blobs missing.
func (s *Store) DeleteResult(action digest.Digest) { s.drop(hashKey(kindResult, action)) }

// PutManifest stores the encoded manifest of key.
func (s *Store) PutManifest(key digest.Digest, data []byte) error {
	return s.put(hashKey(kindManifest, key), data)
}

// Manifest returns the encoded manifest of key, or ErrNotFound.
func (s *Store) Manifest(key digest.Digest) ([]byte, error) {
	return s.value(hashKey(kindManifest, key))
}

// DeleteManifest drops the manifest of key.
func (s *Store) DeleteManifest(key digest.Digest) { s.drop(hashKey(kindManifest, key)) }

// Close flushes and closes the store. Every method may still be called and then
// finds nothing and stores nothing.
func (s *Store) Close() error {
	s.mu.Lock()
	closed := s.closed
	s.closed = true
	s.mu.Unlock()
	if closed {
		return nil
	}
	close(s.stop)
	s.done.Wait()
	s.maintenance.Lock()
	defer s.maintenance.Unlock()
	err := s.commit(true)
	s.trouble.Store(&trouble{ErrClosed, time.Now()})
	if x := s.take(); x != nil {
		if e := s.closeIndex(x); err == nil {
			err = e
		}
	}
	s.unzip.Close()
	if s.lock != nil {
		s.lock.Close()
	}
	return err
}

// closeIndex closes x in order, unless that could not be written: then x is left
// as kill -9 would leave it.
func (s *Store) closeIndex(x *index) error {
	if !x.alive() {
		s.abandon(x)
		return os.RemoveAll(x.dir)
	}
	if err := s.roomFor(x); err != nil {
		return err
	}
	err := x.close()
	if err == nil && s.lock != nil {
		s.unclean = 0
		s.sealTables(x)
	}
	return err
}

// dirOf makes the directory of a blob's file.
func dirOf(path string) error { return os.MkdirAll(filepath.Dir(path), 0o700) }
