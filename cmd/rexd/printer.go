package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"
)

// maxColumns is how wide a table may be.
const maxColumns = 80

// A printer writes for people. Rules of all output: what was asked for goes to
// stdout, all else to stderr; messages are one line in lower case without a
// full stop and say what to do; colour only on terminals, and never alone.
type printer struct {
	w        io.Writer
	terminal bool
	colour   bool
}

func newPrinter(f *os.File) *printer {
	p := &printer{w: f, terminal: isTerminal(f)}
	p.colour = p.terminal && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	return p
}

// Write implements io.Writer.
func (p *printer) Write(b []byte) (int, error) { return p.w.Write(b) }

// printf writes and forgets errors: nobody is left to tell.
func (p *printer) printf(format string, args ...any) { _, _ = fmt.Fprintf(p.w, format, args...) }

// json writes v as indented JSON.
func (p *printer) json(v any) error {
	e := json.NewEncoder(p.w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// jsonLine writes v as one line of JSON.
func (p *printer) jsonLine(v any) error {
	e := json.NewEncoder(p.w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

func (p *printer) paint(code, s string) string {
	if !p.colour {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

func (p *printer) bold(s string) string   { return p.paint("1", s) }
func (p *printer) red(s string) string    { return p.paint("31", s) }
func (p *printer) green(s string) string  { return p.paint("32", s) }
func (p *printer) yellow(s string) string { return p.paint("33", s) }

// line writes "label: value" with the value in the column of all values.
func (p *printer) line(depth int, label, value string) {
	const column = 24
	indent := strings.Repeat("  ", depth)
	p.printf("%s\n", strings.TrimRight(fmt.Sprintf("%-*s%s", column, indent+label, value), " "))
}

// cut shortens s to n columns at its beginning, where paths say least.
func cut(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	r := []rune(s)
	return "…" + string(r[len(r)-n+1:])
}

// cutEnd shortens s to n columns at its end.
func cutEnd(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n-1]) + "…"
}

// wrap breaks text into lines of at most width columns, at spaces.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}

// padded fills s with spaces up to n columns.
func padded(s string, n int) string {
	return s + strings.Repeat(" ", max(0, n-utf8.RuneCountInString(s)))
}
