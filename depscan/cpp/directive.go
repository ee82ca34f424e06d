package cpp

import (
	"bytes"
	"hash/maphash"
	"strings"
)

// directive scans the directive whose '#' is before pos.
//
//	directive = "#" [ name rest ] newline
//
// Comments and splices are taken out of the line first, except in a header
// name in angle brackets.
func (l *lexer) directive() {
	line := l.line
	text := l.logicalLine()
	multi := l.line != line+1
	text = strings.Trim(text, " \t\v\f\x00")
	if text == "" {
		return
	}
	name, rest := cutWord(text)
	if l.mode&modeAsm != 0 && !isDirectiveName(name) {
		return // a comment, or text for the assembler
	}
	l.dispatch(name, rest, directive{line: line, multi: multi})
}

func isDirectiveName(s string) bool {
	switch s {
	case "if", "ifdef", "ifndef", "elif", "elifdef", "elifndef", "else", "endif",
		"define", "undef", "include", "include_next", "import", "embed", "pragma",
		"line", "error", "warning", "ident", "sccs", "assert", "unassert":
		return true
	}
	return false
}

// cutWord splits s after its leading identifier.
func cutWord(s string) (word, rest string) {
	n := 0
	for n < len(s) && isWordByte(s[n]) {
		n++
	}
	return s[:n], strings.TrimLeft(s[n:], " \t\v\f\x00")
}

func (l *lexer) dispatch(name, rest string, d directive) {
	switch name {
	case "define", "undef":
		l.flushText()
		l.definition(name, rest, d)
	case "if", "ifdef", "ifndef", "elif", "elifdef", "elifndef", "else", "endif":
		l.flushText()
		l.conditional(name, rest, d)
	case "include", "include_next", "import":
		l.flushText()
		l.include(name, rest, d)
	case "pragma":
		l.pragma(rest, d)
	case "line":
		l.flushText()
		d.kind = dirLine
		l.emit(d)
	case "ident", "sccs", "warning":
	default:
		l.flushText()
		l.other(name, rest, d)
	}
}

// other emits what only some compilers or modes know.
func (l *lexer) other(name, rest string, d directive) {
	d.kind = dirStop
	reason := "unknown-directive"
	switch {
	case name != "" && charClass[name[0]] == chDigit:
		if l.mode&modeAsm != 0 {
			return
		}
		d.kind = dirLine
		if fields := strings.Fields(rest); len(fields) > 1 {
			d.kind, reason = dirStop, "linemarker"
		}
	case name == "embed" && l.mode&modeEmbed != 0:
		reason = "embed"
	case name == "error":
		reason = "error-directive"
	case name == "assert", name == "unassert":
		reason = "assertion"
	}
	if d.kind == dirStop {
		d.aux = l.text32(reason)
	}
	l.emit(d)
}

// logicalLine consumes the rest of the directive's line with its newline and
// returns it without comments and splices.
func (l *lexer) logicalLine() string {
	rest := l.src[l.pos:]
	n := bytes.IndexByte(rest, '\n')
	if n < 0 {
		n = len(rest) - 4
	}
	seg := rest[:n]
	if l.plain(seg) {
		line := l.whole[l.pos : l.pos+n]
		l.pos += n + 1
		l.line++
		return line
	}
	return string(l.cleanLine())
}

// plain reports whether a physical line is a whole logical one without
// comments.
func (l *lexer) plain(seg []byte) bool {
	for i := bytes.IndexByte(seg, '/'); i >= 0; {
		if i+1 < len(seg) && (seg[i+1] == '*' || seg[i+1] == '/' || seg[i+1] == '\\') {
			return false
		}
		k := bytes.IndexByte(seg[i+1:], '/')
		if k < 0 {
			break
		}
		i += 1 + k
	}
	end := len(seg)
	for end > 0 && isBlank(seg[end-1]) {
		end--
	}
	if end > 0 && seg[end-1] == '\\' {
		return false
	}
	return l.mode&modeRawStrings == 0 || !bytes.Contains(seg, []byte(`R"`))
}

// cleanLine is logicalLine for lines that are not plain.
func (l *lexer) cleanLine() []byte {
	var out []byte
	for !l.atEnd() {
		c := l.src[l.pos]
		switch {
		case c == '\n':
			l.pos++
			l.line++
			return out
		case c == '\\' && l.splice(l.pos) > 0:
			l.pos = l.splice(l.pos)
			l.line++
		case c == '/' && l.commentAt(l.pos) != 0:
			l.skipComment()
			out = append(out, ' ')
		case c == '"' || c == '\'':
			out = l.cleanQuoted(out, c)
		case c == '<' && takesHeaderName(out):
			out = l.cleanHeaderName(out)
		default:
			out = append(out, c)
			l.pos++
		}
	}
	return out
}

