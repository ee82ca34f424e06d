package cpp

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/rexwrap/rexwrap/toolchains"
)

var (
	fuzzCases = flag.Int("cases", 2000, "cases of the differential fuzzing, for each compiler")
	fuzzSeed  = flag.Uint64("seed", 1, "seed of the first batch")
)

// batchSize is the number of cases that one compiler process answers.
const batchSize = 2000

// A dialect is one compiler and language under test.
type dialect struct {
	cc, lang, std string
}

func dialects() []dialect {
	return []dialect{
		{"gcc", "c", "-std=gnu11"},
		{"gcc", "c", "-std=c99"},
		{"gcc", "c++", "-std=gnu++17"},
		{"gcc", "c++", "-std=c++11"},
		{"clang", "c", "-std=gnu11"},
		{"clang", "c", "-std=c99"},
		{"clang", "c++", "-std=gnu++17"},
		{"clang", "c++", "-std=c++11"},
		{clangCL, "c", "/std:c11"},
		{clangCL, "c++", "/std:c++17"},
	}
}

// TestAgainstCompilers evaluates random conditions and macro programs and
// compares them with the compilers.
func TestAgainstCompilers(t *testing.T) {
	for _, d := range dialects() {
		t.Run(d.cc+d.std, func(t *testing.T) {
			t.Parallel()
			var total outcome
			cases := *fuzzCases / 4 // dialects of one compiler
			for n := 0; n < cases; n += batchSize {
				total.add(d.batch(t, *fuzzSeed+uint64(n), min(batchSize, cases-n)))
			}
			t.Logf("%d cases: %d agree, %d rejected by the compiler, %d not evaluated", total.cases, total.agree, total.rejected, total.aside)
			if total.agree < total.cases/4 {
				t.Errorf("only %d of %d cases were compared", total.agree, total.cases)
			}
		})
	}
}

type outcome struct{ cases, agree, rejected, aside int }

func (o *outcome) add(p outcome) {
	o.cases += p.cases
	o.agree += p.agree
	o.rejected += p.rejected
	o.aside += p.aside
}

// A fuzzCase is some definitions and either a condition or a line of text.
type fuzzCase struct {
	defs []string // "name body"
	cond string
	text string
	line int // of the first definition
	end  int
}

func (d dialect) batch(t *testing.T, seed uint64, n int) outcome {
	g := &generator{r: rand.New(rand.NewPCG(seed, uint64(len(d.cc+d.std)))), microsoft: d.cc == clangCL}
	var src strings.Builder
	cases := make([]fuzzCase, n)
	line := 1
	for i := range cases {
		c := g.next(i)
		c.line = line
		text := c.source(i)
		line += strings.Count(text, "\n")
		c.end = line
		cases[i] = c
		src.WriteString(text)
	}
	file := filepath.Join(t.TempDir(), "fuzz.txt")
	if err := os.WriteFile(file, []byte(src.String()), 0o666); err != nil {
		t.Fatal(err)
	}
	args := d.args()
	switch d.cc {
	case clangCL:
		args = append(args, "/EP", "-clang:-ferror-limit=0", "-clang:-fno-caret-diagnostics", "-clang:-fdiagnostics-format=clang")
	case "clang":
		args = append(args, "-E", "-P", "-ferror-limit=0", "-fno-caret-diagnostics", "-fmacro-backtrace-limit=1")
	default:
		args = append(args, "-E", "-P", "-fno-diagnostics-show-caret", "-ftrack-macro-expansion=0")
	}
	cmd := exec.Command(d.cc, append(args, file)...)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	_ = cmd.Run() // rejected cases are told by the messages
	return d.judge(t, cases, compilerAnswers(out.String(), n), badLines(errs.String()))
}

// args choose the language.
func (d dialect) args() []string {
	switch {
	case d.cc != clangCL:
		return []string{"-x", d.lang, d.std, "-w"}
	case d.lang == "c":
		return []string{"/TC", d.std, "/w"}
	}
	return []string{"/TP", d.std, "/w"}
}

