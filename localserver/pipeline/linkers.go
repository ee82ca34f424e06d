package pipeline

import (
	"bytes"
	"context"
	"sync"

	"github.com/rexwrap/rexwrap/toolchains"
)

// linkers remembers which linkers list what they read, as a link here has them do. It
// is safe for concurrent use.
type linkers struct {
	mu    sync.Mutex
	known map[string]bool
}

// reasonNoList is the reason of links whose linker cannot tell what it reads.
const reasonNoList = "linker-without-list"

// listing returns nil where the linker of r knows the option by which it lists what it
// reads: one that does not would fail for it.
func (p *Pipeline) listing(ctx context.Context, r *request) error {
	if r.linker == nil || p.o.Run == nil {
		return nil
	}
	kind := r.compile.Crate.FuseLd
	key := r.linker.Digest.Hex() + kind
	p.linkers.mu.Lock()
	defer p.linkers.mu.Unlock()
	lists, known := p.linkers.known[key]
	if !known {
		lists = asksForList(ctx, p.o.Run, r, kind)
		if p.linkers.known == nil {
			p.linkers.known = map[string]bool{}
		}
		p.linkers.known[key] = lists
	}
	if !lists {
		return toolchains.Unsupported(reasonNoList, r.linker.Program)
	}
	return nil
}

func asksForList(ctx context.Context, run toolchains.Runner, r *request, kind string) bool {
	argv := []string{r.linker.Real}
	if kind != "" {
		argv = append(argv, kind)
	}
	res, err := run(ctx, toolchains.Command{Argv: append(argv, "-Wl,--help"), Dir: r.call.Dir, Env: r.call.Env})
	return err == nil && bytes.Contains(res.Stdout, []byte("--dependency-file"))
}
