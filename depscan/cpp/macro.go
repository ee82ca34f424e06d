package cpp

import (
	"slices"
	"strings"
	"sync"
)

// A macro is a macroDef with its tokens made.
type macro struct {
	bad      bool // the definition is an error, or one the scanner does not know
	function bool
	variadic bool
	params   int
	body     []token
	// options are the bodies of the __VA_OPT__s, which tokVaOpt refers to.
	options [][]token
	plain   bool // body holds no parameters, no pastes
}

// builtin names what a macroDef without text expands to.
type builtin uint8

const (
	notBuiltin builtin = iota
	builtinFile
	builtinBaseFile
	builtinLine
	builtinLevel
	builtinCounter
	builtinDate
	builtinPragma
	builtinInclude // __has_include and its like
	builtinAnswer  // what only the compiler knows: __has_attribute and its like
)

// definitions makes one macroDef of equal short definitions in different files:
// memos compare macros by address, and names like __need_size_t are defined
// everywhere. It is safe for concurrent use.
type definitions struct {
	mu    sync.Mutex
	known map[definitionKey]*macroDef
}

type definitionKey struct {
	name symbol
	mode lexMode
	text string
}

const (
	maxShortText   = 24
	maxDefinitions = 1 << 17
)

// share returns the shared macroDef for a short definition, nil for others.
func (d *definitions) share(name symbol, mode lexMode, text string, flags textFlags) *macroDef {
	if len(text) > maxShortText {
		return nil
	}
	key := definitionKey{name, mode, text}
	d.mu.Lock()
	defer d.mu.Unlock()
	if def := d.known[key]; def != nil {
		return def
	}
	if d.known == nil || len(d.known) >= maxDefinitions {
		d.known = make(map[definitionKey]*macroDef)
	}
	key.text = strings.Clone(text)
	def := &macroDef{name: name, mode: mode, text: key.text, flags: flags}
	d.known[key] = def
	return def
}

// tokens returns d's macro, made at the first call.
func (d *macroDef) tokens(syms *symbols) *macro {
	if m := d.parsed.Load(); m != nil {
		return m
	}
	m := parseMacro(tokenize(d.text, d.mode, syms), d.text, d.mode, syms)
	d.parsed.Store(m)
	return m
}

// parseMacro parses all of a definition that follows the name.
//
//	definition = [ "(" parameters ")" ] body        no blank before "("
func parseMacro(toks []token, text string, mode lexMode, syms *symbols) *macro {
	p := macroParser{m: &macro{}, mode: mode}
	if text != "" && text[0] == '(' {
		p.m.function = true
		n, ok := p.parameters(toks[1:])
		if !ok {
			return &macro{bad: true}
		}
		toks = toks[1+n:]
	}
	p.m.params = len(p.names)
	body, ok := p.parse(toks)
	if !ok || len(body) > 0 && (body[len(body)-1].paste || toks[0].op == opPaste) {
		return &macro{bad: true}
	}
	if len(body) > 0 {
		body[0].space = false
	}
	p.m.body = body
	p.m.plain = !slices.ContainsFunc(body, func(t token) bool {
		return t.paste || t.kind == tokParam || t.kind == tokVaOpt
	})
	if !p.m.function && !p.m.plain {
		p.m.body = pasteAll(body, mode, syms)
		p.m.bad = p.m.body == nil
		p.m.plain = true
	}
	return p.m
}

type macroParser struct {
	m     *macro
	names []symbol
	mode  lexMode
}

