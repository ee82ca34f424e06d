package diskstore

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"time"

	"github.com/rexwrap/rexwrap/client/digest"
)

const (
	// sweepAfter and sweepEvery are when the background looks for files without
	// an entry.
	sweepAfter, sweepEvery = time.Minute, 24 * time.Hour
	// sweepPause keeps a sweep from hindering others.
	sweepPause = 20 * time.Millisecond
	// bloat is the size in bytes from which on an index may be half dead.
	bloat = 32 << 20
)

// maintain writes what is put, keeps the limit and sweeps, until the store is
// closed.
func (s *Store) maintain() {
	touch := time.NewTicker(touchDelay)
	defer touch.Stop()
	sweep := time.NewTimer(sweepAfter)
	defer sweep.Stop()
	s.examine()
	for {
		touches := false
		select {
		case <-s.stop:
			return
		case <-sweep.C:
			s.sweep(sweepPause)
			sweep.Reset(sweepEvery)
			continue
		case <-touch.C:
			touches = true
		case <-s.wake:
			if s.stopped(commitDelay) {
				return
			}
		}
		s.tend(touches)
	}
}

// examine reads all tables of an index that was not closed in order, which Open
// did not. What is found damaged is left to the next Open: until then a reader may
// be lucky.
func (s *Store) examine() {
	s.maintenance.Lock()
	n := s.unclean
	s.maintenance.Unlock()
	x := s.use()
	if x == nil {
		return
	}
	if n <= 1 {
		x.users.Done()
		return
	}
	before := tables(x.dir)
	err := checkTables(x.dir, tuned(x.dir, true, s.opts.Log), nil)
	x.users.Done() // whoever holds maintenance may be waiting for it
	s.maintenance.Lock()
	defer s.maintenance.Unlock()
	current := s.use()
	if current == nil {
		return
	}
	defer current.users.Done()
	if current != x {
		return // there is another index by now
	}
	switch {
	case err == nil:
		s.unclean = 0
		s.sealTables(x)
	case maps.Equal(before, tables(x.dir)):
		s.opts.Log.Warn().Err(err).Msg("cache index will be begun anew")
		_ = os.Remove(s.layout.sealPath()) // the next Open reads all then
	}
}

// stopped waits for d and reports whether the store was closed meanwhile.
func (s *Store) stopped(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-s.stop:
		return true
	case <-t.C:
		return false
	}
}

// tend commits and keeps the limit.
func (s *Store) tend(touches bool) {
	s.touchMu.Lock()
	touches = touches || len(s.touched) >= maxTouched
	s.touchMu.Unlock()
	s.maintenance.Lock()
	defer s.maintenance.Unlock()
	_ = s.commit(touches) // reported by commit, tried again by the next one
	if limit := s.limit.Load(); s.used() > limit*highWater/100 {
		s.evict(time.Time{}, limit*lowWater/100)
		_ = s.commit(touches)
	}
	if x := s.use(); x != nil {
		if used := x.used(); used != s.index.Swap(used) { // there are other tables
			s.sealTables(x)
		}
		x.users.Done()
	}
	if size := s.index.Load(); size > bloat && size > 2*s.slimmed {
		s.slim()
	}
	s.compact()
}

// compactAgain is how long a compaction that failed is not tried again.
const compactAgain = time.Minute

// compact has the tables of the index merged beside all else. One that is being
// closed waits for that.
func (s *Store) compact() {
	if time.Since(time.Unix(0, s.compactFailed.Load())) < compactAgain || !s.compacting.CompareAndSwap(false, true) {
		return
	}
	x := s.use()
	if x == nil {
		s.compacting.Store(false)
		return
	}
	s.done.Go(func() {
		defer s.compacting.Store(false)
		defer x.users.Done()
		err := s.roomFor(x)
		if err == nil {
			err = x.compact()
		}
		if err != nil {
			s.compactFailed.Store(time.Now().UnixNano())
			s.opts.Log.Debug().Err(err).Msg("compact index")
		}
	})
}

// sweep removes files without entry and entries without file, counts anew, and
// rewrites an index that is more than half dead. It rests between directories.
func (s *Store) sweep(pause time.Duration) {
	for i := range 256 {
		s.maintenance.Lock()
		s.sweepDir(byte(i))
		s.maintenance.Unlock()
		if s.stopped(pause) {
			return
		}
	}
	s.maintenance.Lock()
	defer s.maintenance.Unlock()
	_ = s.commit(true) // reported by commit
	s.slim()
}

// sweepDir sweeps the blobs whose hash begins with first. maintenance is held.
func (s *Store) sweepDir(first byte) {
	dir := filepath.Join(s.layout.root, "blobs", fmt.Sprintf("%02x", first))
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return
	}
	there := map[string]bool{}
	for _, e := range entries {
		if s.known(e.Name()) {
			there[e.Name()] = true
		} else {
			_ = os.Remove(filepath.Join(dir, e.Name())) // else the next sweep does
		}
	}
	for _, k := range []kind{kindBlob, kindPinned} {
		s.merged(string([]byte{byte(k), first}), false, func(key string, value []byte) bool {
			r, err := decode(key, value)
			if err == nil && r.onFile() && !there[filepath.Base(s.layout.blob(hashOf(key), r.form))] {
				s.present(key) // drops what is not
			}
			return true
		})
	}
}

