package cpp

import "bytes"

// textStops marks the bytes that end what text passes over.
const textStops = "" +
	"\000\000\000\000\000\000\000\000\000\000\001\000\000\000\000\000" +
	"\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000" +
	"\000\000\001\000\000\000\000\001\000\000\000\000\000\000\000\001" +
	"\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000" +
	"\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000" +
	"\000\000\000\000\000\000\000\000\000\000\000\000\001\000\000\001" +
	"\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000" +
	"\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000" +
	"\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000" +
	"\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000" +
	"\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000" +
	"\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000" +
	"\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000" +
	"\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000" +
	"\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000" +
	"\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000"

// text scans one line of text, and more where a token spans lines. Of words only
// those that begin with an underscore matter, and a module's first one.
func (l *lexer) text() {
	if l.asm || l.pushes || l.dollars {
		l.closeText()
		return
	}
	if l.mode&modeModules != 0 && charClass[l.src[l.pos]] == chLetter {
		l.word(true)
	}
	start := l.pos // behind the last literal or comment
	for !l.atEnd() {
		p := l.pos
		for textStops[l.src[p]] == 0 {
			p++
		}
		l.pos = p
		switch c := l.src[p]; {
		case c == '\n':
			l.line++
			l.pos++
			return
		case c == '_':
			l.underscore()
			continue
		case c == '\\':
			l.backslash()
			continue
		case c == '/' && l.commentAt(p) != 0:
			l.skipComment()
		case c == '/' || c == '\'' && l.separates(start):
			l.pos++
			continue
		case c == '"' && l.mode&modeRawStrings != 0 && endsInRawPrefix(l.src[start:p]):
			l.rawString()
		default:
			l.quoted(c)
		}
		start = l.pos
	}
}

// underscore scans the word that begins at pos, or the rest of one that began
// before and so is none that matters.
func (l *lexer) underscore() {
	start := l.pos
	inside := start > 0 && isWordByte(l.src[start-1])
	l.pos = l.wordEnd(start)
	if !inside && l.pos-start <= longestMark {
		l.underscored(l.src[start:l.pos])
	}
}

// separates reports whether the apostrophe at pos stands in a number that begins
// behind start.
func (l *lexer) separates(start int) bool {
	if l.mode&modeSeparators == 0 || !isWordByte(l.src[l.pos+1]) {
		return false
	}
	return endsInNumber(l.src[start:l.pos])
}

// closeText is text for sources in which more words matter.
func (l *lexer) closeText() {
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
			if c == '$' && l.mode&modeDollars != 0 {
				l.word(first)
			} else {
				l.pos++
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

// longestMark is the length of the longest identifier that wordFlags knows.
const longestMark = len("__builtin_source_location")

// word scans an identifier and what it prefixes.
func (l *lexer) word(first bool) {
	start := l.pos
	l.pos = l.wordEnd(start)
	w := l.src[start:l.pos]
	switch {
	case len(w) > longestMark:
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
	case "__FILE__", "__builtin_FILE", "__builtin_source_location", "__FILE_NAME__", "__builtin_FILE_NAME":
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
	case "__PRETTY_FUNCTION__", "__FUNCSIG__", "__LFUNCSIG__", "__builtin_FUNCSIG", assertFunction:
		return textSignature
	case "push_macro", "pop_macro":
		return textPushMacro
	}
	return 0
}

func (l *lexer) underscored(w []byte) {
	switch {
	case string(w) == "_Pragma":
		l.pending |= l.pragmaFlags(l.src[l.pos:])
		return
	case string(w) == "__pragma" && l.mode&modeMicrosoft != 0:
		l.pending |= l.wordsFlags(l.src[l.pos:])
		return
	}
	l.pending |= wordFlags(w) | headFlags(w, l.whole[l.pos:], l.mode)
}

// pragmaFlags judges what follows the word _Pragma.
func (l *lexer) pragmaFlags(rest []byte) textFlags {
	rest = bytes.TrimLeft(rest, " \t")
	if len(rest) == 0 || rest[0] != '(' {
		return textPragma
	}
	rest = bytes.TrimLeft(rest[1:], " \tLuU8")
	if len(rest) == 0 || rest[0] != '"' {
		return 0 // a parameter, stringified: the words of its argument are in the text
	}
	return l.pragmaText(rest[1:])
}

// wordsFlags judges what follows the word __pragma.
func (l *lexer) wordsFlags(rest []byte) textFlags {
	rest = bytes.TrimLeft(rest, " \t")
	if len(rest) == 0 || rest[0] != '(' {
		return textPragma
	}
	return l.pragmaText(rest[1:])
}

// pragmaText judges the text of a pragma.
func (l *lexer) pragmaText(s []byte) textFlags {
	word, rest := pragmaWord(s)
	switch word {
	case "once", "push_macro", "pop_macro", "include_alias", "hdrstop":
		return textPragma
	case "GCC":
		switch sub, _ := pragmaWord(rest); sub {
		case "system_header", "poison", "dependency", "pch_preprocess":
			return textPragma
		case "diagnostic":
			return l.diagnosticFlags(rest)
		}
	case "clang":
		switch sub, _ := pragmaWord(rest); sub {
		case "system_header", "module", "poison":
			return textPragma
		case "diagnostic":
			return l.diagnosticFlags(rest)
		}
	}
	return 0
}

// diagnosticFlags judges a diagnostic pragma.
func (l *lexer) diagnosticFlags(text []byte) textFlags {
	if l.mode&modeMicrosoft != 0 && namesSearchWarning(text) {
		return textPragma
	}
	return 0
}

// namesSearchWarning reports whether the rest of a pragma's line names a warning that
// microsoftSwitches tell of.
func namesSearchWarning(line []byte) bool {
	line, _, _ = bytes.Cut(line, []byte{'\n'})
	return bytes.Contains(line, []byte("-Wmicrosoft")) || bytes.Contains(line, []byte("-Weverything")) || bytes.Contains(line, []byte("-Wsystem-headers"))
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
