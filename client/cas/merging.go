package cas

import (
	"context"
	"sync"
	"time"

	"github.com/rexwrap/rexwrap/client/digest"
)

// A Merging is a Store whose callers' questions about missing blobs, asked
// within a short time of each other, become one: servers take 20 to 45 ms for
// 500 digests (just, elan), whoever asks.
type Merging struct {
	Store
	window time.Duration

	mu   sync.Mutex
	open *question // to which digests can still be added
}

// A question is one call of Missing that several callers share.
type question struct {
	digests []digest.Digest
	done    chan struct{}
	// Set before done is closed:
	missing map[digest.Digest]bool
	err     error
}

// NewMerging returns a Store that waits for window before it asks s.
func NewMerging(s Store, window time.Duration) *Merging {
	return &Merging{Store: s, window: window}
}

// Missing implements Store. The first of the callers who share a question asks
// it, to the end even if its own ctx ends, since the others wait for it.
func (m *Merging) Missing(ctx context.Context, digests []digest.Digest) ([]digest.Digest, error) {
	digests = distinct(digests)
	if len(digests) == 0 || ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	m.mu.Lock()
	q, joined := m.open, m.open != nil
	if !joined {
		q = &question{done: make(chan struct{})}
		m.open = q
	}
	q.digests = append(q.digests, digests...)
	m.mu.Unlock()
	if !joined {
		m.ask(context.WithoutCancel(ctx), q)
	}
	select {
	case <-q.done:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	return q.of(digests)
}

func (m *Merging) ask(ctx context.Context, q *question) {
	defer close(q.done)
	<-time.After(m.window)
	m.mu.Lock()
	m.open = nil
	m.mu.Unlock()
	missing, err := m.Store.Missing(ctx, q.digests)
	q.err = err
	q.missing = make(map[digest.Digest]bool, len(missing))
	for _, d := range missing {
		q.missing[d] = true
	}
}

func (q *question) of(digests []digest.Digest) ([]digest.Digest, error) {
	var out []digest.Digest
	for _, d := range digests {
		if q.missing[d] {
			out = append(out, d)
		}
	}
	return out, q.err
}
