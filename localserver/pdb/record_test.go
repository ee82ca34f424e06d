package pdb

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"
)

// record returns a record of kind with content, padded.
func record(kind uint16, content ...byte) []byte {
	out := binary.LittleEndian.AppendUint16([]byte{0, 0}, kind)
	return seal(append(out, content...))
}

// zeroes followed by what is given.
func at(offset int, rest ...byte) []byte { return append(make([]byte, offset), rest...) }

func u32s(numbers ...uint32) []byte { return appendNumbers(nil, numbers) }

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// Where numbers stand, counted in the content. Bytes of content are zero unless they
// decide.
func TestTypeReferences(t *testing.T) {
	member := func(kind uint16, rest ...byte) []byte {
		return append(binary.LittleEndian.AppendUint16(nil, kind), rest...)
	}
	for _, c := range []struct {
		name         string
		record       []byte
		types, items []int
	}{
		{"VTSHAPE", record(0x000A, at(8)...), nil, nil},
		{"LABEL", record(0x000E, at(4)...), nil, nil},
		{"MODIFIER", record(0x1001, at(8)...), []int{0}, nil},
		{"BITFIELD", record(0x1205, at(8)...), []int{0}, nil},
		{"POINTER", record(0x1002, at(8)...), []int{0}, nil},
		{"POINTER to data member", record(0x1002, join(at(4), u32s(2<<5), at(8))...), []int{0, 8}, nil},
		{"POINTER to method", record(0x1002, join(at(4), u32s(3<<5), at(8))...), []int{0, 8}, nil},
		{"POINTER, reference", record(0x1002, join(at(4), u32s(1<<5))...), []int{0}, nil},
		{"PROCEDURE", record(0x1008, at(12)...), []int{0, 8}, nil},
		{"MFUNCTION", record(0x1009, at(24)...), []int{0, 4, 8, 16}, nil},
		{"ARGLIST", record(0x1201, join(u32s(3), at(12))...), []int{4, 8, 12}, nil},
		{"ARGLIST, empty", record(0x1201, u32s(0)...), nil, nil},
		{"ARRAY", record(0x1503, at(12)...), []int{0, 4}, nil},
		{"VFTABLE", record(0x151D, at(16)...), []int{0, 4}, nil},
		{"CLASS", record(0x1504, at(20)...), []int{4, 8, 12}, nil},
		{"STRUCTURE", record(0x1505, at(20)...), []int{4, 8, 12}, nil},
		{"INTERFACE", record(0x1519, at(20)...), []int{4, 8, 12}, nil},
		{"UNION", record(0x1506, at(12)...), []int{4}, nil},
		{"ENUM", record(0x1507, at(16)...), []int{4, 8}, nil},
		{"METHODLIST", record(0x1206, join(u32s(0, 0), u32s(4<<2, 0, 0), u32s(6<<2, 0, 0), u32s(1<<2, 0))...), []int{4, 12, 24, 36}, nil},
		{"FUNC_ID", record(0x1601, at(12)...), []int{4}, []int{0}},
		{"MFUNC_ID", record(0x1602, at(12)...), []int{0, 4}, nil},
		{"BUILDINFO", record(0x1603, append([]byte{2, 0}, at(10)...)...), nil, []int{2, 6}},
		{"SUBSTR_LIST", record(0x1604, join(u32s(2), at(8))...), nil, []int{4, 8}},
		{"STRING_ID", record(0x1605, at(8)...), nil, []int{0}},
		{"UDT_SRC_LINE", record(0x1606, at(12)...), []int{0}, []int{4}},
		{"BCLASS", record(0x1203, member(0x1400, at(8)...)...), []int{4}, nil},
		{"BINTERFACE", record(0x1203, member(0x151A, at(8)...)...), []int{4}, nil},
		{"VBCLASS", record(0x1203, member(0x1401, join(at(10), []byte{0x04, 0x80}, at(4), []byte{1, 0})...)...), []int{4, 8}, nil},
		{"IVBCLASS", record(0x1203, member(0x1402, at(14)...)...), []int{4, 8}, nil},
		{"INDEX", record(0x1203, member(0x1404, at(6)...)...), []int{4}, nil},
		{"VFUNCTAB", record(0x1203, member(0x1409, at(6)...)...), []int{4}, nil},
		{"ENUMERATE", record(0x1203, member(0x1502, append(at(4), "RED\x00"...)...)...), nil, nil},
		{"MEMBER", record(0x1203, member(0x150D, append(at(8), "m\x00"...)...)...), []int{4}, nil},
		{"STMEMBER", record(0x1203, member(0x150E, append(at(6), "m\x00"...)...)...), []int{4}, nil},
		{"METHOD", record(0x1203, member(0x150F, append(at(6), "m\x00"...)...)...), []int{4}, nil},
		{"NESTTYPE", record(0x1203, member(0x1510, append(at(6), "m\x00"...)...)...), []int{4}, nil},
		{"ONEMETHOD", record(0x1203, member(0x1511, append(at(6), "m\x00"...)...)...), []int{4}, nil},
		{"ONEMETHOD, introducing", record(0x1203, member(0x1511, append([]byte{4 << 2}, append(at(9), "m\x00"...)...)...)...), []int{4}, nil},
		{"members with padding", record(0x1203, join(
			member(0x1502, append(at(4), "A\x00"...)...), []byte{0xF2, 0xF1}, // of 8 bytes
			member(0x1404, at(6)...),
		)...), []int{14}, nil},
	} {
		got, err := TypeReferences(nil, c.record)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		compareReferences(t, c.name, got, c.types, c.items)
	}
}

