package remote

import (
	"context"
	"sync"

	"github.com/rs/zerolog"
)

const (
	// uploadJobs is how many results may wait: a build that is faster than
	// its remote for this long loses hits, not time.
	uploadJobs = 4096
	// uploadsAtOnce is how many of them are under way.
	uploadsAtOnce = 8
)

// uploads run in the background. They are safe for concurrent use.
type uploads struct {
	log    zerolog.Logger
	ctx    context.Context
	cancel context.CancelFunc
	slots  chan struct{}

	mu      sync.Mutex
	pending int
	idle    chan struct{} // closed while nothing is pending
	closed  bool
}

func newUploads(log zerolog.Logger) *uploads {
	u := &uploads{log: log, slots: make(chan struct{}, uploadsAtOnce), idle: make(chan struct{})}
	u.ctx, u.cancel = context.WithCancel(context.Background())
	close(u.idle)
	return u
}

// add runs job in the background. It reports false where too many wait.
func (u *uploads) add(job func(context.Context) error) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.closed || u.pending >= uploadJobs {
		return false
	}
	if u.pending == 0 {
		u.idle = make(chan struct{})
	}
	u.pending++
	go u.run(job)
	return true
}

func (u *uploads) run(job func(context.Context) error) {
	defer u.done()
	select {
	case u.slots <- struct{}{}:
	case <-u.ctx.Done():
		return
	}
	defer func() { <-u.slots }()
	if err := job(u.ctx); err != nil {
		u.log.Debug().Err(err).Msg("result is not uploaded")
	}
}

func (u *uploads) done() {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.pending--; u.pending == 0 {
		close(u.idle)
	}
}

// flush waits until nothing is pending or ctx is done, and returns what is.
func (u *uploads) flush(ctx context.Context) int {
	u.mu.Lock()
	idle := u.idle
	u.mu.Unlock()
	select {
	case <-idle:
		return 0
	case <-ctx.Done():
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.pending
}

// close takes no more jobs, and ends those that are pending when ctx is done.
func (u *uploads) close(ctx context.Context) {
	u.mu.Lock()
	u.closed = true
	idle := u.idle
	u.mu.Unlock()
	u.flush(ctx)
	u.cancel()
	<-idle
}
