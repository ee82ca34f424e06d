package pdb

import (
	"crypto/sha256"
	"encoding/binary"
)

// A key stands for the bytes of a record: half of their SHA-256. A Store of hundreds of
// megabytes keeps keys, 24 bytes a record with their table, and no records.
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
	// slots is a hash table with open addressing and linear probing: 1 + the
	// number of a key, 0 for none. At most three of four are in use.
	slots []uint32
}

func (s *keySet) at(i uint32) *key { return &s.chunks[i/keyChunk][i%keyChunk] }

func (s *keySet) slot(k *key) uint32 {
	return uint32(binary.LittleEndian.Uint64(k[:])) & uint32(len(s.slots)-1)
}

// find returns the number of k.
func (s *keySet) find(k key) (uint32, bool) {
	if len(s.slots) == 0 {
		return 0, false
	}
	for i := s.slot(&k); ; i = (i + 1) & uint32(len(s.slots)-1) {
		switch n := s.slots[i]; {
		case n == 0:
			return 0, false
		case *s.at(n - 1) == k:
			return n - 1, true
		}
	}
}

// add gives k, which is not in the set, the next number.
func (s *keySet) add(k key) {
	if uint64(s.count+1)*4 > uint64(len(s.slots))*3 {
		s.grow()
	}
	if s.count%keyChunk == 0 {
		s.chunks = append(s.chunks, new([keyChunk]key))
	}
	*s.at(s.count) = k
	s.count++
	s.insert(s.count)
}

func (s *keySet) insert(n uint32) {
	i := s.slot(s.at(n - 1))
	for s.slots[i] != 0 {
		i = (i + 1) & uint32(len(s.slots)-1)
	}
	s.slots[i] = n
}

func (s *keySet) grow() {
	s.slots = make([]uint32, max(1024, 2*len(s.slots)))
	for n := uint32(1); n <= s.count; n++ {
		s.insert(n)
	}
}
