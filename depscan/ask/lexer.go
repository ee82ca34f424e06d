package ask

import (
	"bytes"
	"cmp"
	"slices"
	"strings"

	"github.com/rexwrap/rexwrap/depscan"
)

// A dialect says how much of a file's text may be skipped.
type dialect uint8

const (
	// cText has comments, strings and directives.
	cText dialect = iota
	// plainText is cText in which nothing is skipped, for where comments
	// and strings may begin and end elsewhere: C90, raw strings.
	plainText
	// asmText goes to the preprocessor and to the assembler.
	asmText
	// asmOnly goes to the assembler alone.
	asmOnly
)

// scanText reads what text mentions. It makes one pass, or two where lines are
// spliced within words or trigraphs occur.
func scanText(text []byte, d dialect) *Text {
	if d == cText && bytes.Contains(text, []byte(`R"`)) {
		d = plainText
	}
	l := newLexer(d)
	l.scan(text)
	if l.odd && d == cText {
		l = newLexer(plainText)
		l.scan(text)
	}
	if bytes.Contains(text, []byte("??")) {
		l.again(withoutTrigraphs(text))
	}
	if spliced := unsplice(text); spliced != nil {
		l.again(spliced)
	}
	return l.finish()
}

// withoutTrigraphs returns text with the trigraphs replaced of which directives,
// literals and splices are made.
func withoutTrigraphs(text []byte) []byte {
	const from, to = "=/'()!<>-", "#\\^[]|{}~"
	out := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c == '?' && i+2 < len(text) && text[i+1] == '?' {
			if j := strings.IndexByte(from, text[i+2]); j >= 0 {
				c = to[j]
				i += 2
			}
		}
		out = append(out, c)
	}
	return out
}

// unsplice returns text without its line splices if one of them may stand within
// a word, nil otherwise. Blanks between the backslash and the end of the line are
// allowed, as compilers allow them.
func unsplice(text []byte) []byte {
	within := false
	for i := 0; !within; i++ {
		n := bytes.IndexByte(text[i:], '\\')
		if n < 0 {
			return nil
		}
		i += n
		if end := spliceEnd(text, i); end > 0 && end < len(text) && i > 0 {
			within = !isBlank(text[i-1]) && !isBlank(text[end])
		}
	}
	out := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		if end := spliceEnd(text, i); end > 0 {
			i = end - 1
			continue
		}
		out = append(out, text[i])
	}
	return out
}

// spliceEnd returns the index behind the line splice that begins at i, 0 where
// none does.
func spliceEnd(text []byte, i int) int {
	if text[i] != '\\' {
		return 0
	}
	for j := i + 1; j < len(text); j++ {
		switch text[j] {
		case '\n':
			return j + 1
		case ' ', '\t', '\r', '\f', '\v':
		default:
			return 0
		}
	}
	return 0
}

func isBlank(c byte) bool {
	return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v' || c == '\n'
}

// Classes of bytes, for the lexer's main loop.
const (
	byteOther uint8 = iota
	byteWord        // begins an identifier
	byteDigit
	byteSpecial // decided one by one
)

// A classTable maps bytes to classes.
type classTable [256]uint8

func newClassTable() *classTable {
	t := &classTable{}
	for c := range 256 {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '_', c == '$', c >= 0x80:
			t[c] = byteWord
		case c >= '0' && c <= '9':
			t[c] = byteDigit
		case strings.IndexByte("/\"'#%\n\\.", byte(c)) >= 0:
			t[c] = byteSpecial
		}
	}
	return t
}

// A line says what kind of logical line the lexer is in.
type line uint8

const (
	lineText      line = iota
	lineDefine         // the body of a macro definition
	lineCondition      // #if and its like, #undef
)

// A lexer collects what a text mentions. The words of several scans add up.
type lexer struct {
	classes *classTable
	macros  []string
	dialect dialect
	out     Text
	names   map[Name]struct{}
	cands   map[Name]struct{}
	words   wordSet

	text []byte
	pos  int
	// line is the state of the logical line, fresh that nothing but blanks
	// and comments stands on it so far, quoted that a quote stands on it
	// which may or may not begin a literal.
	line          line
	fresh, quoted bool
	// macro is the name being defined on a lineDefine.
	macro []byte
	// odd is set when a string goes on in the next line.
	odd    bool
	groups groups
}

func newLexer(d dialect) *lexer {
	return &lexer{classes: newClassTable(), macros: pathAndTimeMacros(), dialect: d, names: map[Name]struct{}{}, cands: map[Name]struct{}{}}
}

