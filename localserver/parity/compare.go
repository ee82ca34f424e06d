package parity

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/rexwrap/rexwrap/client/action"
	"github.com/rexwrap/rexwrap/client/digest"
)

// A Comparison is what a worker has of the files of a toolchain, for people.
type Comparison struct {
	Worker string // empty where workers have no names
	// Here and There are identities of all files: equal where nothing differs.
	Here, There digest.Digest
	// Differences are the files that are not as here, by path.
	Differences []Difference
}

// A Difference is a file that a worker has with another content. Theirs is its
// SHA-256 in hexadecimal, empty where it is not there.
type Difference struct {
	File
	Theirs string
}

// Compare asks a worker of a platform for the contents of files and says what is
// otherwise than here. It runs a probe each time. Errors are those of Prove.
func (p *Parity) Compare(ctx context.Context, platform []action.Property, files []File) (*Comparison, error) {
	files = slices.SortedFunc(slices.Values(files), func(a, b File) int { return cmp.Compare(a.Path, b.Path) })
	files = slices.Compact(files)
	n := newNeed()
	for _, f := range files {
		if !spellable(f.Path) {
			return nil, fmt.Errorf("%w: %q", ErrUnspellable, f.Path)
		}
		n.files[f.Path] = struct{}{}
	}
	p.mu.Lock()
	prober := p.pool(platform).prober
	p.mu.Unlock()
	worker, found, err := prober.probe(ctx, n)
	if err != nil {
		return nil, err
	}
	c := &Comparison{Worker: worker}
	here, there := digest.NewBuilder("rexwrap comparison 1"), digest.NewBuilder("rexwrap comparison 1")
	for _, f := range files {
		theirs := found.files[f.Path].sum
		here.Strings([]string{f.Path, f.Digest.Hex()})
		there.Strings([]string{f.Path, theirs})
		if theirs != f.Digest.Hex() {
			c.Differences = append(c.Differences, Difference{f, theirs})
		}
	}
	c.Here, c.There = here.Sum(), there.Sum()
	return c, nil
}
