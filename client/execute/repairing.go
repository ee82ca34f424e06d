package execute

import (
	"context"
	"errors"
	"fmt"

	"github.com/rexwrap/rexwrap/client"
)

// A Repairing is an Executor that uploads inputs again, by Request.Repair, and
// tries once more where inputs are missing or may be. Buildbarn names them;
// others say UNKNOWN (mettle), INTERNAL (casd, just) or, of the Action itself,
// NOT_FOUND.
type Repairing struct{ Executor }

// Execute implements Executor.
func (r Repairing) Execute(ctx context.Context, req *Request) (*Response, error) {
	response, err := r.Executor.Execute(ctx, req)
	if err == nil || req.Repair == nil || ctx.Err() != nil {
		return response, err
	}
	var missing *MissingInputsError
	switch {
	case errors.As(err, &missing):
		err = req.Repair(ctx, missing.Digests)
	case errors.Is(err, client.ErrFault), errors.Is(err, client.ErrNotFound):
		err = req.Repair(ctx, nil)
	default:
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("upload missing inputs of %s: %w", req.Action, err)
	}
	return r.Executor.Execute(ctx, req)
}
