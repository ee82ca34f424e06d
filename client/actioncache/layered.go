package actioncache

import (
	"context"
	"errors"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"

	"github.com/rexwrap/rexwrap/client/digest"
)

// A Layered is a Cache over a near and a far one. What is found far is stored
// near; results are stored in both.
type Layered struct{ near, far Cache }

// NewLayered returns near over far.
func NewLayered(near, far Cache) *Layered { return &Layered{near, far} }

// Get implements Cache. Trouble with the near cache is a miss there, and
// storing what was found far is nobody's concern but the next caller's.
func (l *Layered) Get(ctx context.Context, action digest.Digest, inline ...string) (*repb.ActionResult, error) {
	if result, err := l.near.Get(ctx, action, inline...); err == nil {
		return result, nil
	}
	result, err := l.far.Get(ctx, action, inline...)
	if err == nil {
		_ = l.near.Put(ctx, action, result)
	}
	return result, err
}

// Put implements Cache. A far cache that is read-only is no error.
func (l *Layered) Put(ctx context.Context, action digest.Digest, result *repb.ActionResult) error {
	near, far := l.near.Put(ctx, action, result), l.far.Put(ctx, action, result)
	if errors.Is(far, ErrReadOnly) {
		far = nil
	}
	return errors.Join(near, far)
}
