package pdb

// Kinds of symbols, as far as they are not told apart by number alone.
const (
	symDefRangeFirst = 0x113F
	symDefRangeLast  = 0x1145
)

// SymbolReferences appends the places of all numbers in a symbol record to list and
// returns it. A kind that is not known is an UnsupportedError.
//
// Left unknown because no object that held one was seen, or sources disagree: 1155,
// 1156, 1166, 1172 to 1177, 117C and above.
func SymbolReferences(list []Reference, record []byte) ([]Reference, error) {
	r := references{list: list, record: record}
	kind := kindOf(record)
	if !withoutReferences(kind) {
		r.symbol(kind)
	}
	return r.list, r.err
}

func (r *references) symbol(kind uint16) {
	switch kind {
	case 0x1146, 0x1147: // LPROC32_ID GPROC32_ID
		r.items(24)
	case 0x110F, 0x1110: // LPROC32 GPROC32
		r.types(24)
	case 0x1106, 0x1107, 0x1108, 0x1109, 0x110A, 0x1117, // REGISTER CONSTANT UDT COBOLUDT MANYREG MANYREG2
		0x110C, 0x110D, 0x1112, 0x1113, // LDATA32 GDATA32 LTHREAD32 GTHREAD32
		0x111C, 0x111D, 0x113E, 0x1153: // LMANDATA GMANDATA LOCAL FILESTATIC
		r.types(0)
	case 0x110B, 0x1111, 0x1170, 0x1171, // BPREL32 REGREL32 and their _INDIR
		0x1178, 0x1179, 0x117A, 0x117B: // their _ENCTMP, of edit and continue
		r.types(4)
	case 0x114C, 0x1169: // BUILDINFO HOTPATCHFUNC
		r.items(0)
	case 0x1139, 0x115E: // CALLSITEINFO HEAPALLOCSITE
		r.types(8)
	case 0x114D, 0x115D: // INLINESITE INLINESITE2
		r.items(8)
	case 0x115A, 0x115B, 0x1168: // CALLEES CALLERS INLINEES
		r.counted(Items, 4)
	default:
		r.unknown("symbol")
	}
}

// withoutReferences reports whether symbols of this kind hold no numbers.
func withoutReferences(kind uint16) bool {
	switch kind {
	case 0x0006, 0x114E, 0x114F, // END INLINESITE_END PROC_ID_END
		0x1101, 0x1116, 0x113C, 0x113D, // OBJNAME COMPILE2 COMPILE3 ENVBLOCK
		0x1102, 0x1103, 0x1105, // THUNK32 BLOCK32 LABEL32
		0x1012, 0x1019, 0x113A, 0x1124, // FRAMEPROC ANNOTATION FRAMECOOKIE UNAMESPACE
		0x1132, 0x1136, 0x1137, 0x1138, // SEPCODE SECTION COFFGROUP EXPORT
		0x1159, 0x115C: // ARMSWITCHTABLE POGODATA
		return true
	}
	return kind >= symDefRangeFirst && kind <= symDefRangeLast
}
