package pdb

import (
	"crypto/sha256"
	"encoding/binary"
)

// A key stands for the bytes of a record: half of their SHA-256. A Store of hundreds of
// megabytes keeps keys, about 32 bytes a record with their table, and no records.
type key [16]byte

func keyOf(record []byte) key {
	sum := sha256.Sum256(record)
	return key(sum[:16])
}

// keyChunk is how many keys are allocated at once; growing never copies them.
const keyChunk = 4096

// A keySet numbers keys in the order in which they come.
type keySet struct {
	chunks []*[keyChunk]key
	count  uint32
	// slots is a hash table with open addressing and linear probing. A slot is
	// 0, or has 1 + the number of a key in its lower half and a part of the
	// key in the upper one, so that most probes look at no key. At most three
	// of four are in use.
	slots []uint64
}

func (s *keySet) at(i uint32) *key { return &s.chunks[i/keyChunk][i%keyChunk] }

// slot returns where the search for k begins, and what the upper half of its slot is.
func (s *keySet) slot(k *key) (i uint32, tag uint64) {
	h := binary.LittleEndian.Uint64(k[:])
	return uint32(h) & uint32(len(s.slots)-1), h &^ 0xFFFFFFFF
}

// find returns the number of k.
func (s *keySet) find(k key) (uint32, bool) {
	if len(s.slots) == 0 {
		return 0, false
	}
	for i, tag := s.slot(&k); s.slots[i] != 0; i = (i + 1) & uint32(len(s.slots)-1) {
		if s.slots[i]&^0xFFFFFFFF != tag {
			continue
		}
		if n := uint32(s.slots[i]) - 1; *s.at(n) == k {
			return n, true
		}
	}
	return 0, false
}

// add gives k the next number. Of equal keys the first one is found.
func (s *keySet) add(k key) {
	if s.crowded(s.count + 1) {
		s.resize(max(1024, 2*len(s.slots)))
	}
	if s.count%keyChunk == 0 {
		s.chunks = append(s.chunks, new([keyChunk]key))
	}
	*s.at(s.count) = k
	s.count++
	s.insert(s.count)
}

func (s *keySet) insert(n uint32) {
	i, tag := s.slot(s.at(n - 1))
	for s.slots[i] != 0 {
		i = (i + 1) & uint32(len(s.slots)-1)
	}
	s.slots[i] = tag | uint64(n)
}

// crowded reports whether n keys are too many for the slots.
func (s *keySet) crowded(n uint32) bool { return uint64(n)*4 > uint64(len(s.slots))*3 }

// reserve makes room for n keys in all.
func (s *keySet) reserve(n uint32) {
	size := max(1024, len(s.slots))
	for uint64(n)*4 > uint64(size)*3 {
		size *= 2
	}
	if size > len(s.slots) {
		s.resize(size)
	}
}

// resize takes a power of two.
func (s *keySet) resize(size int) {
	s.slots = make([]uint64, size)
	for n := uint32(1); n <= s.count; n++ {
		s.insert(n)
	}
}
