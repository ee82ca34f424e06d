package parity

import (
	"encoding/hex"
	"maps"
	"path"
	"slices"
	"strings"
	"time"
)

const (
	// validity is how long a fact holds.
	validity = time.Hour
	// grace is for Actions that were sent just before their facts got old.
	grace = 15 * time.Minute
	// badValidity is how long a fact holds that is in the way: somebody may
	// be at work on the worker.
	badValidity = 10 * time.Minute
)

// A DifferentError says what a worker has otherwise than this machine.
type DifferentError struct {
	Worker string // empty where workers have no names
	Path   string // empty where it is not known which
	// Absent is set for a name that must be absent and is there.
	Absent bool
	// Missing is set for a file that is not there.
	Missing bool
}

// Error implements error.
func (e *DifferentError) Error() string {
	what := "has another " + e.Path + " than this machine"
	switch {
	case e.Absent:
		what = "has " + e.Path + ", and this machine does not"
	case e.Missing && e.Path == "":
		what = "lacks files of this machine"
	case e.Missing:
		what = "lacks " + e.Path
	}
	return strings.TrimSpace("worker "+e.Worker) + " " + what
}

// A fileFact is what a probe found at a path.
type fileFact struct {
	sum   string // SHA-256 in hex, empty where there is no file
	stamp string
	at    time.Time
}

// A nameFact says whether a name was there, in a directory with that stamp.
type nameFact struct {
	there bool
	dir   string // stamp, empty where there is no directory
	at    time.Time
}

// facts are those about one worker.
type facts struct {
	files map[string]fileFact
	names map[string]nameFact
}

func newFacts() *facts { return &facts{files: map[string]fileFact{}, names: map[string]nameFact{}} }

func fresh(at, now time.Time, limit time.Duration) bool { return now.Sub(at) <= limit }

// A need is what a probe has to look at.
type need struct {
	files, absent map[string]struct{}
}

func newNeed() *need { return &need{files: map[string]struct{}{}, absent: map[string]struct{}{}} }

func (n *need) empty() bool { return len(n.files) == 0 && len(n.absent) == 0 }

func (n *need) add(m *need) {
	for f := range m.files {
		n.files[f] = struct{}{}
	}
	for f := range m.absent {
		n.absent[f] = struct{}{}
	}
}

func (n *need) remove(m *need) {
	for f := range m.files {
		delete(n.files, f)
	}
	for f := range m.absent {
		delete(n.absent, f)
	}
}

// workers are the facts about the workers of one platform, by name.
type workers map[string]*facts

// lacks returns what has to be probed before h is proven. Where a worker is known
// to be otherwise, that is the error.
func (w workers) lacks(h *Host, now time.Time) (*need, error) {
	n := newNeed()
	for _, f := range h.files {
		known, err := w.file(f, now)
		if err != nil {
			return nil, err
		}
		if !known {
			n.files[f.Path] = struct{}{}
		}
	}
	for _, name := range h.absent {
		known, err := w.absence(name, now)
		if err != nil {
			return nil, err
		}
		if !known {
			n.absent[name] = struct{}{}
		}
	}
	return n, nil
}

func (w workers) file(f File, now time.Time) (known bool, err error) {
	sum := hex.EncodeToString(f.Digest.Hash[:])
	for worker, facts := range w {
		fact, ok := facts.files[f.Path]
		switch {
		case !ok:
		case fact.sum == sum:
			known = known || fresh(fact.at, now, validity)
		case fresh(fact.at, now, badValidity):
			return false, &DifferentError{Worker: worker, Path: f.Path, Missing: fact.sum == ""}
		}
	}
	return known, nil
}

func (w workers) absence(name string, now time.Time) (known bool, err error) {
	for worker, facts := range w {
		fact, ok := facts.names[name]
		switch {
		case !ok:
		case !fact.there:
			known = known || fresh(fact.at, now, validity)
		case fresh(fact.at, now, badValidity):
			return false, &DifferentError{Worker: worker, Path: name, Absent: true}
		}
	}
	return known, nil
}

// accepts compares a report with the facts: with what is known of the worker
// itself, and of any other where a probe of the same file ran on that one.
func (w workers) accepts(h *Host, worker string, r *report, now time.Time) error {
	own := w[worker]
	if own == nil {
		own = newFacts()
	}
	for i, f := range h.files {
		about := w
		if _, ok := own.files[f.Path]; ok {
			about = workers{worker: own}
		}
		if !about.hasFile(f, r.stamps[i], now) {
			return &DifferentError{Worker: worker, Path: f.Path}
		}
	}
	stamps := r.dirStamps(h)
	for _, name := range h.absent {
		about := w
		if _, ok := own.names[name]; ok {
			about = workers{worker: own}
		}
		if !about.lacksName(name, stamps[path.Dir(name)], now) {
			return &DifferentError{Worker: worker, Path: name, Absent: true}
		}
	}
	return nil
}

// hasFile reports whether a worker was found to have f, with that stamp.
func (w workers) hasFile(f File, stamp string, now time.Time) bool {
	sum := hex.EncodeToString(f.Digest.Hash[:])
	for _, facts := range w {
		fact := facts.files[f.Path]
		if fact.sum == sum && fact.stamp == stamp && fresh(fact.at, now, validity+grace) {
			return true
		}
	}
	return false
}

// lacksName reports whether name was absent when its directory was as it is.
func (w workers) lacksName(name, dir string, now time.Time) bool {
	for _, facts := range w {
		fact, ok := facts.names[name]
		if ok && !fact.there && fact.dir == dir && fresh(fact.at, now, validity+grace) {
			return true
		}
	}
	return false
}

// dirStamps are the stamps of h's directories, empty of those that are not there.
func (r *report) dirStamps(h *Host) map[string]string {
	out := make(map[string]string, len(h.dirs))
	rest := r.stamps[len(h.files):]
	for i, dir := range h.dirs {
		if r.there[i] {
			out[dir], rest = rest[0], rest[1:]
		}
	}
	return out
}

// forget drops what is known of everything that h needs: the next probe may meet
// the worker that differs, of which nothing may be known yet.
func (w workers) forget(h *Host) {
	for _, facts := range w {
		for _, f := range h.files {
			delete(facts.files, f.Path)
		}
		for _, name := range h.absent {
			delete(facts.names, name)
		}
	}
}

// learn adds what a probe found out about a worker.
func (w workers) learn(worker string, f *facts) {
	old := w[worker]
	if old == nil {
		w[worker] = f
		return
	}
	maps.Copy(old.files, f.files)
	maps.Copy(old.names, f.names)
}

// trim keeps the number of workers bounded: those that come and go leave facts
// that nobody needs any more.
func (w workers) trim(now time.Time) {
	for worker, facts := range w {
		for name, fact := range facts.files {
			if !fresh(fact.at, now, validity+grace) {
				delete(facts.files, name)
			}
		}
		for name, fact := range facts.names {
			if !fresh(fact.at, now, validity+grace) {
				delete(facts.names, name)
			}
		}
		if len(facts.files)+len(facts.names) == 0 {
			delete(w, worker)
		}
	}
}

// names are the workers that are known, sorted.
func (w workers) list() []string {
	var out []string
	for worker := range w {
		out = append(out, worker)
	}
	slices.Sort(out)
	return out
}
