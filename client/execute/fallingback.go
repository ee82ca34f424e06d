package execute

import (
	"context"
	"errors"
)

// A FallingBack is an Executor that asks a second one where the first fails.
type FallingBack struct {
	first, second Executor
	notify        func(error)
}

// NewFallingBack returns first with second to fall back to. notify is told of
// each failure of first.
func NewFallingBack(first, second Executor, notify func(error)) *FallingBack {
	return &FallingBack{first, second, notify}
}

// Execute implements Executor. It fails of both errors. A call that was
// cancelled does not fall back.
func (f *FallingBack) Execute(ctx context.Context, req *Request) (*Response, error) {
	response, err := f.first.Execute(ctx, req)
	if err == nil || ctx.Err() != nil {
		return response, err
	}
	f.notify(err)
	response, second := f.second.Execute(ctx, req)
	if second != nil {
		return nil, errors.Join(err, second)
	}
	return response, nil
}