// parameters parses a parameter list after its "(" and returns its length.
func (p *macroParser) parameters(toks []token) (int, bool) {
	for i := 0; i < len(toks); i++ {
		t := toks[i]
		switch {
		case t.op == opClose && len(p.names) == 0 && i == 0:
			return 1, true
		case t.op == opEllipsis:
			p.m.variadic = true
			p.names = append(p.names, symVaArgs)
			return i + 2, i+1 < len(toks) && toks[i+1].op == opClose
		case t.kind != tokWord || slices.Contains(p.names, t.sym) || i+1 >= len(toks):
			return 0, false
		}
		p.names = append(p.names, t.sym)
		i++
		switch toks[i].op {
		case opClose:
			return i + 1, true
		case opComma:
		case opEllipsis: // name..., a GNU form
			p.m.variadic = true
			return i + 2, i+1 < len(toks) && toks[i+1].op == opClose
		default:
			return 0, false
		}
	}
	return 0, false
}

// parse resolves parameters, # and ## in a body.
func (p *macroParser) parse(toks []token) ([]token, bool) {
	out := make([]token, 0, len(toks))
	for i := 0; i < len(toks); i++ {
		t := toks[i]
		switch {
		case t.op == opPaste:
			if len(out) == 0 {
				return nil, false
			}
			out[len(out)-1].paste = true
			continue
		case t.op == opHash && p.m.function && p.mode&modeAsm != 0 && (i+1 == len(toks) || p.index(toks[i+1]) < 0):
			// The assembler's own '#'.
		case t.op == opHash && p.m.function:
			i++
			if i >= len(toks) || p.index(toks[i]) < 0 {
				return nil, false
			}
			out = append(out, token{kind: tokParam, sym: symbol(p.index(toks[i])), str: true, space: t.space})
			continue
		case t.kind == tokWord && t.sym == symVaOpt && p.m.variadic:
			n, ok := p.option(toks[i+1:])
			if !ok {
				return nil, false
			}
			t.kind, t.sym = tokVaOpt, symbol(len(p.m.options)-1)
			i += n
		case p.index(t) >= 0:
			t.kind, t.sym = tokParam, symbol(p.index(t))
		}
		out = append(out, t)
	}
	return out, true
}

// option parses the parenthesis after __VA_OPT__ and returns its length.
func (p *macroParser) option(toks []token) (int, bool) {
	if len(toks) == 0 || toks[0].op != opOpen {
		return 0, false
	}
	depth := 0
	for i, t := range toks {
		switch t.op {
		case opOpen:
			depth++
		case opClose:
			depth--
		}
		if depth > 0 {
			continue
		}
		inner := toks[1:i]
		for _, u := range inner {
			if u.sym == symVaOpt && u.kind == tokWord || u.op == opPaste {
				return 0, false // pastes at the edges of an option differ between versions
			}
		}
		body, ok := p.parse(inner)
		p.m.options = append(p.m.options, body)
		return i + 1, ok
	}
	return 0, false
}

func (p *macroParser) index(t token) int {
	if t.kind != tokWord {
		return -1
	}
	return slices.Index(p.names, t.sym)
}

// pasteAll performs the ## of toks, none of which is a parameter. It returns
// nil for a paste that makes no token.
func pasteAll(toks []token, mode lexMode, syms *symbols) []token {
	out := make([]token, 0, len(toks))
	for i := 0; i < len(toks); i++ {
		t := toks[i]
		for t.paste && i+1 < len(toks) {
			i++
			var ok bool
			if t, ok = pasteTokens(t, toks[i], mode, syms); !ok {
				return nil
			}
		}
		t.paste = false
		if t.kind != tokNothing {
			out = append(out, t)
		}
	}
	return out
}

// pasteTokens returns a ## b. The result takes over b's own ##.
func pasteTokens(a, b token, mode lexMode, syms *symbols) (token, bool) {
	if a.kind == tokNothing {
		b.space = a.space || b.space
		return b, true
	}
	if b.kind == tokNothing {
		a.paste = b.paste
		return a, true
	}
	text := a.text + b.text
	if text == "//" || text == "/*" {
		return token{}, false
	}
	t, n := nextToken(text, mode, syms)
	if n != len(text) {
		return token{}, false
	}
	t.text, t.space, t.paste = text, a.space, b.paste
	if t.op == opPaste || t.op == opHash {
		t.op = opNone // an operator made so is none
	}
	return t, true
}
