package parity

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rexwrap/rexwrap/client/action"
	"github.com/rexwrap/rexwrap/client/cas"
	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/client/execute"
)

// ErrClosed is returned where a result of the platform's workers was not what
// this machine makes of the same Action.
var ErrClosed = errors.New("a worker's result was not the local one")

// ErrPending is returned where a probe takes long: workers are busy, or have to
// be started first.
var ErrPending = errors.New("it is not known yet what the worker has")

// Options are what a Parity is made of.
type Options struct {
	Executor execute.Executor
	Store    cas.Store       // of the Executor's workers
	Function digest.Function // of that store
}

// A Parity holds what is known of the workers of one remote. It is safe for
// concurrent use. Facts are about SHA-256 sums whatever the store's function:
// the digests of Hosts are SHA-256.
type Parity struct {
	o        Options
	patience time.Duration   // with a probe
	ctx      context.Context // ends probes
	cancel   context.CancelFunc
	probes   sync.WaitGroup

	mu    sync.Mutex
	pools map[string]*pool // by platform
}

// A pool is the workers of one platform.
type pool struct {
	prober  *prober
	workers workers

	current *batch // what is being probed, may be nil
	next    *batch // what to probe after it, may be nil
	probing bool
	since   time.Time // when the probe under way began
	trouble error     // why the last probe failed
	retryAt time.Time
	closed  time.Time // when a result differed; zero for never
	recheck recheck
}

// A batch is what one probe looks at for all who wait for it.
type batch struct {
	need *need
	done chan struct{}
	err  error // once done
}

// New returns a Parity that knows nothing yet.
func New(o Options) *Parity {
	ctx, cancel := context.WithCancel(context.Background())
	return &Parity{o: o, patience: patience, ctx: ctx, cancel: cancel, pools: map[string]*pool{}}
}

// Close ends the probes under way.
func (p *Parity) Close() {
	p.cancel()
	p.probes.Wait()
}

// pool returns the pool of a platform. p.mu is held.
func (p *Parity) pool(platform []action.Property) *pool {
	key := platformKey(platform)
	l := p.pools[key]
	if l == nil {
		l = &pool{
			workers: workers{},
			prober:  &prober{executor: p.o.Executor, store: p.o.Store, function: p.o.Function, platform: platform},
		}
		p.pools[key] = l
	}
	return l
}

func platformKey(platform []action.Property) string {
	sorted := slices.SortedFunc(slices.Values(platform), func(a, b action.Property) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Value, b.Value))
	})
	var b strings.Builder
	for _, p := range sorted {
		fmt.Fprintf(&b, "%q=%q ", p.Name, p.Value)
	}
	return b.String()
}

// attempts bounds how often Prove looks again after a probe: the workers that
// answer may be different ones.
const attempts = 3

// patience is how long callers wait for a probe, counted from its start. It goes
// on without them.
const patience = 30 * time.Second

// Prove returns nil if the platform's workers have what h needs, running a probe
// where that is not known. Else it says why not: a *DifferentError, ErrNoShell,
// ErrClosed, ErrPending, or what went wrong with the remote. Trouble is
// remembered for a while, so that not every compile meets it.
func (p *Parity) Prove(ctx context.Context, platform []action.Property, h *Host) error {
	for range attempts {
		b, since, err := p.ask(platform, h)
		if b == nil || err != nil {
			return err
		}
		if err := b.wait(ctx, p.patience-time.Since(since)); err != nil {
			return err
		}
	}
	return errProbe
}

// wait returns what came of the batch.
func (b *batch) wait(ctx context.Context, limit time.Duration) error {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-b.done:
		return b.err
	case <-timer.C:
		return ErrPending
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// ask returns the batch that will look at what is not known yet, nil where all is
// known, and when the probe under way began.
func (p *Parity) ask(platform []action.Property, h *Host) (b *batch, since time.Time, err error) {
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.pool(platform)
	if !l.closed.IsZero() && fresh(l.closed, now, validity) {
		return nil, now, ErrClosed
	}
	n, err := l.workers.lacks(h, now)
	if err != nil || n.empty() {
		return nil, now, err
	}
	if now.Before(l.retryAt) {
		return nil, now, l.trouble
	}
	if l.current != nil {
		if n.remove(l.current.need); n.empty() {
			return l.current, l.since, nil
		}
	}
	if l.next == nil {
		l.next = &batch{need: newNeed(), done: make(chan struct{})}
	}
	l.next.need.add(n)
	b = l.next
	if !l.probing {
		l.probing, l.since = true, now
		p.probes.Go(func() { p.run(l) })
	}
	return b, l.since, nil
}

// run probes until nobody asks for more.
func (p *Parity) run(l *pool) {
	for {
		p.mu.Lock()
		b := l.next
		l.current, l.next, l.probing, l.since = b, nil, b != nil, time.Now()
		p.mu.Unlock()
		if b == nil {
			return
		}
		b.err = p.look(l, b.need)
		close(b.done)
	}
}

// look probes everything in n.
func (p *Parity) look(l *pool, n *need) error {
	for _, part := range n.split(batchSize) {
		ctx, cancel := context.WithTimeout(p.ctx, 2*probeTimeout)
		worker, found, err := l.prober.probe(ctx, part)
		cancel()
		p.mu.Lock()
		now := time.Now()
		if err != nil {
			l.trouble, l.retryAt = err, now.Add(retryAfter(err))
			p.mu.Unlock()
			return err
		}
		l.workers.trim(now)
		l.workers.learn(worker, found)
		p.mu.Unlock()
	}
	return nil
}

// retryAfter is how long trouble is remembered.
func retryAfter(err error) time.Duration {
	if errors.Is(err, ErrNoShell) {
		return badValidity
	}
	return 30 * time.Second
}

// split returns n in parts of at most size names.
func (n *need) split(size int) []*need {
	var out []*need
	last := newNeed()
	add := func(set func(*need) map[string]struct{}) {
		for name := range set(n) {
			if len(last.files)+len(last.absent) == size {
				out, last = append(out, last), newNeed()
			}
			set(last)[name] = struct{}{}
		}
	}
	add(func(n *need) map[string]struct{} { return n.files })
	add(func(n *need) map[string]struct{} { return n.absent })
	return append(out, last)
}

// Accept returns nil if content, which Output of a result holds, says that the
// worker which made it had what h needs. worker is its name in the result's
// metadata, empty where there is none. Any error means that the result must
// not be used; the files are probed anew before they are proven again.
func (p *Parity) Accept(platform []action.Property, h *Host, worker string, content []byte) error {
	if string(content) == Local {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.pool(platform)
	r, err := h.parse(content)
	if err == nil {
		err = l.workers.accepts(h, worker, r, time.Now())
	}
	if err != nil {
		l.workers.forget(h)
	}
	return err
}

// A State is what is known of a platform's workers, for people.
type State struct {
	Workers []string // by name; one name is empty where workers have none
	Files   int      // that were found to be as here, or otherwise
	Closed  bool
	Trouble error // of the last probe, nil where it went well
}

// State returns what is known of a platform's workers.
func (p *Parity) State(platform []action.Property) State {
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.pool(platform)
	s := State{Workers: l.workers.list(), Closed: !l.closed.IsZero() && fresh(l.closed, now, validity)}
	if now.Before(l.retryAt) {
		s.Trouble = l.trouble
	}
	for _, f := range l.workers {
		s.Files = max(s.Files, len(f.files))
	}
	return s
}