// known reports whether a file below blobs has an entry or is being written.
func (s *Store) known(name string) bool {
	hash, f, temp, ok := parseName(name)
	if !ok {
		return false
	}
	for _, pinned := range []bool{false, true} {
		key := blobKey(hash, pinned)
		s.mu.RLock()
		_, busy := s.storing[key[1:]]
		s.mu.RUnlock()
		if busy {
			return true
		}
		if r, err := s.record(key); err == nil && r.form == f && !temp {
			return true
		}
	}
	return false
}

// slim counts what the index holds and rewrites it if more than half is dead.
// maintenance is held.
func (s *Store) slim() {
	s.mu.RLock()
	before := s.counters
	s.mu.RUnlock()
	now, live := s.count()
	s.mu.Lock()
	was, is, counted := before.list(), s.counters.list(), now.list()
	for i := range is {
		*is[i] += *counted[i] - *was[i]
	}
	s.mu.Unlock()
	size := s.index.Load()
	s.slimmed = size
	if size > bloat && size > 2*live {
		if err := s.rewrite(); err != nil {
			s.opts.Log.Warn().Err(err).Msg("rewrite cache index")
		}
	}
}

// count returns what the index holds, and about how many bytes of it are alive.
// It reads the uses, which are small, in place of the entries.
func (s *Store) count() (now counters, live int64) {
	s.merged(string(kindAccess), false, func(key string, value []byte) bool {
		a, err := decodeAccess(value)
		if err != nil || len(key) < 2 {
			return true
		}
		r := record{form: formRaw}
		live += entryOverhead
		if kind(key[1]) == kindBlob && a.cost >= minFile {
			r = record{form: formFile, cost: a.cost}
		} else {
			live += a.cost
		}
		now.add(key[1:], &r, 1)
		return true
	})
	for _, k := range []kind{kindPinned, kindMeta} {
		s.merged(string(k), false, func(key string, value []byte) bool {
			if r, err := decode(key, value); err == nil {
				now.add(key, &r, 1)
			}
			live += int64(len(key)+len(value)) + entryOverhead
			return true
		})
	}
	return now, live
}

// rewrite copies the index into a new one and puts that into use. maintenance is
// held.
func (s *Store) rewrite() error {
	if err := s.commit(true); err != nil {
		return err
	}
	old := s.use()
	if old == nil {
		return nil
	}
	err := s.roomFor(old)
	if err == nil {
		err = s.copyIndex(old)
	}
	old.users.Done()
	if err != nil {
		return err
	}
	if err := old.close(); err != nil {
		s.opts.Log.Warn().Err(err).Msg("close index")
	}
	return os.RemoveAll(old.dir)
}

// copyIndex puts a copy of old into use.
func (s *Store) copyIndex(old *index) error {
	_, n := s.layout.current()
	n = max(n, 1) + 1
	if err := os.RemoveAll(s.layout.index(n)); err != nil {
		return err
	}
	x, err := openIndex(s.layout.index(n), false, nil, s.opts.Log)
	if err != nil {
		return err
	}
	batch := map[string][]byte{}
	size := 0
	var failed error
	err = old.scan("", false, func(k, v []byte) bool {
		batch[string(k)] = append([]byte{}, v...)
		if size += len(k) + len(v); size > 1<<20 {
			failed = x.write(batch)
			clear(batch)
			size = 0
		}
		return failed == nil
	})
	if err = errors.Join(err, failed); err == nil {
		err = x.write(batch)
	}
	if err == nil {
		err = s.layout.setCurrent(n)
	}
	if err != nil {
		s.abandon(x)
		return errors.Join(err, os.RemoveAll(x.dir))
	}
	s.indexMu.Lock()
	s.open = x
	s.indexMu.Unlock()
	s.index.Store(x.used())
	return nil
}

// Verify reads every blob and drops those whose bytes do not have their digest.
// progress, where not nil, is told how many of how many blobs are done.
func (s *Store) Verify(progress func(done, total int64)) (corrupt int64, err error) {
	before, done := s.corrupt.Load(), int64(0)
	total := s.Stats().Blobs
	buf := make([]byte, 256<<10)
	s.merged(string(kindBlob), false, func(key string, value []byte) bool {
		r, e := decode(key, value)
		if e != nil {
			return true
		}
		s.verify(digest.Digest{Hash: hashOf(key), Size: r.size}, &r, buf)
		if done++; progress != nil {
			progress(done, max(done, total))
		}
		return true
	})
	return s.corrupt.Load() - before, s.Flush()
}

// verify compares the SHA-256 of one blob.
func (s *Store) verify(want digest.Digest, r *record, buf []byte) {
	from, err := s.OpenBlob(want)
	if err != nil {
		return // dropped by the look at it
	}
	defer from.Close()
	got, err := digest.Read(struct{ io.Reader }{from}, buf)
	if err == nil && got != want {
		s.corrupted(blobKey(want.Hash, false), r)
	}
}

// Clear drops everything but the metadata.
func (s *Store) Clear() error {
	s.maintenance.Lock()
	defer s.maintenance.Unlock()
	for _, k := range []kind{kindResult, kindManifest, kindBlob, kindAccess} {
		s.merged(string(k), false, func(key string, _ []byte) bool {
			if k == kindAccess {
				s.mu.Lock()
				s.queue(key, nil)
				s.mu.Unlock()
			} else {
				s.drop(key)
			}
			return true
		})
	}
	if err := s.commit(true); err != nil {
		return err
	}
	return s.rewrite()
}
