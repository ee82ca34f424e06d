package ask

import (
	"bytes"
	"slices"
	"strings"
)

// groups follows the nesting of #if and #endif, as far as it says that lines are
// skipped unless some macro is defined, or if it is.
type groups struct {
	levels [][]guard
	// guards are those of all levels.
	guards []guard
	// broken is set when directives do not match.
	broken bool
}

func (g *groups) enter(guards []guard) {
	g.levels = append(g.levels, guards)
	g.sum()
}

// other enters the next group of the same level. With isElse it is the opposite
// of a condition of one macro.
func (g *groups) other(isElse bool) {
	n := len(g.levels)
	if n == 0 {
		g.broken = true
		return
	}
	if last := g.levels[n-1]; isElse && len(last) == 1 {
		g.levels[n-1] = []guard{last[0] ^ 1}
	} else {
		g.levels[n-1] = nil
	}
	g.sum()
}

func (g *groups) leave() {
	if len(g.levels) == 0 {
		g.broken = true
		return
	}
	g.levels = g.levels[:len(g.levels)-1]
	g.sum()
}

func (g *groups) sum() {
	g.guards = g.guards[:0]
	for _, level := range g.levels {
		g.guards = append(g.guards, level...)
	}
}

// defined reads the macro of an #ifdef, or #ifndef where negated is set.
func (l *lexer) defined(negated bool) []guard {
	l.blanks()
	return guardOf(l.ident(), negated)
}

// guardOf returns the guard that a macro is. That of a name which a compiler may
// define by itself is not known.
func guardOf(name []byte, negated bool) []guard {
	library := bytes.HasPrefix(name, []byte("_GLIBCXX")) || bytes.HasPrefix(name, []byte("_LIBCPP"))
	if len(name) == 0 || name[0] == '_' && !library || string(name) == "true" {
		return nil
	}
	g := guard(hashWord(name))
	if negated {
		g |= 1
	}
	return []guard{g}
}

// condition reads the guards of an #if, whose line is looked at again: the terms
// of a conjunction that are a macro, or say whether one is defined. An #else is
// the opposite of one guard only if there is no other term, so that the list gets
// another, which never fails, in this case.
func (l *lexer) condition() []guard {
	rest := l.text[l.pos:]
	if n := bytes.IndexByte(rest, '\n'); n >= 0 {
		rest = rest[:n]
	}
	if i := bytes.Index(rest, []byte("//")); i >= 0 {
		rest = rest[:i]
	}
	if bytes.ContainsAny(rest, "\\|?,/\"'") || !isFlat(string(rest)) {
		return nil
	}
	terms := strings.Split(string(rest), "&&")
	var guards []guard
	for _, term := range terms {
		guards = append(guards, termGuard(strings.TrimSpace(term))...)
	}
	if len(guards) == 1 && len(terms) > 1 {
		guards = append(guards, guards[0])
	}
	return slices.Clip(guards)
}

// isFlat reports whether a condition has no parentheses but those of "defined",
// and no "or", so that "&&" separates its terms.
func isFlat(condition string) bool {
	last := ""
	for i := 0; i < len(condition); {
		j := i
		for j < len(condition) && wordByte(condition[j]) {
			j++
		}
		switch {
		case j > i:
			last, i = condition[i:j], j
		case condition[i] == '(' && last != "defined":
			return false
		default:
			if !isBlank(condition[i]) {
				last = ""
			}
			i++
		}
		if last == "or" || last == "xor" || last == "bitor" {
			return false
		}
	}
	return true
}

// termGuard returns the guard that a term of a conjunction is.
func termGuard(term string) []guard {
	term, negated := strings.CutPrefix(term, "!")
	term = strings.TrimSpace(term)
	if rest, ok := strings.CutPrefix(term, "defined"); ok && (rest == "" || !wordByte(rest[0])) {
		term = strings.TrimSpace(rest)
		if inner, ok := strings.CutPrefix(term, "("); ok {
			term, _ = strings.CutSuffix(inner, ")")
			term = strings.TrimSpace(term)
		}
		return wordGuard(term, negated)
	}
	if negated {
		return nil // !X holds for an X that is defined as 0
	}
	// An #else after a mere value is no opposite of its being defined.
	if g := wordGuard(term, false); g != nil {
		return append(g, g...)
	}
	return nil
}

// wordGuard is guardOf for a term that is one word, nil for others.
func wordGuard(term string, negated bool) []guard {
	for i := range len(term) {
		if !wordByte(term[i]) || i == 0 && term[0] >= '0' && term[0] <= '9' {
			return nil
		}
	}
	return guardOf([]byte(term), negated)
}
