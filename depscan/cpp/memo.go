package cpp

import "slices"

// A condMemo remembers the last results of a condition: each is good as long as
// all macros that its evaluation looked at are what they were.
type condMemo struct{ results []condResult }

type condResult struct {
	reads []macroRead
	marks uint32 // at which all names in reads were of interest
	taken bool
}

// A nameMemo is the same for the operand of a computed #include.
type nameMemo struct{ results []nameResult }

type nameResult struct {
	reads  []macroRead
	marks  uint32
	name   string
	angled bool
}

// maxResults bounds the results kept for one condition. Iteration over macros
// asks one condition with many definitions in turn.
const maxResults = 16

// unchanged reports whether all reads would see what they saw; if so, they count
// as done again.
func (e *evaluator) unchanged(reads []macroRead, marks uint32) bool {
	for i := range reads {
		if e.peek(reads[i].sym) != reads[i].def {
			return false
		}
	}
	if marks > e.marks || e.rec.on() {
		for i := range reads {
			e.current(reads[i].sym)
		}
	}
	return true
}

// condition evaluates the condition of an #if or #elif.
func (e *evaluator) condition(f *fileFrame, d *directive) (bool, error) {
	c := f.unit.conds[d.aux]
	memo := c.memo.Load()
	if memo != nil && e.dirty == 0 {
		for i := range memo.results {
			if r := &memo.results[i]; e.unchanged(r.reads, r.marks) {
				return r.taken, nil
			}
		}
	}
	taken, err := e.evaluate(c, d)
	if err == nil && !e.changes {
		c.memo.Store(memo.add(condResult{slices.Clone(distinct(e.reads)), e.s.syms.wanted.count.Load(), taken}))
	}
	return taken, err
}

func (m *nameMemo) add(r nameResult) *nameMemo {
	fresh := &nameMemo{results: []nameResult{r}}
	if m != nil {
		fresh.results = append(fresh.results, m.results[:min(len(m.results), maxResults-1)]...)
	}
	return fresh
}

// record begins to record what the expansion for d rests on.
func (e *evaluator) record(d *directive) {
	e.line = d
	e.reads, e.reading, e.changes = e.reads[:0], true, false
}

func (m *condMemo) add(r condResult) *condMemo {
	fresh := &condMemo{results: []condResult{r}}
	if m != nil {
		fresh.results = append(fresh.results, m.results[:min(len(m.results), maxResults-1)]...)
	}
	return fresh
}

// distinct removes repeated reads, in place.
func distinct(reads []macroRead) []macroRead {
	out := reads[:0]
	for _, r := range reads {
		if !slices.Contains(out, r) {
			out = append(out, r)
		}
	}
	return out
}

// evaluate evaluates c and records in e.reads and e.changes what the result
// rests on.
func (e *evaluator) evaluate(c *condition, d *directive) (bool, error) {
	toks := c.toks.Load()
	if toks == nil {
		list := tokenize(c.text, c.mode, e.s.syms)
		toks = &list
		c.toks.Store(toks)
	}
	e.record(d)
	e.x.reset(*toks, c.mode)
	e.cond.off = 0
	v := e.cond.evaluate()
	e.reading = false
	e.x.unwind(0)
	if e.x.err != "" {
		if len(e.questions) == 0 {
			return false, stop(e.x.err)
		}
		e.changes = true // the answers may mend it
	}
	if e.dirty != 0 && d.effect {
		for _, r := range e.reads {
			if e.affected(r.sym, r.def) {
				return false, stop("pragma-options")
			}
		}
	}
	return v.n != 0, nil
}
