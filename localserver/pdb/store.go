package pdb

import (
	"crypto/sha256"
	"fmt"
	"io"
)

// A Store is a type-server PDB that grows. Its types of one age are a prefix of those
// of the next, so an object that refers to it stays valid for as long as the Store is
// only added to.
type Store struct {
	file   *Container
	info   Info
	spaces [2]growing
	stale  bool // the file's info stream is not info
	print  Fingerprint
}

// growing is a TPI or IPI stream that is added to.
type growing struct {
	keys    keySet
	hashes  int // number of the hash stream
	offsets offsetList
	bytes   uint32
	// What the file does not hold yet.
	records []byte
	values  []byte
}

// Create returns an empty Store. Nothing is written to file before the first Commit.
func Create(file File, guid GUID) *Store {
	s := &Store{file: NewContainer(file, storeStreams), stale: true}
	s.info = Info{Signature: 1, Age: 1, GUID: guid, Features: []uint32{featureVC140}, names: streamNames}
	s.spaces[Types].hashes = streamTPIHash
	s.spaces[Items].hashes = streamIPIHash
	return s
}

// Open returns the Store in file, which may have been written by others, with an age one
// above the file's. Every record is checked against its hash. What a Store cannot go on
// with is an UnsupportedError or ErrMalformed.
func Open(file File) (*Store, error) {
	c, err := OpenContainer(file)
	if err != nil {
		return nil, err
	}
	s := &Store{file: c, stale: true}
	if s.info, err = readInfo(&c.MSF); err != nil {
		return nil, err
	}
	if err := s.info.supported(); err != nil {
		return nil, err
	}
	if c.Length(streamDBI) != 0 {
		return nil, &UnsupportedError{What: "PDB with modules"}
	}
	for space := range s.spaces {
		if err := s.load(Space(space)); err != nil {
			return nil, err
		}
	}
	if s.spaces[Types].hashes == s.spaces[Items].hashes {
		return nil, malformed("one hash stream for types and items")
	}
	if s.print, err = c.fingerprint(); err != nil {
		return nil, err
	}
	s.info.Age++
	return s, nil
}

// GUID is the PDB's.
func (s *Store) GUID() GUID { return s.info.GUID }

// Age is the one that the file has from the next Commit on.
func (s *Store) Age() uint32 { return s.info.Age }

// Records is the number of types and items, those not yet committed included.
func (s *Store) Records() (types, items int) {
	return int(s.spaces[Types].keys.count), int(s.spaces[Items].keys.count)
}

// Bytes is the size of the file after the last Commit.
func (s *Store) Bytes() int64 { return s.file.Bytes() }

// Pending is the number of bytes of records that wait for a Commit.
func (s *Store) Pending() int {
	return len(s.spaces[Types].records) + len(s.spaces[Items].records)
}

// Fingerprint is that of the file after the last Commit, or when it was opened.
func (s *Store) Fingerprint() Fingerprint { return s.print }

// Changed reports whether a Commit would write anything.
func (s *Store) Changed() bool { return s.stale || s.Pending() > 0 }

// Prefix returns a digest of the first types and items, false where there are not so many.
// Two Stores in which it is equal give the same numbers to these records.
func (s *Store) Prefix(types, items int) ([sha256.Size]byte, bool) {
	h := sha256.New()
	for space, n := range []int{types, items} {
		keys := &s.spaces[space].keys
		if n < 0 || n > int(keys.count) {
			return [sha256.Size]byte{}, false
		}
		for _, chunk := range keys.chunks {
			for i := range chunk[:min(n, keyChunk)] {
				h.Write(chunk[i][:])
			}
			n -= min(n, keyChunk)
		}
		h.Write([]byte{byte(space)})
	}
	return [sha256.Size]byte(h.Sum(nil)), true
}

// Move goes on in another file that holds the same bytes.
func (s *Store) Move(file File) { s.file.Move(file) }

// SetDurable chooses whether commits wait for the disk.
func (s *Store) SetDurable(durable bool) { s.file.Durable = durable }

// loadBuffer is how much of a stream is read at once.
const loadBuffer = 1 << 20

