package cpp

import (
	"sync"
	"sync/atomic"
	"unsafe"
)

// A subtree is the reading of one file, with all that it includes, in one chain
// and under one base. Compiles share what they learn of it: variants.
type subtree struct {
	key subtreeKey

	cost     atomic.Int32 // directives of the last reading, plus 1
	recorded atomic.Int32
	hits     atomic.Int32
	variants atomic.Pointer[[]*variant] // the latest first
}

// subtreeKey tells the subtrees of one fileRef apart.
type subtreeKey struct {
	base   *base
	unit   int32
	dir    int32
	own    int32
	system bool
}

// A variant is one way in which the reading of a subtree goes: when everything
// that it looked at before it changed it is as it was, then it changes the same
// and reads the same files. It is immutable but for the atomic fields.
//
// Order does not matter between its parts: they are about different entries.
// The lists are those of the subtree by itself; what is on the compile's list
// already is not added again, as in a reading.
type variant struct {
	sub    *subtree
	reads  []macroRead // in the order of the first looks
	sets   []macroRead
	pushed []pushedNote
	refs   []change[refState]
	owns   []change[ownState]
	units  []change[unitState]
	idents []change[identState]

	files    []listedFile
	probed   []listedFile
	answers  []*resolution
	gone     bitset
	flags    textFlags
	lines    bool
	onceSeen bool
	depth    int // the most files open at once
	// stacked is set where the directories outer were searched.
	outer   int32
	stacked bool

	// marks is the count of interests at which all names in reads were of
	// interest; views were right when there were late late ones.
	marks  uint32
	views  []*view
	late   uint32
	agreed atomic.Uint32 // a later count at which they still were, plus 1

	checked atomic.Uint64 // tick at which all files were found unchanged
	quiet   atomic.Uint64 // count of events at which all was found watched, plus 1
	suspect atomic.Int32  // the read that ended the last comparison
}

const (
	// maxVariants bounds those of one subtree.
	maxVariants = 8
	// minSteps is the number of directives above which a variant pays.
	// Those of subtrees below that have variants of their own do not count:
	// the same would be kept at every level.
	minSteps = 64
	// replaySteps is what counts in place of a variant.
	replaySteps = 3
	// freeVariants may be recorded for a subtree before one was of use.
	freeVariants = 6
	// spareHits are counted beyond what allows the next variant.
	spareHits = 1 << 10
)

// worth reports whether another variant of s should be recorded: it was read
// before, is no trifle, and recording has paid so far.
func (s *subtree) worth(least int32) bool {
	n := s.recorded.Load()
	return s.cost.Load() > least && (n < freeVariants || s.hits.Load() > 2*n)
}

// hit counts a use of s, as far as worth can ask: all compiles use the same few
// headers, and what is written to travels between the processors.
func (s *subtree) hit() {
	if s.hits.Load() <= 2*s.recorded.Load()+spareHits {
		s.hits.Add(1)
	}
}

// read notes what it took to read s.
func (s *subtree) read(steps int) {
	if cost := int32(min(steps, 1<<30)) + 1; s.cost.Load() != cost {
		s.cost.Store(cost)
	}
}

// subtree returns the subtree that f begins.
func (e *evaluator) subtree(f *fileFrame) *subtree {
	key := subtreeKey{e.base, f.unit.index, f.dir, f.own, f.system}
	for {
		list := f.ref.subtrees.Load()
		if list != nil {
			for _, s := range *list {
				if s.key == key {
					return s
				}
			}
		}
		s := &subtree{key: key}
		fresh := []*subtree{s}
		if list != nil {
			fresh = append(fresh, (*list)[:min(len(*list), maxSubtrees-1)]...)
		}
		if f.ref.subtrees.CompareAndSwap(list, &fresh) {
			return s
		}
	}
}

// maxSubtrees bounds the subtrees of one fileRef: bases and contents come and go.
const maxSubtrees = 8

// push begins to read a file, or replays what reading it would do.
func (e *evaluator) push(f fileFrame) {
	if !e.plain && e.dirty == 0 {
		f.sub = e.subtree(&f)
		if v := e.fitting(f.sub, f.outer); v != nil {
			e.replay(v)
			return
		}
		if f.noted = f.sub.worth(e.s.subtrees.least); f.noted {
			e.beginRecording(f.sub, f.outer)
		}
	}
	v := e.view(f.unit)
	if e.rec.on() {
		e.rec.views = append(e.rec.views, v)
	}
	f.dirs, f.steps, f.known = v.dirs, e.steps, f.unit.marks <= e.marks
	e.frames = append(e.frames, f)
	e.rec.depth = max(e.rec.depth, len(e.frames))
}

