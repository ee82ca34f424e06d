package wrapper

import "strings"

// guardVariable holds the programs that the wrappers above this process have
// stepped into, in the form of PATH. Two wrappers in masquerade (ours and
// another cache's), or a script named like a compiler that calls rexwrap with
// its own name, would otherwise call each other for ever.
const guardVariable = "REXWRAP_GUARD"

// A guard is the value of guardVariable.
type guard string

// maxTurns is how often one program may be stepped into. The second time is
// legitimate: gcc's lto-wrapper starts gcc again by the name it was called.
const maxTurns = 2

// maxDepth ends what no lookup can end: a script that is named by its path.
const maxDepth = 16

// turns reports whether program is where the calls go round: the lookup goes on
// to the next program of that name.
func (g guard) turns(program string) bool {
	n := 0
	for rest, more := string(g), true; more; {
		var entry string
		entry, rest, more = strings.Cut(rest, string(listSeparator))
		if entry == program {
			n++
		}
	}
	return n >= maxTurns
}

// tooDeep reports whether the calls go round in some other way.
func (g guard) tooDeep() bool {
	return strings.Count(string(g), string(listSeparator)) >= maxDepth-1
}

// entering returns the setting for a process that is program.
func (g guard) entering(program string) string {
	if g == "" {
		return guardVariable + "=" + program
	}
	return guardVariable + "=" + string(g) + string(listSeparator) + program
}
