package journal

import (
	"cmp"
	"slices"
	"time"
)

// buildGap is the silence that ends a build without an id.
const buildGap = 60 * time.Second

// maxExamples bounds MissGroup.Examples.
const maxExamples = 3

// Build returns the report of the build with the given id, or of the last build
// where it is empty: the calls with the last record's id, or those up to the
// last silence of more than a minute. It returns nil where there is none.
func (j *Journal) Build(id string) *BuildReport {
	records := j.buildRecords(id)
	if len(records) == 0 {
		return nil
	}
	b := &BuildReport{Build: records[0].Build, First: records[len(records)-1].ID, Last: records[0].ID, Groups: []MissGroup{}}
	started, ended := records[0].Time, records[0].end()
	var misses []*Record
	for _, r := range records {
		b.count(r)
		if r.Outcome.Miss() {
			misses = append(misses, r)
		}
		if r.Time.Before(started) {
			started = r.Time
		}
		if r.end().After(ended) {
			ended = r.end()
		}
	}
	b.Started, b.Ended = started.UTC().Format(entryTime), ended.UTC().Format(entryTime)
	b.Groups = append(b.Groups, j.group(misses)...)
	return b
}

// buildRecords returns the records of a build, the latest first. A build with
// an id is over where a minute has none of its records.
func (j *Journal) buildRecords(id string) []*Record {
	if id == "" {
		id = j.lastBuild()
	}
	var records []*Record
	var started time.Time // of the earliest call seen
	for r := range j.Down() {
		if r.Build != id {
			continue
		}
		if id == "" && len(records) > 0 && started.Sub(r.end()) > buildGap {
			break
		}
		if len(records) == 0 || r.Time.Before(started) {
			started = r.Time
		}
		records = append(records, r)
	}
	return records
}

// lastBuild returns the id of the last build. Calls that the wrapper ran by
// itself do not know theirs, so that they count only where there is no other.
func (j *Journal) lastBuild() string {
	for r := range j.Down() {
		if r.Build != "" || r.Outcome != SteppedAside {
			return r.Build
		}
	}
	return ""
}

func (b *BuildReport) count(r *Record) {
	b.Calls++
	b.TimeSpent += r.Spent.Wall.Seconds()
	switch {
	case r.Outcome.Hit():
		b.Hits++
		b.TimeAvoided += r.Saved.Wall.Seconds()
		return
	case r.Outcome.Miss():
		b.Misses++
		return
	case r.Outcome == SteppedAside:
		b.SteppedAside++
	case r.Outcome == FellBack:
		b.FellBack++
	default:
		b.Errors++
	}
	if b.Reasons == nil {
		b.Reasons = map[string]int64{}
	}
	b.Reasons[r.Reason]++
}

// group sorts misses by cause and culprit. Where a miss has several changes,
// the one that most misses share is the culprit.
func (j *Journal) group(misses []*Record) []MissGroup {
	blamed := make([][]string, len(misses))
	shared := map[string]int{}
	lists := map[string][]string{}
	for i, r := range misses {
		blamed[i] = j.suspects(r, lists)
		for _, name := range blamed[i] {
			shared[name]++
		}
	}
	type key struct {
		cause   Cause
		culprit string
	}
	groups := map[key][]*Record{}
	for i, r := range misses {
		k := key{cause: r.Cause}
		for _, name := range blamed[i] {
			if k.culprit == "" || shared[name] > shared[k.culprit] {
				k.culprit = name
			}
		}
		groups[k] = append(groups[k], r)
	}
	var out []MissGroup
	for k, records := range groups {
		out = append(out, newGroup(k.cause, k.culprit, records))
	}
	slices.SortFunc(out, func(a, b MissGroup) int {
		return cmp.Or(cmp.Compare(b.Seconds, a.Seconds), cmp.Compare(b.Count, a.Count),
			cmp.Compare(a.Cause, b.Cause), cmp.Compare(a.Culprit, b.Culprit))
	})
	return out
}

// suspects names the changes of r that are of its cause's kind. Compiles that
// share both lists of inputs share the answer, which is remembered in lists.
func (j *Journal) suspects(r *Record, lists map[string][]string) []string {
	switch r.Cause {
	case CauseToolchain, CauseArguments, CauseEnvironment, CauseInputs:
	default:
		return nil
	}
	was := j.comparable(r)
	if was == nil || r.Key == nil {
		return nil
	}
	memo := ""
	if r.Cause == CauseInputs {
		memo = was.Key.Inputs.Hex() + r.Key.Inputs.Hex()
		if names, ok := lists[memo]; ok {
			return names
		}
	}
	changes, _ := j.compare(was, r)
	var names []string
	for _, c := range changes {
		if c.cause() == r.Cause {
			names = append(names, c.Name)
		}
	}
	if memo != "" {
		lists[memo] = names
	}
	return names
}

// cause returns the cause that a change of c's kind makes.
func (c *Change) cause() Cause {
	switch c.Kind {
	case ChangeCompiler, ChangeProgram:
		return CauseToolchain
	case ChangeArg, ChangeArgAdded, ChangeArgRemoved, ChangeArgOrder:
		return CauseArguments
	case ChangeVariable, ChangeVariableSet, ChangeVariableUnset:
		return CauseEnvironment
	case ChangeDirectory:
		return CauseDirectory
	case ChangeSource:
		return CauseSource
	case ChangeInput, ChangeInputAdded, ChangeInputAppeared, ChangeInputRemoved:
		return CauseInputs
	default:
		return CauseUnknown
	}
}

func newGroup(cause Cause, culprit string, records []*Record) MissGroup {
	slices.SortStableFunc(records, func(a, b *Record) int { return cmp.Compare(b.Spent.Wall, a.Spent.Wall) })
	g := MissGroup{Cause: cause.String(), Culprit: culprit, Count: int64(len(records))}
	for _, r := range records {
		g.Seconds += r.Spent.Wall.Seconds()
		if len(g.Examples) < maxExamples && !slices.Contains(g.Examples, r.Output) {
			g.Examples = append(g.Examples, r.Output)
		}
	}
	return g
}
