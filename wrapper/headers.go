package wrapper

import "bytes"

// A headerFilter takes what -H adds to a compiler's stderr out of it again:
//
//	entry  = { "." } ( "." | "x" ) " " path newline
//	       | { "." } "!" " " path newline [ " " path newline ] ;
//	guards = heading newline path newline { path newline } ;
//
// An entry is a file that was read: so many dots as files are open, or, for a
// precompiled header that was taken (!) or refused (x), one less. After a taken
// one gcc enters the source again, at depth 0. guards ends gcc's list; its
// heading is translated, so it is known by what follows it, a line that is
// nothing but the path of an entry. For that a line is held until the next one
// is complete.
//
// The zero value is ready for use.
type headerFilter struct {
	partial []byte // an incomplete line
	held    []byte // the last line of the compiler's own, with its newline
	entries []byte
	seen    map[string]bool // paths of entries
	listing bool            // within guards
	taken   bool            // the line before was a precompiled header
}

// take returns what is certain of the compiler's own output after p has come.
func (f *headerFilter) take(p []byte) []byte {
	var out []byte
	for len(p) > 0 {
		i := bytes.IndexByte(p, '\n')
		if i < 0 {
			f.partial = append(f.partial, p...)
			break
		}
		line := append(f.partial, p[:i+1]...)
		f.partial, p = nil, p[i+1:]
		out = append(out, f.line(line)...)
	}
	return out
}

// line takes a complete line and returns the held one where it turns out to be
// the compiler's own.
func (f *headerFilter) line(line []byte) (released []byte) {
	text := string(line[:len(line)-1])
	path, ok := entryPath(text)
	if !ok && f.taken && len(text) > 1 && text[0] == ' ' && text[1] != ' ' {
		path, ok = text[1:], true
	}
	f.taken = ok && text[0] != ' ' && text[len(text)-len(path)-2] == '!'
	if ok {
		if f.seen == nil {
			f.seen = make(map[string]bool)
		}
		f.seen[path] = true
		f.entries = append(f.entries, line...)
		f.listing = false
		return nil
	}
	if f.seen[text] && (f.listing || f.held != nil) {
		f.held, f.listing = nil, true
		return nil
	}
	released, f.held, f.listing = f.held, line, false
	return released
}

// rest returns what was held back, at the end of the stream.
func (f *headerFilter) rest() []byte {
	out := append(f.held, f.partial...)
	f.held, f.partial = nil, nil
	return out
}

// entryPath returns the path of a line of -H, without its newline.
func entryPath(line string) (path string, ok bool) {
	i := 0
	for i < len(line) && line[i] == '.' {
		i++
	}
	if i < len(line) && (line[i] == '!' || line[i] == 'x') {
		i++
	}
	if i == 0 || i+1 >= len(line) || line[i] != ' ' {
		return "", false
	}
	return line[i+1:], true
}
