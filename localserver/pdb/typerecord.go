package pdb

import "bytes"

// Kinds of type records (TPI).
const (
	leafVTShape      = 0x000A
	leafLabel        = 0x000E
	leafEndPrecomp   = 0x0014
	leafModifier     = 0x1001
	leafPointer      = 0x1002
	leafProcedure    = 0x1008
	leafMFunction    = 0x1009
	leafArgList      = 0x1201
	leafFieldList    = 0x1203
	leafBitField     = 0x1205
	leafMethodList   = 0x1206
	leafBaseClass    = 0x1400
	leafVBaseClass   = 0x1401
	leafIVBaseClass  = 0x1402
	leafIndex        = 0x1404
	leafVFuncTab     = 0x1409
	leafEnumerate    = 0x1502
	leafArray        = 0x1503
	leafClass        = 0x1504
	leafStructure    = 0x1505
	leafUnion        = 0x1506
	leafEnum         = 0x1507
	leafMember       = 0x150D
	leafStaticMember = 0x150E
	leafMethod       = 0x150F
	leafNestedType   = 0x1510
	leafOneMethod    = 0x1511
	leafTypeServer2  = 0x1515
	leafInterface    = 0x1519
	leafBaseIface    = 0x151A
	leafVFTable      = 0x151D
)

// Kinds of item records (IPI).
const (
	leafFuncID        = 0x1601
	leafMFuncID       = 0x1602
	leafBuildInfo     = 0x1603
	leafSubstrList    = 0x1604
	leafStringID      = 0x1605
	leafUDTSrcLine    = 0x1606
	leafUDTModSrcLine = 0x1607
)

// isItem reports whether kind belongs to the IPI stream.
func isItem(kind uint16) bool { return kind >= leafFuncID && kind <= leafUDTModSrcLine }

// TypeReferences appends the places of all numbers in a type or item record to list
// and returns it. A kind that is not known is an UnsupportedError.
func TypeReferences(list []Reference, record []byte) ([]Reference, error) {
	r := references{list: list, record: record}
	if isItem(kindOf(record)) {
		r.item()
	} else {
		r.typeRecord()
	}
	return r.list, r.err
}

func (r *references) item() {
	switch kindOf(r.record) {
	case leafFuncID:
		r.items(0)
		r.types(4)
	case leafMFuncID:
		r.types(0, 4)
	case leafBuildInfo:
		r.counted(Items, 2)
	case leafSubstrList:
		r.counted(Items, 4)
	case leafStringID:
		r.items(0)
	case leafUDTSrcLine:
		r.types(0)
		r.items(4)
	default: // of UDTModSrcLine the source is an offset in /names, which linkers write
		r.unknown("type record")
	}
}

func (r *references) typeRecord() {
	switch kindOf(r.record) {
	case leafVTShape, leafLabel:
	case leafModifier, leafBitField:
		r.types(0)
	case leafPointer:
		r.types(0)
		if mode := r.u32(4) >> 5 & 7; mode == 2 || mode == 3 { // to a member: its class
			r.types(8)
		}
	case leafProcedure:
		r.types(0, 8)
	case leafMFunction:
		r.types(0, 4, 8, 16)
	case leafArgList:
		r.counted(Types, 4)
	case leafArray, leafVFTable:
		r.types(0, 4)
	case leafClass, leafStructure, leafInterface:
		r.types(4, 8, 12)
	case leafUnion:
		r.types(4)
	case leafEnum:
		r.types(4, 8)
	case leafMethodList:
		r.methodList()
	case leafFieldList:
		r.fieldList()
	default:
		r.unknown("type record")
	}
}

// methodList goes through
//
//	attributes:u16 pad:u16 type:u32 [offset:u32]
//
// which ends with the record.
func (r *references) methodList() {
	for at := 0; recordHeader+at < len(r.record) && r.err == nil; {
		introduces := introducesVirtual(r.u16(at))
		r.types(at + 4)
		at += 8
		if introduces {
			at += 4
		}
	}
}

// introducesVirtual reports whether a method with these attributes has an offset in
// the virtual function table.
func introducesVirtual(attributes uint16) bool {
	property := attributes >> 2 & 7
	return property == 4 || property == 6
}

// fieldList goes through the members of a class or enumeration, each
//
//	kind:u16 content pad
//
// where pad are bytes F1 to FF, the low half of each the count to the next member.
func (r *references) fieldList() {
	at := 0
	for recordHeader+at < len(r.record) && r.err == nil {
		if pad := r.record[recordHeader+at]; pad > 0xF0 {
			at += int(pad & 0x0F)
			continue
		}
		at = r.member(at)
	}
}

// member adds what the member at offset at refers to and returns the offset behind
// it.
func (r *references) member(at int) int {
	switch kind := r.u16(at); kind {
	case leafBaseClass, leafBaseIface:
		r.types(at + 4)
		return r.numeric(at + 8)
	case leafVBaseClass, leafIVBaseClass:
		r.types(at+4, at+8)
		return r.numeric(r.numeric(at + 12))
	case leafIndex, leafVFuncTab:
		r.types(at + 4)
		return at + 8
	case leafEnumerate:
		return r.name(r.numeric(at + 4))
	case leafMember:
		r.types(at + 4)
		return r.name(r.numeric(at + 8))
	case leafStaticMember, leafMethod, leafNestedType:
		r.types(at + 4)
		return r.name(at + 8)
	case leafOneMethod:
		r.types(at + 4)
		if introducesVirtual(r.u16(at + 2)) {
			return r.name(at + 12)
		}
		return r.name(at + 8)
	default:
		if r.err == nil {
			r.err = &UnsupportedError{What: "type record", Kind: uint32(kind)}
		}
		return at
	}
}

// numeric returns the offset behind the number at offset at: up to 0x7FFF as it
// stands, else a kind that says how many bytes follow.
func (r *references) numeric(at int) int {
	switch kind := r.u16(at); {
	case kind < 0x8000:
		return at + 2
	case kind == 0x8000: // i8
		return at + 3
	case kind == 0x8001, kind == 0x8002: // i16, u16
		return at + 4
	case kind >= 0x8003 && kind <= 0x8005: // i32, u32, f32
		return at + 6
	case kind == 0x8006, kind == 0x8009, kind == 0x800A, kind == 0x800C: // f64, i64, u64, complex32
		return at + 10
	case kind == 0x800B: // f48
		return at + 8
	case kind == 0x8007: // f80
		return at + 12
	case kind == 0x8008, kind == 0x8017, kind == 0x8018, kind == 0x8019: // f128, i128, u128, decimal
		return at + 18
	default:
		r.fail("numeric leaf %#04x", kind)
		return at + 2
	}
}

// name returns the offset behind the NUL-terminated name at offset at.
func (r *references) name(at int) int {
	start := recordHeader + at
	if r.err != nil || start > len(r.record) {
		r.fail("name at %d", at)
		return at
	}
	end := bytes.IndexByte(r.record[start:], 0)
	if end < 0 {
		r.fail("name at %d without an end", at)
		return at
	}
	return at + end + 1
}
