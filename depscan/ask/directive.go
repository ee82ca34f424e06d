package ask

import (
	"bytes"
	"strings"
)

// hash reads a directive, whose "#" (or "%:") is n bytes long. What is not surely
// one, since something stands before it, is read as text besides.
func (l *lexer) hash(n int) {
	first := l.fresh
	l.fresh = false
	l.pos += n
	if l.dialect == asmOnly {
		return
	}
	save := l.pos
	l.blanks()
	name := string(l.ident())
	known := l.includes(name)
	switch {
	case known && first:
		return
	case first:
		known = l.setLine(name)
	case !known:
		l.mayBe(name)
	}
	if !known || !first {
		l.pos = save
	}
}

// includes reads the directives that name files, and pragmas. It reports whether
// name is one of them.
func (l *lexer) includes(name string) bool {
	switch name {
	case "include", "__include_macros":
		l.operand(UseInclude)
	case "import":
		l.out.Imports = true
		l.operand(UseInclude)
	case "include_next":
		l.operand(UseNext)
	case "embed":
		l.operand(UseEmbed)
	case "pragma":
		l.pragma()
	case "line":
		l.lineMarker()
	case "":
		if c := l.at(0); c >= '0' && c <= '9' {
			l.lineMarker()
		}
		return false
	default:
		return false
	}
	return true
}

// mayBe notes what may or may not be a directive. Its line counts as text.
func (l *lexer) mayBe(name string) {
	switch {
	case isConditional(name):
		l.groups.broken = true
	case name == "define" || name == "undef":
		save := l.pos
		l.blanks()
		macro := l.ident()
		l.words.define(macro, nil)
		l.words.undefine(macro)
		l.pos = save
	}
}

// setLine enters the state of the directive's logical line. It reports whether
// name is a directive that has one.
func (l *lexer) setLine(name string) bool {
	switch name {
	case "define":
		l.define()
		return true
	case "if":
		l.candidates()
		l.groups.enter(l.condition())
	case "ifdef", "ifndef":
		l.groups.enter(l.defined(name == "ifndef"))
	case "elif", "elifdef", "elifndef":
		l.candidates()
		l.groups.other(false)
	case "else":
		l.groups.other(true)
	case "endif":
		l.groups.leave()
	case "undef":
		l.blanks()
		l.words.undefine(l.ident())
	default:
		return false
	}
	l.line = lineCondition
	return true
}

// isConditional reports whether a directive begins or ends a group.
func isConditional(name string) bool {
	switch name {
	case "if", "ifdef", "ifndef", "elif", "elifdef", "elifndef", "else", "endif":
		return true
	}
	return false
}

// define reads the name of a macro and enters its body.
func (l *lexer) define() {
	l.blanks()
	name := l.ident()
	if len(name) == 0 {
		return
	}
	l.line, l.macro = lineDefine, name
	l.words.define(name, l.groups.guards)
	save := l.pos
	l.blanks()
	if path, quoted, ok := l.headerName(true); ok {
		l.candidate(Name{Path: path, Quoted: quoted})
		if l.blanks(); l.pos == len(l.text) || l.at(0) == '\n' {
			l.words.literal(name)
			return
		}
	}
	l.pos = save
}

// blanks steps over blanks, splices and comments. An unsure comment is stepped
// over all the same, since what follows is looked at as text as well.
func (l *lexer) blanks() {
	for l.pos < len(l.text) {
		switch c := l.text[l.pos]; {
		case c == ' ' || c == '\t' || c == '\f' || c == '\v' || c == '\r':
			l.pos++
		case c == '\\' && spliceEnd(l.text, l.pos) > 0:
			l.pos = spliceEnd(l.text, l.pos)
		case c == '/' && l.at(1) == '*':
			n := bytes.Index(l.text[l.pos+2:], []byte("*/"))
			if n < 0 {
				return
			}
			l.pos += n + 4
		default:
			return
		}
	}
}

// ident reads an identifier, which may be empty.
func (l *lexer) ident() []byte {
	start := l.pos
	for l.pos < len(l.text) {
		if c := l.classes[l.text[l.pos]]; c != byteWord && (c != byteDigit || l.pos == start) {
			break
		}
		l.pos++
	}
	return l.text[start:l.pos]
}

// operand reads what an #include names.
func (l *lexer) operand(u Use) {
	l.blanks()
	path, quoted, ok := l.headerName(false)
	switch {
	case ok:
		l.add(Name{Path: path, Use: u, Quoted: quoted})
	case l.pos < len(l.text) && l.classes[l.text[l.pos]] == byteWord:
		if u == UseEmbed {
			l.trouble("embed", "")
		}
		l.out.ComputedInclude = true
	}
}

