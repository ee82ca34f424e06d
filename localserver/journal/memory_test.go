package journal

import (
	"errors"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/rexwrap/rexwrap/client/digest"
)

var errAbsent = errors.New("absent")

// memory is a Backend and Blobs.
type memory struct {
	mu       sync.Mutex
	values   map[string][]byte // bucket + "\x00" + key
	blobs    map[digest.Digest][]byte
	readOnly bool
}

func newMemory() *memory {
	return &memory{values: map[string][]byte{}, blobs: map[digest.Digest][]byte{}}
}

func (m *memory) PutMeta(bucket, key string, value []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.readOnly {
		return errors.New("read-only")
	}
	m.values[bucket+"\x00"+key] = slices.Clone(value)
	return nil
}

func (m *memory) Meta(bucket, key string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if v, ok := m.values[bucket+"\x00"+key]; ok {
		return v, nil
	}
	return nil, errAbsent
}

func (m *memory) DeleteMeta(bucket, key string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.values, bucket+"\x00"+key)
}

func (m *memory) keys(bucket, prefix string) []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var keys []string
	for _, k := range slices.Sorted(maps.Keys(m.values)) {
		if key, ok := strings.CutPrefix(k, bucket+"\x00"); ok && strings.HasPrefix(key, prefix) {
			keys = append(keys, key)
		}
	}
	return keys
}

func (m *memory) each(bucket string, keys []string) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		for _, k := range keys {
			if v, err := m.Meta(bucket, k); err == nil && !yield(k, v) {
				return
			}
		}
	}
}

func (m *memory) EachMeta(bucket, prefix string) iter.Seq2[string, []byte] {
	return m.each(bucket, m.keys(bucket, prefix))
}

func (m *memory) EachMetaDown(bucket, prefix string) iter.Seq2[string, []byte] {
	keys := m.keys(bucket, prefix)
	slices.Reverse(keys)
	return m.each(bucket, keys)
}

func (m *memory) Blob(d digest.Digest) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if v, ok := m.blobs[d]; ok {
		return v, nil
	}
	return nil, errAbsent
}

func (m *memory) putBlob(data []byte) digest.Digest {
	m.mu.Lock()
	defer m.mu.Unlock()
	d := digest.Of(data)
	m.blobs[d] = data
	return d
}