// takesHeaderName reports whether a '<' after line begins a header name.
func takesHeaderName(line []byte) bool {
	s := strings.TrimSpace(string(line))
	switch s {
	case "include", "include_next", "import", "embed":
		return true
	}
	s = strings.TrimSpace(strings.TrimSuffix(s, "("))
	return strings.HasSuffix(s, "__has_include") || strings.HasSuffix(s, "__has_include_next") || strings.HasSuffix(s, "__has_embed")
}

// cleanHeaderName copies <…> if it ends in this line, else the '<' alone.
func (l *lexer) cleanHeaderName(out []byte) []byte {
	n := bytes.IndexAny(l.src[l.pos:], ">\n")
	if l.src[l.pos+n] == '\n' {
		n = 0
	}
	out = append(out, l.src[l.pos:l.pos+n+1]...)
	l.pos += n + 1
	return out
}

// cleanQuoted copies a literal without its splices.
func (l *lexer) cleanQuoted(out []byte, quote byte) []byte {
	if quote == '\'' && l.mode&modeSeparators != 0 && endsInNumber(out) && isWordByte(l.src[l.pos+1]) {
		l.pos++
		return append(out, quote)
	}
	if quote == '"' && l.mode&modeRawStrings != 0 && endsInRawPrefix(out) {
		if end := rawStringEnd(l.src, l.pos); end >= 0 {
			return l.cleanRaw(out, end)
		}
	}
	out = append(out, quote)
	for l.pos++; ; l.pos++ {
		c := l.src[l.pos]
		switch {
		case c == '\n':
			return out
		case c == quote:
			l.pos++
			return append(out, c)
		case c == '\\' && l.splice(l.pos) > 0:
			l.pos = l.splice(l.pos) - 1
			l.line++
			continue
		case c == '\\' && l.src[l.pos+1] != '\n':
			out = append(out, c)
			l.pos++
			c = l.src[l.pos]
		}
		out = append(out, c)
	}
}

// cleanRaw copies a raw string up to end. gcc has none that span lines in a
// directive; a compile with one fails there.
func (l *lexer) cleanRaw(out []byte, end int) []byte {
	raw := l.src[l.pos:end]
	if n := bytes.Count(raw, []byte{'\n'}); n > 0 {
		l.fail("raw-string-in-directive")
		l.line += int32(n)
	}
	l.pos = end
	return append(out, raw...)
}

func endsInNumber(line []byte) bool {
	i := len(line)
	for i > 0 && (isWordByte(line[i-1]) || line[i-1] == '\'' || line[i-1] == '.') {
		i--
	}
	return i < len(line) && charClass[line[i]] == chDigit
}

func endsInRawPrefix(line []byte) bool {
	i := len(line)
	for i > 0 && isWordByte(line[i-1]) {
		i--
	}
	return isRawPrefix(line[i:])
}

// store keeps s in the arena that all texts of the unit share; seal makes
// strings of the spans.
func (l *lexer) store(s string) span {
	off := int32(len(l.arena))
	l.arena = append(l.arena, s...)
	return span{off, int32(len(l.arena))}
}

// A lateText is a text whose string seal makes.
type lateText struct {
	to *string
	span
}

