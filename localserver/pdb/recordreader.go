package pdb

import (
	"bufio"
	"io"
)

// A streamReader is a stream of an MSF as an io.ReaderAt.
type streamReader struct {
	m      *MSF
	number int
}

// ReadAt implements io.ReaderAt.
func (r streamReader) ReadAt(data []byte, at int64) (int, error) {
	n := int(min(int64(len(data)), r.m.Length(r.number)-at))
	if n <= 0 {
		return 0, io.EOF
	}
	if err := r.m.ReadStream(r.number, data[:n], at); err != nil {
		return 0, err
	}
	if n < len(data) {
		return n, io.EOF
	}
	return n, nil
}

// A recordReader reads records of a stream that is too large for memory.
type recordReader struct {
	r      io.Reader
	buffer *bufio.Reader
	record []byte
}

// next returns the next record, valid until the following call, or io.EOF.
func (r *recordReader) next() ([]byte, error) {
	if r.buffer == nil {
		r.buffer = bufio.NewReaderSize(r.r, loadBuffer)
		r.record = make([]byte, 1<<16+2)
	}
	if _, err := io.ReadFull(r.buffer, r.record[:2]); err != nil {
		if err == io.EOF {
			return nil, err
		}
		return nil, orMalformed(err)
	}
	size := recordSize(r.record)
	if size < recordHeader || size%4 != 0 {
		return nil, malformed("record of %d bytes", size)
	}
	if _, err := io.ReadFull(r.buffer, r.record[2:size]); err != nil {
		return nil, orMalformed(err)
	}
	return r.record[:size], nil
}
