package pdb

import (
	"encoding/binary"
	"fmt"
)

// A Map says which numbers the types and items of one PDB have in another.
type Map struct {
	// Types[i] is the number of what was FirstIndex + i, and so is Items[i].
	Types, Items []Index
}

func (m *Map) space(s Space) []Index {
	if s == Items {
		return m.Items
	}
	return m.Types
}

// translate replaces the number in field.
func (m *Map) translate(space Space, field []byte) error {
	i := Index(binary.LittleEndian.Uint32(field))
	if i < FirstIndex {
		return nil
	}
	numbers := m.space(space)
	if uint64(i-FirstIndex) >= uint64(len(numbers)) || numbers[i-FirstIndex] == 0 {
		return malformed("%s %#x is not in the PDB", space, i)
	}
	binary.LittleEndian.PutUint32(field, uint32(numbers[i-FirstIndex]))
	return nil
}

// Merge adds the types and items of p that s lacks and returns where all of them are.
// They reach the file with the next Commit. After an error a part has been added, which
// does no harm.
func (s *Store) Merge(p *Private) (*Map, error) {
	m := &Map{Types: make([]Index, p.counts[Types]), Items: make([]Index, p.counts[Items])}
	for _, space := range []Space{Types, Items} {
		if err := s.merge(p, space, m); err != nil {
			return nil, fmt.Errorf("merge: %w", err)
		}
	}
	return m, nil
}

// merge translates and adds the records of one space. Compilers write no record before
// those that it refers to; records that are out of this order wait for another pass.
func (s *Store) merge(p *Private, space Space, m *Map) error {
	to := m.space(space)
	for left := len(to); left > 0; {
		before := left
		t := translator{m: m, own: space}
		for i, record := range p.records(space).All() {
			if to[i-FirstIndex] != 0 {
				continue
			}
			translated, ready, err := t.translate(record)
			if err != nil {
				return fmt.Errorf("%s %#x: %w", space, i, err)
			}
			if !ready {
				continue
			}
			if to[i-FirstIndex], err = s.spaces[space].add(translated); err != nil {
				return err
			}
			left--
		}
		if left == before {
			return malformed("%d records that refer to each other", left)
		}
	}
	return nil
}

// A translator renumbers records. It reuses its memory.
type translator struct {
	m      *Map
	own    Space // the space whose Map is not complete yet
	list   []Reference
	buffer []byte
}

// translate returns the record with new numbers, valid until the next call. It is not
// ready when it refers to a record of its own space that has no new number yet.
func (t *translator) translate(record []byte) (translated []byte, ready bool, err error) {
	if t.list, err = TypeReferences(t.list[:0], record); err != nil {
		return nil, false, err
	}
	t.buffer = append(t.buffer[:0], record...)
	for _, r := range t.list {
		field := t.buffer[r.At : r.At+4]
		if t.waits(r.Space, Index(binary.LittleEndian.Uint32(field))) {
			return nil, false, nil
		}
		if err := t.m.translate(r.Space, field); err != nil {
			return nil, false, err
		}
	}
	return t.buffer, true, nil
}

func (t *translator) waits(space Space, i Index) bool {
	if space != t.own || i < FirstIndex {
		return false
	}
	numbers := t.m.space(space)
	return uint64(i-FirstIndex) < uint64(len(numbers)) && numbers[i-FirstIndex] == 0
}