// source is the case as a compiler reads it.
func (c *fuzzCase) source(i int) string {
	var b strings.Builder
	for _, def := range c.defs {
		fmt.Fprintf(&b, "#define %s\n", def)
	}
	if c.cond != "" {
		fmt.Fprintf(&b, "#if %s\n@%d:1\n#else\n@%d:0\n#endif\n", c.cond, i, i)
	} else {
		fmt.Fprintf(&b, "@%d:%s\n", i, c.text)
	}
	b.WriteString("@@\n")
	return b.String()
}

// compilerAnswers splits what a compiler printed by case.
func compilerAnswers(out string, n int) []string {
	answers := make([]string, n)
	for part := range strings.SplitSeq(out, "@") {
		num, text, ok := strings.Cut(part, ":")
		if i, err := strconv.Atoi(strings.TrimSpace(num)); ok && err == nil && i < n {
			answers[i] = strings.TrimSpace(text)
		}
	}
	return answers
}

var badLine = regexp.MustCompile(`fuzz\.txt:(\d+):\d+: (?:fatal )?error:`)

func badLines(errs string) map[int]bool {
	bad := make(map[int]bool)
	for _, m := range badLine.FindAllStringSubmatch(errs, -1) {
		n, _ := strconv.Atoi(m[1])
		bad[n] = true
	}
	return bad
}

func (d dialect) judge(t *testing.T, cases []fuzzCase, answers []string, bad map[int]bool) outcome {
	o := outcome{cases: len(cases)}
	e := d.evaluator(t)
	for i, c := range cases {
		got, err := e.fuzz(&c)
		switch {
		case c.rejected(bad):
			o.rejected++
		case err != "":
			o.aside++
		case squeeze(got) != squeeze(answers[i]):
			t.Errorf("%s %s: got %q, want %q for\n%s", d.cc, d.std, got, answers[i], c.source(i))
		default:
			o.agree++
		}
	}
	return o
}

func (c *fuzzCase) rejected(bad map[int]bool) bool {
	for l := c.line; l < c.end; l++ {
		if bad[l] {
			return true
		}
	}
	return false
}

// squeeze drops white space outside of literals, which expansion leaves open.
func squeeze(s string) string {
	var b strings.Builder
	for _, t := range tokenize(s, 0, newSymbols()) {
		b.WriteString(t.text)
	}
	return b.String()
}

// evaluator returns an evaluator under the dialect's rules, in an empty file.
func (d dialect) evaluator(t *testing.T) *evaluator {
	question := []string{"-E", "-dM", os.DevNull}
	if d.cc == clangCL {
		question = []string{"-E", "-clang:-dM", "--", os.DevNull}
	}
	out, err := exec.Command(d.cc, append(d.args(), question...)...).Output()
	if err != nil {
		t.Fatal(err)
	}
	s := newMemory(Options{})
	cfg := &config{clang: d.cc != "gcc", microsoft: d.cc == clangCL, language: d.lang, dollars: true}
	cfg.isoC = d.std == "/std:c11"
	e := &evaluator{s: s}
	b := newBase(&toolchains.Facts{Predefined: out}, cfg, s.syms)
	now := s.fs.begin()
	e.begin(cfg, b, newChain(&cfg.spec, s.fs, now.tick), now)
	e.frames = append(e.frames, fileFrame{unit: lex(nil, b.mode, s.syms), ref: &fileRef{}})
	return e
}

