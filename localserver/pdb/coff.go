package pdb

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"hash/crc32"
	"slices"
)

// COFF objects, all numbers little-endian. Offsets are those that are used here.
//
//	object   = header section* data symbol* strings
//	header   = machine:u16 sections:u16 time:u32 symbols@8:u32 count:u32
//	           optional@16:u16 flags:u16 optional
//	         | 0:u16 0xFFFF:u16 version:u16(≥2) machine:u16 time:u32 class[16]
//	           size:u32 flags:u32 …:u32[2] sections@44:u32 symbols@48:u32 count:u32
//	section  = name[8] …:u32[2] size@16:u32 data@20:u32 relocations@24:u32
//	           lines@28:u32 relocations:u16 lines:u16 flags:u32
//	symbol   = name[8] value:u32 section:(u16|u32) type:u16 class:u8 auxiliaries:u8
//	           auxiliary*
//
// The second form of the header is that of /bigobj; its symbols have 20 bytes and
// a section number of 32 bits, those of the first one 18 and 16. A section's own
// symbol has value 0, class 3 and one auxiliary record:
//
//	auxiliary = length:u32 relocations:u16 lines:u16 checksum@8:u32 …
//
// A relocation says which bytes of a section the linker fills in. Where there are more than
// fit the count, the flag 01000000 is set and the first one's offset is their number, itself
// included:
//
//	relocation = offset:u32 symbol:u32 type:u16
//
// The checksum, if there is one, is a CRC-32 of the section without the final
// inversion. Every pointer is an offset in the file.
const (
	headerSize        = 20
	bigHeaderSize     = 56
	sectionHeaderSize = 40
	symbolSize        = 18
	bigSymbolSize     = 20
	classStatic       = 3
	relocationSize    = 10
	manyRelocations   = 0x01000000
)

// bigObjClass tells /bigobj from other objects with an anonymous header.
const bigObjClass = "\xc7\xa1\xba\xd1\xee\xba\xa9\x4b\xaf\x20\xfa\xf6\x6a\xa4\xdc\xb8"

// An Object is a COFF object file. It is immutable.
type Object struct {
	data     []byte
	sections []Section
	headers  int // offset of the section headers
	symbols  symbolTable
}

// A Section is one section of an Object.
type Section struct {
	// Name is the name in the header, at most 8 bytes.
	Name string
	// Data is the content. It is not to be changed.
	Data []byte

	offset uint32 // of Data in the file
}

type symbolTable struct {
	pointer int // where the header holds the table's offset
	offset  uint32
	count   uint32
	size    int // of one record
}

// ParseObject reads an object. It keeps data, which must not change. Objects with an
// anonymous header that is not that of /bigobj (import libraries, /GL) are an
// UnsupportedError.
func ParseObject(data []byte) (*Object, error) {
	o := &Object{data: data}
	count, err := o.readHeader()
	if err != nil {
		return nil, err
	}
	if o.headersEnd(count) > uint64(len(data)) {
		return nil, malformed("%d section headers", count)
	}
	o.sections = make([]Section, count)
	for i := range o.sections {
		if err := o.readSection(i); err != nil {
			return nil, err
		}
	}
	t := &o.symbols
	if uint64(t.offset)+uint64(t.count)*uint64(t.size) > uint64(len(data)) {
		return nil, malformed("%d symbols", t.count)
	}
	return o, nil
}

// readHeader returns the number of sections.
func (o *Object) readHeader() (count uint32, err error) {
	if len(o.data) < headerSize {
		return 0, malformed("object of %d bytes", len(o.data))
	}
	le := binary.LittleEndian
	if le.Uint16(o.data) != 0 || le.Uint16(o.data[2:]) != 0xFFFF {
		o.symbols = symbolTable{pointer: 8, offset: le.Uint32(o.data[8:]), count: le.Uint32(o.data[12:]), size: symbolSize}
		o.headers = headerSize + int(le.Uint16(o.data[16:]))
		return uint32(le.Uint16(o.data[2:])), nil
	}
	if len(o.data) < bigHeaderSize || le.Uint16(o.data[4:]) < 2 || string(o.data[12:28]) != bigObjClass {
		return 0, &UnsupportedError{What: "object"}
	}
	o.symbols = symbolTable{pointer: 48, offset: le.Uint32(o.data[48:]), count: le.Uint32(o.data[52:]), size: bigSymbolSize}
	o.headers = bigHeaderSize
	return le.Uint32(o.data[44:]), nil
}

