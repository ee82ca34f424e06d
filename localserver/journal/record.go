package journal

import (
	"cmp"
	"errors"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/rexwrap/rexwrap/client/digest"
)

// An ID numbers records from 1 in the order they were added; it is never used
// twice in one cache directory. The zero ID names no record.
type ID uint64

// String returns the short form that people type: "r1042".
func (id ID) String() string { return "r" + strconv.FormatUint(uint64(id), 10) }

// ErrMalformedID is returned by ParseID.
var ErrMalformedID = errors.New("not a record id")

// ParseID is the inverse of ID.String; "1042" without the letter is read too.
func ParseID(s string) (ID, error) {
	n, err := strconv.ParseUint(strings.TrimPrefix(s, "r"), 10, 64)
	if err != nil || n == 0 {
		return 0, ErrMalformedID
	}
	return ID(n), nil
}

// MarshalText makes an ID a string in JSON, the zero ID an empty one.
func (id ID) MarshalText() ([]byte, error) {
	if id == 0 {
		return nil, nil
	}
	return []byte(id.String()), nil
}

// UnmarshalText is the inverse of MarshalText.
func (id *ID) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*id = 0
		return nil
	}
	parsed, err := ParseID(string(text))
	*id = parsed
	return err
}

// Outcome says how a call was answered. The values are stored: new ones are
// added at the end.
type Outcome uint8

// The outcomes. ExecutedLocal and ExecutedRemote are misses.
const (
	_              Outcome = iota
	HitLocal               // from this machine's cache
	HitRemote              // from a remote ActionCache
	Merged                 // took the result of an equal call that was under way
	ExecutedLocal          // a miss: the compiler ran here
	ExecutedRemote         // a miss: a worker ran the compiler
	SteppedAside           // the call is none that rexwrap caches; Reason says why
	FellBack               // a remote failed and the compiler ran here; Reason says why
	Failed                 // trouble of our own, the compiler ran uncached; Reason says why
)

const numOutcomes = Failed + 1

func outcomeNames() [numOutcomes]string {
	return [...]string{
		"", "hit_local", "hit_remote", "merged", "executed_local", "executed_remote",
		"stepped_aside", "fell_back", "error",
	}
}

// String returns the stable name used in JSON.
func (o Outcome) String() string {
	if o < numOutcomes {
		return outcomeNames()[o]
	}
	return "outcome_" + strconv.Itoa(int(o))
}

// MarshalText makes an Outcome a string in JSON.
func (o Outcome) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// UnmarshalText is the inverse of MarshalText.
func (o *Outcome) UnmarshalText(text []byte) error {
	for i, name := range outcomeNames() {
		if name == string(text) {
			*o = Outcome(i)
			return nil
		}
	}
	return errors.New("unknown outcome " + strconv.Quote(string(text)))
}

// Hit reports whether the call was answered without running a compiler.
func (o Outcome) Hit() bool { return o == HitLocal || o == HitRemote || o == Merged }

// Miss reports whether the call was looked up, not found, and executed.
func (o Outcome) Miss() bool { return o == ExecutedLocal || o == ExecutedRemote }

// Step names a part of a call's time.
type Step uint8

// The steps, those of a remote last. They are stored by number.
const (
	StepToolchain   Step = iota // finding and identifying the compiler
	StepParse                   // the command line
	StepManifest                // checking remembered inputs
	StepScan                    // finding inputs
	StepAction                  // building the Action and its digest
	StepLookup                  // asking the ActionCaches
	StepQueue                   // waiting for a slot or for an equal call
	StepRun                     // the compiler
	StepCapture                 // reading and storing what it made
	StepMaterialize             // writing outputs
	StepTotal                   // from the call's arrival to its answer
	StepDownload                // blobs from the remote
	StepUpload                  // inputs to the remote
	StepExecute                 // the worker, its queue included
	NumSteps
)

// String returns the step's name.
func (s Step) String() string {
	if s < NumSteps {
		return [NumSteps]string{
			"toolchain", "parse", "manifest", "scan", "action", "lookup", "queue",
			"run", "capture", "materialize", "total", "download", "upload", "execute",
		}[s]
	}
	return "step_" + strconv.Itoa(int(s))
}

// Steps holds the time each step took, in microseconds; 0 where it did not
// happen.
type Steps [NumSteps]uint32

// Add adds d to step s. Times beyond an hour are cut.
func (t *Steps) Add(s Step, d time.Duration) {
	us := max(0, min(d, time.Hour)).Microseconds()
	t[s] += uint32(us)
}

// A Cost is what a compile took.
type Cost struct {
	Wall, User, Sys time.Duration
	MaxRSS          int64 // bytes
}

// IsZero reports whether nothing is known.
func (c Cost) IsZero() bool { return c == Cost{} }

// A Record is what remains of one call. Strings are as the call spelled them
// unless said otherwise; no value of an environment variable is in it.
type Record struct {
	// ID, Earlier and Cause are set by the Journal. Earlier is the nearest
	// earlier record of the same Output, Cause why a miss was one.
	ID, Earlier ID
	Cause       Cause

	Time    time.Time // when the call arrived
	Build   string    // the id that `rexwrap exec` gave its build, else empty
	Outcome Outcome
	// Reason is one of a closed list of short names that are counted; Arg
	// is the argument, file or program it is about. For a miss it is
	// ReasonVariant, ReasonRecache, ReasonVerify, or why the result was not stored
	// ("failed", "modified", …), else empty.
	Reason, Arg string

	Family   string // "gcc", "clang"; empty where the call was not parsed
	Language string // the -x spelling
	Compiler string // absolute path of the driver
	Dir      string // absolute working directory
	Source   string
	Output   string // the primary output, absolute; empty for none
	Crate    string // rustc's: name and types, "syn (rlib)"; empty for others

	Manifest, Action digest.Digest // zero where the call did not get there

	Steps Steps
	// Saved is what the compile cost that made the entry of a hit.
	Saved Cost
	// Spent is what the compiler cost in this call.
	Spent  Cost
	Bytes  int64 // stored or restored
	Status uint32
	Signal uint32

	// Worker is what a remote says of who made the result, Page where its
	// web pages show the Action; empty where nothing is known.
	Worker, Page string

	// Key is what the key was made of, nil where the call did not get there.
	Key *KeyParts
}

// stored reports whether the result is in the cache after the call.
func (r *Record) stored() bool {
	if !r.Outcome.Miss() {
		return r.Outcome.Hit()
	}
	return r.Reason == "" || r.Reason == ReasonVariant || r.Reason == ReasonRecache || r.Reason == ReasonVerify
}

// compiling is the CPU time that the compile took, in this call or in the one
// that made the entry; the time on the clock where no other is known.
func (r *Record) compiling() time.Duration {
	c := r.Spent
	if c.IsZero() {
		c = r.Saved
	}
	return cmp.Or(c.User+c.Sys, c.Wall)
}

// sourcePath is the absolute path of the source.
func (r *Record) sourcePath() string {
	if r.Source == "" || filepath.IsAbs(r.Source) {
		return r.Source
	}
	return filepath.Join(r.Dir, r.Source)
}

// end is about when the call was answered.
func (r *Record) end() time.Time {
	took := time.Duration(r.Steps[StepTotal]) * time.Microsecond
	return r.Time.Add(max(took, r.Spent.Wall))
}
