package cas

import (
	"context"
	"fmt"
	"io"
	"sync"

	"github.com/rexwrap/rexwrap/client/digest"
)

// A Memory is a Store in memory, for small numbers of small blobs and for
// tests.
type Memory struct {
	function digest.Function

	mu   sync.Mutex
	data map[digest.Digest][]byte
}

// NewMemory returns an empty Memory whose digests are f's.
func NewMemory(f digest.Function) *Memory {
	return &Memory{function: f, data: make(map[digest.Digest][]byte)}
}

// Missing implements Store.
func (m *Memory) Missing(ctx context.Context, digests []digest.Digest) ([]digest.Digest, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var missing []digest.Digest
	for _, d := range distinct(digests) {
		if m.data[d] == nil {
			missing = append(missing, d)
		}
	}
	return missing, nil
}

// Fetch implements Store.
func (m *Memory) Fetch(ctx context.Context, wanted ...Wanted) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	var missing []digest.Digest
	for _, w := range wanted {
		m.mu.Lock()
		data, ok := m.data[w.Digest]
		m.mu.Unlock()
		if !ok && w.Digest.Size > 0 {
			missing = append(missing, w.Digest)
			continue
		}
		if _, err := w.Into.Write(data); err != nil {
			return fmt.Errorf("write blob: %w", err)
		}
	}
	if len(missing) > 0 {
		return &MissingError{distinct(missing)}
	}
	return nil
}

// Upload implements Store.
func (m *Memory) Upload(ctx context.Context, blobs ...Blob) error {
	for _, b := range blobs {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		data, err := load(b)
		if err != nil {
			return err
		}
		if m.function.Of(data) != b.Digest {
			return fmt.Errorf("%w: %s", ErrChanged, b.Digest)
		}
		m.mu.Lock()
		m.data[b.Digest] = data
		m.mu.Unlock()
	}
	return nil
}

// load reads a blob into memory. Its size is checked, its hash is not.
func load(b Blob) ([]byte, error) {
	r, err := b.Open()
	if err != nil {
		return nil, fmt.Errorf("open blob to upload: %w", err)
	}
	defer func() { _ = r.Close() }() // only read from
	data := make([]byte, b.Digest.Size)
	if _, err := io.ReadFull(r, data); err == io.EOF || err == io.ErrUnexpectedEOF {
		return nil, fmt.Errorf("%w: %s is shorter", ErrChanged, b.Digest)
	} else if err != nil {
		return nil, fmt.Errorf("read blob to upload: %w", err)
	}
	if n, _ := r.Read(make([]byte, 1)); n > 0 {
		return nil, fmt.Errorf("%w: %s is longer", ErrChanged, b.Digest)
	}
	return data, nil
}

// distinct returns digests without repetitions and without the empty blob.
func distinct(digests []digest.Digest) []digest.Digest {
	seen := make(map[digest.Digest]struct{}, len(digests))
	out := make([]digest.Digest, 0, len(digests))
	for _, d := range digests {
		if _, ok := seen[d]; !ok && d.Size > 0 {
			seen[d] = struct{}{}
			out = append(out, d)
		}
	}
	return out
}