func (s *Store) load(space Space) error {
	h, err := readTPIHeader(&s.file.MSF, space)
	if err != nil {
		return err
	}
	g := &s.spaces[space]
	g.hashes = h.hashes
	values, err := s.readValues(h)
	if err != nil {
		return fmt.Errorf("%s hashes: %w", space, err)
	}
	g.keys.reserve(h.count())
	r := &recordReader{r: io.NewSectionReader(streamReader{&s.file.MSF, streamOf(space)}, tpiHeaderSize, int64(h.bytes))}
	for {
		record, err := r.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return fmt.Errorf("%s %#x: %w", space, g.end(), err)
		}
		n := g.keys.count
		if n >= uint32(len(values)) || hashRecord(record) != values[n] {
			return malformed("hash of %s %#x", space, g.end())
		}
		g.note(keyOf(record), len(record))
	}
	if g.keys.count != h.count() {
		return malformed("%s stream of %d records, not %d", space, g.keys.count, h.count())
	}
	return nil
}

func (s *Store) readValues(h *tpiHeader) ([]uint32, error) {
	if h.values != (span{0, 4 * h.count()}) || h.hashes <= streamIPI || h.hashes >= s.file.Streams() || h.hashes == s.info.names {
		return nil, &UnsupportedError{What: "hashes of types"}
	}
	data := make([]byte, h.values.length)
	if err := s.file.ReadStream(h.hashes, data, 0); err != nil {
		return nil, err
	}
	return s.file.numbers(data), nil
}

// end is the number that the next record gets.
func (g *growing) end() Index { return FirstIndex + Index(g.keys.count) }

// note takes a record that the stream did not hold. Equal records of a foreign file each
// keep their number; the first one is found.
func (g *growing) note(k key, size int) {
	g.offsets.note(g.end(), g.bytes)
	g.keys.add(k)
	g.bytes += uint32(size)
}

// add returns the number of record, which is appended if it is new.
func (g *growing) add(record []byte) (Index, error) {
	k := keyOf(record)
	if n, ok := g.keys.find(k); ok {
		return FirstIndex + Index(n), nil
	}
	if g.end() > maxIndex || uint64(g.bytes)+uint64(len(record)) > maxStream-tpiHeaderSize {
		return 0, ErrFull
	}
	g.records = append(g.records, record...)
	g.values = appendNumbers(g.values, []uint32{hashRecord(record)})
	g.note(k, len(record))
	return g.end() - 1, nil
}

// Commit writes what was merged since the last one. After an error what was merged waits
// for the next Commit, and the file is as it was; see Update.Commit.
func (s *Store) Commit() error {
	u := s.file.Begin()
	if s.file.Length(streamInfo) == 0 {
		u.Truncate(streamOld, 0)
		u.Truncate(streamDBI, 0)
		u.Write(streamNames, 0, emptyNames())
		u.Write(streamInfo, 0, s.info.encode())
	} else if s.stale {
		u.Write(streamInfo, ageOffset, appendNumbers(nil, []uint32{s.info.Age}))
	}
	for space := range s.spaces {
		s.spaces[space].write(u, streamOf(Space(space)))
	}
	if err := u.Commit(); err != nil {
		return err
	}
	s.stale = false
	for space := range s.spaces {
		s.spaces[space].committed()
	}
	var err error
	s.print, err = s.file.fingerprint()
	return err
}

// write brings the record stream and its hash stream up to date.
func (g *growing) write(u *Update, number int) {
	old := g.bytes - uint32(len(g.records))
	values := 4 * g.keys.count
	h := tpiHeader{end: g.end(), bytes: g.bytes, hashes: g.hashes, values: span{0, values}}
	h.offsets = span{values, uint32(8 * len(g.offsets))}
	u.Write(number, 0, h.encode())
	u.Write(number, int64(tpiHeaderSize+old), g.records)

	tail := append(g.values[:len(g.values):len(g.values)], g.offsets.encode()...)
	u.Write(g.hashes, int64(values)-int64(len(g.values)), tail)
	u.Truncate(g.hashes, int64(values)+int64(h.offsets.length))
}

// committed forgets what the file now holds; small buffers are kept.
func (g *growing) committed() {
	if cap(g.records) > loadBuffer {
		g.records, g.values = nil, nil
	}
	g.records, g.values = g.records[:0], g.values[:0]
}