// fuzz evaluates one case.
func (e *evaluator) fuzz(c *fuzzCase) (got, err string) {
	e.gen++
	mode := e.base.mode
	for _, def := range c.defs {
		u := lex([]byte("#define "+def+"\n"), mode, e.s.syms)
		for i := range u.macros {
			e.set(u.macros[i].name, u.macros[i])
		}
	}
	if c.cond != "" {
		u := lex([]byte("#if "+c.cond+"\n#endif\n"), mode, e.s.syms)
		taken, err := e.condition(&fileFrame{unit: u}, &u.dirs[0])
		if err != nil {
			return "", err.Error()
		}
		if again, err := e.condition(&fileFrame{unit: u}, &u.dirs[0]); err != nil || again != taken {
			return "memo differs", ""
		}
		return strconv.FormatInt(int64(truth(taken).n), 10), ""
	}
	e.x.reset(tokenize(c.text, mode, e.s.syms), mode)
	var b strings.Builder
	for t := e.x.next(); t.kind != tokEnd; t = e.x.next() {
		b.WriteString(t.text + " ")
	}
	err = e.x.err
	e.x.unwind(0)
	return b.String(), err
}

// A generator makes random cases.
type generator struct {
	r      *rand.Rand
	macros []genMacro
	nested int // calls around the operand being made
	// microsoft is set for constants that clang-cl has besides.
	microsoft bool
}

type genMacro struct {
	name     string
	function bool
	params   int
	variadic bool
}

func (g *generator) pick(list ...string) string { return list[g.r.IntN(len(list))] }

func (g *generator) one(n int) bool { return g.r.IntN(n) == 0 }

func (g *generator) next(i int) fuzzCase {
	g.macros = g.macros[:0]
	var c fuzzCase
	for k := range g.r.IntN(6) {
		g.macros = append(g.macros, genMacro{
			name: fmt.Sprintf("m%d_%d", i, k), function: g.one(2), params: g.r.IntN(4), variadic: g.one(3),
		})
	}
	conditional := g.one(2)
	for _, m := range g.macros {
		c.defs = append(c.defs, g.definition(m, conditional))
	}
	if conditional {
		c.cond = g.expr(4)
	} else {
		for range 1 + g.r.IntN(8) {
			c.text += " " + g.element(2)
		}
	}
	return c
}

// definition makes the text of a #define.
func (g *generator) definition(m genMacro, numeric bool) string {
	head := m.name
	var params []string
	if m.function {
		for k := range m.params {
			params = append(params, fmt.Sprintf("p%d", k))
		}
		list := strings.Join(params, g.pick(",", ", "))
		if m.variadic && m.params > 0 {
			if g.one(4) {
				list += "..."
			} else {
				list += ", ..."
				params = append(params, "__VA_ARGS__")
			}
		} else if m.variadic {
			list = "..."
			params = append(params, "__VA_ARGS__")
		}
		head += "(" + list + ")"
	}
	if numeric {
		return head + " " + g.numericBody(m, params)
	}
	return head + " " + g.textBody(m, params)
}

func (g *generator) numericBody(m genMacro, params []string) string {
	if len(params) > 0 && g.one(2) {
		p := params[g.r.IntN(len(params))]
		return g.pick("("+p+")", p+" + 1", "-"+p, p+" ## 1", "!("+p+")", "defined "+p, "("+p+" < 3 ? "+p+" : 0x7u)", "1 ## "+p+" + 0")
	}
	return g.pick(g.expr(2), g.constant(), "("+g.expr(1)+")", "("+g.expr(2)+")", g.macroName()+" + 1", "", "defined "+g.macroName(), "defined("+g.macroName()+")")
}

func (g *generator) textBody(m genMacro, params []string) string {
	var b strings.Builder
	for range g.r.IntN(7) {
		e := g.element(1)
		if len(params) > 0 && g.one(2) {
			p := params[g.r.IntN(len(params))]
			e = g.pick(p, p, p, "#"+p, "# "+p)
			if g.one(4) {
				e = g.pick(p+"##"+g.word(), g.word()+" ## "+p, p+"##"+params[g.r.IntN(len(params))], g.word()+"##"+p+"##x")
			}
		}
		if m.function && m.variadic && g.one(6) && len(params) > 0 && params[len(params)-1] == "__VA_ARGS__" {
			e = g.pick(", ## __VA_ARGS__", "x, ##__VA_ARGS__", "__VA_OPT__(a b)", "__VA_OPT__(, __VA_ARGS__)", "__VA_OPT__()")
		}
		if g.one(12) {
			e = g.word() + "##" + g.word()
		}
		b.WriteString(e + g.pick(" ", " ", ""+" "))
	}
	return b.String()
}

