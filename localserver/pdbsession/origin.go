package pdbsession

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/rexwrap/rexwrap/localserver/pdb"
)

// An Origin says what a Member's files were called where it was compiled, if not here.
type Origin struct {
	// Below is how the name of the private PDB ended there, with a separator at its
	// beginning. What stood before it is called Root here.
	Below, Root string
	// Moves are further folders. The first that fits counts.
	Moves []Move
}

// A Move says what a folder is called here.
type Move struct{ From, To string }

// A renaming has an object and its PDB speak of the files of the build instead of those
// with which the compile ran.
type renaming struct {
	object, database Move // of the whole path
	folders          []Move
}

// renamingOf returns that of m, whose PDB becomes a part of the one at path.
func renamingOf(m *Member, c *pdb.Compiled, path string) *renaming {
	r := &renaming{database: Move{c.TypeServer().Path, path}}
	if name := c.ObjectName(); name != "" {
		r.object = Move{name, m.ObjectPath}
	}
	if o := m.Origin; o != nil {
		if root, ok := strings.CutSuffix(r.database.From, o.Below); ok && root != "" {
			r.folders = append(r.folders, Move{root, o.Root})
		}
		r.folders = append(r.folders, o.Moves...)
	}
	return r
}

// file returns the name of a file.
func (r *renaming) file(name string) string {
	for _, f := range r.folders {
		if rest, ok := strings.CutPrefix(name, f.From); ok && (rest == "" || rest[0] == '/' || rest[0] == '\\') {
			return f.To + rest
		}
	}
	return name
}

// text returns what an item says, which may be a command line.
func (r *renaming) text(old string) string {
	for _, f := range []Move{r.object, r.database} {
		if len(f.From) > len("/x") && f.From != f.To {
			old = strings.ReplaceAll(old, f.From, f.To)
		}
	}
	for _, f := range r.folders {
		old = f.within(old)
	}
	return old
}

// within returns a text with the folder called as here wherever a name begins with it.
func (f Move) within(text string) string {
	done := 0
	var b strings.Builder
	for f.From != "" {
		i := strings.Index(text[done:], f.From)
		if i < 0 {
			break
		}
		begin, end := done+i, done+i+len(f.From)
		b.WriteString(text[done:begin])
		if beginsName(text[:begin]) && (end == len(text) || strings.IndexByte(`/\" ;`, text[end]) >= 0) {
			b.WriteString(f.To)
		} else {
			b.WriteString(f.From)
		}
		done = end
	}
	return b.String() + text[done:]
}

// beginsName reports whether a name can begin behind a text.
func beginsName(text string) bool {
	return text == "" || strings.IndexByte(` "'=:;,(`, text[len(text)-1]) >= 0 || strings.HasSuffix(text, "-I") || strings.HasSuffix(text, "/I")
}

// key tells apart what becomes of the PDB with the given key under other names.
func (r *renaming) key(of string) string {
	if of == "" || r.object.From == "" && len(r.folders) == 0 {
		return of
	}
	var b strings.Builder
	for _, f := range append([]Move{r.object}, r.folders...) {
		b.WriteString(f.From + "\x00" + f.To + "\x00")
	}
	sum := sha256.Sum256([]byte(b.String()))
	return of + " " + hex.EncodeToString(sum[:8])
}
