package cas

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"

	"github.com/rexwrap/rexwrap/client"
	"github.com/rexwrap/rexwrap/client/chunking"
	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/client/merkle"
)

var errMapping = errors.New("chunks do not add up to the blob")

// chunksOf asks of which chunks d is made: by GetChunkMapping (REv2.13) or
// SplitBlob (REv2.12).
func (r *Remote) chunksOf(ctx context.Context, caps *client.Capabilities, d digest.Digest) ([]digest.Digest, error) {
	ask := r.splitBlob
	if caps.ChunkMappings {
		ask = r.chunkMapping
	}
	protos, err := ask(ctx, &repb.SplitBlobRequest{
		InstanceName: r.conn.Instance(), BlobDigest: merkle.Proto(d), DigestFunction: client.DigestFunction(r.function),
		ChunkingFunction: chunkingFunction(caps.Chunking),
	})
	if err != nil {
		return nil, fmt.Errorf("ask for chunks of %s: %w", d, err)
	}
	chunks := make([]digest.Digest, len(protos))
	size := int64(0)
	for i, p := range protos {
		if chunks[i], err = merkle.FromProto(p); err != nil {
			return nil, fmt.Errorf("%w: %s: %w", errMapping, d, err)
		}
		size += chunks[i].Size
	}
	if size != d.Size || slices.Contains(chunks, d) {
		return nil, fmt.Errorf("%w: %s", errMapping, d)
	}
	return chunks, nil
}

func chunkingFunction(f chunking.Function) repb.ChunkingFunction_Value {
	switch f.Kind() {
	case chunking.FastCDC2020:
		return repb.ChunkingFunction_FAST_CDC_2020
	case chunking.RepMaxCDC:
		return repb.ChunkingFunction_REP_MAX_CDC
	default:
		return repb.ChunkingFunction_UNKNOWN
	}
}

func (r *Remote) splitBlob(ctx context.Context, req *repb.SplitBlobRequest) ([]*repb.Digest, error) {
	answer, err := r.stub().SplitBlob(ctx, req)
	return answer.GetChunkDigests(), err
}

func (r *Remote) chunkMapping(ctx context.Context, req *repb.SplitBlobRequest) (chunks []*repb.Digest, err error) {
	err = r.conn.Retry(ctx, func(ctx context.Context) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		s, err := r.stub().GetChunkMapping(ctx, &repb.GetChunkMappingRequest{
			InstanceName: req.InstanceName, BlobDigest: req.BlobDigest, DigestFunction: req.DigestFunction, ChunkingFunction: req.ChunkingFunction,
		})
		if err != nil {
			return err
		}
		for chunks = nil; ; {
			answer, err := s.Recv()
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return err
			}
			chunks = append(chunks, answer.ChunkDigests...)
		}
	})
	return chunks, err
}

// compose tells the server that d is made of chunks, which it holds: by
// RegisterChunkMapping (REv2.13) or SpliceBlob (REv2.12). That the server has d
// already is no error.
func (r *Remote) compose(ctx context.Context, caps *client.Capabilities, d digest.Digest, chunks []digest.Digest) error {
	tell := r.spliceBlob
	if caps.ChunkMappings {
		tell = r.registerMapping
	}
	err := tell(ctx, &repb.SpliceBlobRequest{
		InstanceName: r.conn.Instance(), BlobDigest: merkle.Proto(d), ChunkDigests: protos(chunks),
		DigestFunction: client.DigestFunction(r.function), ChunkingFunction: chunkingFunction(caps.Chunking),
	})
	if err != nil && !errors.Is(err, client.ErrExists) {
		return fmt.Errorf("compose %s of chunks: %w", d, err)
	}
	return nil
}

func (r *Remote) spliceBlob(ctx context.Context, req *repb.SpliceBlobRequest) error {
	_, err := r.stub().SpliceBlob(ctx, req)
	return err
}

func (r *Remote) registerMapping(ctx context.Context, req *repb.SpliceBlobRequest) error {
	return r.conn.Retry(ctx, func(ctx context.Context) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		s, err := r.stub().RegisterChunkMapping(ctx)
		if err != nil {
			return err
		}
		msg := &repb.RegisterChunkMappingRequest{
			InstanceName: req.InstanceName, BlobDigest: req.BlobDigest, DigestFunction: req.DigestFunction, ChunkingFunction: req.ChunkingFunction,
		}
		for part := range slices.Chunk(req.ChunkDigests, perFind) {
			msg.ChunkDigests = part
			if err := s.Send(msg); errors.Is(err, io.EOF) {
				break // the server has answered
			} else if err != nil {
				return err
			}
			msg = new(repb.RegisterChunkMappingRequest)
		}
		_, err = s.CloseAndRecv()
		return err
	})
}