func (l *lexer) scan(text []byte) {
	l.text, l.pos = text, 0
	l.endLine()
	for l.pos < len(l.text) {
		switch c := l.text[l.pos]; l.classes[c] {
		case byteWord:
			l.word()
		case byteDigit:
			l.fresh = false
			l.number()
		case byteSpecial:
			l.special(c)
		default:
			l.fresh = l.fresh && isBlank(c)
			l.pos++
		}
	}
}

// again scans text, another form of what was scanned before. Its groups are not
// known.
func (l *lexer) again(text []byte) {
	l.groups.broken = true
	l.scan(text)
}

// finish returns the collected Text.
func (l *lexer) finish() *Text {
	if l.groups.broken || len(l.groups.levels) > 0 || !l.skips() {
		l.words.unguard()
	}
	out := l.out
	out.Names = sortedNames(l.names)
	out.Candidates = sortedNames(l.cands)
	out.words = l.words.freeze()
	return &out
}

func sortedNames(set map[Name]struct{}) []Name {
	if len(set) == 0 {
		return nil
	}
	out := make([]Name, 0, len(set))
	for n := range set {
		out = append(out, n)
	}
	slices.SortFunc(out, func(a, b Name) int {
		return cmp.Or(strings.Compare(a.Path, b.Path), cmp.Compare(a.Use, b.Use))
	})
	return out
}

// skips reports whether comments and strings can be told from the rest here.
func (l *lexer) skips() bool { return l.dialect == cText }

func (l *lexer) special(c byte) {
	switch c {
	case '\n':
		l.pos++
		l.endLine()
		return
	case '\\':
		if end := spliceEnd(l.text, l.pos); end > 0 {
			l.pos = end
		} else {
			l.pos++
			l.fresh = false
		}
		return
	case '/':
		if l.comment() {
			return
		}
	case '"', '\'':
		l.quote(c)
		return
	case '#':
		l.hash(1)
		return
	case '%':
		if l.at(1) == ':' {
			l.hash(2)
			return
		}
	case '.':
		l.fresh = false
		l.dot()
		return
	}
	l.pos++
	l.fresh = false
}

// at returns the byte n bytes ahead, 0 behind the end.
func (l *lexer) at(n int) byte {
	if l.pos+n < len(l.text) {
		return l.text[l.pos+n]
	}
	return 0
}

func (l *lexer) endLine() {
	l.line, l.fresh, l.quoted = lineText, true, false
}

// comment skips a comment. It reports false, having done nothing, where none
// begins or where its end is uncertain.
func (l *lexer) comment() bool {
	if !l.skips() || l.at(1) != '*' && l.at(1) != '/' {
		return false
	}
	if l.quoted {
		l.groups.broken = true // directives may stand in the comment
		return false
	}
	switch l.at(1) {
	case '*':
		n := bytes.Index(l.text[l.pos+2:], []byte("*/"))
		if n < 0 {
			return false
		}
		l.pos += 2 + n + 2
		return true
	case '/':
		n := bytes.IndexByte(l.text[l.pos:], '\n')
		if n < 0 {
			n = len(l.text) - l.pos
		}
		// A comment that ends in a splice goes on in the next line, which
		// is taken for text.
		if line := bytes.TrimRight(l.text[l.pos:l.pos+n], " \t\r\f\v"); bytes.HasSuffix(line, []byte{'\\'}) {
			l.groups.broken = true
		}
		l.pos += n
		return true
	}
	return false
}

// quote steps over a string or character literal that ends in its line.
func (l *lexer) quote(c byte) {
	l.fresh = false
	l.pos++
	if !l.skips() {
		return
	}
	end, splice := literalEnd(l.text, l.pos, c)
	if end >= 0 && (c == '"' || end-l.pos <= maxCharLiteral) {
		l.literal(end)
		return
	}
	l.quoted = true
	l.odd = l.odd || splice
}

// maxCharLiteral is the length of the longest character literal that is taken
// for one, '\U0010FFFF'; what is longer may be two apostrophes in an #error.
const maxCharLiteral = 10

// literalEnd returns the index of the closing quote of the literal whose text
// begins at pos, -1 where the line ends first. splice is set when it ends in a
// line splice.
func literalEnd(text []byte, pos int, quote byte) (end int, splice bool) {
	for i := pos; i < len(text); i++ {
		switch text[i] {
		case quote:
			return i, false
		case '\n':
			return -1, false
		case '\\':
			if spliceEnd(text, i) > 0 {
				return -1, true
			}
			i++
		}
	}
	return -1, false
}

