// Package pdbtest makes the objects and PDBs that tests of type servers need. cl.exe
// is not to be had everywhere, and clang-cl writes types into objects only (/Z7); so
// Split moves them into a type server, as cl.exe /Zi does, and Tools links, and looks
// at, the results. Used by the tests of localserver/pdb, localserver/pdbsession and
// integration/msvc.
package pdbtest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/rexwrap/rexwrap/localserver/pdb"
)

// errMixed says that a number stands for an item where a type belongs, or the other way
// round: the tables of package pdb are wrong.
var errMixed = errors.New("number of the wrong space")

// Split moves the types of an object compiled with /Z7 into store, as cl.exe /Zi appends
// to the PDB at path, and returns the object that names it. Store is not committed.
func Split(object []byte, store *pdb.Store, path string) ([]byte, error) {
	o, err := pdb.ParseObject(object)
	if err != nil {
		return nil, err
	}
	types, err := section(o, ".debug$T")
	if err != nil {
		return nil, err
	}
	mixed, err := sort(o.Sections()[types].Data)
	if err != nil {
		return nil, err
	}
	private, err := pdb.NewPrivate(mixed.records[pdb.Types], mixed.records[pdb.Items])
	if err != nil {
		return nil, err
	}
	m, err := store.Merge(private)
	if err != nil {
		return nil, err
	}
	server := pdb.TypeServer{GUID: store.GUID(), Age: store.Age(), Path: path}
	return mixed.rewrite(o, types, m, server)
}

func section(o *pdb.Object, name string) (int, error) {
	for i, s := range o.Sections() {
		if s.Name == name {
			return i, nil
		}
	}
	return 0, fmt.Errorf("no section %s", name)
}

// A mixture is what an object's one series of numbers falls apart into.
type mixture struct {
	places  []place // by number, from pdb.FirstIndex on
	records [2]pdb.Records
	counts  [2]int
}

type place struct {
	space pdb.Space
	index pdb.Index
}

func sort(section []byte) (*mixture, error) {
	m := &mixture{}
	var list []pdb.Reference
	for rest := section[4:]; len(rest) > 0; {
		size := int(binary.LittleEndian.Uint16(rest)) + 2
		record := bytes.Clone(rest[:size])
		rest = rest[size:]
		var err error
		if list, err = pdb.TypeReferences(list[:0], record); err != nil {
			return nil, err
		}
		for _, r := range list {
			if err := m.renumber(r.Space, record[r.At:]); err != nil {
				return nil, fmt.Errorf("record %#x: %w", int(pdb.FirstIndex)+len(m.places), err)
			}
		}
		m.add(record)
	}
	return m, nil
}

func (m *mixture) add(record []byte) {
	space := pdb.Types
	if kind := binary.LittleEndian.Uint16(record[2:]); kind >= 0x1601 && kind <= 0x1607 {
		space = pdb.Items
	}
	m.places = append(m.places, place{space, pdb.FirstIndex + pdb.Index(m.counts[space])})
	m.counts[space]++
	m.records[space] = append(m.records[space], record...)
}

func (m *mixture) renumber(space pdb.Space, field []byte) error {
	i := pdb.Index(binary.LittleEndian.Uint32(field))
	if i < pdb.FirstIndex {
		return nil
	}
	if int(i-pdb.FirstIndex) >= len(m.places) || m.places[i-pdb.FirstIndex].space != space {
		return fmt.Errorf("%w: %#x", errMixed, i)
	}
	binary.LittleEndian.PutUint32(field, uint32(m.places[i-pdb.FirstIndex].index))
	return nil
}

// rewrite returns o with the numbers of m, translated by to, and a type server.
func (m *mixture) rewrite(o *pdb.Object, types int, to *pdb.Map, server pdb.TypeServer) ([]byte, error) {
	content := map[int][]byte{}
	var err error
	if content[types], err = server.Section(); err != nil {
		return nil, err
	}
	for i, s := range o.Sections() {
		if s.Name != ".debug$S" {
			continue
		}
		data := bytes.Clone(s.Data)
		err := pdb.VisitSymbolNumbers(data, func(space pdb.Space, field []byte) error {
			if err := m.renumber(space, field); err != nil {
				return err
			}
			translate(field, space, to)
			return nil
		})
		if err != nil {
			return nil, err
		}
		content[i] = data
	}
	return o.Replace(content)
}

func translate(field []byte, space pdb.Space, to *pdb.Map) {
	numbers := to.Types
	if space == pdb.Items {
		numbers = to.Items
	}
	if i := pdb.Index(binary.LittleEndian.Uint32(field)); i >= pdb.FirstIndex {
		binary.LittleEndian.PutUint32(field, uint32(numbers[i-pdb.FirstIndex]))
	}
}
