package cas

import (
	"bytes"
	"context"
	"fmt"

	"github.com/rexwrap/rexwrap/client/digest"
)

// A Layered is a Store over a near and a far one. What is in the far one
// counts; the near one spares fetches. Blobs of more than limit bytes are of the
// far one alone.
type Layered struct {
	near, far Store
	limit     int64
}

// NewLayered returns near over far. Blobs of up to limit bytes are kept near,
// and held in memory one call's worth at a time.
func NewLayered(near, far Store, limit int64) *Layered { return &Layered{near, far, limit} }

// Missing implements Store: it is what the far store lacks.
func (l *Layered) Missing(ctx context.Context, digests []digest.Digest) ([]digest.Digest, error) {
	return l.far.Missing(ctx, digests)
}

// Upload implements Store. Trouble with the near store is nobody's concern.
func (l *Layered) Upload(ctx context.Context, blobs ...Blob) error {
	if err := l.far.Upload(ctx, blobs...); err != nil {
		return err
	}
	var small []Blob
	for _, b := range blobs {
		if b.Digest.Size <= l.limit {
			small = append(small, b)
		}
	}
	_ = l.near.Upload(ctx, small...)
	return nil
}

// Fetch implements Store.
func (l *Layered) Fetch(ctx context.Context, wanted ...Wanted) error {
	data, err := l.fromNear(ctx, wanted)
	if err != nil {
		return err
	}
	var far []Wanted
	keep := make(map[digest.Digest]*bytes.Buffer)
	for _, w := range wanted {
		switch _, near := data[w.Digest]; {
		case near:
		case w.Digest.Size > l.limit:
			far = append(far, w)
		case keep[w.Digest] == nil:
			keep[w.Digest] = new(bytes.Buffer)
			far = append(far, Wanted{w.Digest, keep[w.Digest]})
		}
	}
	fetched := l.far.Fetch(ctx, far...)
	if fetched == nil {
		l.keep(ctx, keep)
		for d, b := range keep {
			data[d] = b.Bytes()
		}
	}
	for _, w := range wanted {
		if blob, ok := data[w.Digest]; ok {
			if _, err := w.Into.Write(blob); err != nil {
				return fmt.Errorf("write blob: %w", err)
			}
		}
	}
	return fetched
}

// fromNear returns what the near store has of wanted. It answers into memory,
// since what it got wrong must not reach a destination.
func (l *Layered) fromNear(ctx context.Context, wanted []Wanted) (map[digest.Digest][]byte, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	var small []digest.Digest
	for _, w := range wanted {
		if w.Digest.Size <= l.limit {
			small = append(small, w.Digest)
		}
	}
	small = distinct(small)
	data := make(map[digest.Digest][]byte, len(small))
	missing, err := l.near.Missing(ctx, small)
	if err != nil {
		return data, nil
	}
	absent := make(map[digest.Digest]bool, len(missing))
	for _, d := range missing {
		absent[d] = true
	}
	for _, d := range small {
		if absent[d] {
			continue
		}
		if blob, err := Read(ctx, l.near, d); err == nil {
			data[d] = blob
		}
	}
	return data, nil
}

func (l *Layered) keep(ctx context.Context, fetched map[digest.Digest]*bytes.Buffer) {
	blobs := make([]Blob, 0, len(fetched))
	for d, b := range fetched {
		blobs = append(blobs, Bytes(d, b.Bytes()))
	}
	_ = l.near.Upload(ctx, blobs...)
}
