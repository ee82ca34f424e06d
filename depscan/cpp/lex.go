package cpp

import (
	"bytes"
	"strings"
)

// lexMode is a set of the rules that change how bytes become directives.
type lexMode uint16

const (
	modeRawStrings   lexMode = 1 << iota // R"(…)"
	modeSeparators                       // 1'000
	modeTrigraphs                        // ??=
	modeAsm                              // assembler-with-cpp
	modeElifdef                          // #elifdef, #elifndef
	modeClang                            // clang's ways where they differ from gcc's
	modeNamedOps                         // and, or, not, … are operators
	modeTrueFalse                        // true and false have values in #if
	modeDollars                          // $ is a letter
	modeModules                          // import, module and export can begin a directive
	modeEmbed                            // #embed
	modeGNUComma                         // , ## __VA_ARGS__ vanishes for macros with one parameter
	modeUnsignedChar                     // char has no sign
	modeNoTrigraph                       // whether ??= counts is not known: C23 dropped it some day
)

// lexer turns one source text into a unit.
type lexer struct {
	whole string
	src   []byte // whole, ends with "\n\x00\x00\x00\x00"
	pos   int
	line  int32
	mode  lexMode
	syms  *symbols

	arena   []byte
	u       *unit
	late    []lateText // the texts in arena
	open    []openGroup
	pending textFlags // of the text since the last directive
	asm     bool      // the text holds ".incbin" or ".include" somewhere
	pushes  bool      // the text holds the word push_macro or pop_macro somewhere
	stop    string    // first reason why this text cannot be evaluated
}

type span struct{ off, end int32 }

// openGroup is a conditional whose #endif is still to come.
type openGroup struct {
	first, last int32
	elseSeen    bool
	effect      bool
}

const (
	chOther byte = iota
	chNewline
	chBackslash
	chSlash
	chQuote
	chApostrophe
	chLetter
	chDigit
	chDot
	chSpace
)

// charClass is the class of each byte: what the values mean is named above.
const charClass = "" +
	"\011\000\000\000\000\000\000\000\000\011\001\011\011\000\000\000" +
	"\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000" +
	"\011\000\004\000\000\000\000\005\000\000\000\000\000\000\010\003" +
	"\007\007\007\007\007\007\007\007\007\007\000\000\000\000\000\000" +
	"\000\006\006\006\006\006\006\006\006\006\006\006\006\006\006\006" +
	"\006\006\006\006\006\006\006\006\006\006\006\000\002\000\000\006" +
	"\000\006\006\006\006\006\006\006\006\006\006\006\006\006\006\006" +
	"\006\006\006\006\006\006\006\006\006\006\006\000\000\000\000\000" +
	"\006\006\006\006\006\006\006\006\006\006\006\006\006\006\006\006" +
	"\006\006\006\006\006\006\006\006\006\006\006\006\006\006\006\006" +
	"\006\006\006\006\006\006\006\006\006\006\006\006\006\006\006\006" +
	"\006\006\006\006\006\006\006\006\006\006\006\006\006\006\006\006" +
	"\006\006\006\006\006\006\006\006\006\006\006\006\006\006\006\006" +
	"\006\006\006\006\006\006\006\006\006\006\006\006\006\006\006\006" +
	"\006\006\006\006\006\006\006\006\006\006\006\006\006\006\006\006" +
	"\006\006\006\006\006\006\006\006\006\006\006\006\006\006\006\006"

// lex returns the unit of src, which it does not keep. The unit's index and
// digest are left to the caller.
func lex(src []byte, mode lexMode, syms *symbols) *unit {
	l := &lexer{mode: mode, syms: syms, u: &unit{}, line: 1}
	l.src = l.prepare(src)
	l.whole = string(l.src)
	l.asm = bytes.Contains(l.src, []byte(".inc"))
	l.pushes = bytes.Contains(l.src, []byte("push_macro")) || bytes.Contains(l.src, []byte("pop_macro"))
	l.run()
	l.seal()
	return l.u
}

// prepare returns src without byte order mark, carriage returns and (where the
// mode has them) trigraphs, with the sentinel that scanning relies on.
func (l *lexer) prepare(src []byte) []byte {
	src = bytes.TrimPrefix(src, []byte("\xef\xbb\xbf"))
	out := make([]byte, len(src), len(src)+8)
	copy(out, src)
	if bytes.IndexByte(out, '\r') >= 0 {
		out = bytes.ReplaceAll(out, []byte("\r\n"), []byte("\n"))
		if bytes.IndexByte(out, '\r') >= 0 {
			l.stop = "carriage-return"
		}
	}
	if l.mode&modeTrigraphs != 0 && bytes.Contains(out, []byte("??")) {
		if l.mode&modeNoTrigraph != 0 {
			l.stop = "trigraph"
		}
		out = replaceTrigraphs(out)
	}
	return append(out, '\n', '\n', 0, 0, 0, 0)
}

