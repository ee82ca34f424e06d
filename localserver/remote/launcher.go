package remote

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
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

// A Way says what the workers of a toolchain that is sent have for the root of their
// file system. The zero Way is their own.
type Way struct {
	Chroot bool // the InputRoot
	// Property is that of the platform which names the digest of a Directory:
	// the root, together with the InputRoot.
	Property string
}

// Runs returns why the workers of a platform cannot run programs that an Action
// brings along, or nil. launcher is such a program, cmd/rexlaunch. The first call
// for a platform and a way runs a small Action.
func (r *Remote) Runs(ctx context.Context, platform []action.Property, way Way, launcher []byte) error {
	if r.workers == nil {
		return ErrNoWorkers
	}
	question := append([]action.Property{{Name: "rexwrap", Value: fmt.Sprintf("ship %+v", way)}}, platform...) // another one than Workers'
	p, first := r.execution.probeOf(question)
	if first {
		p.err, p.at = r.probeLauncher(ctx, platform, way, launcher), time.Now()
		close(p.done)
	}
	select {
	case <-p.done:
		return p.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (r *Remote) probeLauncher(ctx context.Context, platform []action.Property, way Way, launcher []byte) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), queueLimit)
	defer cancel()
	caps, err := r.workers.Capabilities(ctx)
	if err != nil {
		return err
	}
	if !caps.Execution {
		return fmt.Errorf("%w: the server offers no execution", ErrNoWorkers)
	}
	if err := r.runLauncher(ctx, platform, way, launcher); err != nil {
		r.notices.add(r.id.workers + ": runs no program that comes along: " + err.Error())
		return fmt.Errorf("%w: %w", ErrNoWorkers, err)
	}
	return nil
}

// A trial is the Action by which a way is tried.
type trial struct {
	spec  action.Spec
	blobs []cas.Blob
}

// The trial's working directory and output.
const (
	trialDir    = "work"
	trialOutput = "out/result"
)

// newTrial makes the Action: the launcher writes a file. Where it is to be found by
// its place in the root, that is the worker's.
func newTrial(platform []action.Property, way Way, launcher []byte) (*trial, error) {
	t := &trial{spec: action.Spec{
		Arguments: []string{"../tool/" + launch.ProbeName, trialOutput}, WorkingDir: trialDir, OutputFiles: []string{trialOutput},
		Timeout: time.Minute, Platform: platform,
	}}
	program := merkle.Entry{Path: "tool/" + launch.ProbeName, Digest: digest.Of(launcher), Executable: true}
	entries := []merkle.Entry{{Path: trialDir + "/out", Dir: true}}
	t.blobs = append(t.blobs, cas.Bytes(program.Digest, launcher))
	if way != (Way{}) {
		program.Path = "tool/" + launch.RootName
		t.spec.Arguments[0] = "/" + program.Path
	}
	if way.Property == "" {
		entries = append(entries, program)
	} else {
		root, err := t.tree([]merkle.Entry{program})
		if err != nil {
			return nil, err
		}
		t.spec.Platform = append([]action.Property{{Name: way.Property, Value: root.String()}}, platform...)
		slices.SortFunc(t.spec.Platform, func(a, b action.Property) int { return strings.Compare(a.Name, b.Name) })
	}
	var err error
	if t.spec.InputRoot, err = t.tree(entries); err != nil {
		return nil, err
	}
	return t, nil
}

// tree adds the Directories of entries to the blobs and returns the top one.
func (t *trial) tree(entries []merkle.Entry) (digest.Digest, error) {
	tree, err := merkle.Build(entries)
	if err != nil {
		return digest.Digest{}, err
	}
	for d, text := range tree.Directories {
		t.blobs = append(t.blobs, cas.Bytes(d, text))
	}
	return tree.Root, nil
}

func (r *Remote) runLauncher(ctx context.Context, platform []action.Property, way Way, launcher []byte) error {
	t, err := newTrial(platform, way, launcher)
	if err != nil {
		return err
	}
	encoded, err := action.Encode(&t.spec)
	if err != nil {
		return err
	}
	blobs := append(t.blobs, cas.Bytes(encoded.Action, encoded.ActionBlob), cas.Bytes(encoded.Command, encoded.CommandBlob))
	if err := cas.Ensure(ctx, r.store, blobs...); err != nil {
		return err
	}
	response, err := r.execution.executor.Execute(ctx, &execute.Request{
		Action: encoded.Action, Outputs: t.spec.OutputPaths(), Timeout: t.spec.Timeout, SkipCache: true,
	})
	if err != nil {
		return err
	}
	file := response.Files[trialOutput]
	switch {
	case response.ExitCode != 0:
		return fmt.Errorf("%w: %s ends with %d", execute.ErrSuspect, t.spec.Arguments[0], response.ExitCode)
	case way != (Way{}):
		return r.checkRoot(ctx, file.Digest)
	case file.Digest != digest.OfString(launch.ProbeText):
		return fmt.Errorf("%w: %s wrote something else", execute.ErrSuspect, t.spec.Arguments[0])
	}
	return nil
}

// checkRoot returns an error where what is in a worker's root, as the launcher wrote
// it, is not only what was sent: its own headers could be read in place of others.
func (r *Remote) checkRoot(ctx context.Context, answer digest.Digest) error {
	text, err := cas.Read(ctx, r.store, answer)
	if err != nil {
		return err
	}
	names, ok := strings.CutPrefix(string(text), launch.ProbeText)
	if !ok {
		return fmt.Errorf("%w: malformed answer of %s", execute.ErrSuspect, launch.RootName)
	}
	for name := range strings.Lines(names) {
		switch name = strings.TrimSuffix(name, "\n"); name {
		case "bin", "lib", "lib32", "lib64", "libx32", "opt", "usr":
			return fmt.Errorf("%w: its root is not what was sent: /%s is there", execute.ErrSuspect, name)
		}
	}
	return nil
}
