package cpp

import (
	"bytes"
	"strings"
	"unsafe"
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
	modeMicrosoft                        // clang-cl's ways where they differ from clang's
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
	pushes  bool      // the text may hold the word push_macro or pop_macro somewhere
	dollars bool      // $ stands somewhere, as a letter
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

// lex returns the unit of src, which it takes over but does not keep: it appends to
// it where there is room. The unit's index and digest are left to the caller.
func lex(src []byte, mode lexMode, syms *symbols) *unit {
	l := &lexer{mode: mode, syms: syms, u: &unit{}, line: 1}
	l.src = l.prepare(src)
	l.whole = unsafe.String(unsafe.SliceData(l.src), len(l.src)) // nothing writes to it any more
	l.asm = bytes.Contains(l.src, []byte(".inc"))
	l.pushes = bytes.Contains(l.src, []byte("_macro"))
	l.dollars = mode&modeDollars != 0 && bytes.IndexByte(l.src, '$') >= 0
	l.run()
	l.seal()
	return l.u
}

// prepare returns src without byte order mark, carriage returns and (where the
// mode has them) trigraphs, with the sentinel that scanning relies on.
func (l *lexer) prepare(src []byte) []byte {
	out := bytes.TrimPrefix(src, []byte("\xef\xbb\xbf"))
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
	if i := bytes.Index(l.src[l.pos:], []byte("*/")); i >= 0 {
		if text := l.src[l.pos : l.pos+i+1]; !bytes.Contains(text, []byte("*\\")) {
			l.line += int32(bytes.Count(text, []byte{'\n'}))
			l.pos += i + 2
			return
		}
	}
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

func isWordByte(c byte) bool {
	return charClass[c] == chLetter || charClass[c] == chDigit
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
