package remote

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rexwrap/rexwrap/client/action"
	"github.com/rexwrap/rexwrap/client/cas"
	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/client/execute"
	"github.com/rexwrap/rexwrap/client/merkle"
	"github.com/rexwrap/rexwrap/toolchains/pack/launch"
)

// IsBare reports whether err, of Workers, says that the workers have no shell.
func IsBare(err error) bool {
	return errors.Is(err, ErrNoWorkers) && (errors.Is(err, execute.ErrRejected) || errors.Is(err, execute.ErrSuspect))
}

// Runs returns why the workers of a platform cannot run programs that an Action
// brings along, or nil. launcher is such a program, cmd/rexlaunch. The first call
// for a platform runs a small Action.
func (r *Remote) Runs(ctx context.Context, platform []action.Property, launcher []byte) error {
	if r.workers == nil {
		return ErrNoWorkers
	}
	question := append([]action.Property{{Name: "rexwrap", Value: "ship"}}, platform...) // another one than Workers'
	p, first := r.execution.probeOf(question)
	if first {
		p.err, p.at = r.probeLauncher(ctx, platform, launcher), time.Now()
		close(p.done)
	}
	select {
	case <-p.done:
		return p.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (r *Remote) probeLauncher(ctx context.Context, platform []action.Property, launcher []byte) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), queueLimit)
	defer cancel()
	caps, err := r.workers.Capabilities(ctx)
	if err != nil {
		return err
	}
	if !caps.Execution {
		return fmt.Errorf("%w: the server offers no execution", ErrNoWorkers)
	}
	if err := r.runLauncher(ctx, platform, launcher); err != nil {
		r.notices.add(r.id.workers + ": runs no program that comes along: " + err.Error())
		return fmt.Errorf("%w: %w", ErrNoWorkers, err)
	}
	return nil
}

func (r *Remote) runLauncher(ctx context.Context, platform []action.Property, launcher []byte) error {
	const dir, out = "work", "out/result"
	program := digest.Of(launcher)
	tree, err := merkle.Build([]merkle.Entry{
		{Path: dir + "/out", Dir: true}, {Path: "tool/" + launch.ProbeName, Digest: program, Executable: true},
	})
	if err != nil {
		return err
	}
	spec := &action.Spec{
		Arguments: []string{"../tool/" + launch.ProbeName, out}, WorkingDir: dir, OutputFiles: []string{out},
		InputRoot: tree.Root, Timeout: time.Minute, Platform: platform,
	}
	encoded, err := action.Encode(spec)
	if err != nil {
		return err
	}
	blobs := []cas.Blob{
		cas.Bytes(encoded.Action, encoded.ActionBlob), cas.Bytes(encoded.Command, encoded.CommandBlob), cas.Bytes(program, launcher),
	}
	for d, text := range tree.Directories {
		blobs = append(blobs, cas.Bytes(d, text))
	}
	if err := cas.Ensure(ctx, r.store, blobs...); err != nil {
		return err
	}
	response, err := r.execution.executor.Execute(ctx, &execute.Request{
		Action: encoded.Action, Outputs: spec.OutputPaths(), Timeout: spec.Timeout, SkipCache: true,
	})
	if err != nil {
		return err
	}
	if response.ExitCode != 0 || response.Files[out].Digest != digest.OfString(launch.ProbeText) {
		return fmt.Errorf("%w: %s ends with %d", execute.ErrSuspect, launch.ProbeName, response.ExitCode)
	}
	return nil
}
