package ask

import (
	"cmp"
	"slices"
	"strings"

	"github.com/rexwrap/rexwrap/depscan"
	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/gnu"
)

// identifiers returns those whose expansion the text of the closure can contain:
// the ones that stand in plain text, or in the body of a macro that is used there,
// by way of other macros or not, or whose name "##" can put together.
func (g *gathering) identifiers() depscan.Identifiers {
	m := &macros{texts: append(slices.Clip(g.texts), g.command), seen: g.seen, carrying: map[string]depscan.Identifiers{}}
	if g.predefined != nil && !g.hasPCH {
		m.texts = append(m.texts, g.predefined)
		m.certain, m.live, m.asked = certainMacros(g.c), map[uint32]bool{}, map[uint32]bool{}
	}
	var defined, heads depscan.Identifiers
	for _, t := range m.texts {
		m.found |= t.Identifiers
		defined |= t.Defined
		heads |= t.Heads
	}
	for _, name := range pathAndTimeMacros() {
		if id := carrier([]byte(name)); heads&id&^m.found != 0 && m.pasted(name, maxPaste) {
			m.found |= id
		}
	}
	if defined&^m.found != 0 {
		m.follow()
	}
	return m.found
}

// certainMacros returns the macros that are defined unless a file undefines them:
// those of -D.
func certainMacros(c *toolchains.Compile) map[uint32]bool {
	certain := map[uint32]bool{}
	for option, value := range gnu.Options(c.Args) {
		switch name, _, _ := strings.Cut(value, "="); option {
		case "-D":
			certain[hashWord(name)] = true
		case "-U":
			delete(certain, hashWord(name))
		}
	}
	return certain
}

// macros follows identifiers through macro definitions.
type macros struct {
	texts []*Text
	// seen holds at least the words of texts.
	seen wordFilter
	// certain are the macros that are surely defined, live those that may be;
	// both are nil where every definition may be carried out. asked are the
	// macros whose definitions are being looked at.
	certain, live, asked map[uint32]bool
	// carrying are the macros known to carry identifiers; queue those whose
	// uses have not been looked for.
	carrying map[string]depscan.Identifiers
	queue    []string
	found    depscan.Identifiers
}

// follow finds the identifiers that macros carry into plain text.
func (m *macros) follow() {
	for _, t := range m.texts {
		for _, d := range t.words.direct {
			m.carry(t, d.macro, d.ids)
		}
	}
	for len(m.queue) > 0 {
		name := m.queue[len(m.queue)-1]
		m.queue = m.queue[:len(m.queue)-1]
		m.expand(name, m.carrying[name])
	}
}

// carry notes that macro i of t carries ids, if it can come to be defined.
func (m *macros) carry(t *Text, i uint32, ids depscan.Identifiers) {
	name := t.words.name(i)
	if old := m.carrying[name]; old|ids != old && m.met(t.words.guards[t.words.under[i]]) {
		m.carrying[name] = old | ids
		m.queue = append(m.queue, name)
	}
}

// met reports whether lines with these guards may be read.
func (m *macros) met(guards []guard) bool {
	if m.live == nil {
		return true
	}
	for _, g := range guards {
		if g.negated() && m.isCertain(g.name()) || !g.negated() && !m.isLive(g.name()) {
			return false
		}
	}
	return true
}

// isCertain reports whether a macro is defined all the time.
func (m *macros) isCertain(h uint32) bool {
	if !m.certain[h] {
		return false
	}
	return !slices.ContainsFunc(m.texts, func(t *Text) bool { return t.words.has(h, isUndefined) })
}

// isLive reports whether a macro may be defined at some time. While it is being
// asked about, a macro is taken not to be: a definition that needs itself is never
// carried out. For that reason only what is live is remembered.
func (m *macros) isLive(h uint32) bool {
	if m.live[h] {
		return true
	}
	if m.asked[h] {
		return false
	}
	m.asked[h] = true
	defer delete(m.asked, h)
	for _, t := range m.texts {
		if t.words.has(h, isDefined) || slices.ContainsFunc(t.words.definitionsOf(h), m.met) {
			m.live[h] = true
			return true
		}
	}
	return false
}

// definitionsOf returns the guards of each guarded definition of a macro.
func (w *words) definitionsOf(h uint32) [][]guard {
	i, ok := slices.BinarySearchFunc(w.guarded, h, func(d guardedName, h uint32) int { return cmp.Compare(d.name, h) })
	var out [][]guard
	for ; ok && i < len(w.guarded) && w.guarded[i].name == h; i++ {
		out = append(out, w.guards[w.guarded[i].list])
	}
	return out
}

// expand looks for uses of a macro that carries ids.
func (m *macros) expand(name string, ids depscan.Identifiers) {
	if ids&^m.found == 0 {
		return
	}
	h := hashWord(name)
	for _, t := range m.texts {
		if t.words.has(h, inText) {
			m.found |= ids
			return
		}
		if !t.words.has(h, inBody) {
			continue
		}
		for _, u := range t.words.usesOf(h) {
			m.carry(t, u.macro, ids)
		}
	}
	if m.pasted(name, maxPaste) {
		m.found |= ids
	}
}

// maxPaste is the largest number of words that are taken to be put together by
// "##". With single letters among the words of a program, more of them could
// make almost any name.
const maxPaste = 4

// glibcType is a type of <stdio.h>. With the "__" that <math.h> hands to a macro
// that pastes, it would make __FILE__ of any two headers of glibc's.
const glibcType = "__FILE"

// pasted reports whether "##" can put name together of two to n words of the
// closure.
func (m *macros) pasted(name string, n int) bool {
	for i := 1; i < len(name); i++ {
		if !m.isWord(name[:i], inText|inBody|atHead) || name[:i] == glibcType {
			continue
		}
		rest := name[i:]
		if rest[0] >= '0' && rest[0] <= '9' || m.isWord(rest, inText|inBody) || n > 2 && m.pasted(rest, n-1) {
			return true
		}
	}
	return false
}

// isWord reports whether s stands in one of the places.
func (m *macros) isWord(s string, places uint32) bool {
	h := hashWord(s)
	if !m.seen.has(h) {
		return false
	}
	for _, t := range m.texts {
		if t.words.has(h, places) {
			return true
		}
	}
	return false
}

// definesWith reports whether a macro of this name has words in its body.
func (w *words) definesWith(name string) bool {
	for i := range w.ends {
		if w.name(uint32(i)) == name {
			return true
		}
	}
	return false
}

// isLiteral reports whether a macro whose name has hash h is a literal.
func (w *words) isLiteral(h uint32) bool {
	_, ok := slices.BinarySearch(w.literals, h)
	return ok
}