func compareReferences(t *testing.T, name string, got []Reference, types, items []int) {
	t.Helper()
	var want []Reference
	for _, o := range items {
		want = append(want, Reference{recordHeader + o, Items})
	}
	for _, o := range types {
		want = append(want, Reference{recordHeader + o, Types})
	}
	byPlace := func(a, b Reference) int { return a.At - b.At }
	slices.SortFunc(got, byPlace)
	slices.SortFunc(want, byPlace)
	if !slices.Equal(got, want) {
		t.Errorf("%s: %v, want %v", name, got, want)
	}
}

// The sizes of numbers in records, by a member's name that lies behind one.
func TestNumericLeaves(t *testing.T) {
	for kind, size := range map[uint16]int{
		0x7FFF: 2, 0x8000: 3, 0x8001: 4, 0x8002: 4, 0x8003: 6, 0x8004: 6, 0x8005: 6, 0x8006: 10, 0x8007: 12, 0x8008: 18,
		0x8009: 10, 0x800A: 10, 0x800B: 8, 0x800C: 10, 0x8017: 18, 0x8018: 18, 0x8019: 18,
	} {
		number := append(binary.LittleEndian.AppendUint16(nil, kind), at(size-2)...)
		enumerate := join([]byte{0x02, 0x15, 0, 0}, number, []byte("name\x00"))
		pad := bytes.Repeat([]byte{0}, -len(enumerate)&3)
		for i := range pad {
			pad[i] = 0xF0 | byte(len(pad)-i)
		}
		list := join(enumerate, pad, []byte{0x04, 0x14, 0, 0}, u32s(0x1234))
		got, err := TypeReferences(nil, record(leafFieldList, list...))
		if err != nil {
			t.Errorf("%#x: %v", kind, err)
		}
		compareReferences(t, "number", got, []int{len(enumerate) + len(pad) + 4}, nil)
	}
}

func TestUnknownTypeRecords(t *testing.T) {
	var unsupported *UnsupportedError
	for _, kind := range []uint16{leafEndPrecomp, 0x1509, leafTypeServer2, leafUDTModSrcLine, 0x1608, 0x160B, 0x1207, 0} {
		if _, err := TypeReferences(nil, record(kind, at(16)...)); !errors.As(err, &unsupported) || unsupported.Kind != uint32(kind) {
			t.Errorf("%#x: %v", kind, err)
		}
	}
	unknownMember := record(leafFieldList, 0x15, 0x15, 0, 0)
	if _, err := TypeReferences(nil, unknownMember); !errors.As(err, &unsupported) || unsupported.Kind != 0x1515 {
		t.Errorf("member: %v", err)
	}
}

