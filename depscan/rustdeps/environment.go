package rustdeps

import (
	"slices"
	"strings"

	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/toolchains"
)

// ignoredVariables are those that a procedural macro is taken not to read: they
// differ from one shell, terminal or build to the next and say nothing of what is
// built. The list is documented for users.
func ignoredVariables() []string {
	return []string{
		"CARGO_MAKEFLAGS", "COLORTERM", "COLUMNS", "DBUS_SESSION_BUS_ADDRESS", "LINES", "MAKEFLAGS", "MAKELEVEL", "MFLAGS",
		"NUM_JOBS", "OLDPWD", "PWD", "SHLVL", "TERM", "TERM_PROGRAM", "TERM_PROGRAM_VERSION", "VTE_VERSION", "WINDOWID", "_",
	}
}

// ignoredPrefixes are beginnings of further names.
func ignoredPrefixes() []string { return []string{"REXWRAP_", "SSH_", "XDG_SESSION_"} }

// placeVariables say where cargo puts things and in which steps it makes them.
// Where results are the same at all places they count no more than the others do.
func placeVariables() []string {
	return []string{"CARGO_BUILD_TARGET_DIR", "CARGO_HOME", "CARGO_INCREMENTAL", "CARGO_TARGET_DIR"}
}

// Environment returns one digest of all variables but the ignored ones. Where
// respell is not nil it is applied to the values, and those variables are left out
// that only say where things are.
func Environment(env toolchains.Environ, respell func(value string) string) digest.Digest {
	ignored := ignoredVariables()
	var kept []string
	for _, kv := range env {
		name, value, _ := strings.Cut(kv, "=")
		_, found := slices.BinarySearch(ignored, name)
		switch {
		case found, hasPrefix(name, ignoredPrefixes()), respell != nil && slices.Contains(placeVariables(), name):
		case respell != nil:
			kept = append(kept, name+"="+respell(value))
		default:
			kept = append(kept, kv)
		}
	}
	slices.Sort(kept)
	b := digest.NewBuilder("rexwrap environment 1")
	b.Strings(kept)
	return b.Sum()
}

func hasPrefix(s string, prefixes []string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(s, p) })
}
