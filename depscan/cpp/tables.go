package cpp

type macroSlot struct {
	def      *macroDef
	gen      uint32
	disabled bool
}

// A refSlot is what became of one spelling of a file.
type refSlot struct {
	entry
	refState
	listed, probed   bool
	at               int32     // in evaluator.files
	listing, probing uint32    // recorder.serial when these were recorded
	as               listFlags // which the file was recorded with
}

type refState struct {
	once bool // must not be read again
	read bool
}

// An ownSlot says whether names beside a file are a system's.
type ownSlot struct {
	entry
	ownState
}

type ownState struct{ known, system bool }

type seenSlot struct {
	entry
	seen bool
}

// first reports whether it is called for the first time.
func (s *seenSlot) first() bool {
	was := s.seen
	s.seen = true
	return !was
}

// An identSlot is what clang knows of an inode.
type identSlot struct {
	entry
	identState
}

type identState struct {
	once   bool
	read   bool
	system bool
	names  bool     // of a directory: it has another spelling
	own    int32    // of a directory: its first spelling, plus 1
	name   *fileRef // the last new spelling
	first  *fileRef
}

// A unitSlot is what gcc knows of a content. read and entered matter to #import
// alone.
type unitSlot struct {
	entry
	unitState
	read    bool
	entered int64 // modification time of the file it was read from
}

type unitState struct {
	once   bool
	onceAt int64
}

// An entry is the head of those of the tables: the compile that it is of, and the
// recording that it was noted in.
type entry struct{ gen, noted uint32 }

func (s *entry) head() *entry { return s }

// A macroRead is one look at the macro table.
type macroRead struct {
	sym symbol
	def *macroDef
}

func (e *evaluator) growTable(n int) {
	e.table = append(e.table, make([]macroSlot, n+n/4-len(e.table))...)
}

// current returns the definition of s for a directive that looks at it.
func (e *evaluator) current(s symbol) *macroDef {
	if known, missed := e.s.syms.wanted.known(s, e.marks); !known && missed {
		e.again = true
	}
	return e.see(s)
}

// asked is current for a name that a directive of f spells.
func (e *evaluator) asked(f *fileFrame, s symbol) *macroDef {
	if f.known {
		return e.see(s)
	}
	return e.current(s)
}

// see is current for names that are known to be of interest.
func (e *evaluator) see(s symbol) *macroDef {
	d := e.peek(s)
	if e.rec.on() {
		e.rec.macroRead(s, d)
	}
	return d
}

// peek returns the definition of s, which nothing may come to depend on.
func (e *evaluator) peek(s symbol) *macroDef {
	if int(s) < len(e.table) {
		if t := &e.table[s]; t.gen == e.gen {
			return t.def
		}
	}
	return e.base.def(s)
}

// lookup is current for a condition, whose looks are recorded.
func (e *evaluator) lookup(s symbol) *macroDef {
	d := e.current(s)
	if e.reading {
		e.reads = append(e.reads, macroRead{s, d})
	}
	return d
}

// set defines s, or undefines it with nil.
func (e *evaluator) set(s symbol, d *macroDef) {
	if int(s) >= len(e.table) {
		e.growTable(int(s) + 1)
	}
	t := &e.table[s]
	t.def, t.gen = d, e.gen
	if e.rec.on() {
		e.rec.macroWritten(s)
	}
}

func (e *evaluator) isDisabled(s symbol) bool {
	return int(s) < len(e.table) && e.table[s].disabled
}

func (e *evaluator) disable(s symbol, on bool) {
	if int(s) >= len(e.table) {
		e.growTable(int(s) + 1)
	}
	e.table[s].disabled = on
}

// slotOf returns the entry i of a table, cleared if it is of an older compile.
func slotOf[T any, P interface {
	*T
	head() *entry
}](table *[]T, i int32, gen uint32) P {
	if int(i) >= len(*table) {
		*table = append(*table, make([]T, int(i)+int(i)/4+16-len(*table))...)
	}
	p := P(&(*table)[i])
	if h := p.head(); h.gen != gen {
		*p = *new(T)
		p.head().gen = gen
	}
	return p
}

func (e *evaluator) ref(r *fileRef) *refSlot { return e.refAt(r.id) }

func (e *evaluator) refAt(id int32) *refSlot { return slotOf[refSlot](&e.refs, id, e.gen) }

func (e *evaluator) ownAt(id int32) *ownSlot { return slotOf[ownSlot](&e.owns, id, e.gen) }

func (e *evaluator) unitAt(id int32) *unitSlot { return slotOf[unitSlot](&e.units, id, e.gen) }

func (e *evaluator) identAt(id int32) *identSlot { return slotOf[identSlot](&e.ident, id, e.gen) }

func (e *evaluator) refState(r *fileRef) *refSlot {
	s := e.ref(r)
	note(&e.rec, &e.rec.refs, &s.entry, r.id, s.refState)
	return s
}

func (e *evaluator) ownState(dir int32) *ownSlot {
	s := e.ownAt(dir)
	note(&e.rec, &e.rec.owns, &s.entry, dir, s.ownState)
	return s
}

func (e *evaluator) unitState(u *unit) *unitSlot {
	s := e.unitAt(u.index)
	if u.once {
		note(&e.rec, &e.rec.units, &s.entry, u.index, s.unitState)
	}
	return s
}

func (e *evaluator) identState(ident int32) *identSlot {
	s := e.identAt(ident)
	note(&e.rec, &e.rec.idents, &s.entry, ident, s.identState)
	return s
}
