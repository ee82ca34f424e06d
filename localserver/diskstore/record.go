package diskstore

import (
	"encoding/binary"
	"errors"

	"github.com/cespare/xxhash/v2"

	"github.com/rexwrap/rexwrap/client/digest"
)

// The index's entries:
//
//	key    = "b" hash | "r" hash | "m" hash      (* blob, result, manifest *)
//	       | "p" hash                            (* blob of metadata: not evicted *)
//	       | "x" bucket 0x00 name                (* metadata *)
//	       | "a" key                             (* last use, of the first three *)
//	       | "c" ;                               (* counters *)
//	hash   = 32 bytes ;
//	value  = sum form rest ;                     (* all but "a" and "c" *)
//	sum    = u64 ;                               (* XXH64 of key, form and rest *)
//	form   = u8 ;
//	rest   = bytes                               (* form 0: as they are *)
//	       | size bytes                          (* form 1: one zstd frame *)
//	       | size cost check                     (* form 2: file; 3: file, zstd *)
//	       | size hash ;                         (* form 4: the blob of that hash *)
//	size   = uvarint ;                           (* bytes when unpacked *)
//	cost   = uvarint ;                           (* disk space of the file in bytes *)
//	check  = u64 ;                               (* XXH64 of the bytes when unpacked *)
//	"a"    = time cost ;
//	time   = i64 ;                               (* nanoseconds since 1970 *)
//	"c"    = sum 4 * uvarint ;                   (* counters, in the struct's order *)
//
// Integers are little endian. A value with another sum is a miss.
type kind byte

const (
	kindBlob     kind = 'b'
	kindPinned   kind = 'p'
	kindResult   kind = 'r'
	kindManifest kind = 'm'
	kindMeta     kind = 'x'
	kindAccess   kind = 'a'
	kindCounters kind = 'c'
)

type form byte

const (
	formRaw form = iota
	formZstd
	formFile
	formFileZstd
	formBlob
)

// A record is a decoded value.
type record struct {
	form  form
	size  int64
	cost  int64  // of files
	check uint64 // of files
	hash  [digest.Size]byte
	data  []byte // formRaw, formZstd
}

var errRecord = errors.New("damaged record")

func hashKey(k kind, d digest.Digest) string {
	return string(k) + string(d.Hash[:])
}

func accessKey(key string) string { return string(kindAccess) + key }

func metaKey(bucket, name string) string {
	return string(kindMeta) + bucket + "\x00" + name
}

func sumOf(key string, rest []byte) uint64 {
	var h xxhash.Digest
	h.Reset()
	_, _ = h.WriteString(key) // a hash never fails
	_, _ = h.Write(rest)
	return h.Sum64()
}

// encode returns r's value under key.
func (r *record) encode(key string) []byte {
	b := make([]byte, 8, 8+1+20+digest.Size+len(r.data))
	b = append(b, byte(r.form))
	switch r.form {
	case formRaw:
		b = append(b, r.data...)
	case formZstd:
		b = binary.AppendUvarint(b, uint64(r.size))
		b = append(b, r.data...)
	case formFile, formFileZstd:
		b = binary.AppendUvarint(b, uint64(r.size))
		b = binary.AppendUvarint(b, uint64(r.cost))
		b = binary.LittleEndian.AppendUint64(b, r.check)
	case formBlob:
		b = binary.AppendUvarint(b, uint64(r.size))
		b = append(b, r.hash[:]...)
	}
	binary.LittleEndian.PutUint64(b, sumOf(key, b[8:]))
	return b
}

// decode reads the value of key. The record shares b's memory.
func decode(key string, b []byte) (record, error) {
	if len(b) < 9 || binary.LittleEndian.Uint64(b) != sumOf(key, b[8:]) {
		return record{}, errRecord
	}
	r := record{form: form(b[8])}
	b = b[9:]
	if r.form == formRaw {
		r.size, r.data = int64(len(b)), b
		return r, nil
	}
	size, n := binary.Uvarint(b)
	if n <= 0 || int64(size) < 0 {
		return record{}, errRecord
	}
	r.size, b = int64(size), b[n:]
	switch r.form {
	case formZstd:
		r.data = b
		return r, nil
	case formFile, formFileZstd:
		cost, n := binary.Uvarint(b)
		if n <= 0 || len(b) != n+8 {
			return record{}, errRecord
		}
		r.cost, r.check = int64(cost), binary.LittleEndian.Uint64(b[n:])
		return r, nil
	case formBlob:
		if len(b) == digest.Size {
			copy(r.hash[:], b)
			return r, nil
		}
	}
	return record{}, errRecord
}

// onFile reports whether the bytes are in a file.
func (r *record) onFile() bool { return r.form == formFile || r.form == formFileZstd }

// evictable reports whether the entry of key may be evicted.
func evictable(key string) bool {
	k := kind(key[0])
	return k == kindBlob || k == kindResult || k == kindManifest
}

// weight is what dropping r frees, in bytes.
func (r *record) weight() int64 {
	if r.onFile() {
		return r.cost
	}
	return int64(len(r.data)) + entryOverhead
}

// entryOverhead is about what an entry costs in the index beside its data: two
// keys, versions, block index and bloom filter.
const entryOverhead = 150

// minFile is the least cost of a blob on file: one block. Blobs in the index weigh
// less.
const minFile = 4096

// An access is the value of an "a" key.
type access struct {
	time, cost int64
}

func (a access) encode() []byte {
	b := binary.LittleEndian.AppendUint64(make([]byte, 0, 18), uint64(a.time))
	return binary.AppendUvarint(b, uint64(a.cost))
}

func decodeAccess(b []byte) (access, error) {
	if len(b) < 9 {
		return access{}, errRecord
	}
	cost, n := binary.Uvarint(b[8:])
	if n <= 0 {
		return access{}, errRecord
	}
	return access{int64(binary.LittleEndian.Uint64(b)), int64(cost)}, nil
}

// counters are what the index holds, kept so that opening needs no walk.
type counters struct {
	files, blobs, results, manifests int64 // files in bytes, the others in entries
}

func (c *counters) list() []*int64 {
	return []*int64{&c.files, &c.blobs, &c.results, &c.manifests}
}

func (c *counters) encode() []byte {
	b := make([]byte, 8, 48)
	for _, n := range c.list() {
		b = binary.AppendUvarint(b, uint64(max(0, *n)))
	}
	binary.LittleEndian.PutUint64(b, sumOf(string(kindCounters), b[8:]))
	return b
}

func (c *counters) decode(b []byte) error {
	if len(b) < 8 || binary.LittleEndian.Uint64(b) != sumOf(string(kindCounters), b[8:]) {
		return errRecord
	}
	b = b[8:]
	for _, p := range c.list() {
		v, n := binary.Uvarint(b)
		if n <= 0 {
			return errRecord
		}
		*p, b = int64(v), b[n:]
	}
	return nil
}

// add counts an entry of key, or with sign -1 takes it out.
func (c *counters) add(key string, r *record, sign int64) {
	switch kind(key[0]) {
	case kindBlob, kindPinned:
		c.blobs += sign
		if r.onFile() {
			c.files += sign * r.cost
		}
	case kindResult:
		c.results += sign
	case kindManifest:
		c.manifests += sign
	}
}
