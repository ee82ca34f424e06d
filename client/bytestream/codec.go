package bytestream

import (
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
)

// codec codes the messages of this package by hand and leaves all others to
// gRPC's own codec for protobuf, whose name it bears: on the wire there is no
// difference.
type codec struct{ protobuf encoding.CodecV2 }

// Codec returns the codec that a connection or server must use to carry the
// messages of this package beside those of protobuf.
func Codec() encoding.CodecV2 { return codec{encoding.GetCodecV2(proto.Name)} }

// Name implements encoding.CodecV2.
func (c codec) Name() string { return proto.Name }

// Marshal implements encoding.CodecV2.
func (c codec) Marshal(v any) (mem.BufferSlice, error) {
	if m, ok := v.(message); ok {
		return mem.BufferSlice{mem.SliceBuffer(m.encode())}, nil
	}
	return c.protobuf.Marshal(v)
}

// Unmarshal implements encoding.CodecV2.
func (c codec) Unmarshal(data mem.BufferSlice, v any) error {
	if m, ok := v.(message); ok {
		return m.decode(data.Materialize())
	}
	return c.protobuf.Unmarshal(data, v)
}
