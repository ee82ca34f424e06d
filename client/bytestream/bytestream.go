// Package bytestream speaks google.bytestream.ByteStream, the service by which
// REv2 moves blobs that do not fit into one message: its messages, a codec, a
// client and a service description. Resource names, digests and compression
// are the business of client/cas.
//
// The four messages that REv2 needs are coded by hand. Their bulk is one bytes
// field, which is received without a copy; QueryWriteStatus is left out, since
// half of the servers do not have it.
//
//	ReadRequest   = resource_name:1 read_offset:2
//	ReadResponse  = data:10
//	WriteRequest  = resource_name:1 write_offset:2 finish_write:3 data:10
//	WriteResponse = committed_size:1
//
// Unknown fields are skipped.
package bytestream

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// errMalformed is wrapped by every error of decoding.
var errMalformed = errors.New("malformed ByteStream message")

// A ReadRequest asks for a resource from Offset on.
type ReadRequest struct {
	ResourceName string
	Offset       int64
}

// A ReadResponse is the next part of a resource.
type ReadResponse struct{ Data []byte }

// A WriteRequest is a part of a resource to be written. The first of a stream
// names the resource, the last has Finish set.
type WriteRequest struct {
	ResourceName string
	Offset       int64
	Finish       bool
	Data         []byte
}

// A WriteResponse says how much of a resource the server has. What that number
// counts differs from server to server: see client/cas.
type WriteResponse struct{ CommittedSize int64 }

// message is what the codec codes by hand.
type message interface {
	encode() []byte
	decode(data []byte) error
}

const (
	fieldName   = 1
	fieldOffset = 2
	fieldFinish = 3
	fieldData   = 10
	fieldSize   = 1 // of WriteResponse
)

func (m *ReadRequest) encode() []byte {
	return appendInt(appendBytes(nil, fieldName, []byte(m.ResourceName)), fieldOffset, uint64(m.Offset))
}

func (m *ReadRequest) decode(data []byte) error {
	return fields(data, func(n protowire.Number, v uint64, b []byte) {
		switch n {
		case fieldName:
			m.ResourceName = string(b)
		case fieldOffset:
			m.Offset = int64(v)
		}
	})
}

func (m *ReadResponse) encode() []byte { return appendBytes(nil, fieldData, m.Data) }

func (m *ReadResponse) decode(data []byte) error {
	return fields(data, func(n protowire.Number, _ uint64, b []byte) {
		if n == fieldData {
			m.Data = b
		}
	})
}

func (m *WriteRequest) encode() []byte {
	out := make([]byte, 0, len(m.ResourceName)+len(m.Data)+32)
	out = appendBytes(out, fieldName, []byte(m.ResourceName))
	out = appendInt(out, fieldOffset, uint64(m.Offset))
	if m.Finish {
		out = appendInt(out, fieldFinish, 1)
	}
	return appendBytes(out, fieldData, m.Data)
}

func (m *WriteRequest) decode(data []byte) error {
	return fields(data, func(n protowire.Number, v uint64, b []byte) {
		switch n {
		case fieldName:
			m.ResourceName = string(b)
		case fieldOffset:
			m.Offset = int64(v)
		case fieldFinish:
			m.Finish = v != 0
		case fieldData:
			m.Data = b
		}
	})
}

func (m *WriteResponse) encode() []byte { return appendInt(nil, fieldSize, uint64(m.CommittedSize)) }

func (m *WriteResponse) decode(data []byte) error {
	return fields(data, func(n protowire.Number, v uint64, _ []byte) {
		if n == fieldSize {
			m.CommittedSize = int64(v)
		}
	})
}

// appendBytes and appendInt leave out zero values, as proto3 does.
func appendBytes(out []byte, n protowire.Number, b []byte) []byte {
	if len(b) == 0 {
		return out
	}
	return protowire.AppendBytes(protowire.AppendTag(out, n, protowire.BytesType), b)
}

func appendInt(out []byte, n protowire.Number, v uint64) []byte {
	if v == 0 {
		return out
	}
	return protowire.AppendVarint(protowire.AppendTag(out, n, protowire.VarintType), v)
}

// fields calls set with each varint or bytes field of data. Bytes alias data.
func fields(data []byte, set func(n protowire.Number, v uint64, b []byte)) error {
	for len(data) > 0 {
		num, typ, n := protowire.ConsumeTag(data)
		if n < 0 {
			return fmt.Errorf("%w: %w", errMalformed, protowire.ParseError(n))
		}
		data = data[n:]
		var v uint64
		var b []byte
		switch typ {
		case protowire.VarintType:
			v, n = protowire.ConsumeVarint(data)
		case protowire.BytesType:
			b, n = protowire.ConsumeBytes(data)
		default:
			num, n = 0, protowire.ConsumeFieldValue(num, typ, data)
		}
		if n < 0 {
			return fmt.Errorf("%w: %w", errMalformed, protowire.ParseError(n))
		}
		data = data[n:]
		set(num, v, b)
	}
	return nil
}
