package journal

// An Explanation says what happened to one call and why. The JSON keys are
// stable.
type Explanation struct {
	Record *Entry `json:"record"`
	// Earlier is the nearest earlier record of the same output.
	Earlier *Entry `json:"earlier,omitempty"`
	// Summary is one sentence.
	Summary string `json:"summary"`
	Cause   string `json:"cause,omitempty"`
	// Changes are all differences between the keys of the two records, in
	// the order of Cause. They are empty for a hit of an unchanged compile.
	Changes []Change `json:"changes,omitempty"`
	// Hint says what Record.Reason means and what may be done.
	Hint string `json:"hint,omitempty"`
	// Reproducer is a command that, in Record.Dir, shows it again.
	Reproducer []string `json:"reproducer,omitempty"`
	// Notes say what could not be compared.
	Notes []string `json:"notes,omitempty"`
}

// A Change is one difference between the keys of two compiles of one output.
type Change struct {
	// Kind is one of the Change constants.
	Kind string `json:"kind"`
	// Name is what differs: the argument, the variable, the file.
	Name string `json:"name"`
	// Old and New are arguments or digests, empty where there was none.
	// For variables they are always empty: values are not kept.
	Old string `json:"old,omitempty"`
	New string `json:"new,omitempty"`
}

// The kinds of changes.
const (
	ChangeCompiler       = "compiler"         // another driver
	ChangeProgram        = "program"          // a program of the toolchain
	ChangeArg            = "argument"         // Old and New stand in the same place
	ChangeArgAdded       = "argument-added"   //
	ChangeArgRemoved     = "argument-removed" //
	ChangeArgOrder       = "argument-order"   // the same arguments in another order
	ChangeVariable       = "variable"         // changed
	ChangeVariableSet    = "variable-set"     //
	ChangeVariableUnset  = "variable-unset"   //
	ChangeDirectory      = "directory"        //
	ChangeSource         = "source"           //
	ChangeInput          = "input"            // other content
	ChangeInputAdded     = "input-added"      // now read, existed before or unknown
	ChangeInputAppeared  = "input-appeared"   // was looked for and absent before
	ChangeInputRemoved   = "input-removed"    // no longer read
	ChangeInputsNotKnown = "inputs-unknown"   // one of the two lists is gone
)

// A BuildReport explains the misses of one build.
type BuildReport struct {
	Build   string `json:"build,omitempty"` // id, empty for a build found by its gap
	Started string `json:"started"`
	Ended   string `json:"ended"`
	First   ID     `json:"first"`
	Last    ID     `json:"last"`

	Calls        int64   `json:"calls"`
	Hits         int64   `json:"hits"`
	Misses       int64   `json:"misses"`
	SteppedAside int64   `json:"stepped_aside"`
	FellBack     int64   `json:"fell_back"`
	Errors       int64   `json:"errors"`
	TimeAvoided  float64 `json:"time_avoided_seconds"`
	TimeSpent    float64 `json:"time_spent_seconds"`

	// Groups are sorted by Seconds, the dearest first.
	Groups []MissGroup `json:"groups"`
	// Reasons count the calls that stepped aside, fell back or failed.
	Reasons map[string]int64 `json:"reasons,omitempty"`
}

// A MissGroup is all misses of a build that have one cause and, where one
// input or program is to blame for all of them, that one.
type MissGroup struct {
	Cause   string  `json:"cause"`
	Culprit string  `json:"culprit,omitempty"`
	Count   int64   `json:"count"`
	Seconds float64 `json:"seconds"`
	// Examples are a few of the outputs, the dearest first.
	Examples []string `json:"examples,omitempty"`
}
