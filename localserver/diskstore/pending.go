package diskstore

import (
	"bytes"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"time"
)

const (
	// commitDelay is how long an entry waits for others to be written with.
	commitDelay = 100 * time.Millisecond
	// touchDelay is how long a use waits to be written, and maxTouched how
	// many do.
	touchDelay = 30 * time.Second
	maxTouched = 1 << 12
	// maxPending bounds the bytes of entries that wait while the disk is full.
	maxPending = 16 << 20
	// spillMax is the largest value kept in the index; larger ones are blobs.
	spillMax = 128 << 10
	// packMin is the smallest value worth compressing: below it, where the
	// journal's records are, that takes 30 us to save some hundred bytes.
	packMin = 1 << 10
)

// put stores data under key.
func (s *Store) put(key string, data []byte) error {
	if err := s.writable(); err != nil {
		return err
	}
	r := s.pack(data)
	if len(r.data) > spillMax {
		pinned := kind(key[0]) == kindMeta
		d, err := s.putBlob(data, pinned)
		if err != nil {
			return err
		}
		r = record{form: formBlob, size: d.Size, hash: d.Hash}
	}
	if kind(key[0]) == kindMeta {
		s.unspill(key, &r)
	}
	return s.enter(key, &r)
}

// pack returns a record that holds data, compressed where that pays.
func (s *Store) pack(data []byte) record {
	if len(data) >= packMin {
		if z := s.zip.EncodeAll(data, make([]byte, 0, len(data)/2)); len(z) < len(data)*9/10 {
			return record{form: formZstd, size: int64(len(data)), data: z}
		}
	}
	return record{form: formRaw, size: int64(len(data)), data: data}
}

// enter makes r the entry of key.
func (s *Store) enter(key string, r *record) error {
	value := r.encode(key)
	old, err := s.lockEntry(key)
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	if s.pendingBytes > maxPending {
		return ErrFull
	}
	if err == nil {
		s.counters.add(key, &old, -1)
	}
	s.counters.add(key, r, 1)
	s.queue(key, value)
	if evictable(key) {
		s.queue(accessKey(key), access{s.opts.Now().UnixNano(), r.weight()}.encode())
	}
	return nil
}

// lockEntry locks mu and returns the record of key, which stays what it is until mu is
// unlocked. The index is read before, with no lock: what came to wait since then is
// newer than what was read there, and where a commit ended since, it is read again.
func (s *Store) lockEntry(key string) (record, error) {
	for {
		s.mu.RLock()
		commits := s.commits
		s.mu.RUnlock()
		r, err := s.record(key)
		s.mu.Lock()
		if value, waits := s.waiting(key); waits {
			return recordOf(key, value)
		}
		if s.commits == commits {
			return r, err
		}
		s.mu.Unlock()
	}
}

// waiting returns the value of key that is not in the index yet, nil where it is
// deleted. mu is held.
func (s *Store) waiting(key string) (value []byte, ok bool) {
	if value, ok = s.pending[key]; !ok {
		value, ok = s.writing[key]
	}
	return value, ok
}

// queue adds an entry to the next commit; nil deletes. mu is held.
func (s *Store) queue(key string, value []byte) {
	s.pending[key] = value
	s.pendingBytes += len(key) + len(value) + 64
	s.signal()
}

func (s *Store) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// touch remembers that the entry of key was used now.
func (s *Store) touch(key string, r *record) {
	if !evictable(key) {
		return
	}
	s.touchMu.Lock()
	defer s.touchMu.Unlock()
	s.touched[key] = access{s.opts.Now().UnixNano(), r.weight()}
	if len(s.touched) == maxTouched {
		s.signal()
	}
}

// drop deletes the entry of key, and a blob's file.
func (s *Store) drop(key string) {
	r, err := s.lockEntry(key)
	if err != nil || s.closed {
		s.mu.Unlock()
		return
	}
	s.counters.add(key, &r, -1)
	s.queue(key, nil)
	if evictable(key) {
		s.queue(accessKey(key), nil)
	}
	s.mu.Unlock()
	s.touchMu.Lock()
	delete(s.touched, key)
	s.touchMu.Unlock()
	if r.onFile() && !s.shared(key, r.form) {
		_ = os.Remove(s.layout.blob(hashOf(key), r.form)) // else the sweep does
	}
}

// shared reports whether the file of key is that of a blob of the other kind too.
func (s *Store) shared(key string, f form) bool {
	r, err := s.record(blobKey(hashOf(key), kind(key[0]) == kindBlob))
	return err == nil && r.form == f
}

// raw returns the stored value of key.
func (s *Store) raw(key string) ([]byte, error) {
	s.mu.RLock()
	value, ok := s.waiting(key)
	closed := s.closed
	s.mu.RUnlock()
	switch {
	case closed, ok && value == nil:
		return nil, ErrNotFound
	case ok:
		return value, nil
	}
	x := s.use()
	if x == nil {
		return nil, ErrNotFound
	}
	defer x.users.Done()
	value, err := x.get(key)
	if err != nil && !errors.Is(err, ErrNotFound) {
		s.opts.Log.Warn().Err(err).Msg("read cache index")
		return nil, ErrNotFound
	}
	return value, err
}