// literal looks into a literal that ends at end for what the assembler or
// _Pragma would do with it.
func (l *lexer) literal(end int) {
	for l.pos < end {
		n := bytes.IndexByte(l.text[l.pos:end], '.')
		if n < 0 {
			break
		}
		l.pos += n
		if !l.asmDirective(end) {
			l.pos++
		}
	}
	l.pos = max(l.pos, end+1)
}

// number steps over a preprocessing number, digit separators included.
func (l *lexer) number() {
	start := l.pos
	for l.pos++; l.pos < len(l.text); l.pos++ {
		c := l.text[l.pos]
		cl := l.classes[c]
		if cl == byteWord || cl == byteDigit || c == '.' || c == '\'' && l.isSeparator() {
			continue
		}
		if (c == '+' || c == '-') && strings.IndexByte("eEpP", l.text[l.pos-1]) >= 0 && l.pos-1 > start {
			continue
		}
		return
	}
}

// isSeparator reports whether the apostrophe at pos separates digits.
func (l *lexer) isSeparator() bool {
	c := l.classes[l.at(1)]
	return (c == byteDigit || c == byteWord) && l.skips()
}

// word reads an identifier.
func (l *lexer) word() {
	text, start, h := l.text, l.pos, hashStart
	i := start
	for ; i < len(text); i++ {
		c := text[i]
		if k := l.classes[c]; k != byteWord && k != byteDigit {
			break
		}
		h = hashStep(h, c)
	}
	l.pos, l.fresh = i, false
	w := text[start:i]
	if w[0] == '_' {
		l.reserved(w)
	}
	switch l.line {
	case lineText:
		l.words.text(h)
	case lineDefine:
		l.words.body(h, l.part(start, i), l.groups.guards)
	}
}

// reserved looks at an identifier that begins with "_".
func (l *lexer) reserved(w []byte) {
	switch {
	case len(w) == 1 || len(w) == 2 && w[1] == '_' || len(w) < len("__TIMESTAMP__") && w[1] == '_' && w[2] <= 'Z':
		l.piece(w)
	case string(w) == "_Pragma":
		l.pragmaOperator()
	}
	if len(w) < len("__FILE__") || w[1] != '_' {
		return
	}
	if id := carrier(w); id != 0 {
		l.carry(id)
	} else if u, ok := probeOf(w); ok {
		l.probe(u)
	}
}

// part says where in a macro's body the word between start and end stands.
func (l *lexer) part(start, end int) uint32 {
	for start > 0 && isBlank(l.text[start-1]) {
		start--
	}
	for end < len(l.text) && isBlank(l.text[end]) {
		end++
	}
	before := start > 1 && l.text[start-1] == '#' && l.text[start-2] == '#'
	behind := end+1 < len(l.text) && l.text[end] == '#' && l.text[end+1] == '#'
	if behind && !before {
		return atHead
	}
	return inBody
}

// carry notes that the line mentions id.
func (l *lexer) carry(id depscan.Identifiers) {
	switch l.line {
	case lineText:
		l.out.Identifiers |= id
	case lineDefine:
		l.out.Defined |= id
		l.words.carrier(id)
	}
}

// pathAndTimeMacros returns the identifiers that "##" might make.
func pathAndTimeMacros() []string {
	return []string{"__FILE__", "__BASE_FILE__", "__DATE__", "__TIME__", "__TIMESTAMP__"}
}

// piece notes a word with which one of these begins.
func (l *lexer) piece(w []byte) {
	for _, name := range l.macros {
		if len(w) < len(name) && name[:len(w)] == string(w) {
			l.out.Heads |= carrier([]byte(name))
		}
	}
}

// carrier returns the identifier that w is, 0 where it is none that matters.
func carrier(w []byte) depscan.Identifiers {
	switch string(w) {
	case "__FILE__", "__FILE_NAME__", "__builtin_FILE", "__builtin_FILE_NAME", "__builtin_source_location":
		return depscan.IdentFile
	case "__BASE_FILE__":
		return depscan.IdentBaseFile
	case "__DATE__":
		return depscan.IdentDate
	case "__TIME__":
		return depscan.IdentTime
	case "__TIMESTAMP__":
		return depscan.IdentTimestamp
	case "__COUNTER__":
		return depscan.IdentCounter
	case "__PRETTY_FUNCTION__", "__FUNCSIG__", "__LFUNCSIG__", "__builtin_FUNCSIG":
		return depscan.IdentSignature
	}
	return 0
}

// probeOf returns the Use of an operator that probes for files.
func probeOf(w []byte) (Use, bool) {
	switch string(w) {
	case "__has_include", "__has_include__":
		return UseProbe, true
	case "__has_include_next", "__has_include_next__":
		return UseProbeNext, true
	case "__has_embed":
		return UseEmbed, true
	}
	return 0, false
}
