package cpp

import (
	"strings"

	"github.com/rexwrap/rexwrap/depscan"
)

// An evaluator runs the directives of one compile after the other. Its tables
// are reused: an entry counts only if it carries the current generation.
type evaluator struct {
	s      *memory
	cfg    *config
	base   *base
	chain  *chain
	since  uint64
	marks  uint32 // names of interest when this began
	late   uint32 // of them, those that came late
	events uint64 // of the file system until then
	again  bool   // this has to start again
	plain  bool   // no memo of subtrees may be used

	gen   uint32
	table []macroSlot // by symbol
	refs  []refSlot   // by fileRef.id
	owns  []ownSlot   // by directory of a file
	seen  []seenSlot  // by resolution.id
	ident []identSlot // by inode, for clang
	units []unitSlot  // by unit.index, for gcc

	x       expander
	cond    condParser
	frames  []fileFrame
	reads   []macroRead
	reading bool       // reads are being recorded
	changes bool       // the expansion at hand depends on more than reads
	line    *directive // the directive at hand

	pushed  map[symbol]*pushedMacro
	dirty   optionsSet // the pragmas in force
	options []optionsSet

	counter     int
	counterText bool
	onceSeen    bool // #pragma once or #import was seen
	included    bool
	ambiguous   bool
	stacked     bool // the last look-up went on to the directories of includers
	lines       bool // __LINE__ was looked at

	files  []listedFile
	probed []listedFile
	places []*realPath // of files and then of probed, for the answer
	gone   bitset      // by goneName.id
	ranks  bitset      // scratch
	idents textFlags

	resolutions []*resolution
	variants    []*variant // that were replayed
	questions   []string

	steps int // directives run
	rec   recorder
}

// A pushedMacro is the top of a stack of #pragma push_macro.
type pushedMacro struct {
	def  *macroDef
	next *pushedMacro
}

type listedFile struct {
	ref   *fileRef
	state *nodeState
	listFlags
}

// listFlags are those of depscan.File. clang lists a file with -MMD, and clang-cl names
// it, that it has met without them once.
type listFlags struct{ system, unread bool }

func (f listFlags) and(g listFlags) listFlags {
	return listFlags{f.system && g.system, f.unread && g.unread}
}

// A fileFrame is a file being read.
type fileFrame struct {
	unit    *unit
	dirs    []directive // a view of unit
	sub     *subtree    // nil for the source
	steps   int         // evaluator.steps at the first directive
	pc      int32
	ref     *fileRef
	dir     int32 // where in the chain the file was found, notFound for elsewhere
	own     int32 // directory for quoted names
	outer   int32 // the directories of the files around it, for clang-cl
	system  bool
	relined bool // #line was seen
	known   bool // all names in conditions were of interest when this began
	noted   bool // this is being recorded
}

const (
	notFound = -1 // the main file, or one given by its absolute path
	foundOwn = -2 // gcc: found beside the file that included it
)

const maxIncludeDepth = 200

func (e *evaluator) begin(cfg *config, b *base, c *chain, now moment) {
	e.cfg, e.base, e.chain, e.since, e.events = cfg, b, c, now.tick, now.events
	e.marks, e.again = e.s.syms.wanted.count.Load(), false
	e.late = e.s.syms.wanted.lates.Load() // after marks: it may know more
	e.gen++
	e.x.e, e.cond.x = e, &e.x
	e.frames, e.files, e.probed = e.frames[:0], e.files[:0], e.probed[:0]
	e.questions, e.options = e.questions[:0], e.options[:0]
	e.resolutions, e.variants = e.resolutions[:0], e.variants[:0]
	e.gone.reset()
	e.pushed, e.dirty, e.steps = nil, 0, 0
	e.counter, e.counterText, e.onceSeen, e.included, e.idents = 0, false, false, false, 0
	e.ambiguous, e.lines = false, false
	e.rec.reset()
	if n := e.s.syms.count(); n > len(e.table) {
		e.growTable(n)
	}
}

func (e *evaluator) view(u *unit) *view { return u.view(&e.s.syms.wanted, e.late) }

// The next four return entries that the caller goes on to look at or to change.

func stop(reason string) error { return &fallback{reason: reason} }

