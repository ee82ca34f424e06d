package cas

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/rexwrap/rexwrap/client/digest"
)

// A Remembering is a Store that does not ask again for blobs it has seen to be
// there. What it remembers is a guess, since servers evict: whoever is told
// that a blob is missing after all calls Forget, and asks anew. Servers share
// blobs among instances: one Remembering serves all of an address.
type Remembering struct {
	Store
	age   time.Duration
	limit int

	// A digest is in young for half of age at most, and then in old for as
	// long.
	mu         sync.Mutex
	young, old map[digest.Digest]struct{}
	since      time.Time // young is
}

// NewRemembering returns a Store that remembers up to limit blobs for up to
// age.
func NewRemembering(s Store, age time.Duration, limit int) *Remembering {
	r := &Remembering{Store: s, age: age, limit: limit}
	r.Forget()
	return r
}

// Missing implements Store.
func (r *Remembering) Missing(ctx context.Context, digests []digest.Digest) ([]digest.Digest, error) {
	unknown := r.unknown(distinct(digests))
	if len(unknown) == 0 || ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	missing, err := r.Store.Missing(ctx, unknown)
	if err != nil {
		return nil, err
	}
	absent := make(map[digest.Digest]bool, len(missing))
	for _, d := range missing {
		absent[d] = true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, d := range unknown {
		if !absent[d] {
			r.remember(d)
		}
	}
	return missing, nil
}

// blind is how many bytes of blobs are uploaded without asking whether the
// store has them. What is new of an action, once its headers are known, is its
// source, Command and Directories: the question would cost a round trip, and the
// server more than the answer saves.
const blind = 128 << 10

// Ensure uploads those of blobs that the store does not hold, as far as is
// known: see the function of that name.
func (r *Remembering) Ensure(ctx context.Context, blobs ...Blob) error {
	digests := make([]digest.Digest, len(blobs))
	for i, b := range blobs {
		digests[i] = b.Digest
	}
	unknown := make(map[digest.Digest]bool)
	size := int64(0)
	for _, d := range r.unknown(distinct(digests)) {
		unknown[d] = true
		size += d.Size
	}
	if size > blind {
		return ensure(ctx, r, blobs)
	}
	fresh := make([]Blob, 0, len(unknown))
	for _, b := range blobs {
		if unknown[b.Digest] {
			fresh = append(fresh, b)
		}
	}
	if len(fresh) == 0 {
		return context.Cause(ctx)
	}
	return r.Upload(ctx, fresh...)
}

// Fetch implements Store.
func (r *Remembering) Fetch(ctx context.Context, wanted ...Wanted) error {
	err := r.Store.Fetch(ctx, wanted...)
	var missing *MissingError
	switch {
	case errors.As(err, &missing):
		r.Forget(missing.Digests...)
	case err == nil:
		r.mu.Lock()
		for _, w := range wanted {
			r.remember(w.Digest)
		}
		r.mu.Unlock()
	}
	return err
}

// Upload implements Store.
func (r *Remembering) Upload(ctx context.Context, blobs ...Blob) error {
	if err := r.Store.Upload(ctx, blobs...); err != nil {
		return err
	}
	r.mu.Lock()
	for _, b := range blobs {
		r.remember(b.Digest)
	}
	r.mu.Unlock()
	return nil
}

// Forget makes r ask again for digests, or for everything if none is named.
func (r *Remembering) Forget(digests ...digest.Digest) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, d := range digests {
		delete(r.young, d)
		delete(r.old, d)
	}
	if len(digests) == 0 {
		r.young, r.old, r.since = make(map[digest.Digest]struct{}), nil, time.Now()
	}
}

// Repair uploads those of blobs that the server says it lacks, or all that it
// turns out to lack where it names none: servers differ (see
// execute.Request.Repair). What is named without being among blobs is not to be
// had.
func (r *Remembering) Repair(ctx context.Context, named []digest.Digest, blobs ...Blob) error {
	known := make(map[digest.Digest]bool, len(blobs))
	all := make([]digest.Digest, len(blobs))
	for i, b := range blobs {
		all[i], known[b.Digest] = b.Digest, true
	}
	for _, d := range named {
		if !known[d] {
			return &MissingError{[]digest.Digest{d}}
		}
	}
	if len(all) > 0 {
		r.Forget(all...) // what evicted one may have evicted others
	}
	return Ensure(ctx, r, blobs...)
}

func (r *Remembering) unknown(digests []digest.Digest) []digest.Digest {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.turn()
	var out []digest.Digest
	for _, d := range digests {
		_, young := r.young[d]
		_, old := r.old[d]
		if !young && !old {
			out = append(out, d)
		}
	}
	return out
}

// remember is called with r.mu held.
func (r *Remembering) remember(d digest.Digest) {
	r.turn()
	r.young[d] = struct{}{}
}

// turn makes what is young old, if it has been for long or is too much.
func (r *Remembering) turn() {
	now := time.Now()
	age := now.Sub(r.since)
	switch {
	case age >= r.age:
		r.old = nil
	case age >= r.age/2 || len(r.young) >= max(r.limit/2, 1):
		r.old = r.young
	default:
		return
	}
	r.young, r.since = make(map[digest.Digest]struct{}), now
}
