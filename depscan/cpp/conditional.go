package cpp

import "strings"

// conditional links the branches of a conditional.
func (l *lexer) conditional(name, rest string, d directive) {
	switch name {
	case "if", "ifdef", "ifndef":
		l.openGroup(name, rest, d)
		return
	case "elifdef", "elifndef":
		if l.mode&modeElifdef == 0 {
			// Unknown while the group before it is taken, skipped with it
			// otherwise: either way part of that group.
			d.kind, d.aux = dirStop, l.text32("unknown-directive")
			l.emit(d)
			return
		}
	}
	if len(l.open) == 0 {
		l.fail("unbalanced-conditional")
		return
	}
	g := &l.open[len(l.open)-1]
	switch name {
	case "elif":
		d.kind = dirElif
		l.condition(rest, &d)
	case "elifdef":
		d.kind = dirElifdef
		l.ifName(rest, &d)
	case "elifndef":
		d.kind = dirElifndef
		l.ifName(rest, &d)
	case "else":
		d.kind = dirElse
	case "endif":
		d.kind = dirEndif
	}
	if g.elseSeen && d.kind != dirEndif {
		l.fail("unbalanced-conditional")
		return
	}
	g.elseSeen = d.kind == dirElse
	i := l.emit(d)
	l.u.dirs[g.last].next = i
	g.last = i
	if d.kind == dirEndif {
		l.closeGroup(i)
	}
}

func (l *lexer) openGroup(name, rest string, d directive) {
	switch name {
	case "if":
		d.kind = dirIf
		l.condition(rest, &d)
	case "ifdef":
		d.kind = dirIfdef
		l.ifName(rest, &d)
	case "ifndef":
		d.kind = dirIfndef
		l.ifName(rest, &d)
	}
	i := l.emit(d)
	l.open = append(l.open, openGroup{first: i, last: i})
}

// closeGroup ends the innermost group at its #endif.
func (l *lexer) closeGroup(end int32) {
	n := len(l.open) - 1
	g := l.open[n]
	l.open = l.open[:n]
	dirs := l.u.dirs
	dirs[end].next, dirs[end].end = end, end
	for i := g.first; i != end; i = dirs[i].next {
		dirs[i].end = end
		dirs[i].effect = g.effect || dirs[i].effect
		if dirs[i].effect {
			g.effect = true
		}
	}
	for i := g.first; i != end && g.effect; i = dirs[i].next {
		dirs[i].effect = true
	}
	if g.effect && n > 0 {
		l.open[n-1].effect = true
	}
}

// ifName parses the operand of #ifdef and its like. A bad one makes the
// directive fail when it is reached: gcc and clang diagnose it and go on, which
// ends in an error.
func (l *lexer) ifName(rest string, d *directive) {
	name := identifier(rest, l.mode)
	if name == "" || strings.Contains(name, `\`) {
		return // symNone stops the evaluation
	}
	d.sym = l.wanted(name)
}

// wanted interns a name that a condition asks for.
func (l *lexer) wanted(name string) symbol {
	s := l.syms.intern(name)
	l.syms.wanted.mark(s)
	return s
}

// wantWords does so for the words of a text.
func (l *lexer) wantWords(text string) {
	for i := 0; i < len(text); {
		switch {
		case charClass[text[i]] == chLetter:
			n := i + 1
			for n < len(text) && isWordByte(text[n]) {
				n++
			}
			l.wanted(text[i:n])
			i = n
		case charClass[text[i]] == chDigit:
			i = bodyNumber(text, i)
		default:
			i++
		}
	}
}

func (l *lexer) condition(text string, d *directive) {
	d.aux = int32(len(l.u.conds))
	c := &condition{mode: l.mode}
	l.u.conds = append(l.u.conds, c)
	l.late = append(l.late, lateText{&c.text, l.store(text)})
	l.wantWords(text)
	l.collectNames(text, d)
}

// collectNames marks a condition that can have side effects of its own:
// __has_include is a probe, __COUNTER__ counts.
func (l *lexer) collectNames(text string, d *directive) {
	d.effect = strings.Contains(text, "__has_") || strings.Contains(text, "__COUNTER__")
}