// compile reads everything that the compile reads.
func (e *evaluator) compile() error {
	for _, m := range e.cfg.macros {
		if err := e.bodyFlags(m.flags(e.base.mode)); err != nil {
			return err
		}
		e.set(e.s.syms.intern(m.name), e.s.commandMacro(m, e.base.mode))
	}
	e.meetDirs(e.chain.met)
	main := e.chain.ref(e.cfg.source)
	st := e.s.fs.stat(main.node, e.since)
	if st.kind != kindFile {
		return stop("missing-source")
	}
	u, err := e.s.texts.unit(main.node, st, e.base.mode)
	if err != nil {
		return stop("unreadable")
	}
	e.enterMain(main, st, u)
	for _, name := range e.cfg.imacros {
		if err := e.commandInclude(name); err != nil {
			return err
		}
	}
	if err := e.implicit(); err != nil {
		return err
	}
	for _, name := range e.cfg.includes {
		if err := e.commandInclude(name); err != nil {
			return err
		}
	}
	return e.run(0)
}

func (e *evaluator) enterMain(main *fileRef, st *nodeState, u *unit) {
	e.list(main, st, false)
	e.ref(main).read = true
	frame := fileFrame{unit: u, dirs: e.view(u).dirs, ref: main, dir: notFound, own: main.own}
	if e.cfg.clang {
		id := e.identAt(st.ident)
		id.read, id.name, id.first = true, main, main
		if main.node.dir != nil {
			e.meetDirs([]dirName{{e.s.fs.stat(main.node.dir, e.since).ident, main.own}})
		}
		frame.own = e.ownOf(main)
	} else {
		us := e.unitAt(u.index)
		us.read, us.entered = true, st.key.mtime/1e9
	}
	e.frames = append(e.frames, frame)
}

// implicit lists the headers that the compiler includes by itself. Their macros
// are among the predefined ones.
func (e *evaluator) implicit() error {
	for _, path := range e.base.facts.Implicit {
		name := path[strings.LastIndexByte(path, '/')+1:]
		r := e.find(lookup{name: name, own: -1, start: int32(e.chain.angled)})
		if r.file == nil || r.file.path != path {
			return stop("implicit-header")
		}
		st := e.s.fs.stat(r.file.node, e.since)
		e.list(r.file, st, true)
		e.ref(r.file).read = true
	}
	return nil
}

// commandInclude reads the file of an -include or -imacros.
func (e *evaluator) commandInclude(name string) error {
	dir := "./"
	if e.cfg.clang {
		dir = "."
		for _, ext := range []string{".pch", ".gch"} {
			if e.exists(name + ext) {
				return stop("pch")
			}
		}
	}
	l := lookup{name: name, own: e.chain.ownID(dir)}
	e.searchIncluders(&l, e.around(&e.frames[0], l.own), false)
	if err := e.enter(l, nil, false, &e.frames[0]); err != nil {
		return err
	}
	return e.run(1)
}

// exists looks for a file that must not be there: a remembered answer rests on
// its absence as on any look-up.
func (e *evaluator) exists(path string) bool {
	s := search{c: e.chain, since: e.since, r: &resolution{}}
	found := s.try(path, false)
	e.resolutions = append(e.resolutions, s.r)
	e.miss(s.r)
	return found
}

// list adds a file that is read to the list as the compiler does, once for each
// spelling.
func (e *evaluator) list(r *fileRef, st *nodeState, system bool) {
	e.add(listedFile{r, st, listFlags{system, false}})
}

// listUnread adds a file that is not read.
func (e *evaluator) listUnread(r *fileRef, st *nodeState, system bool) {
	e.add(listedFile{r, st, listFlags{system, true}})
}

func (e *evaluator) add(f listedFile) {
	slot := e.ref(f.ref.shown())
	switch {
	case !slot.listed:
		slot.listed, slot.at = true, int32(len(e.files))
		e.files = append(e.files, f)
	case e.cfg.clang:
		old := &e.files[slot.at]
		old.listFlags = old.and(f.listFlags)
	}
	e.rec.listed(slot, f)
}

// probe adds a file that was found and not read.
func (e *evaluator) probe(r *fileRef, st *nodeState) {
	slot := e.ref(r.shown())
	f := listedFile{ref: r, state: st}
	if !slot.probed {
		slot.probed = true
		e.probed = append(e.probed, f)
	}
	e.rec.probed(slot, f)
}

// miss notes the names that a look-up did not find.
func (e *evaluator) miss(r *resolution) {
	for _, g := range r.gone {
		e.gone.add(g.id)
	}
}

// identifiers returns what the text can expand.
func (e *evaluator) identifiers() depscan.Identifiers { return e.idents.identifiers() }
