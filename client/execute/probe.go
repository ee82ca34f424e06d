package execute

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rexwrap/rexwrap/client/action"
	"github.com/rexwrap/rexwrap/client/cas"
	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/client/merkle"
)

// ErrOutputRoot says that the server takes output paths to be relative to the input
// root rather than to the working directory (mettle). It is of use as a cache
// only.
var ErrOutputRoot = errors.New("server does not look for outputs in the working directory")

// probeTimeout is for an Action that takes milliseconds, on a busy worker.
const probeTimeout = time.Minute

// Probe runs a small Action in a working directory below the root, and returns
// why compiles cannot be run by e, or nil. s is the CAS of e's workers, whose
// digests are SHA-256. The Action needs a shell, and bears the given platform.
func Probe(ctx context.Context, e Executor, s cas.Store, platform []action.Property) error {
	const dir, out = "probe/cwd", "out/result"
	tree, err := merkle.Build([]merkle.Entry{{Path: dir + "/out", Dir: true}})
	if err != nil {
		return fmt.Errorf("probe: %w", err)
	}
	spec := &action.Spec{
		Arguments: []string{"/bin/sh", "-c", "echo rexwrap >" + out}, WorkingDir: dir, OutputFiles: []string{out},
		InputRoot: tree.Root, Timeout: probeTimeout, Platform: platform,
	}
	encoded, err := action.Encode(spec)
	if err != nil {
		return fmt.Errorf("probe: %w", err)
	}
	blobs := []cas.Blob{cas.Bytes(encoded.Action, encoded.ActionBlob), cas.Bytes(encoded.Command, encoded.CommandBlob)}
	for d, blob := range tree.Directories {
		blobs = append(blobs, cas.Bytes(d, blob))
	}
	if err := cas.Ensure(ctx, s, blobs...); err != nil {
		return fmt.Errorf("probe: %w", err)
	}
	response, err := e.Execute(ctx, &Request{Action: encoded.Action, Outputs: spec.OutputPaths(), Timeout: probeTimeout})
	switch {
	case errors.Is(err, ErrIncomplete):
		return fmt.Errorf("%w: %w", ErrOutputRoot, err)
	case err != nil:
		return fmt.Errorf("probe: %w", err)
	case response.ExitCode != 0 || response.Files[out].Digest != digest.OfString("rexwrap\n"):
		return fmt.Errorf("%w: a shell's echo ends with %d", ErrSuspect, response.ExitCode)
	}
	return nil
}
