package cpp

import "strings"

// An expander hands out the tokens of one directive with macros expanded, one
// at a time: what a token is expanded to can depend on what its reader did with
// those before (defined, __has_include).
type expander struct {
	e     *evaluator
	stack []frame
	mode  lexMode
	// hold is positive while names are collected, not expanded.
	hold int
	// err is the first reason why the expansion cannot be trusted.
	err string
	// budget bounds the tokens of one directive.
	budget int
}

// A frame is a list of tokens being read.
type frame struct {
	toks []token
	pos  int
	name symbol // the macro that is disabled until the frame ends
	// barrier is set at the bottom of an argument that is expanded by itself.
	barrier bool
}

const expansionBudget = 4 << 20

func (x *expander) reset(toks []token, mode lexMode) {
	x.unwind(0)
	x.stack = append(x.stack[:0], frame{toks: toks, barrier: true})
	x.hold, x.err, x.budget, x.mode = 0, "", expansionBudget, mode
}

// unwind ends frames until depth are left.
func (x *expander) unwind(depth int) {
	for len(x.stack) > depth {
		x.pop()
	}
}

func (x *expander) pop() {
	f := &x.stack[len(x.stack)-1]
	if f.name != symNone {
		x.e.disable(f.name, false)
	}
	*f = frame{}
	x.stack = x.stack[:len(x.stack)-1]
}

func (x *expander) fail(reason string) {
	if x.err == "" {
		x.err = reason
	}
}

// raw returns the next token, unexpanded. At the end of the innermost barrier
// it returns tokEnd, again and again.
func (x *expander) raw() token {
	for {
		f := &x.stack[len(x.stack)-1]
		if f.pos < len(f.toks) {
			t := f.toks[f.pos]
			f.pos++
			return t
		}
		if f.barrier {
			return token{kind: tokEnd}
		}
		x.pop()
	}
}

// push makes toks the next tokens to be read.
func (x *expander) push(toks []token, name symbol) {
	x.stack = append(x.stack, frame{toks: toks, name: name})
}

// next returns the next token with macros expanded.
func (x *expander) next() token {
	for {
		t := x.raw()
		if t.kind != tokWord || t.paint {
			return t
		}
		if x.e.isDisabled(t.sym) {
			t.paint = true
			return t
		}
		if x.hold > 0 {
			return t
		}
		d := x.e.lookup(t.sym)
		if d == nil {
			return t
		}
		if x.budget--; x.budget < 0 || x.err != "" {
			x.fail("expansion-too-long")
			return token{kind: tokEnd}
		}
		if d.builtin != notBuiltin {
			r, again := x.e.expandBuiltin(x, d, t)
			if again {
				continue
			}
			return r
		}
		if !x.enter(d, t) {
			return t
		}
	}
}

// enter pushes the expansion of d for the name t. It returns false where t is
// no call of a function-like macro.
func (x *expander) enter(d *macroDef, t token) bool {
	m := d.tokens(x.e.s.syms)
	if m.bad {
		x.fail("macro-definition")
		return false
	}
	body := m.body
	if m.function {
		args, called := x.call(m)
		if !called {
			return false
		}
		if !m.plain {
			body = x.substitute(m, args)
		}
	}
	if x.mode&modeClang != 0 && len(body) > 0 && body[0].space != t.space {
		body = append([]token(nil), body...)
		body[0].space = t.space
	}
	x.budget -= len(body)
	x.push(body, d.name)
	x.e.disable(d.name, true)
	return true
}

// call reads the arguments of a call, if one follows.
func (x *expander) call(m *macro) ([][]token, bool) {
	x.hold++
	defer func() { x.hold-- }()
	t := x.next()
	if t.op != opOpen || t.kind != tokPunct {
		if t.kind != tokEnd {
			x.push([]token{t}, symNone)
		}
		return nil, false
	}
	args, ok := x.arguments(m)
	if !ok {
		x.fail("macro-arguments")
	}
	return args, true
}

// arguments reads up to the closing parenthesis. A missing argument of a
// variadic macro is nil, an empty one is not.
func (x *expander) arguments(m *macro) ([][]token, bool) {
	args := [][]token{{}}
	depth := 0
	for {
		t := x.next()
		switch {
		case t.kind == tokEnd:
			return nil, false
		case t.ignored:
			t.ignored = false
		case t.op == opOpen:
			depth++
		case t.op == opClose && depth == 0:
			return m.fit(args, x.mode)
		case t.op == opClose:
			depth--
		case t.op == opComma && depth == 0 && !(m.variadic && len(args) == m.params):
			args = append(args, []token{})
			continue
		}
		args[len(args)-1] = append(args[len(args)-1], t)
	}
}

