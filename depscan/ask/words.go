package ask

import (
	"cmp"
	"slices"

	"github.com/rexwrap/rexwrap/depscan"
)

// words are the identifiers of one file, by hash: two that share a hash are taken
// for one, which can only make an answer more careful. It says whether a macro
// that mentions __FILE__ is used anywhere (see carried).
type words struct {
	// text holds the words of plain text: an open hash table, 0 for empty.
	text []uint32
	// uses are the words in the bodies of macros, sorted by word.
	uses []use
	// names are the names of the macros with words in their bodies, end to
	// end; the name of macro i ends at ends[i].
	names string
	ends  []uint32
	// direct are the macros whose bodies hold an identifier that carries.
	direct []carrying
	// literals are the hashes of the macros that are a literal.
	literals []uint32
}

type use struct{ word, macro uint32 }

type carrying struct {
	macro uint32
	ids   depscan.Identifiers
}

// size returns the number of bytes that w takes.
func (w *words) size() int {
	return 4*(len(w.text)+len(w.ends)+len(w.literals)) + 8*(len(w.uses)+len(w.direct)) + len(w.names)
}

// hashWord returns a hash of w that is never 0 (FNV-1a).
func hashWord[T string | []byte](w T) uint32 {
	h := uint32(2166136261)
	for i := range len(w) {
		h = (h ^ uint32(w[i])) * 16777619
	}
	return h | 1
}

// slot returns where h belongs in a table of n entries, a power of two.
func slot(h uint32, n int) int { return int(h*2654435769>>7) & (n - 1) }

// inText reports whether a word with hash h stands in plain text.
func (w *words) inText(h uint32) bool {
	if len(w.text) == 0 {
		return false
	}
	for i := slot(h, len(w.text)); w.text[i] != 0; i = (i + 1) & (len(w.text) - 1) {
		if w.text[i] == h {
			return true
		}
	}
	return false
}

// usesOf returns the uses of a word with hash h in bodies.
func (w *words) usesOf(h uint32) []use {
	i, _ := slices.BinarySearchFunc(w.uses, h, func(u use, h uint32) int { return cmp.Compare(u.word, h) })
	j := i
	for j < len(w.uses) && w.uses[j].word == h {
		j++
	}
	return w.uses[i:j]
}

// name returns the name of macro i.
func (w *words) name(i uint32) string {
	start := uint32(0)
	if i > 0 {
		start = w.ends[i-1]
	}
	return w.names[start:w.ends[i]]
}

// A wordSet collects words.
type wordSet struct {
	table    []uint32
	n        int
	uses     []use
	names    []byte
	ends     []uint32
	direct   []carrying
	literals []uint32
	// macro is the name being defined, pending until its body has a word.
	macro []byte
	open  bool
}

func (s *wordSet) text(w []byte) { s.insert(hashWord(w)) }

func (s *wordSet) insert(h uint32) {
	if 2*s.n >= len(s.table) {
		s.grow()
	}
	i := slot(h, len(s.table))
	for s.table[i] != 0 {
		if s.table[i] == h {
			return
		}
		i = (i + 1) & (len(s.table) - 1)
	}
	s.table[i] = h
	s.n++
}

func (s *wordSet) grow() {
	old := s.table
	s.table, s.n = make([]uint32, max(64, 2*len(old))), 0
	for _, h := range old {
		if h != 0 {
			s.insert(h)
		}
	}
}

// define begins the definition of a macro.
func (s *wordSet) define(name []byte) { s.macro, s.open = name, false }

// body notes a word of the current macro's body.
func (s *wordSet) body(w []byte) {
	if !s.open {
		s.open = true
		s.names = append(s.names, s.macro...)
		s.ends = append(s.ends, uint32(len(s.names)))
	}
	s.uses = append(s.uses, use{hashWord(w), uint32(len(s.ends) - 1)})
}

// carrier notes that the current macro's body holds ids. The identifier itself
// follows by body.
func (s *wordSet) carrier(ids depscan.Identifiers) {
	macro := uint32(len(s.ends))
	if s.open {
		macro--
	}
	s.direct = append(s.direct, carrying{macro, ids})
}

// literal notes that the macro being defined is a literal.
func (s *wordSet) literal(name []byte) { s.literals = append(s.literals, hashWord(name)) }

// freeze returns what was collected. The wordSet must not be used any more.
func (s *wordSet) freeze() words {
	slices.SortFunc(s.uses, func(a, b use) int {
		if c := cmp.Compare(a.word, b.word); c != 0 {
			return c
		}
		return cmp.Compare(a.macro, b.macro)
	})
	slices.Sort(s.literals)
	return words{
		text: s.table, uses: slices.Clip(slices.Compact(s.uses)), names: string(s.names),
		ends: slices.Clip(s.ends), direct: s.direct, literals: s.literals,
	}
}