// headerName reads "x.h" or <x.h>. Where strict is set, <…> must have no blanks,
// which a comparison has.
func (l *lexer) headerName(strict bool) (path string, quoted, ok bool) {
	end := byte('>')
	switch l.at(0) {
	case '"':
		end, quoted = '"', true
	case '<':
	default:
		return "", false, false
	}
	rest := l.text[l.pos+1:]
	if n := bytes.IndexByte(rest, '\n'); n >= 0 {
		rest = rest[:n]
	}
	n := bytes.IndexByte(rest, end)
	if n <= 0 || n > maxNameLen || strict && !quoted && bytes.ContainsAny(rest[:n], " \t=&|(") {
		return "", false, false
	}
	l.pos += n + 2
	return string(rest[:n]), quoted, true
}

// maxNameLen is the longest name that can be looked for (PATH_MAX on Linux).
const maxNameLen = 4096

func (l *lexer) add(n Name) {
	n.Late = l.out.SystemHeader
	l.names[n] = struct{}{}
}

func (l *lexer) candidate(n Name) { l.cands[n] = struct{}{} }

func (l *lexer) trouble(reason, arg string) {
	if l.out.Trouble == "" {
		l.out.Trouble, l.out.TroubleArg = reason, arg
	}
}

// candidates collects the literals of a condition, which macros may hand to
// __has_include.
func (l *lexer) candidates() {
	save := l.pos
	defer func() { l.pos = save }()
	for l.pos < len(l.text) {
		switch c := l.text[l.pos]; {
		case c == '\n':
			return
		case c == '\\' && spliceEnd(l.text, l.pos) > 0:
			l.pos = spliceEnd(l.text, l.pos)
		case c == '"' || c == '<':
			if path, quoted, ok := l.headerName(true); ok {
				l.candidate(Name{Path: path, Quoted: quoted})
				continue
			}
			l.pos++
		default:
			l.pos++
		}
	}
}

// probe reads the argument of a __has_include whose name has just been read.
func (l *lexer) probe(u Use) {
	if l.line == lineDefine {
		l.out.ProbeMacro = true
	}
	save := l.pos
	l.blanks()
	if l.at(0) != '(' {
		l.pos = save
		return
	}
	l.pos++
	l.blanks()
	if path, quoted, ok := l.headerName(false); ok {
		l.add(Name{Path: path, Use: u, Quoted: quoted})
		return
	}
	arg := string(l.ident())
	l.blanks()
	if l.at(0) != ')' {
		arg = ""
	}
	if l.line != lineDefine || arg == "" {
		l.out.ComputedProbes = append(l.out.ComputedProbes, arg)
	}
}

// pragma reads the pragmas that matter.
func (l *lexer) pragma() {
	save := l.pos
	l.blanks()
	switch string(l.ident()) {
	case "GCC", "clang":
		l.blanks()
		l.systemPragma(string(l.ident()))
	case "system_header":
		l.out.SystemHeader = true
	case "once":
		l.out.Once = true
	}
	l.pos = save
}

func (l *lexer) systemPragma(name string) {
	switch name {
	case "system_header":
		l.out.SystemHeader = true
	case "dependency":
		// It compares times of change, which no digest holds.
		l.trouble("pragma-dependency", "")
	case "pch_preprocess":
		l.trouble("pch-preprocess", "")
	case "module":
		l.trouble("modules", "")
	}
}

// pragmaOperator looks into the literal of a _Pragma that has just been read.
func (l *lexer) pragmaOperator() {
	rest := l.text[l.pos:]
	if n := bytes.IndexByte(rest, '\n'); n >= 0 {
		rest = rest[:n]
	}
	for _, word := range []string{"dependency", "pch_preprocess"} {
		if bytes.Contains(rest, []byte(word)) {
			l.systemPragma(word)
		}
	}
	l.out.Once = l.out.Once || bytes.Contains(rest, []byte("once"))
	if bytes.Contains(rest, []byte("system_header")) {
		l.out.SystemHeader = true
	}
	// A message is expanded, so that the literal counts as text.
	if id := carriersIn(rest); id != 0 {
		l.carry(id)
	}
}

// lineMarker reads the file name of a #line, whose name has been read, or of a
// line marker.
func (l *lexer) lineMarker() {
	rest := l.text[l.pos:]
	if n := bytes.IndexByte(rest, '\n'); n >= 0 {
		rest = rest[:n]
	}
	start := bytes.IndexByte(rest, '"')
	if start < 0 {
		return
	}
	end, _ := literalEnd(rest, start+1, '"')
	if end <= start+1 {
		return
	}
	if bytes.IndexByte(rest[end:], '3') > 0 {
		l.out.SystemHeader = true // the flag of a line marker
	}
	name := string(rest[start+1 : end])
	if strings.Contains(name, `\`) || len(name) > maxNameLen {
		name = strings.NewReplacer(`\\`, `\`, `\"`, `"`).Replace(name)
	}
	l.addLine(name)
}

func (l *lexer) addLine(name string) {
	if n := len(l.out.Lines); n > 0 && l.out.Lines[n-1] == name || strings.HasPrefix(name, "<") {
		return
	}
	l.out.Lines = append(l.out.Lines, name)
}