func (g *generator) word() string {
	return g.pick("a", "b", "x1", "m", "_", "foo", g.macroName(), g.macroName())
}

func (g *generator) macroName() string {
	if len(g.macros) == 0 {
		return "none"
	}
	return g.macros[g.r.IntN(len(g.macros))].name
}

// element makes a piece of text.
func (g *generator) element(depth int) string {
	if depth > 0 && len(g.macros) > 0 && g.one(2) {
		m := g.macros[g.r.IntN(len(g.macros))]
		if !m.function {
			return m.name
		}
		if g.one(6) {
			return m.name
		}
		n := m.params
		if m.variadic {
			n += g.r.IntN(3)
		}
		if g.one(25) {
			n += g.r.IntN(2)
		}
		var args []string
		for range n {
			args = append(args, g.argument(depth-1))
		}
		return m.name + g.pick("", " ") + "(" + strings.Join(args, ",") + ")"
	}
	return g.pick("a", "b", "1", "2.5e+3", "+", "-", "<<", ",", "\"s \\\" \"", "'c'", "[", "]", "x", "{;}", "(a)", "(b,1)", "->", "...", "%", "!",
		"a", "b", "c", "d")
}

func (g *generator) argument(depth int) string {
	var b strings.Builder
	for range g.r.IntN(4) {
		e := g.element(depth)
		if e == "," {
			e = "z"
		}
		b.WriteString(g.pick("", " ", "  ") + e + " ")
	}
	return strings.TrimRight(b.String(), " ")
}

func (g *generator) constant() string {
	if g.microsoft && g.one(5) {
		return g.pick("1i64", "0xFFFFFFFFFFFFFFFFui64", "2ui32", "077I16", "3UI8", "L'a'", "L'\\0'", "1ull", "0i64")
	}
	return g.pick("0", "1", "2", "3", "7", "63", "64", "65", "0x10", "0xFFFFFFFFFFFFFFFF", "0x8000000000000000", "9223372036854775807",
		"9223372036854775808", "18446744073709551615u", "0u", "1u", "2ul", "5ull", "100L", "1LL", "077", "0777777777777777777777", "0b101",
		"'a'", "'\\0'", "'\\n'", "'\\377'", "'\\x41'", "'ab'", "'abc'", "'abcd'", "L'a'", "'\\\\'", "'\\''", "'\\x80'", "true", "false", "undefinedname")
}

// expr makes an expression.
func (g *generator) expr(depth int) string {
	if depth <= 0 {
		return g.operand()
	}
	switch g.r.IntN(9) {
	case 0:
		return g.operand()
	case 1:
		return "(" + g.expr(depth-1) + ")"
	case 2:
		return g.pick("-", "+", "!", "~", "- -", "!!") + g.expr(depth-1)
	case 3:
		return g.expr(depth-1) + " ? " + g.expr(depth-1) + " : " + g.expr(depth-1)
	}
	op := g.pick("||", "&&", "|", "^", "&", "==", "!=", "<", ">", "<=", ">=", "<<", ">>", "+", "-", "*", "/", "%")
	return g.expr(depth-1) + g.pick(" ", "") + op + " " + g.expr(depth-1)
}

func (g *generator) operand() string {
	if len(g.macros) == 0 || g.nested > 2 || g.one(2) {
		return g.constant()
	}
	g.nested++
	defer func() { g.nested-- }()
	m := g.macros[g.r.IntN(len(g.macros))]
	if g.one(5) {
		return g.pick("defined "+m.name, "defined("+m.name+")", "defined nothing", "!defined ( "+m.name+" )")
	}
	if !m.function {
		return m.name
	}
	n := m.params
	if m.variadic {
		n += g.r.IntN(2)
	}
	var args []string
	for range n {
		args = append(args, g.expr(1))
	}
	return m.name + "(" + strings.Join(args, ", ") + ")"
}
