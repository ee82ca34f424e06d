package journal

// An Entry is a Record as the management verbs show it. The JSON keys are
// stable; those without a value are left out.
type Entry struct {
	ID       ID               `json:"id"`
	Time     string           `json:"time"` // RFC 3339 with milliseconds, UTC
	Outcome  Outcome          `json:"outcome"`
	Reason   string           `json:"reason,omitempty"`
	Arg      string           `json:"arg,omitempty"`
	Cause    string           `json:"cause,omitempty"`
	Build    string           `json:"build,omitempty"`
	Family   string           `json:"family,omitempty"`
	Language string           `json:"language,omitempty"`
	Compiler string           `json:"compiler,omitempty"`
	Dir      string           `json:"dir,omitempty"`
	Source   string           `json:"source,omitempty"`
	Output   string           `json:"output,omitempty"`
	Crate    string           `json:"crate,omitempty"`
	Manifest string           `json:"manifest,omitempty"`
	Action   string           `json:"action,omitempty"`
	Earlier  *ID              `json:"earlier,omitempty"`
	Steps    map[string]int64 `json:"steps_us,omitempty"`
	Avoided  float64          `json:"time_avoided_seconds,omitempty"`
	Spent    float64          `json:"time_spent_seconds,omitempty"`
	MaxRSS   int64            `json:"max_rss,omitempty"`
	Bytes    int64            `json:"bytes,omitempty"`
	Worker   string           `json:"worker,omitempty"`
	Page     string           `json:"page,omitempty"`
	Status   uint32           `json:"status"`
	Signal   uint32           `json:"signal,omitempty"`
}

const entryTime = "2006-01-02T15:04:05.000Z07:00"

// Entry returns r as the management verbs show it.
func (r *Record) Entry() *Entry {
	e := &Entry{
		ID: r.ID, Time: r.Time.UTC().Format(entryTime), Outcome: r.Outcome, Reason: r.Reason, Arg: r.Arg,
		Cause: r.Cause.String(), Build: r.Build, Family: r.Family, Language: r.Language,
		Compiler: r.Compiler, Dir: r.Dir, Source: r.Source, Output: r.Output, Crate: r.Crate,
		Avoided: r.Saved.Wall.Seconds(), Spent: r.Spent.Wall.Seconds(),
		MaxRSS: max(r.Spent.MaxRSS, r.Saved.MaxRSS), Bytes: r.Bytes, Status: r.Status, Signal: r.Signal,
		Worker: r.Worker, Page: r.Page,
	}
	if !r.Manifest.IsZero() {
		e.Manifest = r.Manifest.String()
	}
	if !r.Action.IsZero() {
		e.Action = r.Action.String()
	}
	if r.Earlier != 0 {
		earlier := r.Earlier
		e.Earlier = &earlier
	}
	for s, us := range r.Steps {
		if us == 0 {
			continue
		}
		if e.Steps == nil {
			e.Steps = map[string]int64{}
		}
		e.Steps[Step(s).String()] = int64(us)
	}
	return e
}
