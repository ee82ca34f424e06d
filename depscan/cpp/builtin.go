package cpp

import (
	"strconv"
	"strings"
)

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
