package clienttest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"github.com/klauspost/compress/zstd"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/rexwrap/rexwrap/client/bytestream"
	"github.com/rexwrap/rexwrap/client/digest"
)

// messageLimit is what gRPC servers take unless told otherwise.
const messageLimit = 4 << 20

// A blobKey is "HASH/SIZE".
type blobKey = string

// blobs is the CAS.
type blobs struct {
	repb.UnimplementedContentAddressableStorageServer
	quirks  Quirks
	encoder *zstd.Encoder
	decoder *zstd.Decoder

	mu   sync.Mutex
	data map[blobKey][]byte
}

func newBlobs(t testing.TB, q Quirks) *blobs {
	t.Helper()
	encoder, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	decoder, err := zstd.NewReader(nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(decoder.Close)
	return &blobs{data: make(map[blobKey][]byte), quirks: q, encoder: encoder, decoder: decoder}
}

// Put stores data and returns its digest.
func (s *Server) Put(data []byte) digest.Digest { return s.blobs.put(data) }

// Has reports whether the CAS holds d.
func (s *Server) Has(d digest.Digest) bool {
	_, ok := s.blobs.get(d.String())
	return ok
}

// Drop loses d, which must be in the CAS.
func (s *Server) Drop(d digest.Digest) {
	s.blobs.mu.Lock()
	delete(s.blobs.data, d.String())
	s.blobs.mu.Unlock()
}

// Corrupt makes the CAS answer with other bytes of the same number for d.
func (s *Server) Corrupt(d digest.Digest) {
	s.blobs.mu.Lock()
	s.blobs.data[d.String()] = bytes.Repeat([]byte{'?'}, int(d.Size))
	s.blobs.mu.Unlock()
}

func (b *blobs) put(data []byte) digest.Digest {
	d := digest.Of(data)
	b.mu.Lock()
	b.data[d.String()] = bytes.Clone(data)
	b.mu.Unlock()
	return d
}

func (b *blobs) get(key blobKey) ([]byte, bool) {
	if strings.HasSuffix(key, "/0") {
		return nil, true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	data, ok := b.data[key]
	return data, ok
}

func keyOf(d *repb.Digest) blobKey { return fmt.Sprintf("%s/%d", d.GetHash(), d.GetSizeBytes()) }

// check reports whether data is what key names, by a function the server takes.
func (b *blobs) check(key blobKey, data []byte) bool {
	return digest.Of(data).String() == key || (b.quirks.BLAKE3 && digest.BLAKE3.Of(data).String() == key)
}

func (b *blobs) store(key blobKey, data []byte) error {
	if !b.check(key, data) {
		return status.Errorf(codes.InvalidArgument, "the hash of %s is wrong", key)
	}
	b.mu.Lock()
	b.data[key] = bytes.Clone(data)
	b.mu.Unlock()
	return nil
}

func (b *blobs) limit() int {
	if b.quirks.LowerMessageSize > 0 {
		return b.quirks.LowerMessageSize
	}
	return messageLimit
}

func (b *blobs) fits(size int) error {
	if size > b.limit() {
		return status.Errorf(codes.ResourceExhausted, "grpc: received message larger than max (%d vs. %d)", size, b.limit())
	}
	return nil
}

// FindMissingBlobs implements repb.ContentAddressableStorageServer.
func (b *blobs) FindMissingBlobs(_ context.Context, req *repb.FindMissingBlobsRequest) (*repb.FindMissingBlobsResponse, error) {
	out := &repb.FindMissingBlobsResponse{}
	for _, d := range req.BlobDigests {
		if _, ok := b.get(keyOf(d)); !ok {
			out.MissingBlobDigests = append(out.MissingBlobDigests, d)
		}
	}
	return out, nil
}

// BatchUpdateBlobs implements repb.ContentAddressableStorageServer.
func (b *blobs) BatchUpdateBlobs(_ context.Context, req *repb.BatchUpdateBlobsRequest) (*repb.BatchUpdateBlobsResponse, error) {
	size := 0
	for _, r := range req.Requests {
		size += len(r.Data) + 80
	}
	if err := b.fits(size); err != nil {
		return nil, err
	}
	out := &repb.BatchUpdateBlobsResponse{}
	for _, r := range req.Requests {
		data, err := b.plain(r.Data, r.Compressor)
		if err == nil {
			err = b.store(keyOf(r.Digest), data)
		}
		if err != nil && b.quirks.BatchFailsWhole {
			return nil, err
		}
		out.Responses = append(out.Responses, &repb.BatchUpdateBlobsResponse_Response{Digest: r.Digest, Status: status.Convert(err).Proto()})
	}
	return out, nil
}

func (b *blobs) plain(data []byte, c repb.Compressor_Value) ([]byte, error) {
	switch {
	case c == repb.Compressor_IDENTITY:
		return data, nil
	case c == repb.Compressor_ZSTD && b.quirks.Zstd:
		return b.unzstd(data)
	default:
		return nil, status.Errorf(codes.InvalidArgument, "compressor %s is not supported", c)
	}
}

// BatchReadBlobs implements repb.ContentAddressableStorageServer.
func (b *blobs) BatchReadBlobs(_ context.Context, req *repb.BatchReadBlobsRequest) (*repb.BatchReadBlobsResponse, error) {
	out := &repb.BatchReadBlobsResponse{}
	compress := b.quirks.Zstd && slices.Contains(req.AcceptableCompressors, repb.Compressor_ZSTD)
	size := 0
	for _, d := range req.Digests {
		data, ok := b.get(keyOf(d))
		r := &repb.BatchReadBlobsResponse_Response{Digest: d, Data: data}
		if !ok {
			r.Status = status.New(codes.NotFound, "no such blob").Proto()
		} else if compress {
			r.Data, r.Compressor = b.enzstd(data), repb.Compressor_ZSTD
		}
		size += len(r.Data) + 80
		out.Responses = append(out.Responses, r)
	}
	if err := b.fits(size); err != nil {
		return nil, err
	}
	return out, nil
}

// chunk is how much of a blob goes into one message of Read.
const chunk = 64 << 10

// Read implements bytestream.Server.
func (b *blobs) Read(req *bytestream.ReadRequest, stream grpc.ServerStreamingServer[bytestream.ReadResponse]) error {
	n, err := b.parse(req.ResourceName, false)
	if err != nil {
		return err
	}
	data, ok := b.get(n.key)
	if !ok {
		return status.Error(codes.NotFound, "no such blob")
	}
	if req.Offset < 0 || req.Offset > int64(len(data)) {
		return status.Error(codes.OutOfRange, "offset is behind the end")
	}
	data = data[req.Offset:]
	if n.zstd {
		data = b.enzstd(data)
	}
	for part := range slices.Chunk(data, chunk) {
		if err := stream.Send(&bytestream.ReadResponse{Data: part}); err != nil {
			return err
		}
	}
	return nil
}

// Write implements bytestream.Server. The server answers at once where it has
// the blob.
func (b *blobs) Write(stream grpc.ClientStreamingServer[bytestream.WriteRequest, bytestream.WriteResponse]) error {
	first, err := stream.Recv()
	if err != nil {
		return err
	}
	n, err := b.parse(first.ResourceName, true)
	if err != nil {
		return err
	}
	if existing, ok := b.get(n.key); ok {
		size := int64(len(existing))
		if n.zstd && b.quirks.ExistingUnsized {
			size = -1
		}
		return stream.SendAndClose(&bytestream.WriteResponse{CommittedSize: size})
	}
	wire, err := receive(stream, first)
	if err != nil {
		return err
	}
	data := wire
	if n.zstd {
		if data, err = b.unzstd(wire); err != nil {
			return err
		}
	}
	if err := b.store(n.key, data); err != nil {
		return err
	}
	return stream.SendAndClose(&bytestream.WriteResponse{CommittedSize: int64(len(wire))})
}

func receive(stream grpc.ClientStreamingServer[bytestream.WriteRequest, bytestream.WriteResponse], req *bytestream.WriteRequest) ([]byte, error) {
	var wire []byte
	for {
		if req.Offset != int64(len(wire)) {
			return nil, status.Errorf(codes.InvalidArgument, "offset %d, want %d", req.Offset, len(wire))
		}
		wire = append(wire, req.Data...)
		if req.Finish {
			return wire, nil
		}
		var err error
		if req, err = stream.Recv(); errors.Is(err, io.EOF) {
			return nil, status.Error(codes.InvalidArgument, "write was not finished")
		} else if err != nil {
			return nil, err
		}
	}
}

// A name is a parsed resource name.
type name struct {
	key  blobKey
	zstd bool
}

// parse takes apart [INSTANCE/][uploads/UUID/]KIND/[FUNCTION/]HASH/SIZE. No
// server takes a segment for SHA-256, and all want one for BLAKE3.
func (b *blobs) parse(resource string, upload bool) (name, error) {
	bad := status.Errorf(codes.InvalidArgument, "resource name %q", resource)
	seg := strings.Split(resource, "/")
	i := slices.IndexFunc(seg, func(s string) bool { return s == "blobs" || s == "compressed-blobs" })
	if i < 0 || (upload != (i >= 2 && seg[i-2] == "uploads")) {
		return name{}, bad
	}
	if prefix := seg[:i]; b.quirks.StrictInstance && len(prefix) > 0 && prefix[0] != "uploads" {
		return name{}, bad
	}
	n := name{zstd: seg[i] == "compressed-blobs"}
	rest := seg[i+1:]
	if n.zstd {
		if !b.quirks.Zstd || len(rest) == 0 || rest[0] != "zstd" {
			return name{}, bad
		}
		rest = rest[1:]
	}
	if len(rest) > 0 && rest[0] == "blake3" && b.quirks.BLAKE3 {
		rest = rest[1:]
	}
	if len(rest) != 2 {
		return name{}, bad
	}
	n.key = rest[0] + "/" + rest[1]
	return n, nil
}

func (b *blobs) enzstd(data []byte) []byte { return b.encoder.EncodeAll(data, nil) }

func (b *blobs) unzstd(data []byte) ([]byte, error) {
	out, err := b.decoder.DecodeAll(data, nil)
	if err != nil {
		return nil, status.Errorf(codes.InvalidArgument, "zstd: %v", err)
	}
	return out, nil
}
