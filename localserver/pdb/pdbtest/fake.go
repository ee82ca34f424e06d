package pdbtest

import (
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/rexwrap/rexwrap/localserver/pdb"
)

// A Unit says what a made-up object and its PDB hold.
type Unit struct {
	// Common types are the same in all units, Own ones only in those of one
	// Name. Each is a structure with a field list and a pointer to it: three
	// records.
	Common, Own int
	Name        string
	GUID        pdb.GUID
	Age         uint32
	// Path is that of the PDB in the object.
	Path string
}

// Fake returns an object whose symbols refer to all types of its PDB, and the PDB.
func Fake(t testing.TB, u Unit) (object, private []byte) {
	t.Helper()
	object, private, err := u.Make()
	if err != nil {
		t.Fatal(err)
	}
	return object, private
}

// Make is Fake without a test.
func (u *Unit) Make() (object, private []byte, err error) {
	types, items := u.records()
	p, err := pdb.NewPrivate(types, items)
	if err != nil {
		return nil, nil, err
	}
	file := pdb.NewMemory(nil)
	store := pdb.Create(file, u.GUID)
	if _, err := store.Merge(p); err != nil {
		return nil, nil, err
	}
	if err := store.Commit(); err != nil {
		return nil, nil, err
	}
	server, err := pdb.TypeServer{GUID: u.GUID, Age: max(u.Age, 1), Path: u.Path}.Section()
	if err != nil {
		return nil, nil, err
	}
	return fakeObject(server, u.symbols()), file.Bytes(), nil
}

func u32s(numbers ...uint32) []byte {
	var out []byte
	for _, n := range numbers {
		out = binary.LittleEndian.AppendUint32(out, n)
	}
	return out
}

func record(kind uint16, parts ...[]byte) []byte {
	out := binary.LittleEndian.AppendUint16([]byte{0, 0}, kind)
	for _, p := range parts {
		out = append(out, p...)
	}
	for pad := -len(out) & 3; pad > 0; pad-- {
		out = append(out, 0xF0|byte(pad))
	}
	binary.LittleEndian.PutUint16(out, uint16(len(out)-2))
	return out
}

// records returns, for every structure, its field list (with a member of built-in type),
// itself, and a pointer to it.
func (u *Unit) records() (types, items pdb.Records) {
	next := uint32(pdb.FirstIndex)
	for i := range u.Common + u.Own {
		name := fmt.Sprintf("common%d", i)
		if i >= u.Common {
			name = fmt.Sprintf("%s_own%d", u.Name, i)
		}
		types = append(types, record(0x1203, []byte{0x0D, 0x15, 3, 0}, u32s(0x74), []byte{0, 0}, []byte(name+"_member\x00"))...)
		types = append(types, record(0x1505, []byte{1, 0, 0, 2}, u32s(next, 0, 0), []byte{4, 0}, []byte(name+"\x00.?AU"+name+"@@\x00"))...)
		types = append(types, record(0x1002, u32s(next+1, 0x1000C))...)
		next += 3
	}
	items = append(items, record(0x1605, u32s(0), []byte(u.Name+".cpp\x00"))...)
	items = append(items, record(0x1601, u32s(0, next-1), []byte(u.Name+"_function\x00"))...)
	return types, items
}

// symbols returns a function and a type definition for every structure.
func (u *Unit) symbols() []byte {
	data := record(0x1147, make([]byte, 24), u32s(uint32(pdb.FirstIndex)+1), make([]byte, 8))
	for i := range u.Common + u.Own {
		data = append(data, record(0x1108, u32s(uint32(pdb.FirstIndex)+uint32(3*i)+1), []byte("name\x00"))...)
	}
	return append(append(u32s(4, 0xF1, uint32(len(data))), data...), make([]byte, -len(data)&3)...)
}

// fakeObject returns a COFF object of two sections.
func fakeObject(types, symbols []byte) []byte {
	out := make([]byte, 20+2*40)
	copy(out, "\x64\x86\x02\x00")
	for i, s := range []struct {
		name string
		data []byte
	}{{".debug$T", types}, {".debug$S", symbols}} {
		header := out[20+40*i:]
		copy(header, s.name)
		binary.LittleEndian.PutUint32(header[16:], uint32(len(s.data)))
		binary.LittleEndian.PutUint32(header[20:], uint32(len(out)))
		out = append(out, s.data...)
	}
	binary.LittleEndian.PutUint32(out[8:], uint32(len(out)))
	return append(out, 4, 0, 0, 0)
}