func replaceTrigraphs(in []byte) []byte {
	const from, to = "=/'()!<>-", "#\\^[]|{}~"
	out := in[:0]
	for i := 0; i < len(in); i++ {
		if in[i] == '?' && i+2 < len(in) && in[i+1] == '?' {
			if k := strings.IndexByte(from, in[i+2]); k >= 0 {
				out = append(out, to[k])
				i += 2
				continue
			}
		}
		out = append(out, in[i])
	}
	return out
}

func (l *lexer) atEnd() bool { return l.pos >= len(l.src)-4 }

func (l *lexer) run() {
	for !l.atEnd() {
		if l.lineStart() {
			l.directive()
		} else {
			l.text()
		}
	}
	l.flushText()
	if len(l.open) > 0 {
		l.fail("unbalanced-conditional")
	}
	if l.stop != "" {
		l.u.dirs = append([]directive{}, directive{kind: dirStop, aux: l.text32(l.stop)})
	}
	l.emit(directive{kind: dirEnd, line: l.line})
}

// fail gives the whole text up.
func (l *lexer) fail(reason string) {
	if l.stop == "" {
		l.stop = reason
	}
}

// splice returns the position after a backslash, blanks and newline at p, or
// 0.
func (l *lexer) splice(p int) int {
	if l.src[p] != '\\' {
		return 0
	}
	for p++; l.src[p] == ' ' || l.src[p] == '\t' || l.src[p] == '\v' || l.src[p] == '\f'; p++ {
	}
	if l.src[p] == '\n' && p < len(l.src)-5 {
		return p + 1
	}
	return 0
}

// afterSplices skips splices at p without counting lines.
func (l *lexer) afterSplices(p int) int {
	for {
		n := l.splice(p)
		if n == 0 {
			return p
		}
		p = n
	}
}

// lineStart skips blanks and comments and reports whether a directive begins;
// pos is then after its '#'.
func (l *lexer) lineStart() bool {
	for {
		c := l.src[l.pos]
		switch {
		case c == ' ' || c == '\t' || c == '\v' || c == '\f' || c == 0 && !l.atEnd():
			l.pos++
		case c == '\\' && l.splice(l.pos) > 0:
			l.pos = l.splice(l.pos)
			l.line++
		case c == '/' && l.commentAt(l.pos) != 0:
			l.skipComment()
		case c == '#':
			l.pos++
			return true
		case c == '%' && l.src[l.afterSplices(l.pos+1)] == ':':
			l.pos = l.afterSplices(l.pos+1) + 1
			return true
		default:
			return false
		}
	}
}

// commentAt returns '*' or '/' when a comment begins at the slash at p.
func (l *lexer) commentAt(p int) byte {
	n := p + 1
	if l.src[n] == '\\' {
		n = l.afterSplices(n)
	}
	if c := l.src[n]; c == '*' || c == '/' {
		return c
	}
	return 0
}

