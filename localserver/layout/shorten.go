package layout

import (
	"bytes"
	"os"
	"path"

	"github.com/rexwrap/rexwrap/depscan"
)

// gcc calls a header of a system directory by its real path where that is
// shorter than the name it was found under. The worker's real paths are nobody's
// business: mirror.lengthen sees to it that they are never shorter. Then a name
// that the client's gcc does shorten comes out different on the worker, which
// shortened finds out.

// shortened doubts compiles in which the client's gcc may have shortened the name
// of a header that is not the worker's own: a text climbs by "..", or a symbolic
// link is on the way.
func (b *builder) shortened() {
	if b.c.Toolchain.Family != "gcc" || !b.hasOwnSystemHeader() {
		return
	}
	read := b.r.Text
	if read == nil {
		read = os.ReadFile
	}
	for i := range b.l.Entries {
		if b.l.Entries[i].Target != "" {
			b.doubts("-isystem")
			return
		}
	}
	for _, name := range b.l.Sources {
		if text, err := read(name); err != nil || climbsInText(text) {
			b.doubts("-isystem")
			return
		}
	}
}

// hasOwnSystemHeader reports whether a header that gcc takes for a system's has a
// name that could be the shorter one.
func (b *builder) hasOwnSystemHeader() bool {
	for _, list := range [][]depscan.File{b.in.Files, b.in.Probed} {
		for i := range list {
			if f := &list[i]; f.System && path.IsAbs(f.Path) && !b.host(f.Path) {
				return true
			}
		}
	}
	return false
}

// climbsInText reports whether a text has two dots that are no ellipsis.
func climbsInText(text []byte) bool {
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
