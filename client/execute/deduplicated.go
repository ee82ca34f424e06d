package execute

import (
	"context"
	"sync"

	"github.com/rexwrap/rexwrap/client/digest"
)

// A Deduplicated is an Executor that runs Actions that are asked for while they
// are under way once: servers may run each (casd). Only successes are shared;
// where the first call fails or is cancelled, each of the others runs its own.
// The Response is shared too, and must not be changed.
type Deduplicated struct {
	executor Executor

	mu      sync.Mutex
	flights map[flightKey]*flight
}

type flightKey struct {
	action    digest.Digest
	skipCache bool
}

type flight struct {
	done     chan struct{}
	response *Response // set before done is closed; nil unless it can be shared
}

// NewDeduplicated returns an Executor that merges calls to e.
func NewDeduplicated(e Executor) *Deduplicated {
	return &Deduplicated{executor: e, flights: make(map[flightKey]*flight)}
}

// Execute implements Executor.
func (d *Deduplicated) Execute(ctx context.Context, req *Request) (*Response, error) {
	key := flightKey{req.Action, req.SkipCache}
	d.mu.Lock()
	f, follows := d.flights[key]
	if !follows {
		f = &flight{done: make(chan struct{})}
		d.flights[key] = f
	}
	d.mu.Unlock()
	if !follows {
		return d.lead(ctx, req, key, f)
	}
	select {
	case <-f.done:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if f.response != nil {
		return f.response, nil
	}
	return d.executor.Execute(ctx, req)
}

func (d *Deduplicated) lead(ctx context.Context, req *Request, key flightKey, f *flight) (*Response, error) {
	defer func() {
		d.mu.Lock()
		delete(d.flights, key)
		d.mu.Unlock()
		close(f.done)
	}()
	response, err := d.executor.Execute(ctx, req)
	if err == nil && response.ExitCode == 0 {
		f.response = response
	}
	return response, err
}
