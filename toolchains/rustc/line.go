package rustc

import (
	"bytes"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/argtable"
)

// maxArgumentFile bounds what is read of one argument file, in bytes.
const maxArgumentFile = 32 << 20

// words returns the arguments of call with argument files expanded: one argument
// a line, without quoting and without nesting.
func words(call *toolchains.Call, args []string) (out []string, expanded bool, err error) {
	for _, word := range args {
		name, ok := strings.CutPrefix(word, "@")
		if !ok {
			out = append(out, word)
			continue
		}
		lines, err := argumentFile(call.Abs(name))
		if err != nil {
			return nil, true, toolchains.Unsupported(ReasonResponse, name)
		}
		out, expanded = append(out, lines...), true
	}
	return out, expanded, nil
}

func argumentFile(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxArgumentFile {
		return nil, argtable.ErrAmbiguous
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if !utf8.Valid(text) || bytes.ContainsRune(text, 0) {
		return nil, argtable.ErrAmbiguous
	}
	var lines []string
	for line := range strings.Lines(string(text)) {
		lines = append(lines, strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r"))
	}
	return lines, nil
}

// A reader takes an argument list apart. Reasons to step aside are kept: that the
// call is a query counts before all others.
type reader struct {
	tables  *tables
	args    []toolchains.Arg
	sources []string
	query   error
	aside   error
}

func (r *reader) keep(reason, arg string) {
	switch {
	case reason == ReasonQuery && r.query == nil:
		r.query = toolchains.Unsupported(reason, arg)
	case r.aside == nil:
		r.aside = toolchains.Unsupported(reason, arg)
	}
}

func (r *reader) read(words []string) {
	for i := 0; i < len(words); i++ {
		word := words[i]
		switch {
		case word == "--":
			for _, rest := range words[i+1:] {
				r.positional(rest)
			}
			return
		case strings.HasPrefix(word, "--"):
			i += r.long(word, words[i+1:])
		case len(word) > 1 && word[0] == '-':
			i += r.short(word, words[i+1:])
		default:
			r.positional(word)
		}
	}
}

func (r *reader) positional(word string) {
	if word == "-" {
		r.keep(ReasonStdin, word)
	}
	r.sources = append(r.sources, word)
	r.args = append(r.args, toolchains.Arg{Value: word, Form: argtable.Joined, Class: argtable.Source | argtable.Path})
}

// long takes one long option and returns how many of the next words are its
// value.
func (r *reader) long(word string, next []string) int {
	name, value, joined := strings.Cut(word, "=")
	row, ok := r.tables.option(name)
	switch {
	case !ok, joined && row.Forms == flag:
		r.keep(ReasonUnknown, word)
		return 0
	case row.Forms == flag:
		r.add(row, toolchains.Arg{Option: name, Form: argtable.Flag})
		return 0
	case joined:
		r.add(row, toolchains.Arg{Option: name + "=", Value: value, Form: argtable.Joined})
		return 0
	}
	return r.separate(row, name, next)
}

// short takes a cluster of short options, the last of which may have a value.
func (r *reader) short(word string, next []string) int {
	for i := 1; i < len(word); i++ {
		name := "-" + word[i:i+1]
		row, ok := r.tables.option(name)
		switch {
		case !ok:
			r.keep(ReasonUnknown, word)
			return 0
		case row.Forms == flag:
			r.add(row, toolchains.Arg{Option: name, Form: argtable.Flag})
		case i+1 < len(word):
			r.add(row, toolchains.Arg{Option: name, Value: word[i+1:], Form: argtable.Joined})
			return 0
		default:
			return r.separate(row, name, next)
		}
	}
	return 0
}

func (r *reader) separate(row *argtable.Option, name string, next []string) int {
	if len(next) == 0 {
		r.keep(ReasonMissing, name)
		return 0
	}
	r.add(row, toolchains.Arg{Option: name, Value: next[0], Form: argtable.Separate})
	return 1
}

// add takes an option. What follows -C and -Z has rows of its own.
func (r *reader) add(row *argtable.Option, a toolchains.Arg) {
	a.Class = row.Class
	if prefix := settingPrefix(a.Option); prefix != "" {
		name, _, _ := strings.Cut(a.Value, "=")
		name = strings.ReplaceAll(name, "_", "-") // both are the same to rustc
		inner, ok := r.tables.setting(prefix + name)
		switch {
		case ok:
			row, a.Class = inner, inner.Class
		case prefix == "-Z":
			r.keep(ReasonUnstable, prefix+" "+name)
		default:
			r.keep(ReasonUnknown, prefix+" "+name)
		}
	}
	if a.Class.Has(argtable.Aside) {
		r.keep(row.Reason, a.Option+a.Value)
	}
	r.args = append(r.args, a)
}

// settingPrefix returns "-C" or "-Z" for the options that take settings.
func settingPrefix(option string) string {
	switch option {
	case "-C", "--codegen", "--codegen=":
		return "-C"
	case "-Z":
		return "-Z"
	}
	return ""
}
