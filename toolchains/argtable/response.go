package argtable

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A Quoting is a way to write words in one text, as response files do.
//
// GNU, the common part of what libiberty's and LLVM's readers agree on in all
// their versions:
//
//	text   = { space } { word space { space } } [ word ] ;
//	word   = part { part } ;
//	part   = plain | "\" any | "'" { not "'" or "\" } "'"
//	       | '"' { not '"' or "\" | "\" ( '"' | "\" ) } '"' ;
//	space  = " " | TAB | LF | CR ;
//
// Windows, as Microsoft's C runtime splits a command line: blanks separate,
// double quotes group, and backslashes are special only in front of a double
// quote, where 2n of them are n, and 2n+1 are n and a plain quote.
type Quoting uint8

// The quotings of response files.
const (
	GNU Quoting = iota
	Windows
)

// ErrAmbiguous is returned for text that the readers of different compilers, or
// versions of one, split differently.
var ErrAmbiguous = errors.New("ambiguous quoting")

// Split returns the words of text.
func (q Quoting) Split(text string) ([]string, error) {
	if q == Windows {
		return splitWindows(text)
	}
	return splitGNU(text)
}

// Quote returns text that Split takes apart into words again. No word may hold
// a NUL byte.
func (q Quoting) Quote(words []string) string {
	var b strings.Builder
	for i, word := range words {
		if i > 0 {
			b.WriteByte('\n')
		}
		switch {
		case word != "" && !strings.ContainsAny(word, " \t\n\r\v\f'\"\\"):
			b.WriteString(word)
		case q == Windows:
			quoteWindows(&b, word)
		default:
			quoteGNU(&b, word)
		}
	}
	return b.String()
}

func quoteGNU(b *strings.Builder, word string) {
	b.WriteByte('"')
	for i := range len(word) {
		if word[i] == '"' || word[i] == '\\' {
			b.WriteByte('\\')
		}
		b.WriteByte(word[i])
	}
	b.WriteByte('"')
}

