package cas

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"golang.org/x/sync/errgroup"

	"github.com/rexwrap/rexwrap/client"
	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/client/merkle"
)

// A Remote is the CAS behind a connection. Small blobs go in batches that keep
// to the server's limit, whether it states one or not; others by ByteStream.
// zstd is used where the server offers it: what it offers for batches and for
// streams are two things.
type Remote struct {
	conn     *client.Conn
	function digest.Function
	codec    *codec
}

const (
	// streamFrom is the size from which a blob is streamed by itself.
	streamFrom = 1 << 20
	// entry is what a blob costs in a batch beside its bytes: its digest and
	// the framing.
	entry = 128
	// parallel is how many batches and streams one call has under way.
	parallel = 8
	// perFind is how many digests fit into a message of 4 MiB by far.
	perFind = 20000
)

// NewRemote returns the CAS behind conn, addressed by f's digests.
func NewRemote(conn *client.Conn, f digest.Function) *Remote {
	return &Remote{conn: conn, function: f, codec: newCodec()}
}

// Probe uploads a blob of a few bytes and reads it back: one server lists digest
// functions that it rejects (elan), so that none but SHA-256 can be trusted
// before.
func (r *Remote) Probe(ctx context.Context) error {
	data := []byte("rexwrap probes " + r.function.String() + "\n")
	d := r.function.Of(data)
	if err := r.Upload(ctx, Bytes(d, data)); err != nil {
		return fmt.Errorf("probe: %w", err)
	}
	if _, err := Read(ctx, r, d); err != nil {
		return fmt.Errorf("probe: %w", err)
	}
	return nil
}

// Negotiate returns the function to address conn's blobs by: SHA-256 where the
// server takes it, else one that a probe has shown to work. Actions that are to
// be executed must be encoded by it (action.Spec.Function, merkle.BuildBy).
func Negotiate(ctx context.Context, conn *client.Conn) (digest.Function, error) {
	caps, err := conn.Capabilities(ctx)
	if err != nil {
		return 0, err
	}
	if slices.Contains(caps.Functions, digest.SHA256) {
		return digest.SHA256, nil
	}
	for _, f := range caps.Functions {
		if err = NewRemote(conn, f).Probe(ctx); err == nil {
			return f, nil
		}
	}
	return 0, fmt.Errorf("%w: no digest function works: %w", client.ErrIncompatible, err)
}

func (r *Remote) stub() repb.ContentAddressableStorageClient {
	return repb.NewContentAddressableStorageClient(r.conn)
}

// Missing implements Store.
func (r *Remote) Missing(ctx context.Context, digests []digest.Digest) ([]digest.Digest, error) {
	var missing []digest.Digest
	for part := range slices.Chunk(distinct(digests), perFind) {
		req := &repb.FindMissingBlobsRequest{
			InstanceName: r.conn.Instance(), BlobDigests: protos(part), DigestFunction: client.DigestFunction(r.function),
		}
		answer, err := r.stub().FindMissingBlobs(ctx, req)
		if err != nil {
			return nil, fmt.Errorf("find missing blobs: %w", err)
		}
		for _, p := range answer.MissingBlobDigests {
			d, err := merkle.FromProto(p)
			if err != nil {
				return nil, fmt.Errorf("find missing blobs: %w", err)
			}
			missing = append(missing, d)
		}
	}
	return distinct(missing), nil
}

func protos(digests []digest.Digest) []*repb.Digest {
	out := make([]*repb.Digest, len(digests))
	for i, d := range digests {
		out[i] = merkle.Proto(d)
	}
	return out
}

// Fetch implements Store.
func (r *Remote) Fetch(ctx context.Context, wanted ...Wanted) error {
	destinations := make(map[digest.Digest][]io.Writer, len(wanted))
	digests := make([]digest.Digest, 0, len(wanted))
	for _, w := range wanted {
		destinations[w.Digest] = append(destinations[w.Digest], w.Into)
		digests = append(digests, w.Digest)
	}
	digests = distinct(digests)
	if len(digests) == 0 {
		return nil
	}
	caps, err := r.conn.Capabilities(ctx)
	if err != nil {
		return err
	}
	small, large := split(digests, caps.MaxBatch, func(d digest.Digest) digest.Digest { return d })
	if len(small) == 1 && len(large) == 0 { // a goroutine's stack would have to grow
		return r.readBatch(ctx, caps, small[0], destinations)
	}
	var failures failures
	var g errgroup.Group
	g.SetLimit(parallel)
	for _, batch := range small {
		g.Go(func() error { failures.add(r.readBatch(ctx, caps, batch, destinations)); return nil })
	}
	for _, d := range large {
		g.Go(func() error { failures.add(r.readStream(ctx, caps, d, io.MultiWriter(destinations[d]...))); return nil })
	}
	_ = g.Wait() // no goroutine returns an error
	return failures.err()
}

// Upload implements Store.
func (r *Remote) Upload(ctx context.Context, blobs ...Blob) error {
	seen := make(map[digest.Digest]bool, len(blobs))
	var distinct []Blob
	for _, b := range blobs {
		if !seen[b.Digest] && b.Digest.Size > 0 {
			seen[b.Digest] = true
			distinct = append(distinct, b)
		}
	}
	if len(distinct) == 0 {
		return nil
	}
	caps, err := r.conn.Capabilities(ctx)
	if err != nil {
		return err
	}
	for _, b := range distinct {
		if caps.MaxBlob > 0 && b.Digest.Size > caps.MaxBlob {
			return fmt.Errorf("upload %s: %w: the server takes blobs of up to %d bytes", b.Digest, client.ErrTooLarge, caps.MaxBlob)
		}
	}
	small, large := split(distinct, caps.MaxBatch, func(b Blob) digest.Digest { return b.Digest })
	if len(small) == 1 && len(large) == 0 {
		return r.updateBatch(ctx, caps, small[0])
	}
	var failures failures
	var g errgroup.Group
	g.SetLimit(parallel)
	for _, batch := range small {
		g.Go(func() error { failures.add(r.updateBatch(ctx, caps, batch)); return nil })
	}
	for _, b := range large {
		g.Go(func() error { failures.add(r.writeStream(ctx, caps, b)); return nil })
	}
	_ = g.Wait() // no goroutine returns an error
	return failures.err()
}

// split sorts items into batches of at most limit bytes and those that are to
// be streamed.
func split[T any](items []T, limit int64, digestOf func(T) digest.Digest) (batches [][]T, large []T) {
	var batch []T
	var size int64
	for _, item := range items {
		n := digestOf(item).Size + entry
		if n > streamFrom || n > limit {
			large = append(large, item)
			continue
		}
		if size+n > limit {
			batches = append(batches, batch)
			batch, size = nil, 0
		}
		batch, size = append(batch, item), size+n
	}
	if len(batch) > 0 {
		batches = append(batches, batch)
	}
	return batches, large
}

// suspectsHash reports whether err may be how a server says that bytes do not
// fit their digest: INVALID_ARGUMENT (Buildbarn, casd, just), UNKNOWN (elan) or
// INTERNAL (bazel-remote).
func suspectsHash(err error) bool {
	return errors.Is(err, client.ErrInvalid) || errors.Is(err, client.ErrFault)
}
