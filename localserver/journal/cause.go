package journal

import (
	"errors"
	"strconv"
)

// Cause says why a compile was a miss, by comparison with the nearest earlier
// record of the same output. The values are stored: new ones are added at the
// end.
type Cause uint8

// The causes. Where several hold, the first of Toolchain, Arguments,
// Environment, Directory, Source, Inputs is the one that counts.
const (
	CauseNone        Cause = iota // no miss
	CauseFirst                    // no earlier record of this output
	CauseToolchain                // another compiler, or a program it starts
	CauseArguments                // other arguments
	CauseEnvironment              // a variable the compiler reads changed
	CauseDirectory                // another working directory, and it is in the key
	CauseSource                   // the source was edited
	CauseInputs                   // a header or another input changed, came or went
	CauseNotStored                // the earlier compile's result could not be stored
	CauseEvicted                  // nothing changed: the entry was dropped
	CauseUnknown                  // the earlier record does not say
	CauseVariant                  // known, but not with messages for such an output
	CauseRecache                  // the setting recache
	CauseVerify                   // found, and compiled again to compare
	numCauses
)

func causeNames() [numCauses]string {
	return [...]string{
		"", "first-compile", "compiler-changed", "arguments-changed", "environment-changed",
		"directory-changed", "source-changed", "input-changed", "not-stored", "entry-evicted", "unknown",
		"other-terminal", "recache", "verified",
	}
}

// String returns the stable name used in JSON, empty for CauseNone.
func (c Cause) String() string {
	if c < numCauses {
		return causeNames()[c]
	}
	return "cause_" + strconv.Itoa(int(c))
}

// MarshalText makes a Cause a string in JSON.
func (c Cause) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText is the inverse of MarshalText.
func (c *Cause) UnmarshalText(text []byte) error {
	for i, name := range causeNames() {
		if name == string(text) {
			*c = Cause(i)
			return nil
		}
	}
	return errors.New("unknown cause " + strconv.Quote(string(text)))
}

// Reasons of misses that are causes of their own. Other reasons of a miss say
// why its result was not stored.
const (
	ReasonVariant = "variant" // the result is known, its messages for this terminal are not
	ReasonRecache = "recache" // the setting recache
	ReasonVerify  = "verify"  // the setting verify has chosen this one
)
