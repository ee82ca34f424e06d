package cas

import (
	"context"
	"errors"
	"fmt"
	"io"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/grpc/status"

	"github.com/rexwrap/rexwrap/client"
	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/client/merkle"
)

// compressFrom is the size below which compression is not worth the time.
const compressFrom = 1 << 10

// oversized reports whether a smaller batch may succeed where err came of one.
// Some servers' limits are below what they state.
func oversized(err error) bool {
	return errors.Is(err, client.ErrTooLarge) || errors.Is(err, client.ErrExhausted)
}

// readBatch fetches blobs by one BatchReadBlobs, or by more where the server
// finds it too large.
func (r *Remote) readBatch(ctx context.Context, caps *client.Capabilities, digests []digest.Digest, into map[digest.Digest][]io.Writer) error {
	req := &repb.BatchReadBlobsRequest{
		InstanceName: r.conn.Instance(), Digests: protos(digests), DigestFunction: client.DigestFunction(r.function),
	}
	if caps.StreamZstd {
		req.AcceptableCompressors = []repb.Compressor_Value{repb.Compressor_ZSTD}
	}
	answer, err := r.stub().BatchReadBlobs(ctx, req)
	switch {
	case err == nil:
	case oversized(err) && len(digests) == 1:
		return r.readStream(ctx, caps, digests[0], io.MultiWriter(into[digests[0]]...))
	case oversized(err):
		half := len(digests) / 2
		var f failures
		f.add(r.readBatch(ctx, caps, digests[:half], into))
		f.add(r.readBatch(ctx, caps, digests[half:], into))
		return f.err()
	default:
		return fmt.Errorf("read %d blobs: %w", len(digests), err)
	}
	return r.deliver(answer, digests, into)
}

// deliver writes what was asked for and verified. A blob that the answer does
// not mention is missing.
func (r *Remote) deliver(answer *repb.BatchReadBlobsResponse, digests []digest.Digest, into map[digest.Digest][]io.Writer) error {
	open := make(map[digest.Digest]bool, len(digests))
	for _, d := range digests {
		open[d] = true
	}
	var f failures
	for _, a := range answer.Responses {
		d, err := merkle.FromProto(a.Digest)
		if err != nil || !open[d] {
			continue // of no use
		}
		delete(open, d)
		f.add(r.deliverOne(a, d, into[d]))
	}
	for d := range open {
		f.add(&MissingError{[]digest.Digest{d}})
	}
	return f.err()
}

func (r *Remote) deliverOne(a *repb.BatchReadBlobsResponse_Response, d digest.Digest, into []io.Writer) error {
	if err := r.conn.StatusError("BatchReadBlobs", status.FromProto(a.Status)); errors.Is(err, client.ErrNotFound) {
		return &MissingError{[]digest.Digest{d}}
	} else if err != nil {
		return fmt.Errorf("read %s: %w", d, err)
	}
	data := a.Data
	if a.Compressor != repb.Compressor_IDENTITY {
		var err error
		if data, err = r.codec.decompress(a.Compressor, data); err != nil {
			return fmt.Errorf("%w: %s: %w", ErrCorrupt, d, err)
		}
	}
	if r.function.Of(data) != d {
		return fmt.Errorf("%w: %s", ErrCorrupt, d)
	}
	if _, err := io.MultiWriter(into...).Write(data); err != nil {
		return fmt.Errorf("write blob: %w", err)
	}
	return nil
}

// updateBatch uploads blobs by one BatchUpdateBlobs.
func (r *Remote) updateBatch(ctx context.Context, caps *client.Capabilities, blobs []Blob) error {
	var f failures
	data := make(map[digest.Digest][]byte, len(blobs))
	for _, b := range blobs {
		bytes, err := load(b)
		if err != nil {
			f.add(err)
			continue
		}
		data[b.Digest] = bytes
	}
	if len(data) > 0 {
		f.add(r.update(ctx, caps, data))
	}
	return f.err()
}

// update sends data. Where the server suspects a hash, whose files changed
// meanwhile are found and the others sent again: one server rejects the whole
// batch for one wrong blob.
func (r *Remote) update(ctx context.Context, caps *client.Capabilities, data map[digest.Digest][]byte) error {
	err := r.send(ctx, caps, data)
	switch {
	case err == nil:
		return nil
	case oversized(err) && len(data) == 1:
		for d, bytes := range data {
			return r.writeStream(ctx, caps, Bytes(d, bytes))
		}
	case oversized(err):
		one, other := halves(data)
		var f failures
		f.add(r.update(ctx, caps, one))
		f.add(r.update(ctx, caps, other))
		return f.err()
	case suspectsHash(err):
		var f failures
		for d, bytes := range data {
			if r.function.Of(bytes) != d {
				f.add(fmt.Errorf("%w: %s", ErrChanged, d))
				delete(data, d)
			}
		}
		if changed := f.err(); changed != nil && len(data) > 0 {
			f.add(r.update(ctx, caps, data))
			return f.err()
		} else if changed != nil {
			return changed
		}
	}
	return fmt.Errorf("upload %d blobs: %w", len(data), err)
}

func halves(data map[digest.Digest][]byte) (one, other map[digest.Digest][]byte) {
	one, other = make(map[digest.Digest][]byte), make(map[digest.Digest][]byte)
	for d, bytes := range data {
		if 2*len(one) < len(data) {
			one[d] = bytes
		} else {
			other[d] = bytes
		}
	}
	return one, other
}

// send makes the call and returns the first error of it or of a blob.
func (r *Remote) send(ctx context.Context, caps *client.Capabilities, data map[digest.Digest][]byte) error {
	req := &repb.BatchUpdateBlobsRequest{InstanceName: r.conn.Instance(), DigestFunction: client.DigestFunction(r.function)}
	for d, bytes := range data {
		one := &repb.BatchUpdateBlobsRequest_Request{Digest: merkle.Proto(d), Data: bytes}
		if caps.BatchZstd && len(bytes) >= compressFrom {
			if smaller := r.codec.compress(bytes); len(smaller) < len(bytes) {
				one.Data, one.Compressor = smaller, repb.Compressor_ZSTD
			}
		}
		req.Requests = append(req.Requests, one)
	}
	answer, err := r.stub().BatchUpdateBlobs(ctx, req)
	if err != nil {
		return err
	}
	for _, a := range answer.Responses {
		if err := r.conn.StatusError("BatchUpdateBlobs", status.FromProto(a.Status)); err != nil {
			return err
		}
	}
	if len(answer.Responses) < len(data) {
		return errSilent
	}
	return nil
}

var errSilent = errors.New("server does not say what became of all blobs")
