package pdbtest

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"testing"

	"github.com/rexwrap/rexwrap/localserver/pdb"
)

// A Shape is what a type or item is, whatever its number: a digest of its record in which
// each number is replaced by the Shape of what it stands for.
type Shape [sha256.Size]byte

// Shapes are those of the types and items of one PDB, by number from pdb.FirstIndex on.
type Shapes [2][]Shape

// ShapesOf returns the shapes of the PDB in data.
func ShapesOf(t testing.TB, data []byte) Shapes {
	t.Helper()
	p, err := pdb.ReadPrivate(data)
	if err != nil {
		t.Fatal(err)
	}
	var shapes Shapes
	for space, records := range []pdb.Records{p.Types, p.Items} {
		for _, record := range records.All() {
			shapes[space] = append(shapes[space], shapes.of(t, record))
		}
	}
	return shapes
}

func (s *Shapes) of(t testing.TB, record []byte) Shape {
	t.Helper()
	list, err := pdb.TypeReferences(nil, record)
	if err != nil {
		t.Fatal(err)
	}
	h := sha256.New()
	record = bytes.Clone(record)
	for _, r := range list {
		shape := s.at(t, r.Space, record[r.At:])
		h.Write(shape[:])
		clear(record[r.At : r.At+4])
	}
	h.Write(record)
	return Shape(h.Sum(nil))
}

// at returns the shape for the number in field.
func (s *Shapes) at(t testing.TB, space pdb.Space, field []byte) Shape {
	t.Helper()
	i := pdb.Index(binary.LittleEndian.Uint32(field))
	if i < pdb.FirstIndex {
		return Shape{0: byte(i), 1: byte(i >> 8)}
	}
	if int(i-pdb.FirstIndex) >= len(s[space]) {
		t.Fatalf("%s %#x of %d", space, i, len(s[space]))
	}
	return s[space][i-pdb.FirstIndex]
}

// Sorted returns the shapes in an order that does not depend on numbers.
func (s *Shapes) Sorted() []Shape {
	return slices.SortedFunc(slices.Values(slices.Concat(s[0], s[1])), func(a, b Shape) int {
		return bytes.Compare(a[:], b[:])
	})
}

// SymbolShapes returns what the symbols of an object stand for, one after the other, when
// its PDB has the given shapes.
func SymbolShapes(t testing.TB, object []byte, shapes Shapes) []Shape {
	t.Helper()
	o, err := pdb.ParseObject(object)
	if err != nil {
		t.Fatal(err)
	}
	var list []Shape
	for _, section := range o.Sections() {
		if section.Name != ".debug$S" {
			continue
		}
		err := pdb.VisitSymbolNumbers(bytes.Clone(section.Data), func(space pdb.Space, field []byte) error {
			list = append(list, shapes.at(t, space, field))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return list
}