// No record is read beyond its end.
func TestShortTypeRecords(t *testing.T) {
	for _, r := range [][]byte{
		record(leafModifier),
		record(leafPointer, at(4)...),
		record(leafPointer, join(at(4), u32s(2<<5))...),
		record(leafArgList, u32s(2, 0)...),
		record(leafArgList, u32s(0xFFFFFFFF)...),
		record(leafBuildInfo, 9, 0),
		record(leafMethodList, at(4)...),
		record(leafFieldList, 0x0D, 0x15, 0, 0),
		record(leafFieldList, append([]byte{0x0D, 0x15}, append(at(8), "abcdefgh"...)...)...),
		record(leafFieldList, append([]byte{0x02, 0x15, 0, 0, 0x1B, 0x80}, at(20)...)...),
	} {
		if _, err := TypeReferences(nil, r); !errors.Is(err, ErrMalformed) {
			t.Errorf("%x: %v", r, err)
		}
	}
}

func TestSymbolReferences(t *testing.T) {
	for _, c := range []struct {
		kinds        []uint16
		content      []byte
		types, items []int
	}{
		{[]uint16{0x1146, 0x1147}, at(40), nil, []int{24}},
		{[]uint16{0x110F, 0x1110}, at(40), []int{24}, nil},
		{[]uint16{
			0x1106, 0x1107, 0x1108, 0x1109, 0x110A, 0x1117, 0x110C, 0x110D, 0x1112, 0x1113, 0x111C, 0x111D, 0x113E, 0x1153,
		}, at(8), []int{0}, nil},
		{[]uint16{0x110B, 0x1111, 0x1170, 0x1171, 0x1178, 0x1179, 0x117A, 0x117B}, at(12), []int{4}, nil},
		{[]uint16{0x114C, 0x1169}, at(4), nil, []int{0}},
		{[]uint16{0x1139, 0x115E}, at(12), []int{8}, nil},
		{[]uint16{0x114D, 0x115D}, at(16), nil, []int{8}},
		{[]uint16{0x115A, 0x115B, 0x1168}, join(u32s(2), at(8)), nil, []int{4, 8}},
		{[]uint16{
			0x0006, 0x114E, 0x114F, 0x1101, 0x1116, 0x113C, 0x113D, 0x1103, 0x1102, 0x1105, 0x1012, 0x113A, 0x1124, 0x1019,
			0x1159, 0x1132, 0x1136, 0x1137, 0x1138, 0x115C, 0x113F, 0x1140, 0x1141, 0x1142, 0x1143, 0x1144, 0x1145,
		}, nil, nil, nil},
	} {
		for _, kind := range c.kinds {
			got, err := SymbolReferences(nil, record(kind, c.content...))
			if err != nil {
				t.Errorf("%#x: %v", kind, err)
			}
			compareReferences(t, "symbol", got, c.types, c.items)
		}
	}
	var unsupported *UnsupportedError
	for _, kind := range []uint16{0x1155, 0x1156, 0x1166, 0x1172, 0x1175, 0x1176, 0x1177, 0x117C, 0x112A, 0x0001, 0xFFFF} {
		if _, err := SymbolReferences(nil, record(kind, at(40)...)); !errors.As(err, &unsupported) {
			t.Errorf("%#x: %v", kind, err)
		}
	}
	if _, err := SymbolReferences(nil, record(0x1147, at(20)...)); !errors.Is(err, ErrMalformed) {
		t.Errorf("short: %v", err)
	}
}

// symbols collects what VisitSymbolNumbers shows of a section.
func symbols(section []byte) (numbers []string, err error) {
	err = VisitSymbolNumbers(section, func(space Space, field []byte) error {
		numbers = append(numbers, space.String()+" "+string('0'+rune(field[0])))
		return nil
	})
	return numbers, err
}

func subsection(kind uint32, data ...byte) []byte {
	out := append(u32s(kind, uint32(len(data))), data...)
	return append(out, make([]byte, -len(out)&3)...)
}

func TestVisitSymbolNumbers(t *testing.T) {
	udt := []byte{7, 0, 0x08, 0x11, 1, 0, 0, 0, 0} // not padded, as in objects
	section := join(
		u32s(4),
		subsection(0xF1, join(udt, udt, record(0x1147, at(24, 2, 0, 0, 0)...))...),
		subsection(0xF2, 1, 2, 3),
		subsection(0xF6, u32s(0, 3, 0, 0, 4, 0, 0)...),
		subsection(0xF6, u32s(1, 5, 0, 0, 2, 9, 9, 6, 0, 0, 0)...),
		subsection(0xF3), subsection(0xF4, 1), subsection(0xF5),
	)
	got, err := symbols(section)
	want := "type 1,type 1,item 2,item 3,item 4,item 5,item 6"
	if err != nil || strings.Join(got, ",") != want {
		t.Errorf("%v, %v, want %s", got, err, want)
	}
	if last := bytes.TrimRight(section, "\x00"); len(last) < len(section) {
		if _, err := symbols(join(u32s(4), subsection(0xF3), u32s(0xF4, 1), []byte{1})); err != nil {
			t.Errorf("section without the last padding: %v", err)
		}
	}
}

