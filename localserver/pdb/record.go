package pdb

import (
	"encoding/binary"
	"iter"
)

// Records of types, items and symbols begin alike:
//
//	record = length:u16 kind:u16 content
//
// length counts what follows it. Type and item records are padded to a multiple of
// four bytes by F3 F2 F1, which length counts as well; symbols in objects are not.
const recordHeader = 4

// An Index numbers a type or an item. Those below FirstIndex are built in and mean
// the same everywhere.
type Index uint32

// FirstIndex is the number of the first record of a stream.
const FirstIndex Index = 0x1000

// maxIndex is the highest number that all fields of all readers can hold.
const maxIndex Index = 0xFFFFFF

// A Space is one of the two series of numbers in a PDB.
type Space uint8

// The spaces.
const (
	Types Space = iota // TPI stream
	Items              // IPI stream: functions, build information, strings
)

func (s Space) String() string {
	if s == Items {
		return "item"
	}
	return "type"
}

// Records are the type or item records of one stream, one after the other, checked
// for their lengths when they were read.
type Records []byte

// checkRecords returns the number of records that data consists of.
func checkRecords(data []byte) (int, error) {
	n := 0
	for at := 0; at < len(data); n++ {
		if len(data)-at < recordHeader {
			return 0, malformed("record %d", n)
		}
		size := recordSize(data[at:])
		if size < recordHeader || size%4 != 0 || size > len(data)-at {
			return 0, malformed("record %d of %d bytes", n, size)
		}
		at += size
	}
	return n, nil
}

// recordSize is the size of the record at the start of data, its length included.
func recordSize(data []byte) int { return int(binary.LittleEndian.Uint16(data)) + 2 }

func kindOf(record []byte) uint16 { return binary.LittleEndian.Uint16(record[2:]) }

// All yields each record whole, with its number.
func (r Records) All() iter.Seq2[Index, []byte] {
	return func(yield func(Index, []byte) bool) {
		i := FirstIndex
		for at := 0; at < len(r); i++ {
			size := recordSize(r[at:])
			if !yield(i, r[at:at+size:at+size]) {
				return
			}
			at += size
		}
	}
}

// A Reference is a place within a record that holds a number.
type Reference struct {
	At    int // offset from the start of the record, its length included
	Space Space
}

// references collects the References of one record. The first error stays.
type references struct {
	list   []Reference
	record []byte
	err    error
}

// types adds numbers of types at offsets of the content.
func (r *references) types(offsets ...int) {
	for _, at := range offsets {
		r.add(Types, at)
	}
}

// items adds numbers of items at offsets of the content.
func (r *references) items(offsets ...int) {
	for _, at := range offsets {
		r.add(Items, at)
	}
}

func (r *references) add(space Space, offset int) {
	at := recordHeader + offset
	if r.err != nil || at+4 > len(r.record) {
		r.fail("number at %d", offset)
		return
	}
	r.list = append(r.list, Reference{at, space})
}

// counted adds n numbers from offset on, where n stands at offset 0 in width bytes.
func (r *references) counted(space Space, width int) {
	n := 0
	switch content := r.record[recordHeader:]; {
	case len(content) < width:
		r.fail("count")
		return
	case width == 2:
		n = int(binary.LittleEndian.Uint16(content))
	default:
		n = int(min(binary.LittleEndian.Uint32(content), 1<<16))
	}
	for i := range n {
		if r.add(space, width+4*i); r.err != nil {
			return
		}
	}
}

func (r *references) fail(format string, args ...any) {
	if r.err == nil {
		r.err = malformed("record %#04x: "+format, append([]any{kindOf(r.record)}, args...)...)
	}
}

func (r *references) unknown(what string) {
	r.err = &UnsupportedError{What: what, Kind: uint32(kindOf(r.record))}
}

// u16 and u32 return a field of the content, 0 where the record is too short.
func (r *references) u16(offset int) uint16 {
	if at := recordHeader + offset; at+2 <= len(r.record) {
		return binary.LittleEndian.Uint16(r.record[at:])
	}
	r.fail("field at %d", offset)
	return 0
}

func (r *references) u32(offset int) uint32 {
	if at := recordHeader + offset; at+4 <= len(r.record) {
		return binary.LittleEndian.Uint32(r.record[at:])
	}
	r.fail("field at %d", offset)
	return 0
}
