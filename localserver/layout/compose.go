package layout

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// compose returns the maps that do to the worker's names of one place what user
// does to the client's. The worker calls place.old what the client calls
// place.new. User, and the result, have in front what counts most; a compiler
// applies one map only.
//
// Of the place W=L and the user's maps OLD=NEW in their order: one whose OLD is
// L+T becomes W+T=NEW; the first whose OLD is a prefix of L, L = OLD+T, becomes
// W=NEW+T and ends the list. Where there is none W=L does.
func compose(place rule, user []rule) []rule {
	var out []rule
	for _, u := range user {
		if rest, ok := strings.CutPrefix(place.new, u.old); ok {
			return append(out, rule{place.old, u.new + rest})
		}
		if rest, ok := strings.CutPrefix(u.old, place.new); ok {
			out = append(out, rule{place.old + rest, u.new})
		}
	}
	return append(out, place)
}

// lastFirst is the order in which gcc, and clang from 17 on, try maps.
func lastFirst(rules []rule) []rule {
	out := slices.Clone(rules)
	slices.Reverse(out)
	return out
}

// longestFirst is the order in which older clang tries them. Of equal ones the
// last counts.
func longestFirst(rules []rule) []rule {
	out := lastFirst(rules)
	slices.SortStableFunc(out, func(a, b rule) int { return cmp.Compare(b.old, a.old) })
	return out
}

// major returns the first number of a version, 0 for none.
func major(version string) int {
	first, _, _ := strings.Cut(version, ".")
	n, err := strconv.Atoi(first)
	if err != nil {
		return 0
	}
	return n
}