// leave ends the reading of f, the innermost file.
func (e *evaluator) leave(f *fileFrame) {
	sub, noted, start := f.sub, f.noted, f.steps
	e.frames = e.frames[:len(e.frames)-1]
	if sub != nil {
		sub.read(e.steps - start)
	}
	if noted && e.endRecording(e.steps-start) {
		e.steps = start + replaySteps
	}
}

// goPlain gives up memos for a compile that cannot have them: gcc's #import
// looks at more than variants tell.
func (e *evaluator) goPlain() error {
	e.plain = true
	e.rec.taint()
	if len(e.variants) > 0 {
		e.again = true
		return stop("import")
	}
	return nil
}

// fitting returns a variant of s that tells what reading it would do now, nil if
// none is known.
func (e *evaluator) fitting(s *subtree, outer int32) *variant {
	list := s.variants.Load()
	if list == nil {
		return nil
	}
	for _, v := range *list {
		if (!v.stacked || v.outer == outer) && e.fits(v) && e.holdsFor(v) {
			s.hit()
			return v
		}
	}
	return nil
}

// fits reports whether all that v looked at is as it was.
func (e *evaluator) fits(v *variant) bool {
	if v.marks > e.marks || len(e.frames)+v.depth >= maxIncludeDepth {
		return false
	}
	if i := v.suspect.Load(); len(v.reads) > 0 && e.peek(v.reads[i].sym) != v.reads[i].def {
		return false
	}
	for i := range v.reads {
		if e.peek(v.reads[i].sym) != v.reads[i].def {
			v.suspect.Store(int32(i))
			return false
		}
	}
	for i := range v.refs {
		if e.refAt(v.refs[i].id).refState != v.refs[i].before {
			return false
		}
	}
	return e.fitsRest(v)
}

func (e *evaluator) fitsRest(v *variant) bool {
	for i := range v.owns {
		if e.ownAt(v.owns[i].id).ownState != v.owns[i].before {
			return false
		}
	}
	for i := range v.units {
		if e.unitAt(v.units[i].id).unitState != v.units[i].before {
			return false
		}
	}
	for i := range v.idents {
		if e.identAt(v.idents[i].id).identState != v.idents[i].before {
			return false
		}
	}
	for i := range v.pushed {
		if !v.pushed[i].before.equals(e.pushed[v.pushed[i].sym]) {
			return false
		}
	}
	return true
}

func (p *pushedMacro) equals(q *pushedMacro) bool {
	for ; p != q; p, q = p.next, q.next {
		if p == nil || q == nil || p.def != q.def {
			return false
		}
	}
	return true
}

// holdsFor reports whether v's files, and the names that it looked for, are as
// they were, and no definition that it passed over has come to matter.
func (e *evaluator) holdsFor(v *variant) bool {
	if v.late != e.late && v.agreed.Load() != e.late+1 {
		for _, w := range v.views {
			if e.view(w.unit) != w {
				return false
			}
		}
		v.agreed.Store(e.late + 1)
	}
	if v.checked.Load() >= e.since || v.quiet.Load() == e.events+1 {
		return true
	}
	fs := e.s.fs
	if !v.resolves(fs, e.since) || !unchangedFiles(v.files, fs, e.since) || !unchangedFiles(v.probed, fs, e.since) {
		return false
	}
	v.checked.Store(e.since)
	if v.isQuiet(fs) {
		v.quiet.Store(e.events + 1)
	}
	return true
}

// resolves reports whether all look-ups would end as they did.
func (v *variant) resolves(fs *files, since uint64) bool {
	for _, a := range v.answers {
		if !a.holds(fs, since) {
			return false
		}
	}
	return true
}

func unchangedFiles(list []listedFile, fs *files, since uint64) bool {
	for i := range list {
		if fs.stat(list[i].ref.node, since) != list[i].state {
			return false
		}
	}
	return true
}

// isQuiet reports whether everything that v rests on is watched and without an
// event since it was looked at.
func (v *variant) isQuiet(fs *files) bool {
	if fs.watch == nil {
		return false
	}
	for _, list := range [][]listedFile{v.files, v.probed} {
		for i := range list {
			if !fs.unheard(list[i].ref.node) {
				return false
			}
		}
	}
	return quietAnswers(v.answers, fs)
}

