package parity

import (
	"slices"
	"time"

	"github.com/rexwrap/rexwrap/client/action"
	"github.com/rexwrap/rexwrap/client/digest"
)

// RecheckEvery is how many executed results come between two that are compiled
// here as well. The first one of a platform is.
const RecheckEvery = 200

// A recheck is what has come of a platform's workers since a result of theirs was
// last found to be the local one.
type recheck struct {
	executed int
	stored   []digest.Digest
}

// maxUnchecked bounds what is remembered for Differed: the checks of so many
// results were all lost, with clients that had gone.
const maxUnchecked = 20 * RecheckEvery

// Executed notes that the result of an Action in host mode, executed now, is
// stored. check is set where the caller has to compile it here as well, and to
// report by Agreed or Differed.
func (p *Parity) Executed(platform []action.Property, a digest.Digest) (check bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := &p.pool(platform).recheck
	if len(r.stored) == maxUnchecked {
		r.stored = r.stored[1:]
	}
	r.stored = append(r.stored, a)
	check = r.executed%RecheckEvery == 0
	r.executed++
	return check
}

// Agreed notes that an Action's result was the local one, which speaks for those
// that came before it too.
func (p *Parity) Agreed(platform []action.Property, a digest.Digest) {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := &p.pool(platform).recheck
	if i := slices.Index(r.stored, a); i >= 0 {
		r.stored = slices.Delete(r.stored, 0, i+1)
	}
}

// Differed ends host mode on the platform for an hour, and returns the Actions
// whose results have to be dropped: all that came since the last good check.
func (p *Parity) Differed(platform []action.Property) (drop []digest.Digest) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.pool(platform)
	drop = l.recheck.stored
	l.recheck = recheck{}
	l.closed, l.workers = time.Now(), workers{}
	return drop
}
