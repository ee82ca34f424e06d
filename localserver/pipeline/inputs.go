package pipeline

import (
	"context"
	"errors"

	"github.com/rexwrap/rexwrap/depscan"
	"github.com/rexwrap/rexwrap/toolchains"
)

// resolve finds the toolchain of a call, or of the one that a script makes of it,
// which it returns as well.
func (p *Pipeline) resolve(ctx context.Context, call *toolchains.Call) (*toolchains.Call, *toolchains.Toolchain, error) {
	tc, err := p.o.Resolver.Resolve(ctx, call)
	if reason, _, _ := toolchains.ReasonOf(err); reason != toolchains.ReasonScript {
		return call, tc, err
	}
	made := toolchains.Forwarded(call)
	if made == nil {
		return call, nil, err
	}
	tc, err = p.o.Resolver.Resolve(ctx, made)
	return made, tc, err
}

// Inputs returns what a call reads without answering it, and the name of the
// scanner that found it: "cpp", or "ask" where that had to give up.
func (p *Pipeline) Inputs(ctx context.Context, call *toolchains.Call) (*depscan.Inputs, string, error) {
	settings, err := p.o.Settings(call)
	if err != nil {
		return nil, "", err
	}
	call, tc, err := p.resolve(ctx, call)
	if err != nil {
		return nil, "", err
	}
	family := p.o.Family(tc.Family, settings)
	if family == nil {
		return nil, "", toolchains.Unsupported("not-a-compiler", call.Program)
	}
	c, err := family.Parse(call, tc)
	if err != nil {
		return nil, "", err
	}
	if c.Crate != nil {
		return nil, "", toolchains.Unsupported("rust-inputs", c.Source) // only a run knows them
	}
	why := depscan.ErrFallback
	if p.o.Scanner != nil {
		in, err := p.o.Scanner.Scan(ctx, c)
		if err == nil {
			return in, "cpp", nil
		}
		if !errors.Is(err, depscan.ErrFallback) {
			return nil, "", err
		}
		why = err
	}
	in, err := p.o.Fallback.Scan(ctx, c)
	if err != nil {
		return nil, "", err
	}
	in.Fallbacks = append(in.Fallbacks, why.Error())
	return in, "ask", nil
}
