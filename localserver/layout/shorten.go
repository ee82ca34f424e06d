package layout

import (
	"bytes"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/rexwrap/rexwrap/depscan"
)

// gcc calls a header of a system directory by its real path where that is
// shorter than the name it was found under. The worker's real paths are nobody's
// business: mirror.lengthen sees to it that they are never shorter. Then a name
// that the client's gcc does shorten comes out different on the worker, which
// shortened finds out.

// shortened doubts compiles in which the client's gcc may have shortened the name
// of a header that is not the worker's own: a text climbs by ".." into a system
// directory, or a symbolic link is on the way.
func (b *builder) shortened() {
	if b.c.Toolchain.Family != "gcc" {
		return
	}
	if b.in.Opened {
		if slices.ContainsFunc(b.in.Files, b.otherName) || slices.ContainsFunc(b.in.Probed, b.otherName) {
			b.doubts("-isystem")
		}
		return
	}
	there, linked := b.ownSystemHeader()
	if linked || there && b.climbsToSystem() {
		b.doubts("-isystem")
	}
}

// otherName reports whether the worker's gcc would call a header by its longer
// name where the client's does not. A built-in search directory has its shorter
// name there; see searched.
func (b *builder) otherName(f depscan.File) bool {
	if f.Opened == "" || b.host(f.Path) {
		return false
	}
	for i := 0; b.r.Ship != nil && b.r.Ship.Facts != nil && i < len(b.r.Ship.Facts.AngleDirs); i++ {
		dir := strings.TrimRight(b.r.Ship.Facts.AngleDirs[i], "/")
		if within(f.Opened, dir) && !b.namesFile(dir) && f.Path == path.Clean(dir)+f.Opened[len(dir):] {
			return false
		}
	}
	return true
}

// ownSystemHeader reports whether a header that gcc takes for a system's has a
// name that could be the shorter one, and whether a symbolic link is on its way.
func (b *builder) ownSystemHeader() (there, linked bool) {
	for _, list := range [][]depscan.File{b.in.Files, b.in.Probed} {
		for i := range list {
			f := &list[i]
			if !f.System || !path.IsAbs(f.Path) || b.host(f.Path) {
				continue
			}
			there = true
			linked = linked || f.Real != "" && f.Real != path.Clean(f.Path)
		}
	}
	return there, linked
}

// climbsToSystem reports whether a text may name a header of a system directory
// by "..". A header that is no system's and finds another beside itself does not.
func (b *builder) climbsToSystem() bool {
	read := b.r.Text
	if read == nil {
		read = os.ReadFile
	}
	plain := make(map[string]bool)
	for i := range b.in.Files {
		if f := &b.in.Files[i]; !f.System {
			plain[absolute(b.m.dir, f.Path)] = true
		}
	}
	for i := range b.in.Files {
		f := &b.in.Files[i]
		if b.host(f.Path) {
			continue
		}
		dir := path.Dir(absolute(b.m.dir, f.Path))
		beside := func(name string) bool { return !f.System && plain[path.Join(dir, name)] }
		if text, err := read(cmpOr(f.Real, absolute(b.m.dir, f.Path))); err != nil || climbsInText(text, beside) {
			return true
		}
	}
	return false
}

// quoted is a directive that looks beside the file first.
func quoted() *regexp.Regexp {
	return regexp.MustCompile(`^[ \t]*#[ \t]*(?:include|import)[ \t]*"([^"\n]+)"`)
}

// climbsInText reports whether a directive of a text has two dots that are no
// ellipsis, but for those that include a file by a name of which beside is true.
// A macro that names a header is defined by a directive too.
func climbsInText(text []byte, beside func(name string) bool) bool {
	if !climbsInLine(text) {
		return false
	}
	include, directive := quoted(), false
	for line := range bytes.Lines(text) {
		directive = directive || bytes.IndexByte(line, '#') >= 0 || bytes.Contains(line, []byte("%:")) || bytes.Contains(line, []byte("??="))
		if directive && climbsInLine(line) {
			m := include.FindSubmatch(line)
			if m == nil || !beside(string(m[1])) || climbsInLine(line[len(m[0]):]) {
				return true
			}
		}
		joined := bytes.TrimRight(line, " \t\r\n\f\v")
		directive = directive && (bytes.HasSuffix(joined, []byte(`\`)) || bytes.HasSuffix(joined, []byte("??/")))
	}
	return false
}

func climbsInLine(text []byte) bool {
	for {
		i := bytes.Index(text, []byte(".."))
		if i < 0 {
			return false
		}
		rest := bytes.TrimLeft(text[i:], ".")
		if len(text)-i-len(rest) == 2 {
			return true
		}
		text = rest
	}
}