func (o *Object) headersEnd(count uint32) uint64 {
	return uint64(o.headers) + uint64(count)*sectionHeaderSize
}

// checkSymbols makes sure that the symbol table, which is written to, has its bytes for
// itself.
func (o *Object) checkSymbols(edits editList) error {
	start := uint64(o.symbols.offset)
	end := start + uint64(o.symbols.count)*uint64(o.symbols.size)
	if start == end {
		return nil
	}
	if start < o.headersEnd(uint32(len(o.sections))) {
		return malformed("symbol table at %d", start)
	}
	for _, e := range edits {
		if start < uint64(e.offset)+uint64(e.old) && uint64(e.offset) < end {
			return malformed("symbol table within a section")
		}
	}
	return nil
}

func (o *Object) header(i int) []byte {
	return o.data[o.headers+i*sectionHeaderSize:][:sectionHeaderSize]
}

func (o *Object) readSection(i int) error {
	h := o.header(i)
	name, _, _ := bytes.Cut(h[:8], []byte{0})
	s := Section{Name: string(name), offset: binary.LittleEndian.Uint32(h[20:])}
	if s.offset != 0 {
		end := uint64(s.offset) + uint64(binary.LittleEndian.Uint32(h[16:]))
		if end > uint64(len(o.data)) {
			return malformed("section %s", s.Name)
		}
		s.Data = o.data[s.offset:end:end]
	}
	o.sections[i] = s
	return nil
}

// Sections returns the sections in order. They are not to be changed.
func (o *Object) Sections() []Section { return o.sections }

// Replace returns the object with new content for the sections whose numbers, from
// 0 on, are the keys of content. Relocations are kept; they must still fit.
func (o *Object) Replace(content map[int][]byte) ([]byte, error) {
	return o.replace(content, nil)
}

// A shift says that the bytes of a section from one offset to another were replaced by
// others, by more of them.
type shift struct{ from, to, by int }

type shifts []shift

// move returns where an offset has gone.
func (l shifts) move(offset uint32) (uint32, error) {
	now := int64(offset)
	for _, s := range l {
		switch {
		case int64(offset) >= int64(s.to):
			now += int64(s.by)
		case int64(offset) >= int64(s.from):
			return 0, malformed("relocation at %#x", offset)
		}
	}
	return uint32(now), nil
}

// relocate moves the relocations of section i.
func (o *Object) relocate(i int, by shifts) error {
	h, le := o.header(i), binary.LittleEndian
	at, count := uint64(le.Uint32(h[24:])), uint64(le.Uint16(h[32:]))
	if count == 0 {
		return nil
	}
	if le.Uint32(h[36:])&manyRelocations != 0 && count == 0xFFFF {
		if at+relocationSize > uint64(len(o.data)) {
			return malformed("relocations at %#x", at)
		}
		count = uint64(le.Uint32(o.data[at:])) - 1
		at += relocationSize
	}
	if at < o.headersEnd(uint32(len(o.sections))) || at+count*relocationSize > uint64(len(o.data)) {
		return malformed("%d relocations", count)
	}
	for ; count > 0; count-- {
		now, err := by.move(le.Uint32(o.data[at:]))
		if err != nil {
			return err
		}
		le.PutUint32(o.data[at:], now)
		at += relocationSize
	}
	return nil
}

