package bytestream

import (
	"fmt"
	"sync"

	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
	protobuf "google.golang.org/protobuf/proto"
)

// codec codes the messages of this package by hand and all others by protobuf,
// whose name it bears: on the wire there is no difference to gRPC's own codec.
// That one clears its buffers before it overwrites them, which is a sixth of
// what fetching an object costs.
type codec struct{ pool *pool }

// Codec returns the codec that a connection or server must use to carry the
// messages of this package beside those of protobuf.
func Codec() encoding.CodecV2 { return codec{new(pool)} }

// Name implements encoding.CodecV2.
func (c codec) Name() string { return proto.Name }

// Marshal implements encoding.CodecV2.
func (c codec) Marshal(v any) (mem.BufferSlice, error) {
	switch m := v.(type) {
	case message:
		return mem.BufferSlice{mem.SliceBuffer(m.encode())}, nil
	case protobuf.Message:
		size := protobuf.Size(m)
		buf := c.pool.Get(size)
		data, err := protobuf.MarshalOptions{UseCachedSize: true}.MarshalAppend((*buf)[:0], m)
		if err != nil {
			c.pool.Put(buf)
			return nil, err
		}
		*buf = data
		return mem.BufferSlice{mem.NewBuffer(buf, c.pool)}, nil
	default:
		return nil, fmt.Errorf("%w: %T is no message", errMalformed, v)
	}
}

// Unmarshal implements encoding.CodecV2.
func (c codec) Unmarshal(data mem.BufferSlice, v any) error {
	switch m := v.(type) {
	case message:
		return m.decode(data.Materialize())
	case protobuf.Message:
		buf := data.MaterializeToBuffer(c.pool)
		defer buf.Free()
		return protobuf.Unmarshal(buf.ReadOnlyData(), m)
	default:
		return fmt.Errorf("%w: %T is no message", errMalformed, v)
	}
}

// A pool keeps buffers, whose content is left as it is. It implements
// mem.BufferPool.
type pool struct{ buffers sync.Pool }

const (
	// leastBuffer makes small buffers of use for messages of all kinds.
	leastBuffer = 4 << 10
	// mostKept is above the size of messages that there are many of.
	mostKept = 256 << 10
)

// Get implements mem.BufferPool.
func (p *pool) Get(length int) *[]byte {
	if length <= mostKept {
		if buf, ok := p.buffers.Get().(*[]byte); ok && cap(*buf) >= length {
			*buf = (*buf)[:length]
			return buf
		}
	}
	buf := make([]byte, length, max(length, leastBuffer))
	return &buf
}

// Put implements mem.BufferPool.
func (p *pool) Put(buf *[]byte) {
	if cap(*buf) <= 2*mostKept {
		p.buffers.Put(buf)
	}
}
