package remote

import (
	"context"
	"errors"
	"os"
	"time"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"

	"github.com/rexwrap/rexwrap/client/action"
	"github.com/rexwrap/rexwrap/client/actioncache"
	"github.com/rexwrap/rexwrap/client/cas"
	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/client/merkle"
)

// A Share is a local result for others, or the candidate of a result that is
// there.
type Share struct {
	Action         *action.Encoded // nil where only the candidate is shared
	Outputs        []Output
	Stdout, Stderr []byte
	Cost           Cost
	// Blobs hold the outputs.
	Blobs []cas.Blob
	// Manifest is the key under which candidates are shared, zero for none.
	// Merge returns those to share, given those that are shared already, nil
	// where there are none.
	Manifest digest.Digest
	Version  int
	Merge    func(shared []byte) []byte
	Caller   Caller
}

// An Output is one file of a Share, at its declared path.
type Output struct {
	Path       string
	Digest     digest.Digest
	Executable bool
}

// Shares reports whether results are taken, as far as is known.
func (r *Remote) Shares() bool { return !r.cache.ReadOnly() }

// Share uploads s in the background. It reports false where it does not.
func (r *Remote) Share(s *Share) bool {
	if !r.Shares() {
		return false
	}
	return r.uploads.add(func(ctx context.Context) error {
		err := r.share(With(ctx, s.Caller), s)
		if errors.Is(err, actioncache.ErrReadOnly) {
			r.notices.refused(r.id.actions)
		}
		return err
	})
}

// shareTimeout bounds one upload with all its calls.
const shareTimeout = 2 * time.Minute

// share uploads blobs before what names them.
func (r *Remote) share(ctx context.Context, s *Share) error {
	ctx, cancel := context.WithTimeout(ctx, shareTimeout)
	defer cancel()
	if err := r.takesResults(ctx); err != nil {
		return err
	}
	blobs := s.Blobs
	if s.Action != nil {
		blobs = append(blobs, cas.Bytes(s.Action.Action, s.Action.ActionBlob), cas.Bytes(s.Action.Command, s.Action.CommandBlob))
	}
	weak, candidates, err := r.merged(ctx, s)
	if err != nil {
		return err
	}
	if candidates != nil {
		blobs = append(blobs, cas.Bytes(digest.Of(candidates), candidates),
			cas.Bytes(weak.Action, weak.ActionBlob), cas.Bytes(weak.Command, weak.CommandBlob))
	}
	if err := r.store.Upload(ctx, blobs...); err != nil {
		return err
	}
	if s.Action != nil {
		if err := r.cache.Put(ctx, s.Action.Action, s.result()); err != nil {
			return err
		}
	}
	if candidates == nil {
		return nil
	}
	return r.putCandidates(ctx, weak, candidates)
}

// takesResults asks before anything is uploaded whether results are wanted.
func (r *Remote) takesResults(ctx context.Context) error {
	caps, err := r.actions.Capabilities(ctx)
	if err == nil && (!caps.Cache || !caps.ActionCacheUpdate) {
		err = actioncache.ErrReadOnly
	}
	return err
}

// merged returns the candidates to share, nil for none.
func (r *Remote) merged(ctx context.Context, s *Share) (*action.Encoded, []byte, error) {
	if s.Manifest.IsZero() {
		return nil, nil, nil
	}
	weak, err := weakAction(s.Manifest, s.Version)
	if err != nil {
		return nil, nil, err
	}
	shared, err := r.Candidates(ctx, s.Manifest, s.Version)
	if err != nil && !errors.Is(err, ErrMiss) {
		return nil, nil, err
	}
	return weak, s.Merge(shared), nil
}

func (s *Share) result() *repb.ActionResult {
	msg := &repb.ActionResult{StdoutRaw: s.Stdout, StderrRaw: s.Stderr, ExecutionMetadata: s.Cost.metadata(worker())}
	for _, o := range s.Outputs {
		msg.OutputFiles = append(msg.OutputFiles, &repb.OutputFile{
			Path: o.Path, Digest: merkle.Proto(o.Digest), IsExecutable: o.Executable,
		})
	}
	return msg
}

// worker is what this machine calls itself where results say who made them.
func worker() string {
	name, err := os.Hostname()
	if err != nil {
		return "rexwrap"
	}
	return "rexwrap on " + name
}
