package layout

import (
	"slices"
	"strings"

	"github.com/rexwrap/rexwrap/depscan"
	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/argtable"
	"github.com/rexwrap/rexwrap/toolchains/gnu"
)

// A rule is one prefix map: paths that start with old start with new instead.
type rule struct{ old, new string }

// The options of prefix maps, by what they change.
const (
	mapsBoth  = "-ffile-prefix-map="
	mapsDebug = "-fdebug-prefix-map="
	mapsMacro = "-fmacro-prefix-map="
)

// carriesPaths reports whether names of files can reach the bytes, by flags or by
// text.
func (b *builder) carriesPaths() bool {
	return b.c.Carries&toolchains.CarriesPaths != 0 ||
		b.in.Identifiers&(depscan.IdentFile|depscan.IdentBaseFile) != 0
}

// withMaps adds to the arguments the maps from the worker's names to those that
// the result has, and the words behind "--".
func (b *builder) withMaps(words []string) []string {
	if places := b.places(); len(places) > 0 {
		debug, macro := b.userRules(mapsDebug), b.userRules(mapsMacro)
		if b.l.LocalArguments != nil {
			shared := rule{b.r.Root, here}
			debug, macro = append([]rule{shared}, debug...), append([]rule{shared}, macro...)
		}
		words = append(words, b.options(places, debug, macro)...)
	}
	return append(words, b.tail...)
}

// places returns the worker's names that can reach the bytes, with the client's
// in new. A name comes before those that are a prefix of it.
func (b *builder) places() []rule {
	var out []rule
	if b.carriesPaths() {
		for i := len(b.m.mounts) - 1; i >= 0; i-- {
			if b.m.mounts[i].named {
				out = append(out, rule{b.m.mounts[i].worker, b.m.mounts[i].spelled})
			}
		}
	}
	if b.c.Carries&toolchains.CarriesDir != 0 {
		dir := rule{b.m.here, b.c.Call.ApparentDir()}
		if n := len(out); n > 0 && out[n-1].old == b.m.here {
			if out[n-1] != dir {
				b.doubts(dir.new)
			}
			return out
		}
		out = append(out, dir)
	}
	return out
}

// userRules returns the user's own maps of one kind, in the order of the
// arguments.
func (b *builder) userRules(kind string) []rule {
	var out []rule
	for i := range b.c.Args {
		a := &b.c.Args[i]
		name := strings.TrimSuffix(gnu.Canonical(a.Option), "=") + "="
		if !a.Class.Has(argtable.Prefix) || name != kind && name != mapsBoth {
			continue
		}
		old, to, ok := b.splitRule(a.Value)
		if !ok {
			b.doubts(a.Option + a.Value)
		}
		out = append(out, rule{old, to})
	}
	return out
}

// splitRule splits OLD=NEW: gcc at the last "=", clang at the first.
func (b *builder) splitRule(value string) (old, to string, ok bool) {
	if b.c.Toolchain.Family == "gcc" {
		i := strings.LastIndexByte(value, '=')
		if i < 0 {
			return "", "", false
		}
		return value[:i], value[i+1:], strings.Count(value, "=") == 1
	}
	return strings.Cut(value, "=")
}

// options renders the maps for places, after the user's own in effect.
func (b *builder) options(places, debug, macro []rule) []string {
	first := lastFirst
	if b.c.Toolchain.Family == "clang" && major(b.c.Toolchain.Version) < 17 {
		first = longestFirst
	}
	forDebug, forMacro := b.compose(places, first(debug)), b.compose(places, first(macro))
	if slices.Equal(forDebug, forMacro) {
		return render(mapsBoth, forDebug)
	}
	return append(render(mapsDebug, forDebug), render(mapsMacro, forMacro)...)
}

// compose is compose for all places. What is below the base never has a name in
// the mount of the file system's root.
func (b *builder) compose(places, user []rule) []rule {
	elsewhere := slices.DeleteFunc(slices.Clone(user), func(u rule) bool { return within(u.old, b.m.mounts[0].spelled) })
	var out []rule
	for _, p := range places {
		if p.new == "" {
			out = append(out, compose(p, elsewhere)...)
		} else {
			out = append(out, compose(p, user)...)
		}
	}
	return out
}

// render returns rules as options, the one that counts most last. Where the
// longest counts most the order has no meaning.
func render(option string, rules []rule) []string {
	words := make([]string, len(rules))
	for i, r := range rules {
		words[len(rules)-1-i] = option + r.old + "=" + r.new
	}
	return words
}