// record returns the record of key.
func (s *Store) record(key string) (record, error) {
	b, err := s.raw(key)
	if err != nil {
		return record{}, err
	}
	return recordOf(key, b)
}

// recordOf returns the record that a value of key holds.
func recordOf(key string, value []byte) (record, error) {
	if value == nil {
		return record{}, ErrNotFound
	}
	r, err := decode(key, value)
	if err != nil {
		return record{}, ErrNotFound
	}
	return r, nil
}

// value returns the bytes stored under key.
func (s *Store) value(key string) ([]byte, error) {
	r, err := s.record(key)
	if err != nil {
		return nil, ErrNotFound
	}
	data, err := s.unpack(key, &r)
	if err != nil {
		s.drop(key)
		return nil, ErrNotFound
	}
	s.touch(key, &r)
	return data, nil
}

// unpack returns the bytes of the record of key, which is not on file.
func (s *Store) unpack(key string, r *record) ([]byte, error) {
	switch r.form {
	case formRaw:
		return bytes.Clone(r.data), nil // pending values are shared
	case formZstd:
		return s.inflate(r.data, r.size)
	case formBlob:
		return s.blob(blobKey(r.hash, kind(key[0]) == kindMeta), r.size)
	}
	return nil, errRecord
}

// inflate returns the size bytes that z holds.
func (s *Store) inflate(z []byte, size int64) ([]byte, error) {
	data, err := s.unzip.DecodeAll(z, make([]byte, 0, size))
	if err != nil || int64(len(data)) != size {
		return nil, errRecord
	}
	return data, nil
}

// Flush returns when everything put before is in the index.
func (s *Store) Flush() error {
	s.maintenance.Lock()
	defer s.maintenance.Unlock()
	return s.commit(true)
}

// commit writes what is pending, and uses too where touches is set. maintenance
// is held.
func (s *Store) commit(touches bool) error {
	if touches {
		s.queueTouched()
	}
	s.mu.Lock()
	if len(s.pending) == 0 {
		s.mu.Unlock()
		return nil
	}
	s.writing, s.pending, s.pendingBytes = s.pending, map[string][]byte{}, 0
	batch := maps.Clone(s.writing)
	batch[string(kindCounters)] = s.counters.encode()
	s.mu.Unlock()

	err := s.write(batch)

	s.mu.Lock()
	if err != nil { // keep it for the next time, under what is newer
		for k, v := range s.writing {
			if _, newer := s.pending[k]; !newer {
				s.pending[k] = v
				s.pendingBytes += len(k) + len(v) + 64
			}
		}
	}
	s.writing = nil
	s.commits++
	s.mu.Unlock()
	if err != nil {
		s.report(err)
	}
	return err
}

// queueTouched moves the uses into the next commit.
func (s *Store) queueTouched() {
	s.touchMu.Lock()
	touched := s.touched
	s.touched = map[string]access{}
	s.touchMu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, a := range touched {
		if v, ok := s.pending[key]; !ok || v != nil {
			s.pending[accessKey(key)] = a.encode()
		}
	}
}

// write writes a batch to the index in use.
func (s *Store) write(batch map[string][]byte) error {
	x := s.use()
	if x == nil {
		return s.unusable()
	}
	if !x.alive() {
		x.users.Done()
		s.opts.Log.Warn().Msg("cache directory was deleted; begun anew")
		s.replace(x)
		return s.writeAnew(batch)
	}
	err := s.roomFor(x)
	if err == nil {
		err = x.settle()
	}
	if err == nil {
		err = x.write(batch)
	}
	x.users.Done()
	if errors.Is(err, errDamaged) {
		s.opts.Log.Warn().Err(err).Msg("cache index begun anew")
		s.replace(x)
	}
	return typed(err)
}

func (s *Store) unusable() error {
	if t := s.trouble.Load(); t != nil {
		return t.err
	}
	return ErrReadOnly
}

// replace gives up an index that is of no use; the next commit begins another.
func (s *Store) replace(x *index) {
	_ = os.Remove(filepath.Join(s.layout.root, "CURRENT")) // it may be gone
	if s.take() != x {
		return
	}
	if s.lock != nil { // its file may be gone, too
		s.lock.Close()
		s.lock = nil
	}
	// badger tries for ever to write what it holds where its directory is gone.
	err := os.MkdirAll(x.dir, 0o700)
	s.leave(x.dir, true)
	leave := func() {
		if err := x.close(); err != nil {
			s.opts.Log.Debug().Err(err).Msg("close index")
		}
		_ = os.RemoveAll(x.dir) // a left-over is removed by the next Open
		s.leave(x.dir, false)
	}
	if err != nil {
		go leave() // it may take for ever
		return
	}
	s.done.Go(leave)
}

// leave says whether the index in dir is being closed although it is not CURRENT.
func (s *Store) leave(dir string, leaving bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if leaving {
		s.leaving[dir] = true
	} else {
		delete(s.leaving, dir)
	}
}

// writeAnew makes a new index and writes to it what of batch is of use there.
func (s *Store) writeAnew(batch map[string][]byte) error {
	if err := s.repair(); err != nil {
		return err
	}
	delete(batch, string(kindCounters)) // of what is gone; a sweep counts anew
	x := s.use()
	if x == nil {
		return ErrReadOnly
	}
	defer x.users.Done()
	return typed(x.write(batch))
}
