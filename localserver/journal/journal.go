package journal

import (
	"context"
	"encoding/json"
	"iter"
	"sync"
	"time"

	"github.com/rs/zerolog"
)

// Options bound a Journal. The zero value of a field stands for its default.
type Options struct {
	MaxRecords int           // 20,000
	MaxBytes   int64         // 64 MiB
	Delay      time.Duration // how long records wait for others to be written with; 200 ms
	Now        func() time.Time
	Log        zerolog.Logger
}

// maxPending bounds the records that wait to be written.
const maxPending = 8192

// maxRecent is how many of the latest records stay in memory, maxOutputs of how
// many outputs the latest record's fingerprint does.
const (
	maxRecent  = 256
	maxOutputs = 8192
)

// A Journal keeps the records of one cache directory. It is safe for concurrent
// use. Lock order: writing before mu.
type Journal struct {
	backend Backend
	blobs   Blobs
	o       Options

	wake   chan struct{} // has a token while records are pending
	stop   chan struct{}
	ended  chan struct{}
	ending sync.Once

	// writing guards what only the writing of a batch changes.
	writing sync.Mutex
	ring    ring
	outputs map[string]latest
	failing bool // the last write failed and was logged

	mu       sync.Mutex
	pending  []*Record
	recent   []*Record // the latest, oldest first; never changed in place
	counters *Counters
	dirty    bool          // counters are not written
	written  chan struct{} // closed when a batch has been written
}

// Open returns the journal that backend holds. blobs resolves the lists that
// records name; nil stands for none. The caller must Close the journal before
// the backend.
func Open(backend Backend, blobs Blobs, o Options) *Journal {
	if o.MaxRecords == 0 {
		o.MaxRecords = 20_000
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = 64 << 20
	}
	if o.Delay == 0 {
		o.Delay = 200 * time.Millisecond
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	j := &Journal{
		backend: backend, blobs: blobs, o: o,
		wake: make(chan struct{}, 1), stop: make(chan struct{}), ended: make(chan struct{}),
		ring: loadRing(backend), outputs: map[string]latest{},
		counters: loadCounters(backend, o.Now()), written: make(chan struct{}),
	}
	go j.run()
	return j
}

func loadCounters(b Backend, now time.Time) *Counters {
	c := newCounters(now)
	if data, err := b.Meta(bucketState, "counters"); err == nil {
		stored := newCounters(now)
		if json.Unmarshal(data, stored) == nil {
			return stored
		}
	}
	return c
}

// Add takes r, whose ID, Earlier and Cause the journal sets, and writes it soon.
// The caller must not touch r again. Add never blocks on the disk; when records
// come faster than they can be written, it drops them and says so in the Stats.
func (j *Journal) Add(r *Record) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.counters.add(r)
	j.dirty = true
	if len(j.pending) >= maxPending {
		j.counters.Dropped++
		return
	}
	j.pending = append(j.pending, r)
	j.awake()
}

// Verified counts one hit that was compiled again and compared.
func (j *Journal) Verified(different bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.counters.VerifyRuns++
	if different {
		j.counters.VerifyDiffs++
	}
	j.dirty = true
	j.awake()
}

func (j *Journal) awake() {
	select {
	case j.wake <- struct{}{}:
	default:
	}
}

// Sync returns when every record added before is written.
func (j *Journal) Sync() { j.write() }

// Close writes what is pending and ends the journal. Records added later are
// lost.
func (j *Journal) Close() {
	j.ending.Do(func() { close(j.stop) })
	<-j.ended
}

// run writes a batch Delay after its first record.
func (j *Journal) run() {
	defer close(j.ended)
	defer j.write()
	timer := time.NewTimer(j.o.Delay)
	defer timer.Stop()
	for {
		select {
		case <-j.wake:
		case <-j.stop:
			return
		}
		timer.Reset(j.o.Delay)
		select {
		case <-timer.C:
		case <-j.stop:
			return
		}
		j.write()
	}
}

func (j *Journal) write() {
	j.writing.Lock()
	defer j.writing.Unlock()
	j.mu.Lock()
	batch, dirty := j.pending, j.dirty
	j.pending, j.dirty = nil, false
	j.mu.Unlock()
	if len(batch) == 0 && !dirty {
		return
	}
	for _, r := range batch {
		j.put(r)
	}
	j.trim()
	counters := j.publish(batch)
	j.check(j.backend.PutMeta(bucketState, "ring", j.ring.encode()))
	j.check(j.backend.PutMeta(bucketState, "counters", counters))
}

// put gives r its place and writes it.
func (j *Journal) put(r *Record) {
	r.ID = j.ring.next
	j.ring.next++
	if r.Output != "" {
		key := outputKey(r.Output)
		before := j.latestOf(key)
		r.Earlier, r.Cause = before.id, before.causeOf(r)
		j.remember(key, before.follow(r))
	} else if r.Outcome.Miss() {
		r.Cause = CauseUnknown
	}
	data := appendRecord(nil, r)
	j.ring.bytes += int64(len(data))
	j.check(j.backend.PutMeta(bucketRecords, recordKey(r.ID), data))
}

