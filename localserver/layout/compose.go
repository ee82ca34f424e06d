package layout

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// compose returns the maps that do to the worker's names what user does to the
// client's. A place's old is the worker's name of what the client calls its new.
// Both lists, and the result, have in front what counts most; a compiler applies
// one map only.
//
// Of a place (W, L) and the user's maps OLD=NEW in their order: one whose OLD is
// L+T becomes W+T=NEW; the first whose OLD is a prefix of L, L = OLD+T, becomes
// W=NEW+T and ends the list for this place. Where there is none W=L does.
func compose(places, user []rule) []rule {
	var out []rule
	for _, p := range places {
		out = append(out, composeOne(p, user)...)
	}
	return out
}

func composeOne(p rule, user []rule) []rule {
	var out []rule
	for _, u := range user {
		if rest, ok := strings.CutPrefix(p.new, u.old); ok {
			return append(out, rule{p.old, u.new + rest})
		}
		if rest, ok := strings.CutPrefix(u.old, p.new); ok {
			out = append(out, rule{p.old + rest, u.new})
		}
	}
	return append(out, p)
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

func equal(a, b []rule) bool { return slices.Equal(a, b) }

// major returns the first number of a version, 0 for none.
func major(version string) int {
	first, _, _ := strings.Cut(version, ".")
	n, err := strconv.Atoi(first)
	if err != nil {
		return 0
	}
	return n
}
