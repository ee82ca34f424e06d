// Package cas moves blobs to and from content-addressed stores: the Store
// interface, the Remote behind a connection, a Memory, and decorators. It knows
// digests and bytes; which blobs an action needs is the business of
// client/execute and localserver/pipeline.
//
// Whatever a Store hands out has been verified by digest. The empty blob is in
// every Store and is never sent for.
package cas

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/rexwrap/rexwrap/client/digest"
)

// Errors of Stores, beside those of the connection.
var (
	// ErrNotFound: the store does not hold a blob. See MissingError.
	ErrNotFound = errors.New("blob not found")
	// ErrCorrupt: the store answered with other bytes than the digest names.
	ErrCorrupt = errors.New("blob has other bytes than its digest says")
	// ErrChanged: what was to be uploaded has other bytes than its digest
	// says; most often a file that changed meanwhile. Nothing of it is stored.
	ErrChanged = errors.New("blob to upload changed")
)

// A MissingError names the blobs that a Store does not hold.
type MissingError struct{ Digests []digest.Digest }

// Error implements error.
func (e *MissingError) Error() string {
	return fmt.Sprintf("%d blobs not found, the first is %s", len(e.Digests), e.Digests[0])
}

// Is makes errors.Is(err, ErrNotFound) hold.
func (e *MissingError) Is(target error) bool { return target == ErrNotFound }

// A Store holds blobs. Its methods are safe for concurrent use.
type Store interface {
	// Missing returns those of digests that the store does not hold, in any
	// order, each once.
	Missing(ctx context.Context, digests []digest.Digest) ([]digest.Digest, error)

	// Fetch writes each wanted blob to its destination. What was written is
	// right only if Fetch returns nil: until then a destination may hold a
	// part, or wrong bytes. All blobs that are not there are in one
	// *MissingError.
	Fetch(ctx context.Context, wanted ...Wanted) error

	// Upload stores blobs, whether the store holds them already or not.
	Upload(ctx context.Context, blobs ...Blob) error
}

// Wanted is a blob to fetch. Into is written to by one goroutine at a time.
type Wanted struct {
	Digest digest.Digest
	Into   io.Writer
}

// A Blob is content to upload. Open may be called more than once.
type Blob struct {
	Digest digest.Digest
	Open   func() (io.ReadCloser, error)
}

// Bytes is a Blob in memory. d must be data's digest.
func Bytes(d digest.Digest, data []byte) Blob {
	return Blob{Digest: d, Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }}
}

// File is a Blob in the file at path.
func File(d digest.Digest, path string) Blob {
	return Blob{Digest: d, Open: func() (io.ReadCloser, error) { return os.Open(path) }}
}

// Ensure uploads those of blobs that s does not hold. A Store that knows a
// cheaper way than to ask has a method of this name.
func Ensure(ctx context.Context, s Store, blobs ...Blob) error {
	if e, ok := s.(interface {
		Ensure(ctx context.Context, blobs ...Blob) error
	}); ok {
		return e.Ensure(ctx, blobs...)
	}
	return ensure(ctx, s, blobs)
}

func ensure(ctx context.Context, s Store, blobs []Blob) error {
	byDigest := make(map[digest.Digest]Blob, len(blobs))
	digests := make([]digest.Digest, 0, len(blobs))
	for _, b := range blobs {
		if _, ok := byDigest[b.Digest]; !ok {
			byDigest[b.Digest] = b
			digests = append(digests, b.Digest)
		}
	}
	missing, err := s.Missing(ctx, digests)
	if err != nil || len(missing) == 0 {
		return err
	}
	upload := make([]Blob, 0, len(missing))
	for _, d := range missing {
		if b, ok := byDigest[d]; ok {
			upload = append(upload, b)
		}
	}
	return s.Upload(ctx, upload...)
}

// Read returns one blob's bytes.
func Read(ctx context.Context, s Store, d digest.Digest) ([]byte, error) {
	var buf bytes.Buffer
	buf.Grow(int(min(max(d.Size, 0), streamFrom))) // a server's word, as yet
	if err := s.Fetch(ctx, Wanted{d, &buf}); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

// ReadAll returns blobs in the order of their digests.
func ReadAll(ctx context.Context, s Store, digests []digest.Digest) ([][]byte, error) {
	buffers := make([]bytes.Buffer, len(digests))
	wanted := make([]Wanted, len(digests))
	for i, d := range digests {
		wanted[i] = Wanted{d, &buffers[i]}
	}
	if err := s.Fetch(ctx, wanted...); err != nil {
		return nil, err
	}
	out := make([][]byte, len(digests))
	for i := range buffers {
		out[i] = buffers[i].Bytes()
	}
	return out, nil
}
