package clienttest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/rexwrap/rexwrap/client/chunking"
	"github.com/rexwrap/rexwrap/client/merkle"
)

// The parameters of the server's chunking functions. They make more chunks than
// real ones do.
const (
	chunkAverage = 64 << 10
	chunkLeast   = 64 << 10
	chunkHorizon = 256 << 10
	perMapping   = 10 // chunks in one message
)

var errNoChunks = status.Error(codes.Unimplemented, "unknown method")

// split cuts a blob, puts its chunks into the CAS and returns their names.
func (b *blobs) split(d *repb.Digest) ([]*repb.Digest, error) {
	data, ok := b.get(keyOf(d))
	if !ok {
		return nil, status.Error(codes.NotFound, "no such blob")
	}
	if b.quirks.WrongChunks {
		data = bytes.Repeat([]byte{'?'}, len(data))
	}
	f, err := chunking.NewRepMaxCDC(chunkLeast, chunkHorizon)
	if b.quirks.FastCDC {
		f, err = chunking.NewFastCDC(chunkAverage, 0)
	}
	if err != nil {
		return nil, err
	}
	var chunks []*repb.Digest
	err = f.Cut(bytes.NewReader(data), func(chunk []byte) error {
		chunks = append(chunks, merkle.Proto(b.put(chunk)))
		return nil
	})
	return chunks, err
}

// splice makes a blob of chunks.
func (b *blobs) splice(d *repb.Digest, chunks []*repb.Digest) error {
	if _, ok := b.get(keyOf(d)); ok {
		return status.Error(codes.AlreadyExists, "it is there")
	}
	var whole []byte
	for _, c := range chunks {
		data, ok := b.get(keyOf(c))
		if !ok {
			return status.Errorf(codes.NotFound, "no chunk %s", keyOf(c))
		}
		whole = append(whole, data...)
	}
	return b.store(keyOf(d), whole)
}

// SplitBlob implements repb.ContentAddressableStorageServer.
func (b *blobs) SplitBlob(_ context.Context, req *repb.SplitBlobRequest) (*repb.SplitBlobResponse, error) {
	if !b.quirks.Split || b.quirks.ChunkMappings {
		return nil, errNoChunks
	}
	chunks, err := b.split(req.BlobDigest)
	return &repb.SplitBlobResponse{ChunkDigests: chunks}, err
}

// SpliceBlob implements repb.ContentAddressableStorageServer.
func (b *blobs) SpliceBlob(_ context.Context, req *repb.SpliceBlobRequest) (*repb.SpliceBlobResponse, error) {
	if !b.quirks.Splice || b.quirks.ChunkMappings {
		return nil, errNoChunks
	}
	return &repb.SpliceBlobResponse{BlobDigest: req.BlobDigest}, b.splice(req.BlobDigest, req.ChunkDigests)
}

// GetChunkMapping implements repb.ContentAddressableStorageServer.
func (b *blobs) GetChunkMapping(req *repb.GetChunkMappingRequest, stream grpc.ServerStreamingServer[repb.GetChunkMappingResponse]) error {
	if !b.quirks.Split || !b.quirks.ChunkMappings {
		return errNoChunks
	}
	chunks, err := b.split(req.BlobDigest)
	if err != nil {
		return err
	}
	for part := range slices.Chunk(chunks, perMapping) {
		if err := stream.Send(&repb.GetChunkMappingResponse{ChunkDigests: part}); err != nil {
			return err
		}
	}
	return stream.Send(new(repb.GetChunkMappingResponse)) // allowed, and of no meaning
}

// RegisterChunkMapping implements repb.ContentAddressableStorageServer.
func (b *blobs) RegisterChunkMapping(stream grpc.ClientStreamingServer[repb.RegisterChunkMappingRequest, repb.RegisterChunkMappingResponse]) error {
	if !b.quirks.Splice || !b.quirks.ChunkMappings {
		return errNoChunks
	}
	first, err := stream.Recv()
	if err != nil {
		return err
	}
	chunks := first.ChunkDigests
	for {
		more, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		chunks = append(chunks, more.ChunkDigests...)
	}
	if err := b.splice(first.BlobDigest, chunks); err != nil {
		return err
	}
	return stream.SendAndClose(new(repb.RegisterChunkMappingResponse))
}
