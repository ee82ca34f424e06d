package cpp

import "strings"

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
	if d.flags = l.bodyFlags(body); d.flags&textSignature != 0 {
		d.flags = l.assertionFlags(body, d.flags)
	}
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
	f |= pastedFlags(body)
	if l.asm && (strings.Contains(body, ".incbin") || strings.Contains(body, ".include")) {
		f |= textIncbin
	}
	return f
}

// assertFunction is glibc's name for what assert says of the function that it stands in.
const assertFunction = "__ASSERT_FUNCTION"

// assertionFlags returns f, of the body of a macro, for a body in which the signature
// stands only where glibc's assert and libstdc++'s have it: as an argument of a function
// that prints it and does not return.
func (l *lexer) assertionFlags(body string, f textFlags) textFlags {
	body = strings.Join(strings.Fields(body), " ")
	if body != "__extension__ __PRETTY_FUNCTION__" {
		for _, call := range []string{
			"__assert_fail (#expr, __FILE__, __LINE__, __ASSERT_FUNCTION)",
			"__assert_fail (#expr, __ASSERT_FILE, __ASSERT_LINE, __ASSERT_FUNCTION)",
			"__assert_perror_fail ((errnum), __FILE__, __LINE__, __ASSERT_FUNCTION)",
			"__assert_perror_fail ((errnum), __ASSERT_FILE, __ASSERT_LINE, __ASSERT_FUNCTION)",
			"std::__glibcxx_assert_fail(__FILE__, __LINE__, __PRETTY_FUNCTION__, #_Condition)",
			"std::__replacement_assert(__FILE__, __LINE__, __PRETTY_FUNCTION__, #_Condition)",
		} {
			body = strings.ReplaceAll(body, call, " 0 ")
		}
		if l.bodyFlags(body)&textSignature != 0 {
			return f
		}
	}
	return f&^textSignature | textAssertion
}

func (l *lexer) bodyWord(body string, i, n int) textFlags {
	if body[i] != '_' && body[i] != 'p' {
		return 0
	}
	w := []byte(body[i:n])
	switch {
	case string(w) == "_Pragma":
		return l.pragmaFlags(append([]byte(body[n:]), '\n'))
	case string(w) == "__pragma" && l.mode&modeMicrosoft != 0:
		return l.wordsFlags(append([]byte(body[n:]), '\n'))
	}
	return wordFlags(w) | headFlags(w, body[n:], l.mode)
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
		d.kind, d.aux = dirPoison, l.text32(strings.Clone(rest))
	case word == "diagnostic" && l.mode&modeMicrosoft != 0 && namesSearchWarning([]byte(rest)):
		d.kind, d.aux = dirStop, l.text32("pragma-diagnostic")
	case vendor == "GCC" && (word == "dependency" || word == "pch_preprocess"):
		d.kind, d.aux = dirStop, l.text32("pragma-"+word)
	case vendor == "GCC" && !clang && isOptionsPragma(word):
		d.kind, d.aux = dirOptions, l.text32(strings.Clone(word))
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
