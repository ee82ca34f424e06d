package chunking

import (
	"bufio"
	"bytes"
	"crypto/md5"
	"encoding/binary"
	"errors"
	"io"
)

// normalization is the level at which REv2 wants FastCDC: how many bits more
// the mask has before the average size, and fewer behind it.
const normalization = 2

// maskFirst is the number of one bits in the first of masks.
const maskFirst = 8

// masks are those of FastCDC's reference implementation, each with one bit more
// than the one before: spread so that 48 bytes decide about a cut.
func masks() [18]uint64 {
	return [...]uint64{
		0x0000001800035300, 0x0000019000353000, 0x0000590003530000, 0x0000d90003530000, 0x0000d90103530000, 0x0000d90303530000,
		0x0000d90313530000, 0x0000d90f03530000, 0x0000d90303537000, 0x0000d90703537000, 0x0000d90707537000, 0x0000d91707537000,
		0x0000d91747537000, 0x0000d91767537000, 0x0000d93767537000, 0x0000d93777537000, 0x0000d93777577000, 0x0000db3777577000,
	}
}

// gear returns what each byte adds to the rolling hash: the first half of the
// MD5 of 64 such bytes, changed by the seed.
func gear(seed uint64) (table [256]uint64) {
	for i := range table {
		sum := md5.Sum(bytes.Repeat([]byte{byte(i)}, 64))
		table[i] = binary.BigEndian.Uint64(sum[:]) ^ seed
	}
	return table
}

// A fast cuts by FastCDC 2020 (Xia and others, "The Design of Fast Content-
// Defined Chunking for Data Deduplication Based Storage Systems", IEEE TPDS
// 31(9)).
type fast struct {
	r                    *bufio.Reader
	least, average, most int
	before, behind       uint64 // masks for cuts before and behind the average
	gear                 [256]uint64
	last                 int // size of the chunk that is in use
}

func newFast(r io.Reader, average int, seed uint64) *fast {
	return newFastSizes(r, average/4, average, 4*average, seed)
}

func newFastSizes(r io.Reader, least, average, most int, seed uint64) *fast {
	all, bits := masks(), log2(average)-maskFirst
	return &fast{
		r: bufio.NewReaderSize(r, most), least: least, average: average, most: most,
		before: all[bits+normalization], behind: all[bits-normalization], gear: gear(seed),
	}
}

func (f *fast) next() ([]byte, error) {
	if _, err := f.r.Discard(f.last); err != nil {
		return nil, err
	}
	data, err := f.r.Peek(f.most)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if len(data) == 0 {
		return nil, io.EOF
	}
	f.last = f.cut(data)
	return data[:f.last], nil
}

// cut returns the size of the chunk that data begins with. The reference takes
// two bytes at a time, so that a last odd one is never looked at.
func (f *fast) cut(data []byte) int {
	if len(data) <= f.least {
		return len(data)
	}
	var hash uint64
	i := f.least &^ 1
	for _, part := range []struct {
		end  int
		mask uint64
	}{{min(f.average, len(data)) &^ 1, f.before}, {len(data) &^ 1, f.behind}} {
		for ; i < part.end; i++ {
			hash = hash<<1 + f.gear[data[i]]
			if hash&part.mask == 0 {
				return i
			}
		}
	}
	return len(data)
}
