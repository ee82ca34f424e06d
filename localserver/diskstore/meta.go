package diskstore

import (
	"iter"
	"maps"
	"slices"
	"strings"
)

// unspill drops the blob that metadata under key had, where r is not the same.
func (s *Store) unspill(key string, r *record) {
	old, err := s.record(key)
	if err == nil && old.form == formBlob && old.hash != r.hash {
		s.drop(blobKey(old.hash, true))
	}
}

// PutMeta stores value under key in bucket. Metadata is not evicted; its owner
// bounds it. A bucket's name has no zero byte.
func (s *Store) PutMeta(bucket, key string, value []byte) error {
	return s.put(metaKey(bucket, key), value)
}

// Meta returns the value under key in bucket, or ErrNotFound.
func (s *Store) Meta(bucket, key string) ([]byte, error) { return s.value(metaKey(bucket, key)) }

// DeleteMeta drops the value under key in bucket.
func (s *Store) DeleteMeta(bucket, key string) {
	s.unspill(metaKey(bucket, key), &record{})
	s.drop(metaKey(bucket, key))
}

// EachMeta yields the keys of bucket that begin with prefix, in order of their
// bytes, and their values. The values may be kept. What is stored meanwhile may be
// missing.
func (s *Store) EachMeta(bucket, prefix string) iter.Seq2[string, []byte] {
	return s.each(bucket, prefix, false)
}

// EachMetaDown is EachMeta from the last key to the first.
func (s *Store) EachMetaDown(bucket, prefix string) iter.Seq2[string, []byte] {
	return s.each(bucket, prefix, true)
}

func (s *Store) each(bucket, prefix string, down bool) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		lead := metaKey(bucket, "")
		s.merged(lead+prefix, down, func(key string, value []byte) bool {
			r, err := decode(key, value)
			if err != nil {
				return true
			}
			data, err := s.unpack(key, &r)
			return err != nil || yield(key[len(lead):], data)
		})
	}
}

// merged yields the entries whose keys begin with prefix, those not written yet
// included, in order.
func (s *Store) merged(prefix string, down bool, yield func(key string, value []byte) bool) {
	overlay := s.overlay(prefix)
	keys := slices.Sorted(maps.Keys(overlay))
	compare := strings.Compare
	if down {
		slices.Reverse(keys)
		compare = func(a, b string) int { return strings.Compare(b, a) }
	}
	more := true
	// give yields the overlay's entries before key, or all for an empty one.
	give := func(key string) bool {
		for more && len(keys) > 0 && (key == "" || compare(keys[0], key) <= 0) {
			if v := overlay[keys[0]]; v != nil {
				more = yield(keys[0], v)
			}
			keys = keys[1:]
		}
		return more
	}
	if x := s.use(); x != nil {
		defer x.users.Done()
		err := x.scan(prefix, down, func(k, v []byte) bool {
			key := string(k)
			if !give(key) {
				return false
			}
			if _, hidden := overlay[key]; !hidden {
				more = yield(key, v)
			}
			return more
		})
		if err != nil {
			s.opts.Log.Warn().Err(err).Msg("read cache index")
		}
	}
	give("")
}

// overlay returns the entries not written yet whose keys begin with prefix.
func (s *Store) overlay(prefix string) map[string][]byte {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := map[string][]byte{}
	for _, m := range []map[string][]byte{s.writing, s.pending} {
		for k, v := range m {
			if strings.HasPrefix(k, prefix) {
				out[k] = v
			}
		}
	}
	return out
}
