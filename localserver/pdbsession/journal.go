package pdbsession

import (
	"encoding/binary"
	"time"

	"github.com/rexwrap/rexwrap/localserver/pdb"
)

// A Journal keeps, from one session of a PDB to the next, what cannot be seen from the PDB.
// Losing a value costs the merging of PDBs that were merged before. Implementations are
// safe for concurrent use.
type Journal interface {
	Load(key string) ([]byte, bool)
	Store(key string, value []byte)
}

// A page is what the Journal has of one PDB.
//
//	page  = format GUID[16] age:uvarint types:uvarint items:uvarint prefix[32]
//	        sealed:u8 boot:uvarint (length:uvarint key length:uvarint entry)*
//
// prefix is pdb.Store.Prefix of that many types and items. boot is when the system was
// started, in seconds. For a session that was not sealed the numbers are those of its
// beginning.
type page struct {
	guid         pdb.GUID
	age          uint32
	types, items int
	prefix       [32]byte
	sealed       bool
	boot         int64
	memo         *memo
}

const (
	pageFormat = "rexwrap-pdbsession-1\n"
	journalKey = "msvc/s/"
)

func (p *page) encode() []byte {
	out := append([]byte(pageFormat), p.guid[:]...)
	for _, n := range []int{int(p.age), p.types, p.items} {
		out = binary.AppendUvarint(out, uint64(n))
	}
	out = append(out, p.prefix[:]...)
	sealed := byte(0)
	if p.sealed {
		sealed = 1
	}
	out = binary.AppendUvarint(append(out, sealed), uint64(p.boot))
	for _, key := range p.memo.order {
		for _, field := range [][]byte{[]byte(key), p.memo.entries[key]} {
			out = append(binary.AppendUvarint(out, uint64(len(field))), field...)
		}
	}
	return out
}

func decodePage(data []byte, limit int) (*page, bool) {
	d := decoder{data: data}
	if string(d.bytes(len(pageFormat))) != pageFormat {
		return nil, false
	}
	p := &page{memo: newMemo(limit)}
	copy(p.guid[:], d.bytes(len(p.guid)))
	p.age, p.types, p.items = uint32(d.uvarint()), int(d.uvarint()), int(d.uvarint())
	copy(p.prefix[:], d.bytes(len(p.prefix)))
	sealed := d.bytes(1)
	p.boot = int64(d.uvarint())
	if d.failed {
		return nil, false
	}
	p.sealed = sealed[0] == 1
	for len(d.data) > 0 {
		key := string(d.bytes(int(min(d.uvarint(), uint64(len(data))))))
		entry := d.bytes(int(min(d.uvarint(), uint64(len(data)))))
		if d.failed || p.memo.has(key) {
			return nil, false
		}
		p.memo.put(key, entry)
	}
	return p, true
}

// note takes store as it is on disk now, with this age.
func (p *page) note(store *pdb.Store, age uint32) {
	p.guid, p.age = store.GUID(), age
	p.types, p.items = store.Records()
	p.memo.settle()
}

// settle makes p ready to be compared with a PDB. store holds at least what was noted.
func (p *page) settle(store *pdb.Store, sealed bool, boot time.Time) {
	p.prefix, _ = store.Prefix(p.types, p.items)
	p.sealed, p.boot = sealed, boot.Unix()
	p.memo.drop()
}

// fits reports whether store goes on where the session of p ended: the same PDB, with at
// least the same records under the same numbers. A PDB of less may have lost records that
// objects refer to, and so may one whose session was not sealed before the system stopped.
func (p *page) fits(store *pdb.Store, boot time.Time) bool {
	if store.GUID() != p.guid || store.Age() <= p.age {
		return false
	}
	prefix, ok := store.Prefix(p.types, p.items)
	return ok && prefix == p.prefix && (p.sealed || sameBoot(p.boot, boot))
}

// sameBoot compares starts of the system, which are computed from clocks that are set.
func sameBoot(seconds int64, boot time.Time) bool {
	const tolerance = 120
	difference := boot.Unix() - seconds
	return !boot.IsZero() && difference < tolerance && difference > -tolerance
}
