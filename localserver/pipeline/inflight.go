package pipeline

import (
	"context"
	"sync"

	"github.com/rexwrap/rexwrap/client/digest"
)

// inflight merges equal compiles that run at the same time: the first to join
// a key leads, the others wait for it to leave. It is safe for concurrent use.
type inflight struct {
	mu   sync.Mutex
	keys map[digest.Digest]chan struct{}
}

func newInflight() *inflight { return &inflight{keys: make(map[digest.Digest]chan struct{})} }

// lead returns a function that ends the lead where the caller is the first,
// else nil after the leader has left or ctx is done. Followers do not lead
// afterwards: what the leader could not give them they make themselves.
func (f *inflight) lead(ctx context.Context, key digest.Digest) (leave func()) {
	f.mu.Lock()
	done, busy := f.keys[key]
	if !busy {
		done = make(chan struct{})
		f.keys[key] = done
	}
	f.mu.Unlock()
	if !busy {
		return func() {
			f.mu.Lock()
			delete(f.keys, key)
			f.mu.Unlock()
			close(done)
		}
	}
	select {
	case <-done:
	case <-ctx.Done():
	}
	return nil
}
