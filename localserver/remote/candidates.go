package remote

import (
	"context"
	"fmt"
	"strconv"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"

	"github.com/rexwrap/rexwrap/client/action"
	"github.com/rexwrap/rexwrap/client/cas"
	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/client/merkle"
)

const (
	// candidatesFile is the output of the Action that candidates are the
	// result of.
	candidatesFile = "candidates"
	// candidatesInline is the size in bytes up to which candidates stand in
	// the result itself: most servers give results back as they got them,
	// which saves a round trip.
	candidatesInline = 64 << 10
	// candidatesLimit is the size of candidates that are worth reading.
	candidatesLimit = 4 << 20
)

// weakAction is the Action of a manifest key. version is that of the
// candidates' encoding.
func weakAction(key digest.Digest, version int) (*action.Encoded, error) {
	return action.Encode(&action.Spec{
		Arguments:   []string{"rexwrap-candidates", strconv.Itoa(version), key.String()},
		OutputFiles: []string{candidatesFile},
		InputRoot:   digest.Empty(), // the Directory without entries
	})
}

// Candidates returns what machines have shared of a manifest.
func (r *Remote) Candidates(ctx context.Context, key digest.Digest, version int) ([]byte, error) {
	weak, err := weakAction(key, version)
	if err != nil {
		return nil, err
	}
	result, err := r.Result(ctx, weak.Action, []string{candidatesFile}, nil)
	if err != nil {
		return nil, err
	}
	file, ok := result.Files[candidatesFile]
	switch {
	case !ok || file.Digest.Size > candidatesLimit:
		return nil, fmt.Errorf("%w: candidates are no file of a sensible size", ErrMiss)
	case file.Contents != nil:
		return file.Contents, nil
	}
	text, err := cas.Read(ctx, r.store, file.Digest)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMiss, err)
	}
	return text, nil
}

// putCandidates stores candidates whose blobs are in the CAS.
func (r *Remote) putCandidates(ctx context.Context, weak *action.Encoded, text []byte) error {
	file := &repb.OutputFile{Path: candidatesFile, Digest: merkle.Proto(digest.Of(text))}
	if len(text) <= candidatesInline {
		file.Contents = text
	}
	return r.cache.Put(ctx, weak.Action, &repb.ActionResult{OutputFiles: []*repb.OutputFile{file}})
}
