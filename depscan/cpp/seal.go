package cpp

import (
	"hash/maphash"
	"strings"
)

// seal makes the unit final: texts become strings of one arena, the guard is
// found, and the directives get a digest that leaves out all else.
func (l *lexer) seal() {
	text := string(l.arena)
	for _, t := range l.late {
		*t.to = text[t.off:t.end]
	}
	l.u.guard = l.guard()
	l.u.marks = l.syms.wanted.count.Load()
	for i := range l.u.dirs {
		if d := &l.u.dirs[i]; (d.kind == dirDefine || d.kind == dirUndef) && !l.syms.wanted.has(d.sym) {
			l.syms.wanted.passOver(d.sym)
		}
	}
	l.u.cost = len(text) + 32*len(l.u.dirs) + 64*(len(l.u.macros)+len(l.u.conds)+len(l.u.names))
}

// guard returns the macro of an include guard around the whole unit.
func (l *lexer) guard() symbol {
	dirs := l.u.dirs
	if len(dirs) < 3 || dirs[0].next != int32(len(dirs)-2) || dirs[len(dirs)-2].kind != dirEndif {
		return symNone
	}
	switch dirs[0].kind {
	case dirIfndef:
		return dirs[0].sym
	case dirIf:
		return notDefined(l.u.conds[dirs[0].aux].text, l.syms, l.mode)
	}
	return symNone
}

// notDefined returns X for the text "!defined X" or "!defined(X)".
func notDefined(text string, syms *symbols, mode lexMode) symbol {
	s, ok := strings.CutPrefix(text, "!")
	word, rest := cutWord(strings.TrimLeft(s, " \t"))
	if !ok || word != "defined" {
		return symNone
	}
	if inner, ok := strings.CutPrefix(rest, "("); ok {
		if rest, ok = strings.CutSuffix(strings.TrimRight(inner, " \t"), ")"); !ok {
			return symNone
		}
		rest = strings.Trim(rest, " \t")
	}
	if name := identifier(rest, mode); name != "" && name == strings.TrimRight(rest, " \t") {
		return syms.intern(name)
	}
	return symNone
}

// directiveHash returns a hash of all that an evaluation can see of the unit.
func (u *unit) directiveHash(seed maphash.Seed) uint64 {
	var h maphash.Hash
	h.SetSeed(seed)
	for i := range u.dirs {
		d := u.dirs[i]
		d.line = 0
		maphash.WriteComparable(&h, d)
		switch d.kind {
		case dirDefine:
			_, _ = h.WriteString(u.macros[d.aux].text)
		case dirIf, dirElif:
			_, _ = h.WriteString(u.conds[d.aux].text)
		case dirInclude, dirIncludeNext, dirImport:
			_, _ = h.WriteString(u.names[d.aux].name)
		case dirPoison, dirOptions, dirIncbin, dirStop:
			_, _ = h.WriteString(u.strings[d.aux])
		}
	}
	return h.Sum64()
}
