package client

import (
	"context"
	"sync"
	"time"
)

// A pace holds calls back after the remote said that it is exhausted: the
// first time for a moment, twice as long each time after, until calls succeed
// again. The zero pace holds nothing back. It is safe for concurrent use.
type pace struct {
	mu    sync.Mutex
	delay time.Duration
	until time.Time
}

const (
	paceFirst = 50 * time.Millisecond
	paceLast  = 5 * time.Second
)

// wait returns when a call may start, or the cause of ctx's end.
func (p *pace) wait(ctx context.Context) error {
	p.mu.Lock()
	d := time.Until(p.until)
	p.mu.Unlock()
	return sleep(ctx, d)
}

// slower is called for each exhausted answer. Answers to calls that had
// started before the last one are of the same exhaustion and count once.
func (p *pace) slower() {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if now.Before(p.until) {
		return
	}
	p.delay = min(max(2*p.delay, paceFirst), paceLast)
	p.until = now.Add(jitter(p.delay))
}

func (p *pace) faster() {
	p.mu.Lock()
	p.delay /= 2
	p.mu.Unlock()
}

func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return context.Cause(ctx)
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
