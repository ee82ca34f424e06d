package remote

import (
	"context"
	"errors"
	"fmt"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/protobuf/proto"

	"github.com/rexwrap/rexwrap/client/action"
	"github.com/rexwrap/rexwrap/client/cas"
	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/client/merkle"
)

// A Description is what a remote knows of an Action.
type Description struct {
	Command   *repb.Command
	InputRoot digest.Digest
	// Inputs are nil where the remote does not have them: they are sent only
	// when an Action is executed.
	Inputs []merkle.Entry
	// Result is nil where none is known.
	Result *action.Result
}

// Describe returns what the first of p's remotes that knows an Action knows of
// it. None is ErrMiss.
func (p *Pool) Describe(ctx context.Context, d digest.Digest) (*Description, error) {
	err := ErrMiss
	for _, r := range p.all() {
		var x *Description
		if x, err = r.describe(ctx, d); err == nil {
			return x, nil
		}
	}
	return nil, err
}

func (r *Remote) describe(ctx context.Context, d digest.Digest) (*Description, error) {
	msg, x := new(repb.Action), &Description{Command: new(repb.Command)}
	if err := r.message(ctx, d, msg); err != nil {
		return nil, err
	}
	command, err := merkle.FromProto(msg.CommandDigest)
	if err != nil {
		return nil, fmt.Errorf("action %s: %w", d, err)
	}
	if err := r.message(ctx, command, x.Command); err != nil {
		return nil, err
	}
	if x.InputRoot, err = merkle.FromProto(msg.InputRootDigest); err != nil {
		return nil, fmt.Errorf("action %s: %w", d, err)
	}
	x.Inputs, err = merkle.ReadDirectories(x.InputRoot, func(digests []digest.Digest) ([][]byte, error) {
		return cas.ReadAll(ctx, r.store, digests)
	})
	if err != nil && !errors.Is(err, cas.ErrNotFound) {
		return nil, err
	}
	x.Result, err = r.Result(ctx, d, x.Command.OutputPaths, x.Command.OutputPaths)
	if err != nil && !errors.Is(err, ErrMiss) {
		return nil, err
	}
	return x, nil
}

// message reads a blob that is a message.
func (r *Remote) message(ctx context.Context, d digest.Digest, m proto.Message) error {
	text, err := cas.Read(ctx, r.store, d)
	if errors.Is(err, cas.ErrNotFound) {
		return fmt.Errorf("%w: %w", ErrMiss, err)
	}
	if err == nil {
		err = proto.Unmarshal(text, m)
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", d, err)
	}
	return nil
}
