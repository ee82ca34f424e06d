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

// Environment returns one digest of all variables but the ignored ones.
func Environment(env toolchains.Environ) digest.Digest {
	ignored := ignoredVariables()
	var kept []string
	for _, kv := range env {
		name, _, _ := strings.Cut(kv, "=")
		if _, found := slices.BinarySearch(ignored, name); !found && !hasPrefix(name, ignoredPrefixes()) {
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
