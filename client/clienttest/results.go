package clienttest

import (
	"context"
	"slices"
	"sync"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/rexwrap/rexwrap/client/digest"
)

// Results are apart per instance, blobs are not (Buildbarn).
type resultKey struct{ instance, action string }

// results is the ActionCache.
type results struct {
	repb.UnimplementedActionCacheServer
	blobs  *blobs
	quirks Quirks

	mu   sync.Mutex
	data map[resultKey]*repb.ActionResult
	lie  func(*repb.ActionResult)
}

// SetResult stores a result for an action in the instance "", whatever it is.
func (s *Server) SetResult(action digest.Digest, r *repb.ActionResult) {
	s.results.put(resultKey{action: action.String()}, r)
}

// Result returns what the ActionCache holds for an action in the instance "",
// or nil.
func (s *Server) Result(action digest.Digest) *repb.ActionResult {
	return s.results.get(resultKey{action: action.String()})
}

// Lie makes f change every result before it is sent, by GetActionResult and by
// Execute. nil ends it.
func (s *Server) Lie(f func(*repb.ActionResult)) {
	s.results.mu.Lock()
	s.results.lie = f
	s.results.mu.Unlock()
}

func (r *results) put(k resultKey, v *repb.ActionResult) {
	r.mu.Lock()
	r.data[k] = proto.CloneOf(v)
	r.mu.Unlock()
}

func (r *results) get(k resultKey) *repb.ActionResult {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.data[k]
}

// told returns v as it is sent.
func (r *results) told(v *repb.ActionResult) *repb.ActionResult {
	r.mu.Lock()
	defer r.mu.Unlock()
	v = proto.CloneOf(v)
	if r.lie != nil && v != nil {
		r.lie(v)
	}
	return v
}

// GetActionResult implements repb.ActionCacheServer.
func (r *results) GetActionResult(_ context.Context, req *repb.GetActionResultRequest) (*repb.ActionResult, error) {
	v := r.get(resultKey{req.InstanceName, keyOf(req.ActionDigest)})
	if v == nil || (!r.quirks.Unchecked && !r.complete(v)) {
		return nil, status.Error(codes.NotFound, "no such result")
	}
	v = r.told(v)
	if r.quirks.Inlines {
		r.inline(v, req)
	}
	return v, nil
}

func (r *results) complete(v *repb.ActionResult) bool {
	digests := []*repb.Digest{v.StdoutDigest, v.StderrDigest}
	for _, f := range v.OutputFiles {
		digests = append(digests, f.Digest)
	}
	for _, d := range v.OutputDirectories {
		digests = append(digests, d.TreeDigest, d.RootDirectoryDigest)
	}
	return !slices.ContainsFunc(digests, func(d *repb.Digest) bool {
		if d == nil {
			return false
		}
		_, ok := r.blobs.get(keyOf(d))
		return !ok
	})
}

func (r *results) inline(v *repb.ActionResult, req *repb.GetActionResultRequest) {
	if req.InlineStdout && v.StdoutDigest != nil {
		v.StdoutRaw, _ = r.blobs.get(keyOf(v.StdoutDigest))
	}
	if req.InlineStderr && v.StderrDigest != nil {
		v.StderrRaw, _ = r.blobs.get(keyOf(v.StderrDigest))
	}
	for _, f := range v.OutputFiles {
		if slices.Contains(req.InlineOutputFiles, f.Path) {
			f.Contents, _ = r.blobs.get(keyOf(f.Digest))
		}
	}
}

// UpdateActionResult implements repb.ActionCacheServer.
func (r *results) UpdateActionResult(_ context.Context, req *repb.UpdateActionResultRequest) (*repb.ActionResult, error) {
	if r.quirks.ReadOnly {
		return nil, status.Error(codes.Unimplemented, "updates are not supported")
	}
	v := proto.CloneOf(req.ActionResult)
	if r.quirks.Stamps {
		v.ExecutionMetadata = &repb.ExecutedActionMetadata{Worker: "stamped"}
	}
	r.put(resultKey{req.InstanceName, keyOf(req.ActionDigest)}, v)
	return v, nil
}
