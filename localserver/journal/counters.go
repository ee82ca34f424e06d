package journal

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// Counters are the totals over all records since they were last zeroed. They
// are stored as JSON, so that a version that has more of them reads those of
// one that has fewer.
type Counters struct {
	Since       int64            `json:"since"` // seconds since 1970
	Outcomes    map[string]int64 `json:"outcomes"`
	Reasons     map[string]int64 `json:"reasons"`
	NotStored   map[string]int64 `json:"not_stored"`
	Causes      map[string]tally `json:"causes"`
	BytesStored int64            `json:"bytes_stored"`
	Avoided     int64            `json:"avoided_us"`
	Spent       int64            `json:"spent_us"`
	VerifyRuns  int64            `json:"verify_runs"`
	VerifyDiffs int64            `json:"verify_diffs"`
	Dropped     int64            `json:"dropped"`
}

// tally is a number of misses and what they cost.
type tally struct {
	Count int64 `json:"n"`
	Spent int64 `json:"us"`
}

func newCounters(now time.Time) *Counters {
	return &Counters{
		Since: now.Unix(), Outcomes: map[string]int64{}, Reasons: map[string]int64{},
		NotStored: map[string]int64{}, Causes: map[string]tally{},
	}
}

// add counts r. Its cause is counted later, by addCause.
func (c *Counters) add(r *Record) {
	c.Outcomes[r.Outcome.String()]++
	switch {
	case r.Reason == "" || r.stored():
	case r.Outcome.Miss():
		c.NotStored[r.Reason]++
	default:
		c.Reasons[r.Reason]++
	}
	if r.Outcome.Hit() {
		c.Avoided += r.Saved.Wall.Microseconds()
	} else if r.stored() {
		c.BytesStored += r.Bytes
	}
	c.Spent += r.Spent.Wall.Microseconds()
}

func (c *Counters) addCause(r *Record) {
	if r.Cause == CauseNone {
		return
	}
	t := c.Causes[r.Cause.String()]
	t.Count++
	t.Spent += r.Spent.Wall.Microseconds()
	c.Causes[r.Cause.String()] = t
}

func (c *Counters) outcome(o Outcome) int64 { return c.Outcomes[o.String()] }

// stats returns c as Stats, without what only the cache knows.
func (c *Counters) stats() *Stats {
	s := &Stats{
		SchemaVersion: StatsSchema, Since: c.Since,
		HitsLocal: c.outcome(HitLocal), HitsRemote: c.outcome(HitRemote), Merged: c.outcome(Merged),
		ExecutedLocal: c.outcome(ExecutedLocal), ExecutedRemote: c.outcome(ExecutedRemote),
		SteppedAside: c.outcome(SteppedAside), FellBack: c.outcome(FellBack), Errors: c.outcome(Failed),
		BytesStored: c.BytesStored, Reasons: maps.Clone(c.Reasons), NotStored: maps.Clone(c.NotStored),
		TimeAvoided: seconds(c.Avoided), TimeSpent: seconds(c.Spent),
		VerifyRuns: c.VerifyRuns, VerifyDifferences: c.VerifyDiffs, Dropped: c.Dropped,
		MissCauses: []CauseCount{}, Warnings: []string{},
	}
	s.Misses = s.ExecutedLocal + s.ExecutedRemote
	for _, n := range c.Outcomes {
		s.Calls += n
	}
	for name, t := range c.Causes {
		var cause Cause
		if cause.UnmarshalText([]byte(name)) != nil {
			cause = CauseUnknown
		}
		s.MissCauses = append(s.MissCauses, CauseCount{Cause: cause, Count: t.Count, Seconds: seconds(t.Spent)})
	}
	slices.SortFunc(s.MissCauses, func(a, b CauseCount) int {
		return cmp.Or(cmp.Compare(b.Seconds, a.Seconds), cmp.Compare(b.Count, a.Count), cmp.Compare(a.Cause, b.Cause))
	})
	return s
}

func seconds(us int64) float64 { return float64(us) / 1e6 }
