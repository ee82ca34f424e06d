package ask

import (
	"cmp"
	"slices"
	"sync/atomic"

	"github.com/rexwrap/rexwrap/depscan"
)

// words are the identifiers of one file, by hash: two that share a hash are taken
// for one, which can only make an answer more careful. It says whether a macro
// that mentions __FILE__ is used anywhere (see carried).
type words struct {
	// table holds the words: an open hash table of hashes that end in where
	// the word stands, 0 for empty.
	table []uint32
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
	// guards are lists of guards; those of macro i are guards[under[i]], and
	// guarded are all definitions that have any, sorted by name.
	guards  [][]guard
	under   []uint32
	guarded []guardedName
}

type use struct{ word, macro uint32 }

// A guard is a macro on which a group of lines depends: its hash, plus 1 if the
// group is skipped where the macro is defined, instead of where it is not.
type guard uint32

func (g guard) name() uint32  { return uint32(g) &^ allFlags }
func (g guard) negated() bool { return g&1 != 0 }

// A guardedName is the name of a macro whose definition depends on guards.
type guardedName struct{ name, list uint32 }

type carrying struct {
	macro uint32
	ids   depscan.Identifiers
}

// Where a word stands, in the low bits of its hash.
const (
	inText      uint32 = 1 << iota // in plain text
	inBody                         // in the body of a macro
	atHead                         // there, in front of "##" and not behind one
	isDefined                      // as the name of a macro, without guards
	isUndefined                    // behind #undef
	allFlags    = inText | inBody | atHead | isDefined | isUndefined
)

// size returns the number of bytes that w takes.
func (w *words) size() int {
	n := 4*(len(w.table)+len(w.ends)+len(w.literals)+len(w.under)) + 8*(len(w.uses)+len(w.direct)+len(w.guarded)) + len(w.names)
	for _, list := range w.guards {
		n += 24 + 4*len(list)
	}
	return n
}

// hashStart and hashStep hash a word byte by byte (FNV-1a). The low bits of the
// hash are not used.
const hashStart = uint32(2166136261)

func hashStep(h uint32, c byte) uint32 { return (h ^ uint32(c)) * 16777619 }

// hashWord returns the hash of w, its low bits 0.
func hashWord[T string | []byte](w T) uint32 {
	h := hashStart
	for i := range len(w) {
		h = hashStep(h, w[i])
	}
	return h &^ allFlags
}

// slot returns where h belongs in a table of n entries, a power of two.
func slot(h uint32, n int) int { return int(h*2654435769>>7) & (n - 1) }

// has reports whether a word with hash h stands in one of the places.
func (w *words) has(h, places uint32) bool {
	if len(w.table) == 0 {
		return false
	}
	for i := slot(h, len(w.table)); w.table[i] != 0; i = (i + 1) & (len(w.table) - 1) {
		if w.table[i]&^allFlags == h {
			return w.table[i]&places != 0
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
	// lists and under grow to words.guards and words.under.
	lists   [][]guard
	under   []uint32
	guarded []guardedName
}

// text notes a word of plain text by its hash.
func (s *wordSet) text(h uint32) { s.insert(h&^allFlags | inText) }

func (s *wordSet) insert(h uint32) {
	if 2*s.n >= len(s.table) {
		s.grow()
	}
	i := slot(h&^allFlags, len(s.table))
	for ; s.table[i] != 0; i = (i + 1) & (len(s.table) - 1) {
		if s.table[i]&^allFlags == h&^allFlags {
			s.table[i] |= h
			return
		}
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

// define begins the definition of a macro that depends on guards.
func (s *wordSet) define(name []byte, guards []guard) {
	s.macro, s.open = name, false
	if len(guards) == 0 {
		s.insert(hashWord(name) | isDefined)
	} else {
		s.guarded = append(s.guarded, guardedName{hashWord(name), s.list(guards)})
	}
}

// undefine notes an #undef.
func (s *wordSet) undefine(name []byte) { s.insert(hashWord(name) | isUndefined) }

// list returns the number of a list of guards. The last one is likely to come
// again.
func (s *wordSet) list(guards []guard) uint32 {
	if len(s.lists) == 0 {
		s.lists = append(s.lists, nil)
	}
	if len(guards) == 0 {
		return 0
	}
	if last := len(s.lists) - 1; !slices.Equal(s.lists[last], guards) {
		s.lists = append(s.lists, slices.Clone(guards))
	}
	return uint32(len(s.lists) - 1)
}

// body notes a word of the current macro's body by its hash, where being inBody or atHead.
func (s *wordSet) body(h, where uint32, guards []guard) {
	if !s.open {
		s.open = true
		s.names = append(s.names, s.macro...)
		s.ends = append(s.ends, uint32(len(s.names)))
		s.under = append(s.under, s.list(guards))
	}
	h &^= allFlags
	s.insert(h | where)
	s.uses = append(s.uses, use{h, uint32(len(s.ends) - 1)})
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

// unguard forgets all guards.
func (s *wordSet) unguard() {
	for _, d := range s.guarded {
		s.insert(d.name | isDefined)
	}
	clear(s.under)
	s.lists, s.guarded = s.lists[:min(1, len(s.lists))], nil
}

// freeze returns what was collected. The wordSet must not be used any more.
func (s *wordSet) freeze() words {
	slices.SortFunc(s.uses, func(a, b use) int {
		if c := cmp.Compare(a.word, b.word); c != 0 {
			return c
		}
		return cmp.Compare(a.macro, b.macro)
	})
	slices.Sort(s.literals)
	slices.SortFunc(s.guarded, func(a, b guardedName) int { return cmp.Compare(a.name, b.name) })
	return words{
		table: s.table, uses: slices.Clip(slices.Compact(s.uses)), names: string(s.names),
		ends: slices.Clip(s.ends), direct: s.direct, literals: s.literals,
		guards: s.lists, under: slices.Clip(s.under), guarded: s.guarded,
	}
}

// A wordFilter is a set of words that may seem to hold words which it does not
// hold. It is safe for concurrent use. The nil filter seems to hold all words.
type wordFilter []atomic.Uint64

// filterBits is the size of a wordFilter: with the 300,000 words of a large
// project one in seven others seems to be there.
const filterBits = 1 << 21

func newWordFilter() wordFilter { return make(wordFilter, filterBits/64) }

func filterBit(h uint32) (word, bit uint32) {
	h = h * 2654435769 >> (32 - 21)
	return h / 64, h % 64
}

func (f wordFilter) add(w *words) {
	for _, h := range w.table {
		if h != 0 {
			i, bit := filterBit(h &^ allFlags)
			f[i].Or(1 << bit)
		}
	}
}

func (f wordFilter) has(h uint32) bool {
	if f == nil {
		return true
	}
	i, bit := filterBit(h)
	return f[i].Load()&(1<<bit) != 0
}
