package strategy

import (
	"context"
	"slices"
	"time"
)

// A waiter waits for a slot of one of the legs it would take.
type waiter struct {
	kind          Kind
	local, remote bool
	// spare marks a task that has a remote leg under way: it gets a local
	// slot only where nobody else wants it.
	spare bool
	ready chan *grant // holds the slot, once
}

// A grant is a slot in use.
type grant struct {
	leg   Leg
	kind  Kind
	since time.Time
}

// memoryRetry is how often free memory is looked at while a task waits for it:
// others than compiles of ours give memory back too.
const memoryRetry = 250 * time.Millisecond

// acquire waits for a slot.
func (c *Chooser) acquire(ctx context.Context, w *waiter) (*grant, error) {
	c.enqueue(w)
	select {
	case g := <-w.ready:
		return g, nil
	case <-ctx.Done():
		c.abandon(w)
		return nil, context.Cause(ctx)
	}
}

func (c *Chooser) enqueue(w *waiter) {
	w.ready = make(chan *grant, 1)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waiters = append(c.waiters, w)
	c.dispatch()
}

// abandon takes w out of the queue, and gives back a slot that it has got
// meanwhile.
func (c *Chooser) abandon(w *waiter) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if i := slices.Index(c.waiters, w); i >= 0 {
		c.waiters = slices.Delete(c.waiters, i, i+1)
		c.dispatch() // others may have waited behind it
		return
	}
	select {
	case g := <-w.ready:
		c.giveBack(g)
	default: // it was taken
	}
}

// press makes w, which had another leg, wait like one that has none.
func (c *Chooser) press(w *waiter) {
	c.mu.Lock()
	defer c.mu.Unlock()
	w.spare = false
	c.dispatch()
}

func (c *Chooser) release(g *grant) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.giveBack(g)
}

func (c *Chooser) giveBack(g *grant) {
	delete(c.running[g.leg], g)
	c.dispatch()
}

// dispatch gives free slots to waiters, in the order they came; spare ones come
// last. Once one had to wait for a local slot, none that came later gets one
// before it, however small it is.
func (c *Chooser) dispatch() {
	now := time.Now()
	room := &room{chooser: c, now: now}
	for _, spare := range []bool{false, true} {
		c.waiters = slices.DeleteFunc(c.waiters, func(w *waiter) bool {
			if w.spare != spare {
				return false
			}
			leg := room.pick(w)
			if leg == Nowhere {
				return false
			}
			g := &grant{leg: leg, kind: w.kind, since: now}
			c.running[leg][g] = struct{}{}
			w.ready <- g
			return true
		})
	}
	if room.short {
		c.retryLater()
	}
}

// retryLater looks again at the memory after a while.
func (c *Chooser) retryLater() {
	if c.retrying {
		return
	}
	c.retrying = true
	time.AfterFunc(memoryRetry, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.retrying = false
		c.dispatch()
	})
}

// A room is what one dispatch has to give.
type room struct {
	chooser *Chooser
	now     time.Time
	closed  bool // a waiter that wants a local slot could not have it
	short   bool // for want of memory
}

// pick returns the leg that w gets, Nowhere where it has to wait.
func (r *room) pick(w *waiter) Leg {
	c := r.chooser
	local := w.local && !r.closed && len(c.running[Local]) < c.slots[Local]
	if local && !r.fits(w) {
		local, r.short = false, true
	}
	remote := w.remote && len(c.running[Remote]) < c.slots[Remote]
	switch {
	case local && remote:
		return c.better(w.kind, r.now)
	case local:
		return Local
	case remote:
		return Remote
	}
	r.closed = r.closed || w.local
	return Nowhere
}

// fits reports whether there is memory for w beside the legs that run. One leg
// may always run.
func (r *room) fits(w *waiter) bool {
	c := r.chooser
	if len(c.running[Local]) == 0 || c.free == nil {
		return true
	}
	need := c.memory.of(w.kind)
	if need == 0 {
		return true
	}
	free, known := c.free()
	return !known || need <= free-c.promised(r.now)
}

// promised is the memory that the legs under way are expected to take yet. They
// are taken to grow evenly to their peak over their expected time.
func (c *Chooser) promised(now time.Time) (bytes int64) {
	for g := range c.running[Local] {
		expected, known := c.local.of(g.kind, now)
		age := now.Sub(g.since)
		if !known || expected <= 0 {
			expected = unknownDuration
		}
		if age < expected {
			bytes += int64(float64(c.memory.of(g.kind)) * (1 - float64(age)/float64(expected)))
		}
	}
	return bytes
}

// unknownDuration stands for what has not been learnt.
const unknownDuration = time.Second

// better returns the leg of which the answer is expected first. What is not
// known is tried: remotely, where more is free, if neither is; locally by one
// task at a time.
func (c *Chooser) better(k Kind, now time.Time) Leg {
	local, knowsLocal := c.local.of(k, now)
	remote, knowsRemote := c.remote.of(k, now)
	switch {
	case !knowsRemote:
		return Remote
	case !knowsLocal && len(c.running[Local]) == 0:
		return Local
	case !knowsLocal:
		return Remote
	case float64(local) < float64(remote)*c.congestion(now):
		return Local
	}
	return Remote
}

// congestion is by how much the remote legs under way exceed what was expected
// of them, at least 1. In a steady flow their mean age is half of what each
// takes in the end.
func (c *Chooser) congestion(now time.Time) float64 {
	sum, n := 0.0, 0
	for g := range c.running[Remote] {
		if expected, known := c.remote.of(g.kind, now); known && expected > 0 {
			sum += float64(now.Sub(g.since)) / float64(expected)
			n++
		}
	}
	if n == 0 {
		return 1
	}
	return max(1, 2*sum/float64(n))
}
