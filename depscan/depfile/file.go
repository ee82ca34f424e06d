// Package depfile reads and writes the Make-syntax dependency files of gcc and
// clang. It writes them byte for byte as the compilers do, quoting and line
// wrapping included, so that a file captured from one compile can be given to
// another that differs in its targets or in where its files are.
//
// What the compilers write, of all that Make would read:
//
//	file   = targets ":" { sep name } newline { phony } ;
//	phony  = [ newline ] name ":" newline ;   (* blank line: older versions *)
//	sep    = " " | " \" newline indent ;
//	indent = " " | "  " ;                     (* gcc | clang *)
//
// A name is quoted for Make: "$" is "$$", "#" is "\#", a space is "\ " with the
// backslashes before it doubled; gcc quotes a tab like a space. Targets stand
// as the user or the compiler's driver made them (-MT is not quoted), so they
// are kept as text.
//
// Not modelled: what the rules mean, variables, other rules than these, and
// file names with a newline. Texts of such a kind are not an error: they fail
// the round trip, and the caller keeps them verbatim. Used by depscan/ask and
// localserver/materialize.
package depfile

import (
	"bytes"
	"errors"
	"strings"
)

// ErrMalformed is returned by Parse for text that no compiler writes.
var ErrMalformed = errors.New("malformed dep-file")

// A File is what one dep-file says.
type File struct {
	// Targets are the targets as they stand in the file, quoted already.
	Targets []string
	// Prereqs are the files that the targets depend on, unquoted, the
	// source first.
	Prereqs []string
	// Phony are the names that have an empty rule of their own (-MP),
	// unquoted.
	Phony []string
}

// Parse reads a dep-file. The targets are split at spaces, as far as they are
// not quoted; a caller that knows them uses Match.
func Parse(text []byte) (*File, error) {
	end := targetsEnd(text)
	if end < 0 {
		return nil, ErrMalformed
	}
	f := &File{Targets: splitTargets(string(text[:end]))}
	if err := f.parseBody(text[end+1:]); err != nil {
		return nil, err
	}
	return f, nil
}

// targetsEnd returns the index of the colon that ends the targets.
func targetsEnd(text []byte) int {
	for i, c := range text {
		if c == ':' && (i+1 == len(text) || text[i+1] == ' ' || text[i+1] == '\n') {
			return i
		}
	}
	return -1
}

func splitTargets(head string) []string {
	var out []string
	start := 0
	for i := 0; i <= len(head); i++ {
		if i < len(head) && (head[i] != ' ' || i > 0 && head[i-1] == '\\') {
			continue
		}
		if word := strings.TrimPrefix(head[start:i], "\\\n"); word != "" {
			out = append(out, word)
		}
		start = i + 1
	}
	return out
}

// parseBody reads what follows the colon after the targets.
func (f *File) parseBody(text []byte) error {
	s := scanner{text: text}
	for {
		name, ok := s.name()
		if !ok {
			break
		}
		f.Prereqs = append(f.Prereqs, name)
	}
	for rest := text[s.pos:]; len(rest) > 0; {
		line, after, ok := bytes.Cut(rest, []byte{'\n'})
		if !ok || len(line) > 0 && line[len(line)-1] != ':' {
			return ErrMalformed
		}
		if len(line) > 0 {
			f.Phony = append(f.Phony, unquote(line[:len(line)-1]))
		}
		rest = after
	}
	return nil
}

// A scanner reads the names of one rule.
type scanner struct {
	text []byte
	pos  int
}

// name returns the next name, unquoted; at the end of the line, which it steps
// over, ok is false.
func (s *scanner) name() (name string, ok bool) {
	for s.pos < len(s.text) {
		switch rest := s.text[s.pos:]; {
		case rest[0] == ' ':
			s.pos++
		case len(rest) > 1 && rest[0] == '\\' && rest[1] == '\n':
			s.pos += 2
		case rest[0] == '\n':
			s.pos++
			return "", false
		default:
			n := nameLen(rest)
			s.pos += n
			return unquote(rest[:n]), true
		}
	}
	return "", false
}

// nameLen returns the length of the quoted name that text starts with.
func nameLen(text []byte) int {
	slashes := 0
	for i, c := range text {
		if c == '\n' || c == ' ' && slashes%2 == 0 {
			return i
		}
		if c == '\\' {
			slashes++
		} else {
			slashes = 0
		}
	}
	return len(text)
}

// unquote undoes the quoting of a name.
func unquote(text []byte) string {
	if bytes.IndexByte(text, '\\') < 0 && bytes.IndexByte(text, '$') < 0 {
		return string(text)
	}
	out := make([]byte, 0, len(text))
	slashes := 0
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case (c == ' ' || c == '\t') && slashes%2 == 1:
			out = out[:len(out)-slashes/2-1]
		case c == '#' && slashes > 0:
			out = out[:len(out)-1]
		case c == '$' && i+1 < len(text) && text[i+1] == '$':
			i++
		}
		if c == '\\' {
			slashes++
		} else {
			slashes = 0
		}
		out = append(out, c)
	}
	return string(out)
}
