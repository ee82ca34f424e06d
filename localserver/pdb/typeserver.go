package pdb

import (
	"bytes"
	"fmt"
)

// A Private is the PDB of one compile: a type server in memory, to be merged.
type Private struct {
	Info  Info
	Types Records
	Items Records

	counts [2]int
}

// NewPrivate returns a type server with these records. One of a kind that cannot be merged
// is an UnsupportedError.
func NewPrivate(types, items Records) (*Private, error) {
	p := &Private{Types: types, Items: items}
	return p, p.check()
}

// check counts the records and makes sure that the kind of each is known and belongs where
// it stands.
func (p *Private) check() error {
	var list []Reference
	for _, space := range []Space{Types, Items} {
		n, err := checkRecords(p.records(space))
		if err != nil {
			return err
		}
		p.counts[space] = n
		for i, record := range p.records(space).All() {
			if list, err = TypeReferences(list[:0], record); err == nil && isItem(kindOf(record)) != (space == Items) {
				err = malformed("kind %#04x", kindOf(record))
			}
			if err != nil {
				return fmt.Errorf("%s %#x: %w", space, i, err)
			}
		}
	}
	return nil
}

func (p *Private) records(space Space) Records {
	if space == Items {
		return p.Items
	}
	return p.Types
}

// emptyNames is the /names stream of type servers: a string table without strings.
func emptyNames() []byte {
	return append(appendNumbers(nil, []uint32{0xEFFEEFFE, 1, 1}), append([]byte{0}, appendNumbers(nil, []uint32{1, 0, 0})...)...)
}

// ReadPrivate reads a type server. One with features whose meaning is not known, or with a
// record of a kind that cannot be merged, is an UnsupportedError. Hashes are not looked at.
func ReadPrivate(data []byte) (*Private, error) {
	m, err := ReadMSF(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	p := &Private{}
	if p.Info, err = readInfo(m); err != nil {
		return nil, err
	}
	if err := p.Info.supported(); err != nil {
		return nil, err
	}
	var counts [2]uint32
	if p.Types, counts[Types], err = readRecords(m, Types); err != nil {
		return nil, err
	}
	if p.Items, counts[Items], err = readRecords(m, Items); err != nil {
		return nil, err
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	for space, n := range p.counts {
		if uint32(n) != counts[space] {
			return nil, malformed("%s stream of %d records, not %d", Space(space), n, counts[space])
		}
	}
	return p, nil
}

func readInfo(m *MSF) (Info, error) {
	data, err := m.Stream(streamInfo)
	if err != nil {
		return Info{}, err
	}
	return parseInfo(data)
}

func streamOf(space Space) int {
	if space == Items {
		return streamIPI
	}
	return streamTPI
}

func readTPIHeader(m *MSF, space Space) (*tpiHeader, error) {
	head := make([]byte, tpiHeaderSize)
	if err := m.ReadStream(streamOf(space), head, 0); err != nil {
		return nil, err
	}
	h, err := parseTPIHeader(head)
	if err == nil && m.Length(streamOf(space)) != tpiHeaderSize+int64(h.bytes) {
		err = malformed("%s stream of %d bytes", space, m.Length(streamOf(space)))
	}
	return h, err
}

// readRecords returns the records and the number that there should be of them.
func readRecords(m *MSF, space Space) (Records, uint32, error) {
	h, err := readTPIHeader(m, space)
	if err != nil {
		return nil, 0, err
	}
	data := make([]byte, h.bytes)
	return data, h.count(), m.ReadStream(streamOf(space), data, tpiHeaderSize)
}

// Restamp returns the PDB in data with another GUID, so that it is told from its
// copies.
func Restamp(data []byte, guid GUID) ([]byte, error) {
	m, err := ReadMSF(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	if _, err := readInfo(m); err != nil {
		return nil, err
	}
	at := uint64(m.streams[streamInfo].blocks[0])*uint64(m.size) + guidOffset
	if at+uint64(len(guid)) > uint64(len(data)) || m.size < infoHead {
		return nil, fmt.Errorf("restamp: %w", ErrMalformed)
	}
	out := bytes.Clone(data)
	copy(out[at:], guid[:])
	return out, nil
}
