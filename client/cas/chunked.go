package cas

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/rexwrap/rexwrap/client"
	"github.com/rexwrap/rexwrap/client/chunking"
	"github.com/rexwrap/rexwrap/client/digest"
)

// A Chunked is a Remote that moves large blobs in chunks where the server
// offers it, so that of a blob that is like another one only what differs is
// sent. Downloads need a near store that remembers chunks: without one a blob in
// chunks would cost a call more than the blob. What the server offers is a hint:
// where it does not keep its word, or anything fails, blobs go whole.
type Chunked struct {
	*Remote
	chunks Store // Layered: near, then the remote; nil without a near store

	noSplit, noSplice atomic.Bool // the server broke its word
}

const (
	// chunkedFrom is the size from which chunks are worth their calls.
	chunkedFrom = 2 << 20
	// chunkLimit bounds what the near store is given; REv2's functions make
	// chunks of up to 32 MiB.
	chunkLimit = 32 << 20
	// window is how many bytes of chunks are held in memory per blob.
	window = 8 << 20
)

// NewChunked returns r with chunks. near may be nil.
func NewChunked(r *Remote, near Store) *Chunked {
	c := &Chunked{Remote: r}
	if near != nil {
		c.chunks = NewLayered(near, r, chunkLimit)
	}
	return c
}

// Fetch implements Store.
func (c *Chunked) Fetch(ctx context.Context, wanted ...Wanted) error {
	caps, err := c.conn.Capabilities(ctx)
	if err != nil || !caps.Split || c.chunks == nil || c.noSplit.Load() {
		return c.Remote.Fetch(ctx, wanted...)
	}
	large := make(map[digest.Digest][]io.Writer)
	var whole []Wanted
	for _, w := range wanted {
		if w.Digest.Size < max(chunkedFrom, caps.Chunking.From()) {
			whole = append(whole, w)
		} else {
			large[w.Digest] = append(large[w.Digest], w.Into)
		}
	}
	var failures failures
	var g errgroup.Group
	g.SetLimit(parallel)
	g.Go(func() error { failures.add(c.Remote.Fetch(ctx, whole...)); return nil })
	for d, into := range large {
		g.Go(func() error { failures.add(c.fetch(ctx, caps, d, io.MultiWriter(into...))); return nil })
	}
	_ = g.Wait() // no goroutine returns an error
	return failures.err()
}

// fetch goes on without chunks where it cannot go on with them. If the chunks
// make another blob it is too late for that.
func (c *Chunked) fetch(ctx context.Context, caps *client.Capabilities, d digest.Digest, into io.Writer) error {
	w := c.newDownload(d, into)
	chunks, err := c.chunksOf(ctx, caps, d)
	if err == nil {
		err = c.assemble(ctx, w, chunks)
	}
	if err == nil {
		if err = w.check(); err != nil {
			c.noSplit.Store(true)
		}
		return err
	}
	if errors.Is(err, client.ErrUnimplemented) || errors.Is(err, errMapping) {
		c.noSplit.Store(true)
	}
	var broken *destinationError
	if errors.As(err, &broken) {
		return broken.cause
	}
	return c.readRest(ctx, caps, w)
}

// A destinationError says that not the server is to blame.
type destinationError struct{ cause error }

func (e *destinationError) Error() string { return e.cause.Error() }

// assemble writes chunks to w, a window at a time.
func (c *Chunked) assemble(ctx context.Context, w *download, chunks []digest.Digest) error {
	for len(chunks) > 0 {
		n, size := 1, chunks[0].Size
		for n < len(chunks) && size+chunks[n].Size <= window {
			size += chunks[n].Size
			n++
		}
		blobs, err := ReadAll(ctx, c.chunks, chunks[:n])
		if err != nil {
			return err
		}
		for _, blob := range blobs {
			if _, err := w.Write(blob); err != nil {
				return &destinationError{err}
			}
		}
		chunks = chunks[n:]
	}
	return nil
}

