package ask

import (
	"bytes"
	"strings"

	"github.com/rexwrap/rexwrap/depscan"
)

// dot looks at what follows a "." outside of literals. In C text, ".incbin" may
// be a member: only a quote or a backslash behind it tells of the assembler.
func (l *lexer) dot() {
	if !l.asmDirective(len(l.text)) {
		l.pos++
	}
}

// asmDirective reads an .incbin or .include at pos, in a literal that ends at
// end. It reports false, having read nothing, where there is none.
func (l *lexer) asmDirective(end int) bool {
	u, n := asmUse(l.text[l.pos:end])
	if n == 0 {
		return false
	}
	l.pos += n
	path, found := l.asmOperand()
	switch {
	case !found:
	case path == "" || strings.Contains(path, `\`) || operandIn(path):
		l.trouble("incbin", path)
	default:
		l.add(Name{Path: path, Use: u})
	}
	return true
}

// operandIn reports whether an asm statement could put an operand into path. The
// conversions of printf are none: they tell of a program that writes assembler.
func operandIn(path string) bool {
	for i := 0; i+1 < len(path); i++ {
		if path[i] == '%' && path[i+1] != 's' && path[i+1] != 'd' && path[i+1] != 'u' {
			return true
		}
	}
	return false
}

// asmUse returns the length of the assembler directive that text begins with, 0
// where it is none that reads a file. The assembler ignores case.
func asmUse(text []byte) (Use, int) {
	for _, d := range []struct {
		name string
		use  Use
	}{{".incbin", UseIncbin}, {".include", UseAsm}} {
		n := len(d.name)
		if len(text) >= n && bytes.EqualFold(text[:n], []byte(d.name)) && (len(text) == n || !wordByte(text[n])) {
			return d.use, n
		}
	}
	return 0, 0
}

func wordByte(c byte) bool {
	return c == '_' || c == '$' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

// asmOperand reads the file name of an assembler directive, which may stand in a
// C string whose quotes are escaped, in several adjacent ones, or bare in
// assembler text. found is false where nothing that can be a name follows; path is
// empty where the name is not literal.
func (l *lexer) asmOperand() (path string, found bool) {
	rest := l.text[l.pos:min(len(l.text), l.pos+maxNameLen)]
	i, closed := 0, false
	for i < len(rest) {
		switch c := rest[i]; {
		case c == ' ' || c == '\t':
			i++
		case closed && (c == '\n' || c == '\r' || spliceEnd(rest, i) > 0):
			i++
		case c == '\\' && i+1 < len(rest) && rest[i+1] == 't':
			i += 2
		case c == '\\' && i+1 < len(rest) && rest[i+1] == '"':
			return splitName(rest[i+2:]), true
		case c == '"' && !closed:
			// The end of a C string, or the name itself.
			if path := bareName(rest[i+1:]); path != "" && l.hasBareNames(rest[i+1:]) {
				return path, true
			}
			closed = true
			i++
		case c == '"':
			closed = false
			i++
		case closed:
			return "", wordByte(c) || c == '#'
		default:
			return "", c == '\\' || l.dialect >= asmText && wordByte(c)
		}
	}
	return "", false
}

// hasBareNames reports whether a quote in front of rest begins a name rather than
// ending a C string.
func (l *lexer) hasBareNames(rest []byte) bool {
	if l.dialect >= asmText {
		return true
	}
	// In C text such a name stands in a raw string only.
	return l.dialect == plainText && (wordByte(rest[0]) || rest[0] == '/' || rest[0] == '.')
}

// bareName returns the bytes of rest before the next quote, empty where the line
// ends first.
func bareName(rest []byte) string {
	n := bytes.IndexByte(rest, '"')
	if n < 0 || bytes.IndexByte(rest[:n], '\n') >= 0 {
		return ""
	}
	return string(rest[:n])
}

// splitName returns the name that rest, the inside of a C string, begins with and
// that an escaped quote ends. The string may be several adjacent literals; the name
// is empty where something else stands between them.
func splitName(rest []byte) string {
	var name []byte
	for i := 0; i < len(rest); i++ {
		switch c := rest[i]; {
		case c == '\\' && i+1 < len(rest) && rest[i+1] == '"':
			return string(name)
		case c == '"':
			for i++; i < len(rest) && isBlank(rest[i]); i++ {
			}
			if i == len(rest) || rest[i] != '"' {
				return ""
			}
		case c == '\n':
			return ""
		default:
			name = append(name, c)
		}
	}
	return ""
}

// carriersIn returns the identifiers that text mentions, words or not.
func carriersIn(text []byte) depscan.Identifiers {
	var ids depscan.Identifiers
	for len(text) > 0 {
		n := bytes.Index(text, []byte("__"))
		if n < 0 {
			break
		}
		text = text[n:]
		end := 0
		for end < len(text) && wordByte(text[end]) {
			end++
		}
		ids |= carrier(text[:end])
		text = text[end:]
	}
	return ids
}
