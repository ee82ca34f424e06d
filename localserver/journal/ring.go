package journal

import (
	"encoding/binary"
)

// ring says which records the backend holds: IDs from first to before next,
// some of them perhaps missing, and about how many bytes they take.
//
//	ring = version first next bytes ;
type ring struct {
	first, next ID
	bytes       int64
}

const ringVersion = 1

func (r *ring) encode() []byte {
	e := encoder{}
	e.u8(ringVersion)
	e.uint(uint64(r.first))
	e.uint(uint64(r.next))
	e.int(r.bytes)
	return e.buf
}

func decodeRing(data []byte) (ring, error) {
	d := decoder{buf: data}
	if d.u8() != ringVersion {
		return ring{}, ErrMalformed
	}
	r := ring{first: ID(d.uint()), next: ID(d.uint()), bytes: d.int()}
	return r, d.err()
}

// loadRing reads the ring's state. What was added after the state was last
// written, before the server was killed, is counted with the average size.
func loadRing(b Backend) ring {
	r := ring{first: 1, next: 1}
	if data, err := b.Meta(bucketState, "ring"); err == nil {
		if stored, err := decodeRing(data); err == nil && stored.first <= stored.next && stored.first > 0 {
			r = stored
		}
	}
	for key := range b.EachMetaDown(bucketRecords, "") {
		if last, ok := parseKey(key); ok && last >= r.next {
			r.bytes += int64(last+1-r.next) * r.average()
			r.next = last + 1
		}
		break
	}
	return r
}

// average is the size of a record, in bytes, where there is none that of a
// typical one.
func (r *ring) average() int64 {
	if n := int64(r.next - r.first); n > 0 && r.bytes > n {
		return r.bytes / n
	}
	return 1 << 10
}

func recordKey(id ID) string {
	var key [8]byte
	binary.BigEndian.PutUint64(key[:], uint64(id))
	return string(key[:])
}

func parseKey(key string) (ID, bool) {
	if len(key) != 8 {
		return 0, false
	}
	return ID(binary.BigEndian.Uint64([]byte(key))), true
}

// trim drops the oldest records until the rest is within the bounds, by some
// more, so that it has nothing to do the next few times.
func (j *Journal) trim() {
	r := &j.ring
	if int(r.next-r.first) <= j.o.MaxRecords && r.bytes <= j.o.MaxBytes {
		return
	}
	records, bytes := ID(j.o.MaxRecords-j.o.MaxRecords/32), j.o.MaxBytes-j.o.MaxBytes/32
	type victim struct {
		key  string
		data []byte
	}
	var victims []victim
	for key, data := range j.backend.EachMeta(bucketRecords, "") {
		id, ok := parseKey(key)
		if ok && r.next-id <= records && r.bytes <= bytes {
			break
		}
		victims = append(victims, victim{key, data})
		r.bytes = max(0, r.bytes-int64(len(data)))
		r.first = max(r.first, id+1)
		if len(victims) >= maxPending {
			break // the rest goes with the next batch
		}
	}
	for _, v := range victims {
		j.backend.DeleteMeta(bucketRecords, v.key)
		j.forget(v.data)
	}
	if len(victims) == 0 || r.first == r.next {
		r.first, r.bytes = max(r.first, r.next-min(r.next-1, records)), 0
	}
}

// forget drops what is remembered of the output of a record that is gone,
// unless a later record has it too.
func (j *Journal) forget(data []byte) {
	r, err := decodeRecord(data)
	if err != nil || r.Output == "" {
		return
	}
	key := outputKey(r.Output)
	if l := j.latestOf(key); l.id == r.ID {
		delete(j.outputs, key)
		j.backend.DeleteMeta(bucketOutputs, key)
	}
}
