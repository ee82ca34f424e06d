package cpp

import "strings"

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

func (e *evaluator) incbin(name string) error {
	ref := e.chain.ref(name)
	st := e.s.fs.stat(ref.node, e.since)
	if st.kind != kindFile {
		return stop("incbin")
	}
	e.probe(ref, st)
	return nil
}
