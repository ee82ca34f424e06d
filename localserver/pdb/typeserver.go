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

// NewPrivate returns a type server with these records, which are checked for their
// lengths only.
func NewPrivate(types, items Records) (*Private, error) {
	p := &Private{Types: types, Items: items}
	for _, space := range []Space{Types, Items} {
		var err error
		if p.counts[space], err = checkRecords(p.records(space)); err != nil {
			return nil, err
		}
	}
	return p, nil
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

// ReadPrivate reads a type server. One with features whose meaning is not known is an
// UnsupportedError. Hashes are not looked at.
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
	if p.Types, p.counts[Types], err = readRecords(m, Types); err != nil {
		return nil, err
	}
	if p.Items, p.counts[Items], err = readRecords(m, Items); err != nil {
		return nil, err
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

func readRecords(m *MSF, space Space) (Records, int, error) {
	h, err := readTPIHeader(m, space)
	if err != nil {
		return nil, 0, err
	}
	data := make([]byte, h.bytes)
	if err := m.ReadStream(streamOf(space), data, tpiHeaderSize); err != nil {
		return nil, 0, err
	}
	n, err := checkRecords(data)
	if err != nil {
		return nil, 0, err
	}
	if n != int(h.count()) {
		return nil, 0, malformed("%s stream of %d records, not %d", space, n, h.count())
	}
	return data, n, nil
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
