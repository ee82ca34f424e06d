package pipeline

import (
	"context"
	"errors"
	"fmt"

	"github.com/rexwrap/rexwrap/localserver/layout"
	"github.com/rexwrap/rexwrap/localserver/parity"
	"github.com/rexwrap/rexwrap/localserver/remote"
	"github.com/rexwrap/rexwrap/toolchains"
)

// roleParity is the output by which a worker reports what it has of its own. It
// is no output of the compile.
const roleParity toolchains.Role = "parity"

// reasonParity is the reason of compiles that stay here since a worker has, or
// may have, another compiler or other headers.
const reasonParity = "remote-parity"

// proven returns nil where the workers have what an Action leaves out of its
// InputRoot, else why that is not known.
func (r *request) proven(ctx context.Context, host *parity.Host) error {
	p := r.far.remote.Parity()
	if p == nil {
		return remote.ErrNoWorkers
	}
	if err := p.Prove(ctx, platformOf(r.settings), host); err != nil {
		return errors.Join(toolchains.Unsupported(reasonParity, err.Error()), err)
	}
	return nil
}

// accept returns why a result of v must not be believed, or nil. A worker that
// made it has reported what it has; that must be what this machine has. What
// other machines compiled for themselves needs no proof: their toolchain and
// headers are in the Action.
func (r *request) accept(ctx context.Context, c *Candidate, v *Variant, res *Result) error {
	if r.compile.Microsoft != nil {
		if err := r.acceptTexts(c, res); err != nil {
			return err
		}
	}
	if err := r.acceptSignatures(res); err != nil {
		return err
	}
	if !v.declares(roleParity) || string(res.notes[roleParity]) == parity.Local {
		return nil
	}
	host := r.hostOf(ctx, c)
	if host == nil {
		return fmt.Errorf("%w: it is not known what the worker must have", remote.ErrMiss)
	}
	if err := r.proven(ctx, host); err != nil {
		return fmt.Errorf("%w: %w", remote.ErrMiss, err)
	}
	if err := r.far.remote.Parity().Accept(platformOf(r.settings), host, res.Worker, res.notes[roleParity]); err != nil {
		return fmt.Errorf("%w: %w", remote.ErrMiss, err)
	}
	return nil
}

// acceptSignatures returns why res is not what this machine's compiler would make: it
// has a text in which a file has the name that it has on the worker.
func (r *request) acceptSignatures(res *Result) error {
	if !r.compile.SignatureNamesFile() || r.compile.Microsoft != nil {
		return nil
	}
	names := res.Names.at(r.at)
	for _, o := range res.Outputs {
		if o.Role != toolchains.RoleObject && o.Role != toolchains.RoleAssembly {
			continue
		}
		text := res.held[o.Digest]
		if text == nil {
			var err error
			if text, err = r.p.store.Blob(o.Digest); err != nil {
				return fmt.Errorf("%w: %w", remote.ErrMiss, err)
			}
		}
		if name := names.ForeignSignature(text); name != "" {
			return toolchains.Unsupported(layout.ReasonUnproven, "__PRETTY_FUNCTION__ names "+name)
		}
	}
	return nil
}

// hostOf returns what the worker that made a result of c must have, nil where that
// is not known.
func (r *request) hostOf(ctx context.Context, c *Candidate) *parity.Host {
	if r.compile.Crate != nil {
		return r.crateHost(c)
	}
	if r.database != nil {
		return r.databaseHost(ctx, c)
	}
	if x := r.expect(ctx); x != nil {
		return x.laid.host
	}
	return nil
}

func (v *Variant) declares(role toolchains.Role) bool {
	for i := range v.Outputs {
		if v.Outputs[i].Role == role {
			return true
		}
	}
	return false
}
