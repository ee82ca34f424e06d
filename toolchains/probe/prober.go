package probe

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"golang.org/x/sync/singleflight"

	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/toolchains"
)

// ErrRefused is wrapped by the error for a class whose flags the compiler does not
// accept. It stays so: the next compile of the class gets the same error without a
// process.
var ErrRefused = errors.New("compiler refused the flags")

// maxClasses bounds what is remembered in memory. Builds have some tens of
// classes.
const maxClasses = 1024

// A Prober answers questions about compilers. It is safe for concurrent use; equal
// questions that come at the same time are asked once.
type Prober struct {
	files  toolchains.Files
	run    toolchains.Runner
	memory toolchains.Memory
	flight singleflight.Group

	ignored ignored

	mu      sync.Mutex
	facts   map[digest.Digest]known
	answers map[digest.Digest]*answers
}

// known is a record, or why there is none.
type known struct {
	record *record
	err    error
}

// New returns a Prober that asks by run and remembers in memory.
func New(files toolchains.Files, run toolchains.Runner, memory toolchains.Memory) *Prober {
	return &Prober{
		files: files, run: run, memory: memory, ignored: ignoredOptions(),
		facts:   map[digest.Digest]known{},
		answers: map[digest.Digest]*answers{},
	}
}

// FactsKey names what the facts of c depend on: compiles with equal keys share
// them.
func (p *Prober) FactsKey(c *toolchains.Compile) digest.Digest { return p.ignored.classOf(c).key }

// Facts returns what holds for c's class of flags. The same *Facts comes back as
// long as it holds, so that it can be compared by address. c.Toolchain must be
// resolved for c.Call. For a source that is not preprocessed there is nothing to
// know, and the error is the compiler's.
func (p *Prober) Facts(ctx context.Context, c *toolchains.Compile) (*toolchains.Facts, error) {
	if c.Toolchain.Family == toolchains.FamilyMSVC {
		return clFacts(c), nil
	}
	cl := p.ignored.classOf(c)
	if k, ok := p.recall(cl); ok {
		return k.facts()
	}
	k, err := share(ctx, &p.flight, "facts "+string(cl.key.Hash[:]), func(ctx context.Context) (known, error) {
		if k, ok := p.recall(cl); ok {
			return k, nil // found by the flight before
		}
		return p.ask(ctx, cl)
	})
	if err != nil {
		return nil, err
	}
	return k.facts()
}

func (k known) facts() (*toolchains.Facts, error) {
	if k.err != nil {
		return nil, k.err
	}
	return k.record.Facts, nil
}

// share runs f once for all callers with equal keys. It does not end with the
// caller that happened to be first.
func share[T any](ctx context.Context, flight *singleflight.Group, key string, f func(context.Context) (T, error)) (T, error) {
	lasting := context.WithoutCancel(ctx)
	done := flight.DoChan(key, func() (any, error) { return f(lasting) })
	select {
	case <-ctx.Done():
		var none T
		return none, context.Cause(ctx)
	case result := <-done:
		return result.Val.(T), result.Err
	}
}

// recall looks in this process, then in memory.
func (p *Prober) recall(cl *class) (known, bool) {
	p.mu.Lock()
	k, ok := p.facts[cl.key]
	p.mu.Unlock()
	if ok {
		return k, k.err != nil || k.record.holds(cl.dir, p.files)
	}
	if cl.here {
		return known{}, false
	}
	value, ok := p.memory.Load(memoryKey(recordFormat, cl))
	if !ok {
		return known{}, false
	}
	r, ok := decodeRecord(value)
	if !ok || !r.holds(cl.dir, p.files) {
		return known{}, false
	}
	k = known{record: r}
	p.keep(cl, k)
	return k, true
}

func (p *Prober) keep(cl *class, k known) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.facts) >= maxClasses {
		clear(p.facts)
	}
	p.facts[cl.key] = k
}

func memoryKey(format string, cl *class) digest.Digest {
	b := digest.NewBuilder(format)
	b.Digest(cl.key)
	return b.Sum()
}

// ask runs the compiler over an empty file.
func (p *Prober) ask(ctx context.Context, cl *class) (known, error) {
	result, err := p.run(ctx, cl.command(nil, cl.questions()...))
	if err != nil {
		return known{}, fmt.Errorf("ask for facts: %w", err)
	}
	if result.Status != 0 {
		k := known{err: fmt.Errorf("%w: %s", ErrRefused, firstError(result.Stderr))}
		p.keep(cl, k)
		return k, nil
	}
	facts, err := readFacts(result)
	if err != nil {
		return known{}, fmt.Errorf("read facts of %s: %w", cl.argv[0], err)
	}
	r, err := newRecord(facts, cl.dir, p.files)
	if err != nil {
		return known{}, err
	}
	k := known{record: r}
	p.keep(cl, k)
	if !cl.here {
		p.memory.Store(memoryKey(recordFormat, cl), r.encode())
	}
	return k, nil
}

// firstError picks the compiler's complaint out of what -v prints around it.
func firstError(stderr []byte) string {
	for line := range strings.Lines(string(stderr)) {
		if strings.Contains(line, "error:") {
			return strings.TrimSpace(line)
		}
	}
	return "no message"
}
