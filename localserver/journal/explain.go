package journal

import (
	"fmt"
	"time"
)

// Explain says what happened to r and, for a miss, what differs from the
// nearest earlier record of the same output that has a key.
func (j *Journal) Explain(r *Record) *Explanation {
	x := &Explanation{Record: r.Entry(), Cause: r.Cause.String(), Hint: hint(r.Reason), Reproducer: r.reproducer()}
	was := j.comparable(r)
	if was != nil {
		x.Earlier = was.Entry()
	} else if r.Earlier != 0 {
		if earlier := j.Record(r.Earlier); earlier != nil {
			x.Earlier = earlier.Entry()
		}
	}
	if was != nil && r.Key != nil && !r.Outcome.Hit() {
		x.Changes, x.Notes = j.compare(was, r)
	}
	x.Summary = summary(r, was, x.Changes)
	x.Notes = append(x.Notes, j.notes(r, was)...)
	return x
}

// comparable returns the nearest earlier record of r's output with a complete
// key, else with any.
func (j *Journal) comparable(r *Record) *Record {
	var partial *Record
	for id := r.Earlier; id != 0; {
		was := j.Record(id)
		if was == nil {
			break
		}
		if was.Key != nil && was.Key.complete() {
			return was
		}
		if was.Key != nil && partial == nil {
			partial = was
		}
		id = was.Earlier
	}
	return partial
}

func (j *Journal) notes(r, was *Record) []string {
	var notes []string
	if was == nil && r.Earlier != 0 && r.Outcome.Miss() {
		notes = append(notes, "the earlier call of this output left nothing to compare with")
	}
	if r.Outcome.Miss() && !r.stored() {
		notes = append(notes, "the result was not stored: "+reasonText(r))
	}
	if r.Reason == "scan-difference" && r.Key != nil {
		notes = append(notes, "they differ in "+r.Arg)
	}
	return notes
}

// reproducer is the call that shows again what happened to r, nil where there is
// nothing to be shown.
func (r *Record) reproducer() []string {
	if r.Reason != "scan-difference" || r.Key == nil {
		return nil
	}
	return append([]string{"rexwrap", "scan", "--", r.Compiler}, r.Key.Args...)
}

func reasonText(r *Record) string {
	switch {
	case r.Signal != 0:
		return fmt.Sprintf("the compiler was killed by signal %d", r.Signal)
	case r.Status != 0:
		return fmt.Sprintf("the compiler failed with status %d", r.Status)
	case r.Reason == "":
		return "no reason was recorded"
	case r.Arg != "":
		return r.Reason + ": " + r.Arg
	default:
		return r.Reason
	}
}

// summary is one sentence about r.
func summary(r, was *Record, changes []Change) string {
	switch r.Outcome {
	case HitLocal:
		return "hit: taken from the local cache" + avoided(r)
	case HitRemote:
		return "hit: taken from the remote cache" + avoided(r)
	case Merged:
		return "merged: took the result of an equal compile that was under way" + avoided(r)
	case SteppedAside:
		return "stepped aside: the compiler ran unchanged, as " + reasonText(r)
	case FellBack:
		return "fell back: the compiler ran here, as " + reasonText(r)
	case Failed:
		return "error of rexwrap: the compiler ran uncached, as " + reasonText(r)
	default:
		return "miss: " + causeText(r, was, changes)
	}
}

func avoided(r *Record) string {
	if r.Saved.Wall <= 0 {
		return ""
	}
	return fmt.Sprintf(", %s of compiling avoided", r.Saved.Wall.Round(time.Millisecond))
}

func causeText(r, was *Record, changes []Change) string {
	since := ""
	if was != nil {
		since = " since " + was.ID.String()
	}
	switch r.Cause {
	case CauseFirst:
		return "first compile of this output"
	case CauseEvicted:
		return "nothing changed" + since + ", but its result is no longer in the cache"
	case CauseNotStored:
		return "nothing changed" + since + ", but its result was not stored"
	case CauseVariant:
		return "nothing changed" + since + ", but the messages are not known for this kind of terminal"
	case CauseRecache:
		return "the setting recache is on"
	case CauseVerify:
		return "its result was there, and compiled again to compare, as the setting verify asks"
	case CauseUnknown:
		return "what changed is not known"
	case CauseToolchain:
		return count(changes, "the compiler changed"+since, r.Cause)
	case CauseArguments:
		return count(changes, "the arguments changed"+since, r.Cause)
	case CauseEnvironment:
		return count(changes, "the environment changed"+since, r.Cause)
	case CauseDirectory:
		return "the working directory changed" + since + ", and it reaches the result"
	case CauseSource:
		return "the source changed" + since
	case CauseInputs:
		return count(changes, "other input files"+since, r.Cause)
	default:
		return r.Cause.String()
	}
}

// count appends to text how many changes are of the cause's kind, or the name
// of the only one.
func count(changes []Change, text string, cause Cause) string {
	n, name := 0, ""
	for _, c := range changes {
		if c.cause() == cause {
			n++
			name = c.Name
		}
	}
	switch n {
	case 0:
		return text
	case 1:
		return text + ": " + name
	default:
		return fmt.Sprintf("%s (%d)", text, n)
	}
}