// Upload implements Store.
func (c *Chunked) Upload(ctx context.Context, blobs ...Blob) error {
	caps, err := c.conn.Capabilities(ctx)
	if err != nil || !caps.Splice || c.noSplice.Load() {
		return c.Remote.Upload(ctx, blobs...)
	}
	function := caps.Chunking
	if function.Kind() == chunking.None {
		function = chunking.Default()
	}
	seen := make(map[digest.Digest]bool)
	var large, whole []Blob
	for _, b := range blobs {
		tooLarge := caps.MaxBlob > 0 && b.Digest.Size > caps.MaxBlob // the Remote says so
		if b.Digest.Size < max(chunkedFrom, function.From()) || tooLarge {
			whole = append(whole, b)
		} else if !seen[b.Digest] {
			seen[b.Digest] = true
			large = append(large, b)
		}
	}
	var failures failures
	var g errgroup.Group
	g.SetLimit(parallel)
	g.Go(func() error { failures.add(c.Remote.Upload(ctx, whole...)); return nil })
	for _, b := range large {
		g.Go(func() error { failures.add(c.upload(ctx, caps, function, b)); return nil })
	}
	_ = g.Wait() // no goroutine returns an error
	return failures.err()
}

func (c *Chunked) upload(ctx context.Context, caps *client.Capabilities, function chunking.Function, b Blob) error {
	chunks, err := c.cut(function, b)
	if err != nil {
		return err // the blob's own fault
	}
	if err = c.inChunks(ctx, caps, b, chunks); err == nil {
		return nil
	}
	if errors.Is(err, client.ErrUnimplemented) {
		c.noSplice.Store(true)
	}
	if errors.Is(err, ErrChanged) || ctx.Err() != nil {
		return err
	}
	return c.writeStream(ctx, caps, b)
}

// cut returns b's chunks after checking that it is b.
func (c *Chunked) cut(function chunking.Function, b Blob) (chunks []digest.Digest, err error) {
	src, err := b.Open()
	if err != nil {
		return nil, fmt.Errorf("open blob to upload: %w", err)
	}
	defer func() { _ = src.Close() }() // only read from
	h, size := c.function.NewHash(), int64(0)
	err = function.Cut(io.LimitReader(src, b.Digest.Size+1), func(chunk []byte) error {
		_, _ = h.Write(chunk) // a hash never fails
		size += int64(len(chunk))
		chunks = append(chunks, c.function.Of(chunk))
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read blob to upload: %w", err)
	}
	if size != b.Digest.Size || [digest.Size]byte(h.Sum(nil)) != b.Digest.Hash {
		return nil, fmt.Errorf("%w: %s", ErrChanged, b.Digest)
	}
	return chunks, nil
}

// inChunks uploads those of b's chunks that the server lacks, then tells it what b
// is made of.
func (c *Chunked) inChunks(ctx context.Context, caps *client.Capabilities, b Blob, chunks []digest.Digest) error {
	missing, err := c.Missing(ctx, chunks)
	if err != nil {
		return err
	}
	absent := make(map[digest.Digest]bool, len(missing))
	for _, d := range missing {
		absent[d] = true
	}
	if err := c.sendChunks(ctx, caps, b, chunks, absent); err != nil {
		return err
	}
	return c.compose(ctx, caps, b.Digest, chunks)
}

func (c *Chunked) sendChunks(ctx context.Context, caps *client.Capabilities, b Blob, chunks []digest.Digest, absent map[digest.Digest]bool) error {
	src, err := b.Open()
	if err != nil {
		return fmt.Errorf("open blob to upload: %w", err)
	}
	defer func() { _ = src.Close() }() // only read from
	var batch []Blob
	size := int64(0)
	for _, d := range chunks {
		if !absent[d] {
			if _, err := io.CopyN(io.Discard, src, d.Size); err != nil {
				return changed(b, err)
			}
			continue
		}
		delete(absent, d)
		data := make([]byte, d.Size)
		if _, err := io.ReadFull(src, data); err != nil {
			return changed(b, err)
		}
		batch, size = append(batch, Bytes(d, data)), size+d.Size
		if size+d.Size+entry > min(caps.MaxBatch, window) {
			if err := c.Remote.Upload(ctx, batch...); err != nil {
				return err
			}
			batch, size = nil, 0
		}
	}
	return c.Remote.Upload(ctx, batch...)
}

// changed is the error of a blob that has become shorter, or cannot be read.
func changed(b Blob, err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: %s is shorter", ErrChanged, b.Digest)
	}
	return fmt.Errorf("read blob to upload: %w", err)
}
