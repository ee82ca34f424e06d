package pipeline

import (
	"context"
	"slices"

	"github.com/rexwrap/rexwrap/depscan"
)

// What is different about rustc where there is a remote.

// withOptions returns argv with further options, which no "--" may precede.
func withOptions(argv, options []string) []string {
	if i := slices.Index(argv, "--"); i >= 0 {
		return slices.Concat(argv[:i], options, argv[i:])
	}
	return slices.Concat(argv, options)
}

// layCrate lays a compile of rustc out for other machines, nil where there are
// none.
func (r *request) layCrate(ctx context.Context, c *Candidate, in *depscan.Inputs) (*laidOut, error) {
	if r.far.remote == nil {
		return nil, nil
	}
	return r.actionOf(ctx, c, in, r.streams)
}

// crateVariant is the result of l in a manifest. Its texts name the folder of the
// outputs.
func (r *request) crateVariant(l *laidOut, quiet bool) Variant {
	v := l.variant(r.streams, quiet)
	v.Targets = r.origin()
	return v
}

// crateState covers what a result of rustc depends on beside its Command and
// InputRoot; it is empty for other compilers.
func (r *request) crateState(c *Candidate) string {
	if r.compile.Crate == nil {
		return ""
	}
	return r.crateAction(c).Hex()
}