func TestVisitSymbolNumbersRefuses(t *testing.T) {
	var unsupported *UnsupportedError
	for _, kind := range []uint32{0xF0, 0xF7, 0xF8, 0xF9, 0xFD, 0x800000F1} {
		if _, err := symbols(join(u32s(4), subsection(kind))); !errors.As(err, &unsupported) || unsupported.Kind != kind {
			t.Errorf("%#x: %v", kind, err)
		}
	}
	for name, section := range map[string][]byte{
		"empty":              nil,
		"signature":          u32s(2),
		"subsection":         u32s(4, 0xF1),
		"length":             u32s(4, 0xF1, 8),
		"record":             join(u32s(4), subsection(0xF1, 9, 0, 6, 0)),
		"record without end": join(u32s(4), subsection(0xF1, 1, 0, 6, 0)),
		"inlinee form":       join(u32s(4), subsection(0xF6, u32s(2)...)),
		"inlinee":            join(u32s(4), subsection(0xF6, u32s(0, 1)...)),
		"inlinee files":      join(u32s(4), subsection(0xF6, u32s(1, 1, 1, 1, 5)...)),
	} {
		if _, err := symbols(section); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTypeServerSection(t *testing.T) {
	for _, path := range []string{`C:\a\vc140.pdb`, `C:\ab\vc140.pdb`, `C:\abc\vc140.pdb`, `C:\abcd\vc140.pdb`, `D:\größe\x.pdb`} {
		want := TypeServer{GUID: GUID{1, 2, 3}, Age: 7, Path: path}
		section, err := want.Section()
		if err != nil {
			t.Fatal(err)
		}
		got, ok, err := readTypeServer(section)
		if err != nil || !ok || got != want {
			t.Errorf("%+v, %v, %v", got, ok, err)
		}
		if len(section)%4 != 0 {
			t.Errorf("%s: %d bytes", path, len(section))
		}
	}
	if _, ok, err := readTypeServer(join(u32s(4), record(leafModifier, at(8)...))); ok || err != nil {
		t.Errorf("types inside: %v, %v", ok, err)
	}
	for name, section := range map[string][]byte{
		"second record": join(u32s(4), record(leafTypeServer2, at(24)...), record(leafModifier, at(8)...)),
		"short":         join(u32s(4), record(leafTypeServer2, at(16)...)),
		"no end":        join(u32s(4), record(leafTypeServer2, at(20, 'a', 'b', 'c', 'd')...)),
	} {
		if _, _, err := readTypeServer(section); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := (TypeServer{Path: strings.Repeat("x", maxPath+1)}).Section(); err == nil {
		t.Error("a path beyond all measure")
	}
}

func FuzzRecords(f *testing.F) {
	f.Add(record(leafFieldList, join([]byte{0x0D, 0x15, 0, 0}, u32s(0x74), []byte{4, 0}, []byte("member\x00\xF1"))...))
	f.Add(record(leafMethodList, u32s(16, 0x1000, 4)...))
	f.Add(record(0x1147, at(40)...))
	f.Fuzz(func(t *testing.T, data []byte) {
		if n, err := checkRecords(data); err == nil {
			count := 0
			for _, r := range Records(data).All() {
				count++
				checkPlaces(t, r, TypeReferences)
				checkPlaces(t, r, SymbolReferences)
				hashRecord(r)
			}
			if count != n {
				t.Errorf("%d records, %d counted", count, n)
			}
		}
		section := append(u32s(4), data...)
		_ = VisitSymbolNumbers(section, func(_ Space, field []byte) error { _ = field[:4]; return nil })
		_, _, _ = readTypeServer(section)
	})
}

func checkPlaces(t *testing.T, record []byte, references func([]Reference, []byte) ([]Reference, error)) {
	list, err := references(nil, record)
	for _, r := range list {
		if r.At < recordHeader || r.At+4 > len(record) {
			t.Errorf("%x: place %d, %v", record, r.At, err)
		}
	}
}