// replay does what the reading that v describes would do.
func (e *evaluator) replay(v *variant) {
	if e.rec.on() {
		e.rec.replayed(e, v)
	}
	e.variants = append(e.variants, v)
	e.steps += replaySteps
	for i := range v.sets {
		e.set(v.sets[i].sym, v.sets[i].def)
	}
	for i := range v.pushed {
		e.setPushed(v.pushed[i].sym, v.pushed[i].after)
	}
	for i := range v.refs {
		e.refAt(v.refs[i].id).refState = v.refs[i].after
	}
	for i := range v.owns {
		e.ownAt(v.owns[i].id).ownState = v.owns[i].after
	}
	for i := range v.units {
		e.unitAt(v.units[i].id).unitState = v.units[i].after
	}
	for i := range v.idents {
		e.identAt(v.idents[i].id).identState = v.idents[i].after
	}
	for _, f := range v.files {
		e.add(f)
	}
	for _, f := range v.probed {
		e.probe(f.ref, f.state)
	}
	e.gone.addAll(&v.gone)
	e.idents |= v.flags
	e.counterText = e.counterText || v.flags&textCounter != 0
	e.lines = e.lines || v.lines
	e.onceSeen = e.onceSeen || v.onceSeen
}

// replayed notes what v looks at and changes, before it does.
func (r *recorder) replayed(e *evaluator, v *variant) {
	for _, m := range v.reads {
		r.macroRead(m.sym, m.def)
	}
	for _, p := range v.pushed {
		r.pushedSeen(p.sym, e.pushed[p.sym])
	}
	for i := range v.refs {
		note(r, &r.refs, &e.refAt(v.refs[i].id).entry, v.refs[i].id, v.refs[i].before)
	}
	for i := range v.owns {
		note(r, &r.owns, &e.ownAt(v.owns[i].id).entry, v.owns[i].id, v.owns[i].before)
	}
	for i := range v.units {
		note(r, &r.units, &e.unitAt(v.units[i].id).entry, v.units[i].id, v.units[i].before)
	}
	for i := range v.idents {
		note(r, &r.idents, &e.identAt(v.idents[i].id).entry, v.idents[i].id, v.idents[i].before)
	}
	r.answers = append(r.answers, v.answers...)
	r.views = append(r.views, v.views...)
	r.depth = max(r.depth, len(e.frames)+v.depth)
	if v.stacked {
		r.open[len(r.open)-1].stacked = true
	}
}

// publish lets other compiles use what was recorded. Nothing that was recorded
// in an evaluation that had to start again is right.
func (e *evaluator) publish() {
	marks := e.s.syms.wanted.count.Load()
	for _, v := range e.rec.done {
		v.marks = marks
		v.checked.Store(e.since)
		v.sub.add(v)
		e.s.subtrees.count(v)
	}
}

func (s *subtree) add(v *variant) {
	s.recorded.Add(1)
	for {
		list := s.variants.Load()
		fresh := []*variant{v}
		if list != nil {
			fresh = append(fresh, (*list)[:min(len(*list), maxVariants-1)]...)
		}
		if s.variants.CompareAndSwap(list, &fresh) {
			return
		}
	}
}

// subtrees bounds the memory of variants: above the limit all are dropped.
type subtrees struct {
	limit int64
	least int32 // the directives above which a subtree is recorded
	mu    sync.Mutex
	bytes int64
	list  map[*subtree]struct{}
}

func (t *subtrees) count(v *variant) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.bytes += v.size(); t.bytes > t.limit {
		for s := range t.list {
			s.variants.Store(nil)
			s.recorded.Store(0)
		}
		clear(t.list)
		t.bytes = 0
		return
	}
	if t.list == nil {
		t.list = make(map[*subtree]struct{})
	}
	t.list[v.sub] = struct{}{}
}

// size returns about how many bytes v takes.
func (v *variant) size() int64 {
	n := int(unsafe.Sizeof(*v)) +
		sizeOf(v.reads) + sizeOf(v.sets) + sizeOf(v.refs) + sizeOf(v.owns) + sizeOf(v.units) + sizeOf(v.idents) +
		sizeOf(v.files) + sizeOf(v.probed) + sizeOf(v.answers) + sizeOf(v.views) + sizeOf(v.gone.words)
	return int64(n)
}

func sizeOf[T any](list []T) int {
	var zero T
	return cap(list) * int(unsafe.Sizeof(zero))
}
