package depfile

import (
	"bytes"
	"strings"
)

// A Style is one compiler's way of writing dep-files.
type Style uint8

const (
	// GCC is gcc 10 and newer (libcpp's mkdeps; checked with 12.2).
	GCC Style = iota
	// Clang14 is clang up to 14, with a blank line before each phony rule.
	Clang14
	// Clang is newer clang, without these blank lines.
	Clang
)

// Styles returns the styles of a compiler family's versions ("gcc", "clang").
// Short files look alike in several families, so a text does not tell its own.
func Styles(family string) []Style {
	switch family {
	case "gcc":
		return []Style{GCC}
	case "clang":
		return []Style{Clang14, Clang}
	}
	return nil
}

// Append appends f, written in style s, to dst.
func (s Style) Append(dst []byte, f *File) []byte {
	w := writer{style: s, out: dst}
	for _, t := range f.Targets {
		w.target(t)
	}
	w.out = append(w.out, ':')
	w.column++
	for _, p := range f.Prereqs {
		w.prereq(p)
	}
	w.out = append(w.out, '\n')
	for _, p := range f.Phony {
		if s == Clang14 {
			w.out = append(w.out, '\n')
		}
		w.out = append(append(w.out, s.Quote(p)...), ':', '\n')
	}
	return w.out
}

// Quote returns name quoted for Make, as the compiler quotes prerequisites.
// Clang's driver and gcc quote -MQ and default targets alike, by GCC's rule.
func (s Style) Quote(name string) string {
	if !strings.ContainsAny(name, " \t$#") {
		return name
	}
	out := make([]byte, 0, len(name)+8)
	slashes := 0
	for i := 0; i < len(name); i++ {
		c := name[i]
		switch {
		case c == ' ' || c == '\t' && s == GCC:
			out = append(out, strings.Repeat("\\", slashes+1)...)
		case c == '#':
			out = append(out, '\\')
		case c == '$':
			out = append(out, '$')
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

// The line lengths that the compilers keep to.
const (
	gccColumns   = 72
	clangColumns = 75 // room for the " \" of the next wrap included
)

// A writer counts columns as the compilers do: gcc counts what it writes, clang
// a prerequisite's unquoted length.
type writer struct {
	style  Style
	out    []byte
	column int
}

func (w *writer) target(t string) {
	n := len(t)
	switch {
	case w.column == 0:
		w.column = n
	case w.style == GCC:
		w.gccSeparator(n)
	case w.column+n+2 > clangColumns:
		w.out = append(w.out, " \\\n  "...)
		w.column = n + 2
	default:
		w.out = append(w.out, ' ')
		w.column += n + 1
	}
	w.out = append(w.out, t...)
}

func (w *writer) prereq(p string) {
	quoted := w.style.Quote(p)
	if w.style == GCC {
		w.gccSeparator(len(quoted))
	} else {
		w.clangSeparator(len(p))
	}
	w.out = append(w.out, quoted...)
}

func (w *writer) gccSeparator(n int) {
	if w.column+n > gccColumns {
		w.out = append(w.out, " \\\n"...)
		w.column = 0
	}
	w.out = append(w.out, ' ')
	w.column += 1 + n
}

func (w *writer) clangSeparator(n int) {
	if w.column+n+1+2 > clangColumns {
		w.out = append(w.out, " \\\n "...)
		w.column = 2
	}
	w.out = append(w.out, ' ')
	w.column += n + 1
}

// Match finds the style of the family in which text is exactly a file with these
// targets. Where ok is false there is none, and text can only be used verbatim.
func Match(family string, text []byte, targets []string) (f *File, s Style, ok bool) {
	for _, s := range Styles(family) {
		head := s.head(targets)
		if !bytes.HasPrefix(text, head) {
			continue
		}
		f := &File{Targets: targets}
		if f.parseBody(text[len(head):]) == nil && bytes.Equal(s.Append(nil, f), text) {
			return f, s, true
		}
	}
	return nil, 0, false
}

// head returns the targets with their colon.
func (s Style) head(targets []string) []byte {
	out := s.Append(nil, &File{Targets: targets})
	return out[:len(out)-1]
}

// Rewrite returns text, the dep-file of a compile with the targets from, as the
// same compiler of the family would write it for the targets to, every other
// name passed through rename (nil for none). Where ok is false this is not known,
// and text serves only a compile with the same targets and names.
func Rewrite(family string, text []byte, from, to []string, rename func(string) string) (out []byte, ok bool) {
	f, style, ok := Match(family, text, from)
	if !ok {
		return nil, false
	}
	return style.Append(nil, f.Retarget(to, rename)), true
}

// Retarget returns a copy of f with other targets and every other name passed
// through rename (nil for none).
func (f *File) Retarget(to []string, rename func(string) string) *File {
	return &File{Targets: to, Prereqs: each(f.Prereqs, rename), Phony: each(f.Phony, rename)}
}

func each(names []string, rename func(string) string) []string {
	if rename == nil || names == nil {
		return names
	}
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = rename(n)
	}
	return out
}
