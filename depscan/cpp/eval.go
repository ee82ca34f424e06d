package cpp

import (
	"strconv"
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
	listing, probing uint32 // recorder.serial when these were recorded
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

type listedFile struct {
	ref    *fileRef
	state  *nodeState
	system bool
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

// A macroRead is one look at the macro table.
type macroRead struct {
	sym symbol
	def *macroDef
}

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

func (e *evaluator) view(u *unit) *view { return u.view(&e.s.syms.wanted, e.late) }

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

// The next four return entries that the caller goes on to look at or to change.

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

func stop(reason string) error { return &fallback{reason: reason} }

// compile reads everything that the compile reads.
func (e *evaluator) compile() error {
	for _, m := range e.cfg.macros {
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

// run evaluates until only depth files are open.
func (e *evaluator) run(depth int) error {
	for len(e.frames) > depth {
		f := &e.frames[len(e.frames)-1]
		d := &f.dirs[f.pc]
		f.pc++
		e.steps++
		switch d.kind {
		case dirDefine:
			if d.flags != 0 {
				if err := e.bodyFlags(d.flags); err != nil {
					return err
				}
			}
			e.set(d.sym, f.unit.macros[d.aux])
		case dirUndef:
			e.set(d.sym, nil)
		case dirEnd:
			e.leave(f)
		case dirElif, dirElifdef, dirElifndef, dirElse:
			f.pc = d.end + 1 // the group before it was taken
		case dirEndif:
		case dirIf, dirIfdef, dirIfndef:
			if err := e.branch(f, d); err != nil {
				return err
			}
		default:
			if err := e.execute(f, d); err != nil {
				return err
			}
		}
	}
	return nil
}

// branch moves f into the group of a conditional that is taken.
func (e *evaluator) branch(f *fileFrame, d *directive) error {
	i := f.pc - 1
	for {
		taken, err := e.holds(f, d)
		if err != nil {
			return err
		}
		if taken {
			f.pc = i + 1
			return nil
		}
		i = d.next
		d = &f.dirs[i]
		if d.kind == dirEndif || d.kind == dirElse {
			f.pc = i + 1
			return nil
		}
	}
}

// holds evaluates one branch's condition.
func (e *evaluator) holds(f *fileFrame, d *directive) (bool, error) {
	switch d.kind {
	case dirIf, dirElif:
		return e.condition(f, d)
	}
	if d.sym == symNone {
		return false, stop("if-syntax")
	}
	def := e.asked(f, d.sym)
	if e.dirty != 0 && d.effect && e.affected(d.sym, def) {
		return false, stop("pragma-options")
	}
	return (def != nil) == (d.kind == dirIfdef || d.kind == dirElifdef), nil
}

// execute runs a directive that is neither a definition nor a conditional.
func (e *evaluator) execute(f *fileFrame, d *directive) error {
	switch d.kind {
	case dirText:
		return e.text(d.flags)
	case dirInclude, dirIncludeNext, dirImport:
		return e.include(f, d)
	case dirOnce:
		e.once(f)
	case dirPushMacro, dirPopMacro:
		e.pushPop(d)
	case dirPoison:
		for name := range strings.FieldsSeq(f.unit.strings[d.aux]) {
			e.set(e.s.syms.intern(name), nil)
		}
	case dirSystemHeader:
		if len(e.frames) > 1 {
			f.system = true
			if e.cfg.clang {
				e.identState(e.s.fs.stat(f.ref.node, e.since).ident).system = true
			}
		}
	case dirOptions:
		e.optionsPragma(f.unit.strings[d.aux])
	case dirLine:
		f.relined = true
	case dirIncbin:
		return e.incbin(f.unit.strings[d.aux])
	case dirStop:
		return stop(f.unit.strings[d.aux])
	}
	return nil
}

func (e *evaluator) text(flags textFlags) error {
	e.idents |= flags
	if flags&textCounter != 0 {
		e.counterText = true
	}
	switch {
	case flags&(textPragma|textPushMacro) != 0:
		return stop("pragma-operator")
	case flags&textModule != 0:
		return stop("modules")
	}
	return nil
}

func (e *evaluator) bodyFlags(flags textFlags) error {
	if flags&textIncbin != 0 {
		return stop("incbin")
	}
	return e.text(flags)
}

func (e *evaluator) pushPop(d *directive) {
	top := e.pushed[d.sym]
	e.rec.pushedSeen(d.sym, top)
	if d.kind == dirPushMacro {
		e.setPushed(d.sym, &pushedMacro{e.current(d.sym), top})
	} else if top != nil {
		e.set(d.sym, top.def)
		e.setPushed(d.sym, top.next)
	}
}

func (e *evaluator) setPushed(s symbol, top *pushedMacro) {
	if e.pushed == nil {
		e.pushed = make(map[symbol]*pushedMacro)
	}
	e.pushed[s] = top
}

// optionsPragma follows which pragmas that change predefined macros are in
// force.
func (e *evaluator) optionsPragma(word string) {
	switch word {
	case "push_options":
		e.options = append(e.options, e.dirty)
	case "pop_options":
		if n := len(e.options); n > 0 {
			e.rec.popped(n)
			e.dirty = e.options[n-1]
			e.options = e.options[:n-1]
		}
	case "reset_options":
		e.dirty = 0
	case "optimize":
		e.dirty |= optionsOptimize
	default:
		e.dirty |= optionsTarget
	}
}

// optionsSet says which #pragma GCC are in force that change predefined macros.
type optionsSet uint8

const (
	optionsTarget optionsSet = 1 << iota
	optionsOptimize
)

// affected reports whether a #pragma GCC target or optimize can have changed s,
// whose definition is d as far as directives say.
func (e *evaluator) affected(s symbol, d *macroDef) bool {
	if d != e.base.def(s) || strings.Contains(e.frames[len(e.frames)-1].ref.path, "/lib/gcc/") {
		return false // gcc's own headers include the same files either way
	}
	name := e.s.syms.name(s)
	switch {
	case !strings.HasPrefix(name, "__"):
		return false
	case strings.HasPrefix(name, "__OPTIMIZE"), name == "__NO_INLINE__":
		return e.dirty&optionsOptimize != 0
	}
	for _, fixed := range unaffected() {
		if strings.HasPrefix(name, fixed) {
			return false
		}
	}
	return true
}

// unaffected returns prefixes of predefined macros that no target or optimize
// pragma changes.
func unaffected() []string {
	return []string{
		"__GNUC", "__STDC", "__cplusplus", "__cpp_", "__has_", "__x86_64", "__i386", "__amd64",
		"__aarch64__", "__arm__", "__linux", "__unix", "__ELF__", "__LP64__", "_LP64", "__ILP32__",
		"__CHAR", "__INT", "__UINT", "__SIZE", "__GLIBC", "__USE_", "__clang", "__STRICT_ANSI__",
		"__BYTE_ORDER__", "__ORDER_", "__EXCEPTIONS", "__GXX_", "__need_", "__WCHAR", "__PTRDIFF",
		"__INCLUDE", "__FILE__", "__LINE__", "__KERNEL__", "__VERSION__", "__USER_LABEL",
	}
}

func (e *evaluator) incbin(name string) error {
	ref := e.chain.ref(name)
	st := e.s.fs.stat(ref.node, e.since)
	if st.kind != kindFile {
		return stop("incbin")
	}
	e.probe(ref, st)
	return nil
}

// list adds a file to the list as the compiler does, once for each spelling.
func (e *evaluator) list(r *fileRef, st *nodeState, system bool) {
	slot := e.ref(r.shown())
	f := listedFile{r, st, system}
	if !slot.listed {
		slot.listed = true
		e.files = append(e.files, f)
	}
	e.rec.listed(slot, f)
}

// probe adds a file that was found and not read.
func (e *evaluator) probe(r *fileRef, st *nodeState) {
	slot := e.ref(r.shown())
	f := listedFile{r, st, false}
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

// expandBuiltin expands a macro without text. again is set when nothing takes
// its place.
func (e *evaluator) expandBuiltin(x *expander, d *macroDef, t token) (r token, again bool) {
	f := &e.frames[len(e.frames)-1]
	if d.builtin != builtinAnswer {
		e.changes = true
	}
	switch d.builtin {
	case builtinFile, builtinBaseFile, builtinLevel, builtinCounter:
		e.rec.taint()
	}
	switch d.builtin {
	case builtinFile:
		if e.cfg.mapped || f.relined {
			x.fail("file-macro")
		}
		return token{kind: tokString, text: quote(f.ref.path), space: t.space}, false
	case builtinBaseFile:
		return token{kind: tokString, text: quote(e.cfg.source), space: t.space}, false
	case builtinLine:
		e.lines = true
		if f.relined || e.line.multi {
			x.fail("line-macro")
		}
		return numberToken(int64(e.line.line), t), false
	case builtinLevel:
		return numberToken(int64(len(e.frames)-1), t), false
	case builtinCounter:
		if e.counterText {
			x.fail("counter")
		}
		e.counter++
		return numberToken(int64(e.counter-1), t), false
	case builtinInclude:
		return e.hasInclude(x, d, t), false
	case builtinAnswer:
		return e.ask(x, d, t), false
	}
	x.fail("builtin-macro")
	return token{kind: tokOther, text: "?"}, false
}

func numberToken(n int64, at token) token {
	return token{kind: tokNumber, text: strconv.FormatInt(n, 10), space: at.space}
}

func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}
