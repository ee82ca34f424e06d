package cpp

import (
	"slices"
	"strings"
)

// include runs an #include, #include_next or #import.
func (e *evaluator) include(f *fileFrame, d *directive) error {
	n := &f.unit.names[d.aux]
	name, angled := n.name, n.angled
	if d.kind == dirImport && e.cfg.microsoft {
		return stop("import") // a type library, which clang-cl does not read
	}
	if d.kind == dirImport && !e.cfg.clang {
		if err := e.goPlain(); err != nil {
			return err
		}
	}
	if n.computed {
		var reason string
		if name, angled, reason = e.computed(n, d); reason != "" {
			return stop(reason)
		}
	}
	if name == "" {
		return stop("include-syntax")
	}
	if e.cfg.microsoft && strings.Contains(name, `\`) {
		var err error
		if name, err = e.slashed(name); err != nil {
			return err
		}
	}
	l, ok := e.question(f, name, angled, d.kind == dirIncludeNext)
	if !ok {
		return stop("missing-include")
	}
	return e.enter(l, n, d.kind == dirImport, f)
}

// question says where a name in f is looked for.
func (e *evaluator) question(f *fileFrame, name string, angled, next bool) (lookup, bool) {
	l := lookup{name: name, own: -1}
	next = next && len(e.frames) > 1
	switch {
	case name[0] == '/':
		return l, !(next && e.cfg.clang && f.dir >= 0)
	case next && f.dir >= 0:
		l.start = f.dir + 1
		e.wentOn(name)
	case next && f.dir == foundOwn:
	case angled:
		l.start = int32(e.chain.angled)
	case !e.chain.spec.noOwn:
		l.own = f.own
		l.system = e.ownSystem(f)
		e.searchIncluders(&l, f.outer, f.system)
	}
	return l, int(l.start) < len(e.chain.dirs) || l.own >= 0
}

// ownSystem reports whether names beside f are a system's. gcc decides that
// when a directory is first searched so.
func (e *evaluator) ownSystem(f *fileFrame) bool {
	if e.cfg.clang {
		return false
	}
	slot := e.ownState(f.own)
	if !slot.known {
		slot.known, slot.system = true, f.system
	}
	return slot.system
}

// find answers l and notes what was looked for in vain.
func (e *evaluator) find(l lookup) *resolution {
	if l.stack != 0 {
		f := e.findBeside(l)
		e.noteAll(f)
		return f.r
	}
	e.stacked = false
	r := e.chain.find(l, e.since)
	e.note(r)
	return r
}

// noteAll is note for all that f is put together of.
func (e *evaluator) noteAll(f *found) {
	e.stacked = f.stacked
	for _, r := range f.parts {
		e.note(r)
	}
}

// findFor is find for the name of a directive.
func (e *evaluator) findFor(n *includeName, l lookup) *resolution {
	if n == nil || n.computed {
		return e.find(l)
	}
	f := n.where.Load()
	switch {
	case f != nil && f.is(e.chain, &l) && f.holds(e.s.fs, e.since):
	case l.stack != 0:
		f = e.findBeside(l)
		n.where.Store(f)
	default:
		f = &found{c: e.chain, l: l, r: e.chain.find(l, e.since)}
		n.where.Store(f)
	}
	e.noteAll(f)
	if f.parts == nil {
		e.note(f.r)
	}
	return f.r
}

// note records the side effects of a look-up.
func (e *evaluator) note(r *resolution) {
	e.rec.resolved(r)
	if slotOf[seenSlot](&e.seen, r.id, e.gen).first() {
		e.resolutions = append(e.resolutions, r)
		e.miss(r)
		e.meetDirs(r.met)
	} else if e.rec.on() {
		e.meetDirs(r.met) // again, for the record
	}
}

// meetDirs notes the spellings by which clang asked for directories, of which
// it goes on to use the first.
func (e *evaluator) meetDirs(list []dirName) {
	for _, d := range list {
		id := e.identState(d.ident)
		switch id.own {
		case 0:
			id.own = d.own + 1
		case d.own + 1:
		default:
			id.names = true
		}
	}
}

// ownOf returns the directory that clang takes a file to be in.
func (e *evaluator) ownOf(r *fileRef) int32 {
	if r.node.dir == nil {
		return r.own
	}
	id := e.identState(e.s.fs.stat(r.node.dir, e.since).ident)
	if id.own == 0 {
		return r.own
	}
	if id.names && e.base.clang > 14 {
		e.ambiguous = true // later versions changed this, from release to release
	}
	return id.own - 1
}

// enter reads the file that l means, unless it need not be read again.
func (e *evaluator) enter(l lookup, n *includeName, once bool, from *fileFrame) error {
	if !e.included {
		e.included = true
		if !e.cfg.clang && e.precompiled(l) {
			return stop("pch")
		}
	}
	r := e.findFor(n, l)
	if err := e.trusts(l, r); err != nil {
		return err
	}
	if r.file == nil {
		return &fallback{"missing-include", l.name}
	}
	if r.broken || len(e.frames) >= maxIncludeDepth {
		return stop("unreadable")
	}
	st := e.s.fs.stat(r.file.node, e.since)
	u, err := e.s.texts.unit(r.file.node, st, e.base.mode)
	if err != nil {
		return stop("unreadable")
	}
	if e.cfg.clang {
		e.enterClang(l, r, st, u, once, from)
		if e.ambiguous {
			return stop("clang-names")
		}
	} else {
		e.enterGCC(l, r, st, u, once, from)
	}
	return nil
}

// enterGCC follows libcpp: a file is known by its path; #pragma once by
// modification time, size and content.
func (e *evaluator) enterGCC(l lookup, r *resolution, st *nodeState, u *unit, once bool, from *fileFrame) {
	slot := e.refState(r.file)
	if slot.once {
		return
	}
	if once {
		slot.once, e.onceSeen = true, true
		if slot.read {
			return
		}
	}
	if slot.read && u.guard != symNone && e.current(u.guard) != nil {
		return
	}
	us := e.unitState(u)
	mtime := st.key.mtime / 1e9
	if !slot.read && (us.once && us.onceAt == mtime || once && us.read && us.entered == mtime) {
		us.once = us.once || once
		us.onceAt = mtime
		e.probe(r.file, st)
		return
	}
	system := from.system || r.system
	e.list(r.file, st, system)
	slot.read = true
	us.read, us.entered = true, mtime
	if once {
		us.once, us.onceAt = true, mtime
	}
	dir := r.dir
	if l.own >= 0 && dir < 0 && l.name[0] != '/' {
		dir = foundOwn
	}
	e.push(fileFrame{unit: u, ref: r.file, dir: dir, own: r.file.own, system: system})
}

// enterClang follows clang: a file is its inode, listed under each name that
// was asked for.
func (e *evaluator) enterClang(l lookup, r *resolution, st *nodeState, u *unit, once bool, from *fileFrame) {
	e.passOver(r)
	id := e.meet(r.file, st)
	e.flavour(l, r, id, from)
	system := from.system || id.system
	skip := id.once || once && id.read || id.read && u.guard != symNone && e.current(u.guard) != nil
	if once {
		id.once = true
	}
	if skip {
		e.listUnread(r.file, st, system)
		return
	}
	e.list(id.name, st, system)
	id.read = true
	dir := r.dir
	if dir < 0 && l.own >= 0 && l.name[0] != '/' && (l.quiet || !r.beside) {
		dir = from.dir
	}
	name, own := id.name, e.ownOf(id.first)
	e.push(fileFrame{unit: u, ref: name, dir: dir, own: own, outer: e.around(from, own), system: system})
}

// meet notes that ref is a name of its inode.
func (e *evaluator) meet(ref *fileRef, st *nodeState) *identSlot {
	id := e.identState(st.ident)
	if id.first == nil {
		id.first, id.name = ref, ref
	}
	if slot := e.refState(ref); !slot.read {
		slot.read = true
		id.name = ref
	}
	return id
}

// passOver notes the file that r has passed over. Entries of the tables that were asked for
// before may not be used after it.
func (e *evaluator) passOver(r *resolution) {
	if r.passed != nil {
		e.meet(r.passed, e.s.fs.stat(r.passed.node, e.since)).system = r.passedSystem
	}
}

// flavour decides whether a file is a system header by how it was found last.
func (e *evaluator) flavour(l lookup, r *resolution, id *identSlot, from *fileFrame) {
	switch {
	case r.beside:
		id.system = r.system
	case r.dir >= 0:
		id.system = r.system
	case l.own >= 0 && l.name[0] != '/':
		id.system = from.system
	}
}

// once runs #pragma once.
func (e *evaluator) once(f *fileFrame) {
	st := e.s.fs.stat(f.ref.node, e.since)
	if e.cfg.clang {
		if len(e.frames) > 1 {
			e.identState(st.ident).once = true
		}
		return
	}
	e.onceSeen = true
	e.refState(f.ref).once = true
	us := e.unitState(f.unit)
	us.once, us.onceAt = true, st.key.mtime/1e9
}

// precompiled looks for the precompiled header, a file or a directory of files,
// that gcc would take in place of the first header.
func (e *evaluator) precompiled(l lookup) bool {
	header := e.chain.find(l, e.since)
	l.name, l.pch = l.name+".gch", true
	r := e.find(l)
	return r.file != nil && r.dir <= header.dir
}

// computed expands the operand of an #include that is neither "…" nor <…>.
func (e *evaluator) computed(n *includeName, d *directive) (name string, angled bool, reason string) {
	memo := n.memo.Load()
	if memo != nil {
		for i := range memo.results {
			if r := &memo.results[i]; e.unchanged(r.reads, r.marks) {
				return r.name, r.angled, ""
			}
		}
	}
	toks := n.toks.Load()
	if toks == nil {
		list := tokenize(n.name, n.mode, e.s.syms)
		toks = &list
		n.toks.Store(toks)
	}
	e.record(d)
	e.x.reset(*toks, n.mode)
	name, angled = e.headerName(&e.x)
	reason = e.x.err
	e.x.unwind(0)
	e.reading = false
	if reason == "" && !e.changes {
		n.memo.Store(memo.add(nameResult{slices.Clone(distinct(e.reads)), e.s.syms.wanted.count.Load(), name, angled}))
	}
	return name, angled, reason
}

// headerName reads a header name of expanded tokens.
func (e *evaluator) headerName(x *expander) (name string, angled bool) {
	t := x.next()
	switch {
	case t.kind == tokString && t.text[0] == '"':
		return t.text[1 : len(t.text)-1], false
	case t.kind == tokPunct && t.op == opLt && len(x.stack) == 1:
		return spell(x.raw, x), true
	case t.kind == tokPunct && t.op == opLt:
		return spell(x.next, x), true
	}
	x.fail("include-syntax")
	return "", false
}

// spell joins the tokens up to a '>'.
func spell(next func() token, x *expander) string {
	var b strings.Builder
	for {
		t := next()
		switch {
		case t.kind == tokEnd:
			x.fail("include-syntax")
			return ""
		case t.op == opGt:
			return b.String()
		}
		if t.space {
			b.WriteByte(' ')
		}
		b.WriteString(t.text)
	}
}

// hasInclude evaluates __has_include and __has_include_next.
func (e *evaluator) hasInclude(x *expander, d *macroDef, t token) token {
	if d.name == symHasEmbed {
		x.fail("embed")
		return numberToken(0, t)
	}
	paren := x.next()
	if paren.op != opOpen {
		x.fail("if-syntax")
		return numberToken(0, t)
	}
	name, angled := e.headerName(x)
	if c := x.next(); c.op != opClose || name == "" {
		x.fail("if-syntax")
		return numberToken(0, t)
	}
	if e.cfg.microsoft && e.base.clang != 14 && strings.Contains(name, `\`) {
		x.fail("backslashes") // which clang 14 leaves as they are
	}
	if !e.cfg.clang && e.cond.off > 0 {
		return numberToken(0, t)
	}
	return numberToken(int64(truth(e.probeHeader(name, angled, d.name == symHasIncludeNext)).n), t)
}

// probeHeader reports whether a header exists, and notes the answer as an
// input.
func (e *evaluator) probeHeader(name string, angled, next bool) bool {
	f := &e.frames[len(e.frames)-1]
	l, ok := e.question(f, name, angled, next)
	if !ok {
		return false
	}
	r := e.find(l)
	if e.trusts(l, r) != nil {
		e.x.fail("search-cache")
	}
	if r.broken {
		e.x.fail("unreadable")
	}
	if r.file == nil {
		return false
	}
	st := e.s.fs.stat(r.file.node, e.since)
	if !e.cfg.clang {
		e.probe(r.file, st)
		return true
	}
	e.passOver(r)
	id := e.meet(r.file, st)
	e.flavour(l, r, id, f)
	e.listUnread(r.file, st, f.system || id.system)
	return true
}

// ask evaluates a macro that only the compiler can: __has_attribute and its
// like.
func (e *evaluator) ask(x *expander, d *macroDef, t token) token {
	var b strings.Builder
	b.WriteString(knownNames()[d.name])
	depth := 0
	for {
		a := x.next()
		if a.kind == tokEnd || depth == 0 && a.op != opOpen {
			x.fail("if-syntax")
			return numberToken(0, t)
		}
		b.WriteString(a.text)
		switch a.op {
		case opOpen:
			depth++
		case opClose:
			depth--
		}
		if depth == 0 {
			break
		}
	}
	n, known := e.base.answers.get(b.String())
	if !known { // an answer is as constant as the macro that asks
		e.changes = true
		e.questions = append(e.questions, b.String())
	}
	return numberToken(n, t)
}