func quoteWindows(b *strings.Builder, word string) {
	b.WriteByte('"')
	slashes := 0
	for i := range len(word) {
		switch word[i] {
		case '\\':
			slashes++
		case '"':
			b.WriteString(strings.Repeat(`\`, slashes+1))
			slashes = 0
		default:
			slashes = 0
		}
		b.WriteByte(word[i])
	}
	b.WriteString(strings.Repeat(`\`, slashes))
	b.WriteByte('"')
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// splitGNU fails where readers differ: vertical tab and form feed (blanks only
// to libiberty), a backslash at the end or before a line end, and within quotes
// before anything that POSIX does not let it escape.
func splitGNU(text string) ([]string, error) {
	if strings.ContainsAny(text, "\v\f\x00") {
		return nil, ErrAmbiguous
	}
	var words []string
	for i := 0; i < len(text); {
		if isSpace(text[i]) {
			i++
			continue
		}
		word, n, err := wordGNU(text[i:])
		if err != nil {
			return nil, err
		}
		words = append(words, word)
		i += n
	}
	return words, nil
}

func wordGNU(text string) (word string, n int, err error) {
	var b strings.Builder
	var quote byte
	for ; n < len(text); n++ {
		c := text[n]
		switch {
		case quote == 0 && isSpace(c):
			return b.String(), n, nil
		case c == '\\':
			n++
			if !escapable(text, n, quote) {
				return "", 0, ErrAmbiguous
			}
			b.WriteByte(text[n])
		case c == quote:
			quote = 0
		case quote == 0 && (c == '\'' || c == '"'):
			quote = c
		default:
			b.WriteByte(c)
		}
	}
	if quote != 0 {
		return "", 0, ErrAmbiguous
	}
	return b.String(), n, nil
}

// escapable reports whether all readers take a backslash before text[n] as the
// escape of that byte.
func escapable(text string, n int, quote byte) bool {
	if n == len(text) || text[n] == '\n' || text[n] == '\r' {
		return false
	}
	switch quote {
	case 0:
		return true
	case '"':
		return text[n] == '"' || text[n] == '\\'
	}
	return false
}

func splitWindows(text string) ([]string, error) {
	if strings.IndexByte(text, 0) >= 0 {
		return nil, ErrAmbiguous
	}
	var words []string
	for i := 0; i < len(text); {
		if isSpace(text[i]) {
			i++
			continue
		}
		word, n := wordWindows(text[i:])
		words = append(words, word)
		i += n
	}
	return words, nil
}

func wordWindows(text string) (word string, n int) {
	var b strings.Builder
	quoted := false
	for n < len(text) && (quoted || !isSpace(text[n])) {
		slashes := 0
		for n < len(text) && text[n] == '\\' {
			slashes++
			n++
		}
		if n == len(text) || text[n] != '"' {
			b.WriteString(strings.Repeat(`\`, slashes))
			if slashes == 0 {
				b.WriteByte(text[n])
				n++
			}
			continue
		}
		b.WriteString(strings.Repeat(`\`, slashes/2))
		switch {
		case slashes%2 == 1:
			b.WriteByte('"')
		case quoted && strings.HasPrefix(text[n:], `""`):
			b.WriteByte('"')
			n++
		default:
			quoted = !quoted
		}
		n++
	}
	return b.String(), n
}

// Bounds of response files. Compilers stop after some thousand files; builds
// nest one or two.
const (
	maxResponseFiles = 1000
	maxResponseWords = 1 << 20
)

// An Expander puts the words of response files in place of "@FILE".
type Expander struct {
	// ReadFile returns the content of the file that the argument list
	// names.
	ReadFile func(name string) ([]byte, error)
	Quoting  Quoting
	// DropsEmpty is set for compilers that lose empty words in response
	// files (clang with GNU quoting) although others keep them.
	DropsEmpty bool
}

// A ResponseError says which response file could not be expanded: it is
// missing, includes itself, or its text means different things to
// different compilers.
type ResponseError struct {
	Name string
	Err  error
}

func (e *ResponseError) Error() string {
	return fmt.Sprintf("expand response file %s: %v", e.Name, e.Err)
}

// Unwrap returns the cause.
func (e *ResponseError) Unwrap() error { return e.Err }

// Expand returns words with every "@FILE" replaced by the words of FILE,
// recursively, and whether there was any. Errors are *ResponseError.
func (x *Expander) Expand(words []string) (expanded []string, any bool, err error) {
	if !slices.ContainsFunc(words, isResponse) {
		return words, false, nil
	}
	e := expansion{x: x}
	if err := e.expand(words); err != nil {
		return nil, true, err
	}
	return e.words, true, nil
}

func isResponse(word string) bool { return len(word) > 1 && word[0] == '@' }

// An expansion is one call of Expand. Its bounds end recursion without end.
type expansion struct {
	x     *Expander
	words []string
	files int
}

func (e *expansion) expand(words []string) error {
	for _, word := range words {
		if !isResponse(word) {
			e.words = append(e.words, word)
			continue
		}
		name := word[1:]
		e.files++
		if e.files > maxResponseFiles || len(e.words) > maxResponseWords {
			return &ResponseError{name, errors.New("nested without end")}
		}
		inner, err := e.x.read(name)
		if err != nil {
			return &ResponseError{name, err}
		}
		if err := e.expand(inner); err != nil {
			return err
		}
	}
	return nil
}

func (x *Expander) read(name string) ([]string, error) {
	text, err := x.ReadFile(name)
	if err != nil {
		return nil, err
	}
	if len(text) > 0 && text[0] >= 0xEF { // a byte order mark, which only LLVM understands
		return nil, ErrAmbiguous
	}
	words, err := x.Quoting.Split(string(text))
	if err == nil && x.DropsEmpty && slices.Contains(words, "") {
		err = ErrAmbiguous
	}
	return words, err
}
