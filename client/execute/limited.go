package execute

import "context"

// A Limited is an Executor that runs a number of Actions at once; others wait.
type Limited struct {
	executor Executor
	slots    chan struct{}
}

// NewLimited returns an Executor that has n Actions of e's under way at most.
func NewLimited(e Executor, n int) *Limited {
	return &Limited{executor: e, slots: make(chan struct{}, n)}
}

// Execute implements Executor.
func (l *Limited) Execute(ctx context.Context, req *Request) (*Response, error) {
	select {
	case l.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	defer func() { <-l.slots }()
	return l.executor.Execute(ctx, req)
}

// Busy returns how many Actions are under way.
func (l *Limited) Busy() int { return len(l.slots) }
