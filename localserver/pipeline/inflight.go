package pipeline

import (
	"context"
	"sync"

	"github.com/rexwrap/rexwrap/client/digest"
)

// inflight merges equal compiles that run at the same time: the first to join
// a key leads, the others wait for it to leave. It is safe for concurrent use.
type inflight struct {
	mu    sync.Mutex
	keys  map[digest.Digest]chan struct{}
	leads uint64 // that have ended
}

func newInflight() *inflight { return &inflight{keys: make(map[digest.Digest]chan struct{})} }

// ended returns how many leads of any key have ended.
func (f *inflight) ended() uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.leads
}

// lead returns a function that ends the lead where the caller is the first,
// else nil after the leader has left or ctx is done. Followers do not lead
// afterwards: what the leader could not give them they make themselves. ended is
// how many leads had ended when this one began.
func (f *inflight) lead(ctx context.Context, key digest.Digest) (leave func(), ended uint64) {
	f.mu.Lock()
	ended = f.leads
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
			f.leads++
			f.mu.Unlock()
			close(done)
		}, ended
	}
	select {
	case <-done:
	case <-ctx.Done():
	}
	return nil, ended
}
