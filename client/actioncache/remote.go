package actioncache

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"

	"github.com/rexwrap/rexwrap/client"
	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/client/merkle"
)

// Options say how a Remote is used.
type Options struct {
	Function digest.Function
	ReadOnly bool // store nothing
	Try      bool // store although the server says that it takes nothing (elan)
}

// A Remote is the ActionCache behind a connection, in the connection's
// instance.
type Remote struct {
	conn     *client.Conn
	options  Options
	readOnly atomic.Bool
}

// NewRemote returns the ActionCache behind conn.
func NewRemote(conn *client.Conn, o Options) *Remote {
	r := &Remote{conn: conn, options: o}
	r.readOnly.Store(o.ReadOnly)
	return r
}

// ReadOnly reports whether nothing can be stored, as far as is known: a server
// that says otherwise may still refuse the first result, and none is sent to
// it after that.
func (r *Remote) ReadOnly() bool { return r.readOnly.Load() }

func (r *Remote) stub() repb.ActionCacheClient { return repb.NewActionCacheClient(r.conn) }

// Get implements Cache.
func (r *Remote) Get(ctx context.Context, action digest.Digest, inline ...string) (*repb.ActionResult, error) {
	result, err := r.stub().GetActionResult(ctx, &repb.GetActionResultRequest{
		InstanceName: r.conn.Instance(), ActionDigest: merkle.Proto(action), DigestFunction: client.DigestFunction(r.options.Function),
		InlineStdout: true, InlineStderr: true, InlineOutputFiles: inline,
	})
	if errors.Is(err, client.ErrNotFound) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("look up result: %w", err)
	}
	return result, nil
}

// Put implements Cache.
func (r *Remote) Put(ctx context.Context, action digest.Digest, result *repb.ActionResult) error {
	if r.ReadOnly() {
		return ErrReadOnly
	}
	caps, err := r.conn.Capabilities(ctx)
	if err != nil {
		return err
	}
	if caps.Cache && !caps.ActionCacheUpdate && !r.options.Try {
		r.readOnly.Store(true)
		return ErrReadOnly
	}
	_, err = r.stub().UpdateActionResult(ctx, &repb.UpdateActionResultRequest{
		InstanceName: r.conn.Instance(), ActionDigest: merkle.Proto(action), DigestFunction: client.DigestFunction(r.options.Function),
		ActionResult: result,
	})
	switch {
	case err == nil:
		return nil
	case errors.Is(err, client.ErrUnimplemented), errors.Is(err, client.ErrDenied):
		r.readOnly.Store(true)
		return fmt.Errorf("%w: %w", ErrReadOnly, err)
	default:
		return fmt.Errorf("store result: %w", err)
	}
}
