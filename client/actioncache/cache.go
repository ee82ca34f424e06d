// Package actioncache finds the results of Actions: the Cache interface, the
// Remote behind a connection, a Memory, and caches in layers. It does not judge
// results: whether all outputs are there and can be had is for
// client/action.ReadResult and the caller to see.
package actioncache

import (
	"context"
	"errors"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"

	"github.com/rexwrap/rexwrap/client/digest"
)

// Errors of Caches, beside those of the connection.
var (
	ErrNotFound = errors.New("no result is known")
	ErrReadOnly = errors.New("action cache is read-only")
)

// A Cache knows results by the digests of Actions. Its methods are safe for
// concurrent use.
type Cache interface {
	// Get returns the result of an Action, or an error that is ErrNotFound.
	// The caller must not change it. Contents of the output files inline, and
	// of stdout and stderr, may be in it, or may have to be fetched.
	Get(ctx context.Context, action digest.Digest, inline ...string) (*repb.ActionResult, error)

	// Put stores a result, which must not be changed afterwards, or fails
	// with ErrReadOnly. What Get returns later may differ in anything but the
	// outputs.
	Put(ctx context.Context, action digest.Digest, result *repb.ActionResult) error
}
