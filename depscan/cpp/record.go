package cpp

import "slices"

// A recorder notes what the reading of subtrees looks at and changes, while an
// evaluator runs them. Everything is noted once for the innermost subtree; when
// that ends, its notes are made into a variant, and what is left of them counts as
// notes of the subtree around it.
type recorder struct {
	open []recording
	// tainted is the number of open ones, from the outermost on, that no
	// variant can describe.
	tainted int
	// serial changes whenever another recording becomes the innermost: what
	// carries it was noted in this one.
	serial uint32
	depth  int // the most files open since the innermost began

	macros  []macroNote
	noted   []macroMark // by symbol
	pushed  []pushedNote
	refs    []change[refState]
	owns    []change[ownState]
	units   []change[unitState]
	idents  []change[identState]
	files   []listedFile
	looks   []listedFile // that were probed
	answers []*resolution
	views   []*view

	done []*variant
}

// A recording is a subtree that is being noted.
type recording struct {
	sub   *subtree
	start logLengths
	depth int // recorder.depth around it
	files int // open when it began
	// outer are the directories of the files around it (fileFrame.outer), which
	// stacked says were searched.
	outer   int32
	stacked bool
	// What the evaluator had gathered before.
	idents          textFlags
	lines, onceSeen bool
	options         int
}

// logLengths says where in each log of a recorder a recording begins.
type logLengths struct{ macros, pushed, refs, owns, units, idents, files, looks, answers, views int }

// A macroNote is a look at a macro's definition, or a change of it.
type macroNote struct {
	sym     symbol
	written bool
	def     *macroDef // what was seen
}

type macroMark struct {
	serial  uint32
	written bool
}

// A change is what an entry of a table was and what it became.
type change[T comparable] struct {
	id            int32
	before, after T
}

type pushedNote struct {
	sym           symbol
	before, after *pushedMacro
}

func (r *recorder) on() bool { return len(r.open) > 0 }

func (r *recorder) reset() {
	r.open, r.done, r.tainted, r.depth = r.open[:0], r.done[:0], 0, 0
	r.truncate(logLengths{})
	r.serial++
}

func (r *recorder) lengths() logLengths {
	return logLengths{
		len(r.macros), len(r.pushed), len(r.refs), len(r.owns), len(r.units), len(r.idents),
		len(r.files), len(r.looks), len(r.answers), len(r.views),
	}
}

func (r *recorder) truncate(n logLengths) {
	r.macros, r.pushed = r.macros[:n.macros], r.pushed[:n.pushed]
	r.refs, r.owns, r.units, r.idents = r.refs[:n.refs], r.owns[:n.owns], r.units[:n.units], r.idents[:n.idents]
	r.files, r.looks, r.answers, r.views = r.files[:n.files], r.looks[:n.looks], r.answers[:n.answers], r.views[:n.views]
}

// taint notes that the open recordings rest on what a variant cannot hold.
func (r *recorder) taint() { r.tainted = len(r.open) }

func (r *recorder) mark(s symbol) *macroMark {
	if int(s) >= len(r.noted) {
		r.noted = append(r.noted, make([]macroMark, int(s)+int(s)/4+16-len(r.noted))...)
	}
	return &r.noted[s]
}

func (r *recorder) macroRead(s symbol, d *macroDef) {
	if m := r.mark(s); m.serial != r.serial {
		*m = macroMark{r.serial, false}
		r.macros = append(r.macros, macroNote{s, false, d})
	}
}

func (r *recorder) macroWritten(s symbol) {
	if m := r.mark(s); m.serial != r.serial || !m.written {
		*m = macroMark{r.serial, true}
		r.macros = append(r.macros, macroNote{s, true, nil})
	}
}

func (r *recorder) pushedSeen(s symbol, top *pushedMacro) {
	if r.on() {
		r.pushed = append(r.pushed, pushedNote{sym: s, before: top})
	}
}

func (r *recorder) listed(slot *refSlot, f listedFile) {
	switch {
	case !r.on():
	case slot.listing != r.serial:
		slot.listing, slot.as = r.serial, f.listFlags
		r.files = append(r.files, f)
	case slot.as.and(f.listFlags) != slot.as:
		slot.as = slot.as.and(f.listFlags)
		r.files = append(r.files, f)
	}
}

func (r *recorder) probed(slot *refSlot, f listedFile) {
	if r.on() && slot.probing != r.serial {
		slot.probing = r.serial
		r.looks = append(r.looks, f)
	}
}

// searched notes that an answer depends on the files around the one being read.
func (r *recorder) searched() {
	if r.on() {
		r.open[len(r.open)-1].stacked = true
	}
}

// popped notes that a #pragma GCC pop_options makes n saved states one fewer.
func (r *recorder) popped(n int) {
	if r.on() && n <= r.open[len(r.open)-1].options {
		r.taint()
	}
}

func (r *recorder) resolved(answer *resolution) {
	if r.on() {
		r.answers = append(r.answers, answer)
	}
}

// note notes an entry of a table that is about to be looked at or changed.
func note[T comparable](r *recorder, log *[]change[T], s *entry, id int32, now T) {
	if r.on() && s.noted != r.serial {
		s.noted = r.serial
		*log = append(*log, change[T]{id: id, before: now})
	}
}

// settle keeps the first note of each entry from start on, and adds what the
// entry is now.
func settle[T comparable](log []change[T], start int, serial uint32, at func(id int32) (*entry, T)) []change[T] {
	out := log[:start]
	for _, c := range log[start:] {
		s, now := at(c.id)
		if s.noted != serial {
			s.noted = serial
			c.after = now
			out = append(out, c)
		}
	}
	return out
}

