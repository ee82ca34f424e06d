package diskstore

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"
)

// The disk space that is used is that of blob files, of the directories they are
// in, of badger's files, and what is promised to blobs being written. Blobs ask
// before they are written, so it never exceeds the limit by more than badger's
// files grow in one commit.
const (
	// lowWater and highWater are percentages of the limit: above the one the
	// background evicts down to the other.
	lowWater, highWater = 90, 95
	// dirSpace is what the directories cost: 256 of them, and a name per blob.
	dirSpace, nameSpace = 256 * 4096, 96
)

// usedLocked returns the disk space used and promised. mu is held.
func (s *Store) usedLocked() int64 {
	return s.counters.files + s.reserved + s.index.Load() + dirSpace + nameSpace*s.counters.blobs
}

func (s *Store) used() int64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.usedLocked()
}

// reserve promises n bytes of disk space, evicting where it must.
func (s *Store) reserve(n int64) error {
	if s.promise(n) {
		return nil
	}
	s.maintenance.Lock()
	defer s.maintenance.Unlock()
	if s.promise(n) {
		return nil
	}
	s.evict(time.Time{}, s.limit.Load()*lowWater/100-n)
	if s.promise(n) {
		return nil
	}
	return fmt.Errorf("%w: %d bytes do not fit into the cache size", ErrFull, n)
}

func (s *Store) promise(n int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.usedLocked()+n > s.limit.Load() {
		return false
	}
	s.reserved += n
	return true
}

// Evict drops the entries that were last used before, then the least recently
// used ones until the store uses at most bytes, and returns the number of
// entries dropped and the bytes freed. A zero before or a negative bytes sets
// no bound.
func (s *Store) Evict(before time.Time, bytes int64) (entries, freed int64, err error) {
	s.maintenance.Lock()
	defer s.maintenance.Unlock()
	if bytes < 0 {
		bytes = s.limit.Load()
	}
	entries, freed = s.evict(before, bytes)
	return entries, freed, s.commit(true)
}

// evict is Evict without the commit. maintenance is held.
func (s *Store) evict(before time.Time, bytes int64) (entries, freed int64) {
	old := int64(math.MinInt64)
	if !before.IsZero() {
		old = before.UnixNano()
	}
	cutoff := s.cutoff(s.used() - bytes)
	s.uses(func(key string, a access) bool {
		if a.time >= old && (a.time > cutoff || s.used() <= bytes) {
			return true
		}
		s.drop(key)
		entries++
		freed += a.cost
		return true
	})
	s.evicted.Add(entries)
	s.evictedBytes.Add(freed)
	return entries, freed
}

// cutoff returns the time of the youngest use such that dropping it and all older
// ones frees at least n bytes, and a time before all others where n is not
// positive.
func (s *Store) cutoff(n int64) int64 {
	if n <= 0 {
		return math.MinInt64
	}
	var all []access
	s.uses(func(_ string, a access) bool {
		all = append(all, a)
		return true
	})
	slices.SortFunc(all, func(a, b access) int { return cmp.Compare(a.time, b.time) })
	for _, a := range all {
		if n -= a.cost; n <= 0 {
			return a.time
		}
	}
	return math.MaxInt64
}

// uses calls f with every entry that may be evicted and its last use.
func (s *Store) uses(f func(key string, a access) bool) {
	s.merged(string(kindAccess), false, func(key string, value []byte) bool {
		a, err := decodeAccess(value)
		key = key[1:]
		if err != nil || key == "" {
			return true
		}
		s.touchMu.Lock()
		if later, ok := s.touched[key]; ok {
			a.time = later.time
		}
		s.touchMu.Unlock()
		return f(key, a)
	})
}
