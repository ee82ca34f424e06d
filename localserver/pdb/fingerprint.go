package pdb

import (
	"crypto/sha256"
	"io"
)

// A Fingerprint tells states of type servers apart by what changes whenever records are
// added: GUID, age, and the numbers and sizes of records.
type Fingerprint [sha256.Size]byte

// FingerprintOf reads the fingerprint of the PDB in file. It looks at the directory and
// the heads of three streams, at no records.
func FingerprintOf(file io.ReaderAt) (Fingerprint, error) {
	m, err := ReadMSF(file)
	if err != nil {
		return Fingerprint{}, err
	}
	return m.fingerprint()
}

func (m *MSF) fingerprint() (Fingerprint, error) {
	h := sha256.New()
	for _, number := range []int{streamInfo, streamTPI, streamIPI} {
		head := make([]byte, min(m.Length(number), tpiHeaderSize))
		if err := m.ReadStream(number, head, 0); err != nil {
			return Fingerprint{}, err
		}
		h.Write(head)
	}
	return Fingerprint(h.Sum(nil)), nil
}
