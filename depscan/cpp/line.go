package cpp

import (
	"bytes"
	"strings"
)

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

// endsInNumber reports whether the last token of line is a number: one that begins
// with a digit, or with a dot and a digit, be it right behind an identifier. Of one
// with an exponent that has a sign it knows what follows the sign.
func endsInNumber(line []byte) bool {
	for i := len(line) - 1; i >= 0; i-- {
		c := line[i]
		if !isWordByte(c) && c != '\'' && c != '.' {
			return i+1 < len(line) && charClass[line[i+1]] == chDigit
		}
		if c == '.' && i+1 < len(line) && charClass[line[i+1]] == chDigit {
			return true
		}
	}
	return len(line) > 0 && charClass[line[0]] == chDigit
}

func endsInRawPrefix(line []byte) bool {
	i := len(line)
	for i > 0 && isWordByte(line[i-1]) {
		i--
	}
	return isRawPrefix(line[i:]) && !endsInNumber(line)
}