// beginRecording notes from now on for sub.
func (e *evaluator) beginRecording(sub *subtree, outer int32) {
	r := &e.rec
	r.open = append(r.open, recording{
		sub: sub, start: r.lengths(), depth: r.depth, files: len(e.frames), outer: outer,
		idents: e.idents, lines: e.lines, onceSeen: e.onceSeen, options: len(e.options),
	})
	r.serial++
	r.depth, e.idents, e.lines, e.onceSeen = len(e.frames), 0, false, false
}

// endRecording makes a variant of the innermost recording, if it can and if that
// saves enough steps. It reports whether it did.
func (e *evaluator) endRecording(steps int) bool {
	r := &e.rec
	n := len(r.open) - 1
	rec := &r.open[n]
	e.settle(rec.start)
	made := n >= r.tainted && e.dirty == 0 && len(e.options) == rec.options && steps >= int(e.s.subtrees.least)
	if made {
		r.done = append(r.done, e.variant(rec))
	}
	r.tainted = min(r.tainted, n)
	r.depth = max(r.depth, rec.depth)
	e.idents |= rec.idents
	e.lines = e.lines || rec.lines
	e.onceSeen = e.onceSeen || rec.onceSeen
	if n > 0 && rec.stacked {
		r.open[n-1].stacked = true
	}
	r.open = r.open[:n]
	r.serial++
	return made
}

// settle drops repeated notes from start on and completes the others.
func (e *evaluator) settle(start logLengths) {
	r := &e.rec
	r.serial++
	r.refs = settle(r.refs, start.refs, r.serial, func(id int32) (*entry, refState) {
		s := e.refAt(id)
		return &s.entry, s.refState
	})
	r.owns = settle(r.owns, start.owns, r.serial, func(id int32) (*entry, ownState) {
		s := e.ownAt(id)
		return &s.entry, s.ownState
	})
	r.units = settle(r.units, start.units, r.serial, func(id int32) (*entry, unitState) {
		s := e.unitAt(id)
		return &s.entry, s.unitState
	})
	r.idents = settle(r.idents, start.idents, r.serial, func(id int32) (*entry, identState) {
		s := e.identAt(id)
		return &s.entry, s.identState
	})
	r.settleMacros(start.macros)
	e.settlePushed(start.pushed)
	e.settleLists(start)
}

// settleMacros leaves at most one look and one change of each macro.
func (r *recorder) settleMacros(start int) {
	out := r.macros[:start]
	for _, n := range r.macros[start:] {
		m := r.mark(n.sym)
		switch {
		case m.serial != r.serial:
			*m = macroMark{r.serial, n.written}
		case n.written && !m.written:
			m.written = true
		default:
			continue
		}
		out = append(out, n)
	}
	r.macros = out
}

func (e *evaluator) settlePushed(start int) {
	log := e.rec.pushed
	out := log[:start]
	for _, n := range log[start:] {
		if !slices.ContainsFunc(out[start:], func(o pushedNote) bool { return o.sym == n.sym }) {
			n.after = e.pushed[n.sym]
			out = append(out, n)
		}
	}
	e.rec.pushed = out
}

func (e *evaluator) settleLists(start logLengths) {
	r := &e.rec
	files := r.files[start.files:]
	r.files = r.files[:start.files]
	for _, f := range files {
		r.listed(e.ref(f.ref.shown()), f)
	}
	looks := r.looks[start.looks:]
	r.looks = r.looks[:start.looks]
	for _, f := range looks {
		r.probed(e.ref(f.ref.shown()), f)
	}
	answers := r.answers[start.answers:]
	r.answers = r.answers[:start.answers]
	for _, a := range answers {
		if s := slotOf[seenSlot](&e.seen, a.id, e.gen); s.noted != r.serial {
			s.noted = r.serial
			r.answers = append(r.answers, a)
		}
	}
	slices.SortFunc(r.views[start.views:], func(a, b *view) int { return int(a.unit.index) - int(b.unit.index) })
	r.views = append(r.views[:start.views], slices.Compact(r.views[start.views:])...)
}

// variant makes a variant of settled notes.
func (e *evaluator) variant(rec *recording) *variant {
	r := &e.rec
	v := &variant{
		sub: rec.sub, late: e.late, depth: r.depth - rec.files, outer: rec.outer, stacked: rec.stacked,
		pushed: slices.Clone(r.pushed[rec.start.pushed:]),
		refs:   slices.Clone(r.refs[rec.start.refs:]),
		owns:   slices.Clone(r.owns[rec.start.owns:]),
		units:  slices.Clone(r.units[rec.start.units:]),
		idents: slices.Clone(r.idents[rec.start.idents:]),
		files:  slices.Clone(r.files[rec.start.files:]),
		probed: slices.Clone(r.looks[rec.start.looks:]),
		views:  slices.Clone(r.views[rec.start.views:]),
		flags:  e.idents, lines: e.lines, onceSeen: e.onceSeen,
		answers: slices.Clone(r.answers[rec.start.answers:]),
	}
	written := 0
	for _, n := range r.macros[rec.start.macros:] {
		if n.written {
			written++
		}
	}
	notes := r.macros[rec.start.macros:]
	v.reads = make([]macroRead, 0, len(notes)-written)
	v.sets = make([]macroRead, 0, written)
	for _, n := range notes {
		if n.written {
			v.sets = append(v.sets, macroRead{n.sym, e.peek(n.sym)})
		} else {
			v.reads = append(v.reads, macroRead{n.sym, n.def})
		}
	}
	var gone bitset
	for _, a := range v.answers {
		for _, g := range a.gone {
			gone.add(g.id)
		}
	}
	v.gone = gone.clipped()
	return v
}
