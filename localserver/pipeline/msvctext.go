package pipeline

import (
	"bytes"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"

	"github.com/rexwrap/rexwrap/localserver/layout"
	"github.com/rexwrap/rexwrap/wrapper/wire"
)

// What Microsoft's compilers say of headers (/showIncludes) reaches no object, so that
// checkouts share it: names below the exec root lose that, as in place.encode, when they
// are stored, and have that of the call when they are replayed.

// headerNote is the form of a line about a header: two phrases of the compiler's language,
// each with a colon, blanks and the name.
const headerNote = `^[^:/\\]+:[^:/\\]+: +(\S.*)`

// placed returns chunks without the exec root. It reports false where they say something
// that may name it otherwise.
func (r *request) placed(chunks []wire.Chunk) ([]wire.Chunk, bool) {
	note, out := regexp.MustCompile(headerNote), make([]wire.Chunk, len(chunks))
	for i, c := range chunks {
		if strings.Contains(string(c.Data), rootMark) {
			return nil, false
		}
		var text strings.Builder
		for line := range strings.Lines(string(c.Data)) {
			if m := note.FindStringSubmatchIndex(line); m != nil {
				end := len(strings.TrimRight(line, "\r\n"))
				if rest, ok := strings.CutPrefix(line[m[2]:end], r.at.root+separator); ok && r.at.root != "" {
					line = line[:m[2]] + rootMark + rest + line[end:]
				}
			}
			if r.namesPlace(line) {
				return nil, false
			}
			text.WriteString(line)
		}
		out[i] = wire.Chunk{Fd: c.Fd, Data: []byte(text.String())}
	}
	return out, true
}

// namesPlace reports whether a text holds the name of the working directory or of the exec
// root.
func (r *request) namesPlace(text string) bool {
	canonical := func(s string) string {
		if runtime.GOOS == "windows" {
			return strings.ToLower(filepath.ToSlash(s))
		}
		return s
	}
	text = canonical(text)
	for _, dir := range []string{r.at.root, r.call.Dir, r.call.ApparentDir()} {
		if dir != "" && strings.Contains(text, canonical(dir)) {
			return true
		}
	}
	return false
}

// workersTexts is what a worker would have printed instead of res.Chunks, if those are
// placed. It reports false where the worker has no name for the exec root.
func (r *request) workersTexts(res *Result, laid *laidOut) ([]wire.Chunk, bool) {
	if res.Spelling != SpelledPlaced {
		return res.Chunks, true
	}
	out := slices.Clone(res.Chunks)
	for i := range out {
		if !bytes.Contains(out[i].Data, []byte(rootMark)) {
			continue
		}
		n := slices.IndexFunc(laid.names, func(n layout.Name) bool { return n.Client == rootMark })
		if n < 0 {
			return nil, false
		}
		out[i].Data = bytes.ReplaceAll(out[i].Data, []byte(rootMark), []byte(laid.names[n].Worker+"/"))
	}
	return out, true
}

// placedHere is the inverse of placed.
func (r *request) placedHere(chunks []wire.Chunk) []wire.Chunk {
	out := make([]wire.Chunk, len(chunks))
	for i, c := range chunks {
		var text strings.Builder
		for line := range strings.Lines(string(c.Data)) {
			if before, after, ok := strings.Cut(line, rootMark); ok {
				name := strings.TrimRight(after, "\r\n")
				line = before + r.at.spell(rootMark+name) + after[len(name):]
			}
			text.WriteString(line)
		}
		out[i] = wire.Chunk{Fd: c.Fd, Data: []byte(text.String())}
	}
	return out
}