func (l *lexer) definition(kind, rest string, d directive) {
	name := identifier(rest, l.mode)
	if name == "" || name == "defined" || strings.Contains(name, `\`) {
		d.kind, d.aux = dirStop, l.text32("macro-name")
		l.emit(d)
		return
	}
	d.sym = l.syms.intern(name)
	if kind == "undef" {
		d.kind = dirUndef
		l.emit(d)
		return
	}
	body := rest[len(name):]
	d.kind, d.aux = dirDefine, int32(len(l.u.macros))
	d.flags = l.bodyFlags(body)
	def := l.syms.defs.share(d.sym, l.mode, body, d.flags)
	if def == nil {
		def = &macroDef{name: d.sym, flags: d.flags, mode: l.mode}
		l.late = append(l.late, lateText{&def.text, l.store(body)})
	}
	l.u.macros = append(l.u.macros, def)
	l.emit(d)
}

// identifier returns the identifier that s begins with.
func identifier(s string, mode lexMode) string {
	n := 0
	for n < len(s) && (isWordByte(s[n]) || s[n] == '$' && mode&modeDollars != 0) {
		n++
	}
	if n < len(s) && s[n] == '\\' {
		n++ // a universal character name
	}
	if n > 0 && charClass[s[0]] == chDigit {
		return ""
	}
	return s[:n]
}

// bodyFlags returns the flags of the words of a macro's body.
func (l *lexer) bodyFlags(body string) (f textFlags) {
	if !strings.Contains(body, "_") && !l.asm {
		return 0
	}
	for i := 0; i < len(body); {
		switch charClass[body[i]] {
		case chLetter:
			n := i + 1
			for n < len(body) && isWordByte(body[n]) {
				n++
			}
			f |= l.bodyWord(body, i, n)
			i = n
		case chDigit:
			i = bodyNumber(body, i)
		default:
			i++
		}
	}
	if l.asm && (strings.Contains(body, ".incbin") || strings.Contains(body, ".include")) {
		f |= textIncbin
	}
	return f
}

func (l *lexer) bodyWord(body string, i, n int) textFlags {
	if body[i] != '_' && body[i] != 'p' {
		return 0
	}
	w := []byte(body[i:n])
	if string(w) == "_Pragma" {
		return pragmaFlags(append([]byte(body[n:]), '\n'))
	}
	return wordFlags(w)
}

func bodyNumber(s string, i int) int {
	for i < len(s) && (isWordByte(s[i]) || s[i] == '.') {
		i++
	}
	return i
}

func (l *lexer) include(name, rest string, d directive) {
	switch name {
	case "include":
		d.kind = dirInclude
	case "include_next":
		d.kind = dirIncludeNext
	default:
		d.kind = dirImport
	}
	d.aux = int32(len(l.u.names))
	l.u.names = append(l.u.names, parseIncludeName(rest, l.mode))
	if n := &l.u.names[d.aux]; n.computed {
		l.wantWords(n.name)
	}
	l.emit(d)
}

func parseIncludeName(s string, mode lexMode) includeName {
	if s != "" {
		if s[0] == '"' {
			if n := strings.IndexByte(s[1:], '"'); n >= 0 {
				return includeName{name: strings.Clone(s[1 : 1+n])}
			}
		}
		if s[0] == '<' {
			if n := strings.IndexByte(s, '>'); n > 0 {
				return includeName{name: strings.Clone(s[1:n]), angled: true}
			}
		}
	}
	return includeName{name: strings.Clone(s), computed: true, mode: mode}
}

func (l *lexer) pragma(rest string, d directive) {
	word, arg := cutWord(rest)
	switch word {
	case "once":
		d.kind, l.u.once = dirOnce, true
	case "push_macro", "pop_macro":
		l.pushPop(word, arg, &d)
	case "include_alias", "hdrstop":
		d.kind, d.aux = dirStop, l.text32("pragma-"+word)
	case "GCC", "clang":
		l.vendorPragma(word, arg, &d)
	}
	if d.kind != dirEnd {
		l.flushText()
		l.emit(d)
	}
}

func (l *lexer) pushPop(word, arg string, d *directive) {
	d.kind = dirPushMacro
	if word == "pop_macro" {
		d.kind = dirPopMacro
	}
	_, quoted, _ := strings.Cut(arg, `"`)
	name, _, ok := strings.Cut(quoted, `"`)
	name = strings.Trim(name, " \t")
	if !ok || name == "" || identifier(name, l.mode) != name {
		d.kind, d.aux = dirStop, l.text32("pragma-push-macro")
		return
	}
	d.sym = l.wanted(name)
}

func (l *lexer) vendorPragma(vendor, arg string, d *directive) {
	word, rest := cutWord(arg)
	clang := l.mode&modeClang != 0
	switch {
	case word == "system_header" && (vendor == "GCC" || clang):
		d.kind = dirSystemHeader
	case word == "poison" && (vendor == "GCC" || clang):
		d.kind, d.aux = dirPoison, l.text32(rest)
	case vendor == "GCC" && (word == "dependency" || word == "pch_preprocess"):
		d.kind, d.aux = dirStop, l.text32("pragma-"+word)
	case vendor == "GCC" && !clang && isOptionsPragma(word):
		d.kind, d.aux = dirOptions, l.text32(word)
	case vendor == "clang" && clang && word == "module":
		d.kind, d.aux = dirStop, l.text32("pragma-module")
	}
}

func isOptionsPragma(word string) bool {
	switch word {
	case "target", "optimize", "push_options", "pop_options", "reset_options":
		return true
	}
	return false
}

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