// replace is Replace for sections in which something has moved.
func (o *Object) replace(content map[int][]byte, moved map[int]shifts) ([]byte, error) {
	edits := o.edits(content)
	if err := o.checkSymbols(edits); err != nil {
		return nil, err
	}
	out, err := o.splice(edits)
	if err != nil {
		return nil, err
	}
	if uint64(len(out)) > 1<<32-1 {
		return nil, malformed("object of %d bytes", len(out))
	}
	changed := &Object{data: out, headers: o.headers, sections: o.sections}
	le := binary.LittleEndian
	for i := range o.sections {
		h := changed.header(i)
		if data, ok := content[i]; ok {
			le.PutUint32(h[16:], uint32(len(data)))
		}
		for _, at := range []int{20, 24, 28} {
			if err := edits.move(h[at:]); err != nil {
				return nil, err
			}
		}
	}
	if err := edits.move(out[o.symbols.pointer:]); err != nil {
		return nil, err
	}
	for i, by := range moved {
		if err := changed.relocate(i, by); err != nil {
			return nil, err
		}
	}
	o.describe(content, out[le.Uint32(out[o.symbols.pointer:]):])
	return out, nil
}

// An edit puts data where old bytes of a section were.
type edit struct {
	offset, old uint32
	data        []byte
}

type editList []edit

func (o *Object) edits(content map[int][]byte) editList {
	list := make(editList, 0, len(content))
	for i, data := range content {
		list = append(list, edit{o.sections[i].offset, uint32(len(o.sections[i].Data)), data})
	}
	slices.SortFunc(list, func(a, b edit) int { return cmp.Compare(a.offset, b.offset) })
	return list
}

func (o *Object) splice(edits editList) ([]byte, error) {
	size := len(o.data)
	for _, e := range edits {
		size += len(e.data) - int(e.old)
	}
	out := make([]byte, 0, size)
	done := uint32(0)
	for _, e := range edits {
		if e.offset < done || uint64(e.offset) < o.headersEnd(uint32(len(o.sections))) {
			return nil, malformed("sections that overlap at %#x", e.offset)
		}
		out = append(out, o.data[done:e.offset]...)
		out = append(out, e.data...)
		done = e.offset + e.old
	}
	return append(out, o.data[done:]...), nil
}

// move adjusts the file pointer that field holds.
func (l editList) move(field []byte) error {
	old := binary.LittleEndian.Uint32(field)
	now := int64(old)
	for _, e := range l {
		if old <= e.offset {
			break
		}
		if uint64(old) < uint64(e.offset)+uint64(e.old) {
			return malformed("pointer into the section at %#x", e.offset)
		}
		now += int64(len(e.data)) - int64(e.old)
	}
	binary.LittleEndian.PutUint32(field, uint32(now))
	return nil
}

// describe brings the auxiliary records of the changed sections in table up to date.
func (o *Object) describe(content map[int][]byte, table []byte) {
	t := &o.symbols
	for i := uint32(0); i < t.count; {
		symbol := table[int(i)*t.size:][:t.size]
		auxiliaries := uint32(symbol[t.size-1])
		i += 1 + auxiliaries
		section, class := t.sectionOf(symbol)
		data, ok := content[section]
		if !ok || class != classStatic || auxiliaries != 1 || i > t.count || binary.LittleEndian.Uint32(symbol[8:]) != 0 {
			continue
		}
		auxiliary := table[int(i-1)*t.size:][:t.size]
		binary.LittleEndian.PutUint32(auxiliary, uint32(len(data)))
		if checksum := auxiliary[8:12]; binary.LittleEndian.Uint32(checksum) != 0 {
			binary.LittleEndian.PutUint32(checksum, ^crc32.ChecksumIEEE(data))
		}
	}
}

// sectionOf returns a symbol's section, from 0 on, and its storage class.
func (t *symbolTable) sectionOf(symbol []byte) (section int, class byte) {
	class = symbol[t.size-2]
	if t.size == bigSymbolSize {
		return int(int32(binary.LittleEndian.Uint32(symbol[12:]))) - 1, class
	}
	return int(int16(binary.LittleEndian.Uint16(symbol[12:]))) - 1, class
}
