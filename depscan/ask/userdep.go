package ask

import (
	"context"

	"github.com/rexwrap/rexwrap/depscan/depfile"
)

// userDep returns the text of the user's dep-file for a run whose list is listed.
func (p *Plan) userDep(_ context.Context, listed []string, g *gathering, _ error) []byte {
	names := listed
	if !p.c.Dep.System {
		names = names[:0:0]
		for i, path := range listed {
			if i == 0 || g == nil || !g.chain.isSystem(path) {
				names = append(names, path)
			}
		}
	}
	f := &depfile.File{Targets: p.c.Dep.Targets, Prereqs: names}
	if p.c.Dep.Phony && len(names) > 1 {
		f.Phony = names[1:]
	}
	return p.style().Append(nil, f)
}

// style returns how the compiler writes dep-files.
func (p *Plan) style() depfile.Style {
	if p.c.Toolchain.Family == "clang" {
		return depfile.Clang14
	}
	return depfile.GCC
}
