package pdb

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
)

// hashBuckets is what record hashes are reduced by.
const hashBuckets = 0x3FFFF

// Properties of class, union and enumeration records.
const (
	propertyForward = 0x80
	propertyScoped  = 0x100
	propertyUnique  = 0x200
)

// hashRecord returns the hash by which readers find a type or item record: that of the
// name for a definition which may be looked up by name, that of the number for source
// lines of types, else that of the whole record.
func hashRecord(record []byte) uint32 {
	switch kindOf(record) {
	case leafClass, leafStructure, leafInterface:
		if name, ok := lookupName(record, 16, true); ok {
			return hashString(name) % hashBuckets
		}
	case leafUnion:
		if name, ok := lookupName(record, 8, true); ok {
			return hashString(name) % hashBuckets
		}
	case leafEnum:
		if name, ok := lookupName(record, 12, false); ok {
			return hashString(name) % hashBuckets
		}
	case leafUDTSrcLine, leafUDTModSrcLine:
		if len(record) >= recordHeader+4 {
			return hashString(record[recordHeader:recordHeader+4]) % hashBuckets
		}
	}
	return crcOf(record) % hashBuckets
}

// crcOf is the CRC-32 from 0 on, without the final inversion.
func crcOf(data []byte) uint32 {
	return ^crc32.Update(^uint32(0), crc32.IEEETable, data)
}

// lookupName returns the name that the definition in record is found by. The names lie
// at offset names of the content, behind a number if sized. It reports false for forward
// references and for what has no name.
func lookupName(record []byte, names int, sized bool) ([]byte, bool) {
	if len(record) < recordHeader+names {
		return nil, false
	}
	property := binary.LittleEndian.Uint16(record[recordHeader+2:])
	if property&propertyForward != 0 {
		return nil, false
	}
	if sized {
		r := references{record: record}
		if names = r.numeric(names); r.err != nil || recordHeader+names > len(record) {
			return nil, false
		}
	}
	name, rest, _ := bytes.Cut(record[recordHeader+names:], []byte{0})
	unique, _, _ := bytes.Cut(rest, []byte{0})
	switch hasUnique := property&propertyUnique != 0; {
	case hasUnique && isAnonymous(name):
		return nil, false
	case property&propertyScoped == 0:
		return name, true
	case hasUnique:
		return unique, true
	}
	return nil, false
}

// isAnonymous reports whether the compiler made the name up.
func isAnonymous(name []byte) bool {
	for _, anonymous := range []string{"<unnamed-tag>", "__unnamed"} {
		if string(name) == anonymous || bytes.HasSuffix(name, []byte("::"+anonymous)) {
			return true
		}
	}
	return false
}

// hashString is the case-folding hash of names.
func hashString(s []byte) uint32 {
	var h uint32
	for ; len(s) >= 4; s = s[4:] {
		h ^= binary.LittleEndian.Uint32(s)
	}
	if len(s) >= 2 {
		h ^= uint32(binary.LittleEndian.Uint16(s))
		s = s[2:]
	}
	if len(s) == 1 {
		h ^= uint32(s[0])
	}
	h |= 0x20202020
	h ^= h >> 11
	return h ^ h>>16
}
