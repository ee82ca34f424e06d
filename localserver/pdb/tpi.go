package pdb

import "encoding/binary"

// The TPI and IPI streams and their hash streams.
//
//	tpi    = header record*
//	header = 20040203:u32 56:u32 first(1000):u32 end:u32 bytes:u32
//	         hashes:u16 FFFF:u16 4:u32 buckets(3FFFF):u32
//	         values:span offsets:span adjusters:span
//	span   = offset:i32 length:u32                  of the hash stream
//	hashes = value:u32{end-first} (index:u32 offset:u32)* adjusters
//
// hashes in the header is the number of the hash stream. The pairs of index and byte
// offset are those of the first record and of each first one at or past a multiple of
// 8 KiB. Type servers have no adjusters.
const (
	tpiVersion    = 20040203
	tpiHeaderSize = 56
	offsetStride  = 8 << 10
)

// Streams with fixed numbers, and those that a Store makes.
const (
	streamOld = iota
	streamInfo
	streamTPI
	streamDBI
	streamIPI
	streamNames
	streamTPIHash
	streamIPIHash
	storeStreams
)

// A tpiHeader is what differs between the headers of TPI and IPI streams.
type tpiHeader struct {
	end     Index
	bytes   uint32
	hashes  int // number of the hash stream
	values  span
	offsets span
}

type span struct{ offset, length uint32 }

func (h *tpiHeader) count() uint32 { return uint32(h.end - FirstIndex) }

func parseTPIHeader(data []byte) (*tpiHeader, error) {
	f := fields{data: data}
	version, size, first, end := f.u32(), f.u32(), f.u32(), f.u32()
	h := &tpiHeader{end: Index(end), bytes: f.u32(), hashes: int(f.u16())}
	f.u16()
	keySize, buckets := f.u32(), f.u32()
	h.values = span{f.u32(), f.u32()}
	h.offsets = span{f.u32(), f.u32()}
	adjusters := span{f.u32(), f.u32()}
	switch {
	case f.failed, version != tpiVersion, size != tpiHeaderSize, first != uint32(FirstIndex), end < first:
		return nil, malformed("type stream header")
	case keySize != 4, buckets != hashBuckets, adjusters.length != 0:
		return nil, &UnsupportedError{What: "hashes of types"}
	}
	return h, nil
}

func (h *tpiHeader) encode() []byte {
	out := appendNumbers(nil, []uint32{tpiVersion, tpiHeaderSize, uint32(FirstIndex), uint32(h.end), h.bytes})
	out = binary.LittleEndian.AppendUint16(out, uint16(h.hashes))
	out = binary.LittleEndian.AppendUint16(out, 0xFFFF)
	return appendNumbers(out, []uint32{
		4, hashBuckets,
		h.values.offset, h.values.length, h.offsets.offset, h.offsets.length,
		h.offsets.offset + h.offsets.length, 0,
	})
}

// An offsetPair is an entry of the hash stream's list of offsets.
type offsetPair struct {
	index  Index
	offset uint32
}

// offsetList collects the offsetPairs of a growing stream.
type offsetList []offsetPair

// note takes the start of a record.
func (l *offsetList) note(index Index, offset uint32) {
	if len(*l) == 0 || offset/offsetStride > (*l)[len(*l)-1].offset/offsetStride {
		*l = append(*l, offsetPair{index, offset})
	}
}

func (l offsetList) encode() []byte {
	out := make([]byte, 0, 8*len(l))
	for _, p := range l {
		out = appendNumbers(out, []uint32{uint32(p.index), p.offset})
	}
	return out
}