// skipComment skips the comment at pos, counting its lines. A line comment's
// newline is left.
func (l *lexer) skipComment() {
	kind := l.commentAt(l.pos)
	for l.pos++; l.src[l.pos] == '\\'; l.pos = l.splice(l.pos) {
		l.line++
	}
	l.pos++
	if kind == '*' {
		l.skipBlock()
		return
	}
	for {
		i := bytes.IndexByte(l.src[l.pos:], '\n')
		end := l.pos + i
		back := end
		for back > l.pos && isBlank(l.src[back-1]) {
			back--
		}
		if back > l.pos && l.src[back-1] == '\\' && l.splice(back-1) > 0 {
			l.line++
			l.pos = end + 1
			continue
		}
		l.pos = end
		return
	}
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\v' || c == '\f' }

func (l *lexer) skipBlock() {
	for {
		i := bytes.IndexByte(l.src[l.pos:len(l.src)-4], '*')
		if i < 0 {
			l.pos = len(l.src) - 4
			l.fail("unterminated-comment")
			return
		}
		l.line += int32(bytes.Count(l.src[l.pos:l.pos+i], []byte{'\n'}))
		l.pos += i + 1
		for n := l.splice(l.pos); n > 0; n = l.splice(l.pos) {
			l.pos = n
			l.line++
		}
		if l.src[l.pos] == '/' {
			l.pos++
			return
		}
	}
}

// text scans one line of text, and more where a token spans lines.
func (l *lexer) text() {
	first := true
	for !l.atEnd() {
		c := l.src[l.pos]
		switch charClass[c] {
		case chNewline:
			l.line++
			l.pos++
			return
		case chLetter:
			l.word(first)
		case chDigit:
			l.number()
		case chDot:
			if charClass[l.src[l.pos+1]] == chDigit {
				l.number()
			} else {
				l.dot()
			}
		case chQuote, chApostrophe:
			l.quoted(c)
		case chSlash:
			if l.commentAt(l.pos) != 0 {
				l.skipComment()
				continue
			}
			l.pos++
		case chBackslash:
			l.backslash()
		default:
			l.pos++
			if c == '$' && l.mode&modeDollars != 0 {
				l.word(false)
			}
		}
		first = false
	}
}

// backslash skips a splice or a lone backslash. A splice inside a word hides
// the word, which then counts as each that matters.
func (l *lexer) backslash() {
	n := l.splice(l.pos)
	if n == 0 {
		l.pos++
		return
	}
	if l.pos > 0 && charClass[l.src[l.pos-1]] == chLetter && charClass[l.src[n]] == chLetter {
		l.pending |= textIdentifiers | textPragma | textPushMacro
	}
	l.pos = n
	l.line++
}

func (l *lexer) wordEnd(p int) int {
	for {
		switch charClass[l.src[p]] {
		case chLetter, chDigit:
			p++
		default:
			if l.src[p] == '$' && l.mode&modeDollars != 0 {
				p++
				continue
			}
			return p
		}
	}
}

// word scans an identifier and what it prefixes.
func (l *lexer) word(first bool) {
	start := l.pos
	l.pos = l.wordEnd(start)
	w := l.src[start:l.pos]
	switch {
	case len(w) > 24:
	case w[0] == '_':
		l.underscored(w)
	case w[0] == 'p':
		if s := string(w); s == "push_macro" || s == "pop_macro" {
			l.pending |= textPushMacro
		}
	case l.src[l.pos] == '"' && l.mode&modeRawStrings != 0 && isRawPrefix(w):
		l.rawString()
	case first && l.mode&modeModules != 0:
		if s := string(w); s == "import" || s == "module" || s == "export" {
			l.pending |= textModule
		}
	}
}

func isRawPrefix(w []byte) bool {
	switch string(w) {
	case "R", "LR", "uR", "UR", "u8R":
		return true
	}
	return false
}

// wordFlags returns what the appearance of the identifier w can bring about.
func wordFlags(w []byte) textFlags {
	switch string(w) {
	case "__FILE__", "__builtin_FILE", "__builtin_source_location", "__FILE_NAME__":
		return textFile
	case "__BASE_FILE__":
		return textBaseFile
	case "__DATE__":
		return textDate
	case "__TIME__":
		return textTime
	case "__TIMESTAMP__":
		return textTimestamp
	case "__COUNTER__":
		return textCounter
	case "push_macro", "pop_macro":
		return textPushMacro
	}
	return 0
}

func (l *lexer) underscored(w []byte) {
	if string(w) == "_Pragma" {
		l.pending |= pragmaFlags(l.src[l.pos:])
		return
	}
	l.pending |= wordFlags(w)
}

// pragmaFlags judges what follows the word _Pragma.
func pragmaFlags(rest []byte) textFlags {
	rest = bytes.TrimLeft(rest, " \t")
	if len(rest) == 0 || rest[0] != '(' {
		return textPragma
	}
	rest = bytes.TrimLeft(rest[1:], " \tLuU8")
	if len(rest) == 0 || rest[0] != '"' {
		return 0 // a parameter, stringified: the words of its argument are in the text
	}
	return pragmaText(rest[1:])
}

// pragmaText judges the text of a pragma.
func pragmaText(s []byte) textFlags {
	word, rest := pragmaWord(s)
	switch word {
	case "once", "push_macro", "pop_macro", "include_alias", "hdrstop":
		return textPragma
	case "GCC":
		switch sub, _ := pragmaWord(rest); sub {
		case "system_header", "poison", "dependency", "pch_preprocess":
			return textPragma
		}
	case "clang":
		switch sub, _ := pragmaWord(rest); sub {
		case "system_header", "module", "poison":
			return textPragma
		}
	}
	return 0
}

func pragmaWord(s []byte) (string, []byte) {
	s = bytes.TrimLeft(s, " \t")
	n := 0
	for n < len(s) && (charClass[s[n]] == chLetter || charClass[s[n]] == chDigit) {
		n++
	}
	return string(s[:n]), s[n:]
}

// rawString scans the raw string whose quote is at pos.
func (l *lexer) rawString() {
	end := rawStringEnd(l.src, l.pos)
	if end < 0 {
		l.quoted('"')
		return
	}
	l.line += int32(bytes.Count(l.src[l.pos:end], []byte{'\n'}))
	l.pos = end
}

// rawStringEnd returns the end of the raw string whose quote is at p, or -1.
func rawStringEnd(src []byte, p int) int {
	open := p + 1
	for ; src[open] != '('; open++ {
		if c := src[open]; open-p > 17 || c == ')' || c == '\\' || c == '"' || c == '\n' || isBlank(c) {
			return -1
		}
	}
	closing := ")" + string(src[p+1:open]) + "\""
	i := bytes.Index(src[open:], []byte(closing))
	if i < 0 {
		return -1
	}
	return open + i + len(closing)
}

// number scans a preprocessing number.
func (l *lexer) number() { l.pos = numberEnd(l.src, l.pos, l.mode) }

func numberEnd(src []byte, p int, mode lexMode) int {
	for p++; ; p++ {
		c := src[p]
		switch charClass[c] {
		case chLetter, chDigit, chDot:
			continue
		}
		switch {
		case (c == '+' || c == '-') && isExponent(src[p-1], mode):
		case c == '\'' && mode&modeSeparators != 0 && isWordByte(src[p+1]):
		default:
			return p
		}
	}
}

func isWordByte(c byte) bool {
	return charClass[c] == chLetter || charClass[c] == chDigit
}

// isExponent reports whether a sign after c continues a number. p exponents
// exist wherever hexadecimal floats do, which is everywhere but in C++98 and
// C90; there the difference shows in no #if that compiles.
func isExponent(c byte, _ lexMode) bool {
	return c == 'e' || c == 'E' || c == 'p' || c == 'P'
}

// dot scans a dot and, in text that can hold one, the assembler directive that
// it begins.
func (l *lexer) dot() {
	l.pos++
	if !l.asm || l.mode&modeAsm == 0 {
		return
	}
	end := l.wordEnd(l.pos)
	switch string(l.src[l.pos:end]) {
	case "include":
		l.flushText()
		l.emit(directive{kind: dirStop, line: l.line, aux: l.text32("asm-include")})
	case "incbin":
		l.pos = end
		l.incbin(l.src[end:])
	}
}

// incbin notes the operand of an .incbin directive that stands at the head of
// rest.
func (l *lexer) incbin(rest []byte) {
	l.flushText()
	rest = bytes.TrimLeft(rest, " \t")
	rest = bytes.TrimPrefix(rest, []byte("\\"))
	if len(rest) > 0 && rest[0] == '"' {
		if n := bytes.IndexAny(rest[1:], "\"\\\n"); n > 0 && rest[1+n] != '\n' {
			l.emit(directive{kind: dirIncbin, line: l.line, aux: l.text32(string(rest[1 : 1+n]))})
			return
		}
	}
	l.emit(directive{kind: dirStop, line: l.line, aux: l.text32("incbin")})
}

// quoted scans a string or character literal. An unterminated one ends with
// its line, as in both compilers.
func (l *lexer) quoted(quote byte) {
	start := l.pos
	for l.pos++; ; l.pos++ {
		switch l.src[l.pos] {
		case quote:
			l.pos++
			if (l.asm || l.pushes) && quote == '"' {
				l.asmString(l.src[start:l.pos])
			}
			return
		case '\n':
			return
		case '\\':
			if n := l.splice(l.pos); n > 0 {
				l.line++
				l.pos = n - 1
			} else if l.src[l.pos+1] != '\n' {
				l.pos++
			}
		}
	}
}

// asmString looks in a string for assembler directives that read files, and for
// pragmas that change macros.
func (l *lexer) asmString(s []byte) {
	if l.pushes {
		l.pending |= stringFlags(s)
	}
	if _, after, ok := bytes.Cut(s, []byte(".incbin")); ok {
		l.incbin(after)
	}
	if l.mode&modeAsm == 0 && bytes.Contains(s, []byte(".include")) {
		l.flushText()
		l.emit(directive{kind: dirStop, line: l.line, aux: l.text32("asm-include")})
	}
}

func stringFlags(s []byte) textFlags {
	if bytes.Contains(s, []byte("push_macro")) || bytes.Contains(s, []byte("pop_macro")) {
		return textPushMacro
	}
	return 0
}

func (l *lexer) flushText() {
	if l.pending == 0 {
		return
	}
	flags := l.pending
	l.pending = 0
	l.emit(directive{kind: dirText, flags: flags, line: l.line})
}

// emit appends d and marks the group it stands in where it has an effect.
func (l *lexer) emit(d directive) int32 {
	l.u.dirs = append(l.u.dirs, d)
	if d.kind < dirIf || d.kind > dirEndif {
		if n := len(l.open); n > 0 {
			l.open[n-1].effect = true
		}
	}
	return int32(len(l.u.dirs) - 1)
}

// text32 stores s and returns its index in the unit's strings.
func (l *lexer) text32(s string) int32 {
	l.u.strings = append(l.u.strings, s)
	return int32(len(l.u.strings) - 1)
}