// fit checks the number of args.
func (m *macro) fit(args [][]token, mode lexMode) ([][]token, bool) {
	n := len(args)
	switch {
	case m.params == 0:
		return nil, n == 1 && len(args[0]) == 0
	case n == m.params:
		if m.variadic && n == 1 && len(args[0]) == 0 && mode&modeGNUComma != 0 {
			args[0] = nil
		}
		return args, true
	case m.variadic && n == m.params-1:
		return append(args, nil), true
	}
	return nil, false
}

// substitute returns m's body with args in place and ## performed.
func (x *expander) substitute(m *macro, args [][]token) []token {
	s := substitution{x: x, m: m, args: args, expanded: make([][]token, len(args))}
	if len(args) < m.params {
		return nil // after an error
	}
	out := pasteAll(s.list(m.body, nil), x.mode, x.e.s.syms)
	if out == nil {
		x.fail("token-paste")
	}
	return out
}

type substitution struct {
	x        *expander
	m        *macro
	args     [][]token
	expanded [][]token
}

func (s *substitution) list(body, out []token) []token {
	for i, t := range body {
		switch t.kind {
		case tokParam:
			out = s.param(body, i, out)
		case tokVaOpt:
			out = s.option(t, out)
		default:
			out = append(out, t)
		}
	}
	return out
}

func (s *substitution) option(t token, out []token) []token {
	n := len(out)
	if len(s.argument(s.m.params-1)) > 0 {
		out = s.list(s.m.options[t.sym], out)
	}
	if len(out) == n {
		out = append(out, token{kind: tokNothing})
	}
	out[n].space = t.space
	out[len(out)-1].paste = t.paste
	return out
}

// param appends the argument for the parameter at body[i].
func (s *substitution) param(body []token, i int, out []token) []token {
	t := body[i]
	arg := s.args[t.sym]
	if t.str {
		return append(out, token{kind: tokString, text: stringify(arg), space: t.space, paste: t.paste})
	}
	pasted := i > 0 && body[i-1].paste
	last := s.m.variadic && int(t.sym) == s.m.params-1
	if pasted && last && arg == nil && s.x.mode&modeClang != 0 {
		return elide(out, t)
	}
	if last && arg == nil && s.x.mode&modeMicrosoft != 0 { // without ## too
		if k := lastOf(out); t.paste && k >= 0 && out[k].op == opComma {
			s.x.fail("token-paste") // which leaves ## in the text
		}
		return elide(out, t)
	}
	if pasted && last && body[i-1].op == opComma && len(out) > 0 && !t.paste {
		if arg == nil { // , ## __VA_ARGS__ with nothing there
			out[len(out)-1] = token{kind: tokNothing}
			return out
		}
		out[len(out)-1].paste = false
	}
	if !pasted && !t.paste {
		arg = s.argument(int(t.sym))
	}
	if len(arg) == 0 {
		return append(out, token{kind: tokNothing, space: t.space, paste: t.paste})
	}
	n := len(out)
	out = append(out, arg...)
	if s.x.mode&modeClang != 0 {
		out[n].space = t.space
	}
	if s.x.mode&modeMicrosoft != 0 && !pasted && !t.paste && len(arg) == 1 && arg[0].op == opComma {
		out[n].ignored = true
	}
	out[len(out)-1].paste = t.paste
	return out
}

// elide appends nothing for a missing __VA_ARGS__ after ##. clang then drops a
// comma before it, be it pasted or left over by other missing ones.
func elide(out []token, t token) []token {
	k := lastOf(out)
	if k >= 0 && out[k].op == opComma {
		out[k].kind, out[k].op = tokNothing, opNone
	}
	return append(out, token{kind: tokNothing, space: t.space, paste: t.paste})
}

// lastOf is the index of the last token that is something, else of the first, -1 for none.
func lastOf(out []token) int {
	k := len(out) - 1
	for k > 0 && out[k].kind == tokNothing {
		k--
	}
	return k
}

// argument returns argument i fully expanded.
func (s *substitution) argument(i int) []token {
	if s.expanded[i] == nil {
		s.expanded[i] = s.x.expandArgument(s.args[i])
	}
	return s.expanded[i]
}

func (x *expander) expandArgument(arg []token) []token {
	out := make([]token, 0, len(arg))
	depth, hold := len(x.stack), x.hold
	x.hold = 0
	x.stack = append(x.stack, frame{toks: arg, barrier: true})
	for {
		t := x.next()
		if t.kind == tokEnd {
			break
		}
		out = append(out, t)
	}
	x.unwind(depth)
	x.hold = hold
	return out
}

// stringify returns the string literal that # makes of arg.
func stringify(arg []token) string {
	var b strings.Builder
	b.WriteByte('"')
	for i, t := range arg {
		if i > 0 && t.space {
			b.WriteByte(' ')
		}
		if t.kind != tokString && t.kind != tokChar {
			b.WriteString(t.text)
			continue
		}
		for k := range len(t.text) {
			if c := t.text[k]; c == '"' || c == '\\' {
				b.WriteByte('\\')
			}
			b.WriteByte(t.text[k])
		}
	}
	b.WriteByte('"')
	return b.String()
}
