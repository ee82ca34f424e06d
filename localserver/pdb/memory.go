package pdb

import "io"

// A Memory is a File that is held in memory.
type Memory struct{ data []byte }

// NewMemory returns a Memory that holds data and takes it over.
func NewMemory(data []byte) *Memory { return &Memory{data} }

// Bytes returns the content, valid until the next WriteAt.
func (m *Memory) Bytes() []byte { return m.data }

// ReadAt implements io.ReaderAt.
func (m *Memory) ReadAt(p []byte, at int64) (int, error) {
	if at >= int64(len(m.data)) {
		return 0, io.EOF
	}
	n := copy(p, m.data[at:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// WriteAt implements io.WriterAt. Bytes that were never written are 0.
func (m *Memory) WriteAt(p []byte, at int64) (int, error) {
	if grow := at + int64(len(p)) - int64(len(m.data)); grow > 0 {
		m.data = append(m.data, make([]byte, grow)...)
	}
	return copy(m.data[at:], p), nil
}

// Truncate cuts or extends the content.
func (m *Memory) Truncate(size int64) error {
	if size > int64(len(m.data)) {
		_, err := m.WriteAt([]byte{0}, size-1)
		return err
	}
	m.data = m.data[:size]
	return nil
}

// Sync does nothing.
func (m *Memory) Sync() error { return nil }