func (j *Journal) latestOf(key string) latest {
	if l, ok := j.outputs[key]; ok {
		return l
	}
	data, err := j.backend.Meta(bucketOutputs, key)
	if err != nil {
		return latest{}
	}
	l, err := decodeLatest(data)
	if err != nil {
		return latest{}
	}
	return l
}

func (j *Journal) remember(key string, l latest) {
	if len(j.outputs) >= maxOutputs {
		clear(j.outputs)
	}
	j.outputs[key] = l
	j.check(j.backend.PutMeta(bucketOutputs, key, l.encode()))
}

// check logs the first of a row of failed writes. The journal goes on in
// memory: a cache directory that is full or read-only is no reason to fail.
func (j *Journal) check(err error) {
	if err != nil && !j.failing {
		j.o.Log.Warn().Err(err).Msg("write journal")
	}
	j.failing = err != nil
}

// publish makes a written batch visible and returns the counters to write.
func (j *Journal) publish(batch []*Record) []byte {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, r := range batch {
		j.counters.addCause(r)
	}
	recent := append(j.recent[:len(j.recent):len(j.recent)], batch...)
	if extra := len(recent) - maxRecent; extra > 0 {
		recent = append([]*Record(nil), recent[extra:]...)
	}
	j.recent = recent
	close(j.written)
	j.written = make(chan struct{})
	data, err := json.Marshal(j.counters)
	if err != nil { // maps of integers always encode
		return nil
	}
	return data
}

// Stats returns the totals; what only the cache knows is left zero.
func (j *Journal) Stats() *Stats {
	j.Sync()
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.counters.stats()
}

// Zero sets the totals to zero. Records stay.
func (j *Journal) Zero() {
	j.Sync() // so that no cause is counted without its miss
	j.mu.Lock()
	j.counters = newCounters(j.o.Now())
	j.dirty = true
	j.mu.Unlock()
	j.Sync()
}

// Last returns the latest record's ID, zero where there is none.
func (j *Journal) Last() ID {
	j.Sync()
	j.writing.Lock()
	defer j.writing.Unlock()
	return j.ring.next - 1
}

// Record returns the record with the given ID, nil where it is not or no longer
// kept. It must not be changed.
func (j *Journal) Record(id ID) *Record {
	j.Sync()
	j.mu.Lock()
	recent := j.recent
	j.mu.Unlock()
	for _, r := range recent {
		if r.ID == id {
			return r
		}
	}
	data, err := j.backend.Meta(bucketRecords, recordKey(id))
	if err != nil {
		return nil
	}
	r, err := decodeRecord(data)
	if err != nil {
		return nil
	}
	return r
}

// Find returns the latest record of an output, or of a source, by its absolute
// path; nil where there is none.
func (j *Journal) Find(path string) *Record {
	j.Sync()
	j.writing.Lock()
	l := j.latestOf(outputKey(path))
	j.writing.Unlock()
	if r := j.Record(l.id); r != nil && r.Output == path {
		return r
	}
	for r := range j.Down() {
		if r.Output == path || r.sourcePath() == path {
			return r
		}
	}
	return nil
}

// Down yields the records from the latest to the oldest.
func (j *Journal) Down() iter.Seq[*Record] {
	j.Sync()
	j.mu.Lock()
	recent := j.recent
	j.mu.Unlock()
	return func(yield func(*Record) bool) {
		below := ID(1<<64 - 1)
		for i := len(recent) - 1; i >= 0; i-- {
			below = recent[i].ID
			if !yield(recent[i]) {
				return
			}
		}
		for _, data := range j.backend.EachMetaDown(bucketRecords, "") {
			r, err := decodeRecord(data)
			if err == nil && r.ID < below && !yield(r) {
				return
			}
		}
	}
}

// Tail calls each for the latest count records, the oldest first, and where
// follow is set for every later one until ctx ends. The error is each's.
func (j *Journal) Tail(ctx context.Context, count int, follow bool, each func(*Record) error) error {
	last := ID(0)
	if follow && count == 0 {
		last = j.Last()
	}
	for first := true; ; first = false {
		j.mu.Lock()
		written := j.written
		j.mu.Unlock()
		var fresh []*Record
		for r := range j.Down() {
			if r.ID <= last || first && len(fresh) >= count {
				break
			}
			fresh = append(fresh, r)
		}
		for i := len(fresh) - 1; i >= 0; i-- {
			if err := each(fresh[i]); err != nil {
				return err
			}
			last = fresh[i].ID
		}
		if !follow {
			return nil
		}
		select {
		case <-written:
		case <-ctx.Done():
			return nil
		}
	}
}
