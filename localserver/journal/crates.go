package journal

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// A CrateLine says why the latest compile of a crate was no hit.
type CrateLine struct {
	ID      ID      `json:"id"`
	Crate   string  `json:"crate"` // name and types, "syn (rlib)"
	Outcome Outcome `json:"outcome"`
	// Why is the reason, or the cause of a miss; Arg is the argument or the
	// file that it is about.
	Why     string  `json:"why"`
	Arg     string  `json:"arg,omitempty"`
	Seconds float64 `json:"time_spent_seconds"` // wall time of the compiler
}

// maxCrateRecords is how far back Crates looks.
const maxCrateRecords = 4096

// Crates returns the crates among the latest records since a moment whose latest
// compile was no hit, the dearest first. Crates of one name that go to different files
// are several.
func (j *Journal) Crates(since time.Time) []CrateLine {
	type key struct{ crate, output string }
	seen := map[key]bool{}
	out := []CrateLine{}
	n := 0
	for r := range j.Down() {
		if n++; n > maxCrateRecords {
			break
		}
		k := key{r.Crate, r.Output}
		if r.Crate == "" || seen[k] || r.Time.Before(since) {
			continue
		}
		seen[k] = true
		if !r.Outcome.Hit() {
			out = append(out, crateLine(r))
		}
	}
	slices.SortStableFunc(out, func(a, b CrateLine) int { return cmp.Compare(b.Seconds, a.Seconds) })
	return out
}

func crateLine(r *Record) CrateLine {
	l := CrateLine{ID: r.ID, Crate: r.Crate, Outcome: r.Outcome, Why: r.Reason, Arg: r.Arg, Seconds: r.Spent.Wall.Seconds()}
	if l.Why == "" {
		l.Why = r.Cause.String()
	}
	return l
}

// FindCrate returns the latest record of a crate of the given name, nil where there
// is none. As for cargo, "-" and "_" are one.
func (j *Journal) FindCrate(name string) *Record {
	plain := func(s string) string { return strings.ReplaceAll(s, "-", "_") }
	for r := range j.Down() {
		if crate, _, _ := strings.Cut(r.Crate, " "); crate != "" && plain(crate) == plain(name) {
			return r
		}
	}
	return nil
}
