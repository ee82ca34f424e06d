package pdb

import "encoding/binary"

// A fields reads numbers one after the other. Behind the end all are 0 and failed is
// set.
type fields struct {
	data   []byte
	failed bool
}

func (f *fields) bytes(n uint32) []byte {
	if uint64(n) > uint64(len(f.data)) {
		f.failed, f.data = true, nil
		return nil
	}
	taken := f.data[:n]
	f.data = f.data[n:]
	return taken
}

func (f *fields) u32() uint32 {
	if b := f.bytes(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (f *fields) u16() uint16 {
	if b := f.bytes(2); b != nil {
		return binary.LittleEndian.Uint16(b)
	}
	return 0
}

// appendNumbers appends little-endian numbers of 32 bits.
func appendNumbers(data []byte, list []uint32) []byte {
	for _, n := range list {
		data = binary.LittleEndian.AppendUint32(data, n)
	}
	return data
}
