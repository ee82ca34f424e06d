package pdbsession

import (
	"encoding/binary"
	"sync"

	"github.com/rexwrap/rexwrap/localserver/pdb"
)

// A memo remembers where the records of private PDBs went, so that an object whose PDB was
// merged before is renumbered without reading that PDB.
//
//	entry   = GUID[16] age:uvarint numbers numbers        (types, items)
//	numbers = count:uvarint step:varint{count}
//
// A step is the difference to the number after the one before: 0 for records that were
// appended in a row.
//
// has may be called at any time, all else by one goroutine at a time.
type memo struct {
	mu      sync.Mutex // guards the changes of entries
	entries map[string][]byte
	order   []string // oldest first
	// fresh are entries whose numbers are not on disk yet.
	fresh map[string][]byte
	bytes int
	limit int
}

func newMemo(limit int) *memo {
	return &memo{entries: map[string][]byte{}, fresh: map[string][]byte{}, limit: limit}
}

// A remembered is one entry, decoded.
type remembered struct {
	guid pdb.GUID
	age  uint32
	to   *pdb.Map
}

func (m *memo) has(key string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, ok := m.entries[key]
	return ok
}

func (m *memo) find(key string) (*remembered, bool) {
	entry, ok := m.entries[key]
	if !ok {
		return nil, false
	}
	return decodeEntry(entry)
}

// add remembers r when settle is called next, and never if drop is.
func (m *memo) add(key string, r *remembered) {
	if _, known := m.entries[key]; !known && key != "" {
		m.fresh[key] = r.encode()
	}
}

func (m *memo) settle() {
	for key, entry := range m.fresh {
		m.put(key, entry)
	}
	m.drop()
}

func (m *memo) drop() { clear(m.fresh) }

func (m *memo) put(key string, entry []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.entries[key] = entry
	m.order = append(m.order, key)
	m.bytes += len(entry)
	for m.bytes > m.limit && len(m.order) > 0 {
		m.bytes -= len(m.entries[m.order[0]])
		delete(m.entries, m.order[0])
		m.order = m.order[1:]
	}
}

func (r *remembered) encode() []byte {
	out := append([]byte{}, r.guid[:]...)
	out = binary.AppendUvarint(out, uint64(r.age))
	out = appendNumbers(out, r.to.Types)
	return appendNumbers(out, r.to.Items)
}

func appendNumbers(out []byte, list []pdb.Index) []byte {
	out = binary.AppendUvarint(out, uint64(len(list)))
	next := int64(pdb.FirstIndex)
	for _, n := range list {
		out = binary.AppendVarint(out, int64(n)-next)
		next = int64(n) + 1
	}
	return out
}

func decodeEntry(data []byte) (*remembered, bool) {
	d := decoder{data: data}
	r := &remembered{to: &pdb.Map{}}
	copy(r.guid[:], d.bytes(len(r.guid)))
	r.age = uint32(d.uvarint())
	r.to.Types = d.numbers()
	r.to.Items = d.numbers()
	return r, !d.failed
}

// A decoder reads what was encoded. After an error everything is zero and failed is set.
type decoder struct {
	data   []byte
	failed bool
}

func (d *decoder) bytes(n int) []byte {
	if n < 0 || n > len(d.data) {
		d.failed, d.data = true, nil
		return nil
	}
	taken := d.data[:n]
	d.data = d.data[n:]
	return taken
}

func (d *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.data)
	if n <= 0 {
		d.failed, d.data = true, nil
		return 0
	}
	d.data = d.data[n:]
	return v
}

func (d *decoder) numbers() []pdb.Index {
	count := d.uvarint()
	if count > uint64(len(d.data)) { // a step has at least one byte
		d.failed = true
		return nil
	}
	list := make([]pdb.Index, count)
	next := int64(pdb.FirstIndex)
	for i := range list {
		step, n := binary.Varint(d.data)
		if n <= 0 {
			d.failed = true
			return nil
		}
		d.data = d.data[n:]
		list[i] = pdb.Index(next + step)
		next = int64(list[i]) + 1
	}
	return list
}
