package argtable

import (
	"fmt"
	"slices"
	"strings"
)

// Forms is the set of ways in which an option may stand.
type Forms uint8

const (
	// AsFlag allows the bare word.
	AsFlag Forms = 1 << iota
	// AsJoined allows a value in the same word; it may be empty unless
	// AsFlag or AsSeparate is allowed as well.
	AsJoined
	// AsSeparate allows a value in the next word.
	AsSeparate
	// AsFamily lets the row stand for every word that starts with its name:
	// "-W" for "-Wall", "-Wno-error=x". The option is then the word up to
	// and including its first "=", the value what follows.
	AsFamily
)

// Has reports whether f allows any form of g.
func (f Forms) Has(g Forms) bool { return f&g != 0 }

// An Option is one row of a table.
type Option struct {
	Name  string // with its dashes, and its "=" where that belongs to it
	Forms Forms
	Class Class
	// Reason says, for class Aside, why a call with the option steps aside.
	Reason string
}

// ExtraReason is the reason of rows that the user's settings made Aside.
const ExtraReason = "extra-flags"

// Extra returns the row for an option of the user's settings.
func Extra(name string, form Form, class Class) Option {
	o := Option{Name: name, Class: class}
	switch form {
	case Flag:
		o.Forms = AsFlag
	case Separate:
		o.Forms = AsSeparate
	default:
		o.Forms = AsJoined
	}
	if class.Has(Aside) {
		o.Reason = ExtraReason
	}
	return o
}

// A Table is an immutable set of options, safe for concurrent use.
type Table struct {
	rows []Option
	// up[i] is the row with the longest name that is a proper prefix of
	// row i's, -1 for none.
	up []int32
	// first[c] is the first row whose name's second byte is at least c.
	first [257]int32
}

// New returns a Table of rows. Where two rows share a name the later one
// counts, so that a user's own rows can follow a family's.
func New(rows ...[]Option) *Table {
	t := &Table{rows: slices.Concat(rows...)}
	slices.Reverse(t.rows)
	slices.SortStableFunc(t.rows, func(a, b Option) int { return strings.Compare(a.Name, b.Name) })
	t.rows = slices.CompactFunc(t.rows, func(a, b Option) bool { return a.Name == b.Name })
	t.up = make([]int32, len(t.rows))
	for i := range t.rows {
		t.up[i] = t.above(i)
	}
	t.index()
	return t
}

func (t *Table) above(i int) int32 {
	up := int32(i) - 1
	for up >= 0 && !strings.HasPrefix(t.rows[i].Name, t.rows[up].Name) {
		up = t.up[up]
	}
	return up
}

func (t *Table) index() {
	i := 0
	for c := range t.first {
		for i < len(t.rows) && int(second(t.rows[i].Name)) < c {
			i++
		}
		t.first[c] = int32(i)
	}
}

func second(s string) byte {
	if len(s) < 2 {
		return 0
	}
	return s[1]
}

// Rows returns a copy of the table's rows, sorted by name.
func (t *Table) Rows() []Option { return slices.Clone(t.rows) }

// A Match is what a word of an argument list means.
type Match struct {
	Option *Option // the row; not to be changed
	// Name is the option as the word spells it: the row's name, or for a
	// family and a negation what stands in the word.
	Name string
	// Value is the joined value. With Form Separate it is still to come.
	Value string
	Form  Form
}

// Lookup finds the row for word, as compilers do: an exact name first, then
// the longest name that takes a joined value. "-fno-x" without a row of its own
// is "-fx". Forms the row does not allow are no match.
func (t *Table) Lookup(word string) (Match, bool) {
	if m, ok := t.lookup(word); ok {
		return m, true
	}
	if !strings.HasPrefix(word, "-fno-") {
		return Match{}, false
	}
	m, ok := t.lookup("-f" + word[len("-fno-"):])
	if !ok || m.Form == Separate {
		return Match{}, false
	}
	m.Name = word[:len(m.Name)+len("no-")]
	m.Value = word[len(m.Name):]
	return m, true
}

func (t *Table) lookup(word string) (Match, bool) {
	for i := t.floor(word); i >= 0; i = t.up[i] {
		row := &t.rows[i]
		if !strings.HasPrefix(word, row.Name) {
			continue
		}
		if m, ok := row.match(word); ok {
			return m, true
		}
	}
	return Match{}, false
}

// floor returns the last row whose name is not above word, -1 for none. Every
// row whose name is a prefix of word is that row or on its chain of ups.
func (t *Table) floor(word string) int32 {
	c := second(word)
	lo, hi := t.first[c], t.first[int(c)+1]
	for lo < hi {
		mid := (lo + hi) / 2
		if t.rows[mid].Name <= word {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo - 1
}

func (o *Option) match(word string) (Match, bool) {
	m := Match{Option: o, Name: o.Name, Value: word[len(o.Name):]}
	switch {
	case m.Value == "" && o.Forms.Has(AsFlag):
		m.Form = Flag
	case m.Value == "" && o.Forms.Has(AsSeparate):
		m.Form = Separate
	case o.Forms.Has(AsJoined):
		m.Form = Joined
	case o.Forms.Has(AsFamily):
		m.Name, m.Value, m.Form = family(word)
	default:
		return Match{}, false
	}
	return m, true
}

func family(word string) (name, value string, form Form) {
	if i := strings.IndexByte(word, '='); i >= 0 {
		return word[:i+1], word[i+1:], Joined
	}
	return word, "", Flag
}

// meanings are the classes of which at least one makes an option's
// consequence clear.
const meanings = Source | Output | Dep | Search | Macro | Include | InputFile |
	Preprocessor | Codegen | Diagnostic | Debug | Linker | NoKey | Aside | Prefix

// Check returns an error that names the first row of rows that is out of
// order, listed twice or inconsistent. It is for the tests of tables.
func Check(rows []Option) error {
	for i := range rows {
		if i > 0 && rows[i].Name <= rows[i-1].Name {
			return fmt.Errorf("%s stands after %s", rows[i].Name, rows[i-1].Name)
		}
		if err := rows[i].check(); err != nil {
			return fmt.Errorf("%s: %w", rows[i].Name, err)
		}
	}
	return nil
}

func (o *Option) check() error {
	switch {
	case len(o.Name) < 2 || o.Name[0] != '-':
		return fmt.Errorf("no option name")
	case o.Forms == 0:
		return fmt.Errorf("no form")
	case !o.Class.Has(meanings):
		return fmt.Errorf("no class")
	case o.Class.Has(Aside) != (o.Reason != ""):
		return fmt.Errorf("a reason without Aside, or Aside without one")
	case o.Class.Has(NoKey) && o.Class.Has(Codegen|Preprocessor|Diagnostic|Debug|Aside):
		return fmt.Errorf("both without influence and with")
	case o.Class.Has(Path|InputFile|Search|Prefix) && o.Forms == AsFlag:
		return fmt.Errorf("a path without a value")
	}
	return nil
}
