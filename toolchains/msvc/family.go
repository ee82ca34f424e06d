package msvc

import (
	"slices"
	"strings"

	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/argtable"
	"github.com/rexwrap/rexwrap/toolchains/clang"
	"github.com/rexwrap/rexwrap/toolchains/gnu"
)

// Family is the command-line language of cl.exe or of clang-cl. It is immutable and safe
// for concurrent use.
type Family struct {
	table *argtable.Table
	// clang is set for clang-cl, extra is then clang's own table.
	clang bool
	extra *argtable.Table
}

var _ toolchains.Family = (*Family)(nil)

// New returns the Family of cl.exe. Rows of extra, the user's own flags (argtable.Extra),
// come before the family's.
func New(extra ...argtable.Option) *Family {
	return &Family{table: argtable.New(options(table()), options(clTable()), extra)}
}

// NewClang returns the Family of clang-cl.
func NewClang(extra ...argtable.Option) *Family {
	return &Family{
		table: argtable.New(options(table()), options(clangTable()), extra),
		clang: true,
		extra: clang.New().Table(),
	}
}

// Name returns toolchains.FamilyMSVC or toolchains.FamilyClangCL.
func (f *Family) Name() string {
	if f.clang {
		return toolchains.FamilyClangCL
	}
	return toolchains.FamilyMSVC
}

// Table returns the option table, without the options of clang that clang-cl has too.
func (f *Family) Table() *argtable.Table { return f.table }

// lookup finds the row for word, which begins with a dash or a slash.
func (f *Family) lookup(word string) (argtable.Match, bool) {
	if strings.HasPrefix(word, "--") || word[0] != '-' || !f.clang {
		return f.table.Lookup("-" + word[1:])
	}
	m, ok := f.table.Lookup(word)
	if ok && !isShadowed(&m, word) {
		return m, true
	}
	if borrowed, found := f.borrow(word); found {
		return borrowed, true
	}
	return m, ok && !isShadowed(&m, word)
}

// isShadowed reports whether word is an option of clang's that only begins like one of
// cl.exe's: "-fp..." of -fprofile, "-O..." never.
func isShadowed(m *argtable.Match, word string) bool {
	return m.Name == "-F" && m.Form == argtable.Joined && !isNumber(m.Value) || m.Name == "-o" && len(word) > 2
}

func isNumber(s string) bool { return strings.Trim(s, "0123456789") == "" }

// borrow finds an option of clang's that clang-cl understands and that neither names a file
// nor changes what is made: warnings, and flags of the code. Others step aside.
func (f *Family) borrow(word string) (argtable.Match, bool) {
	if !strings.HasPrefix(word, "-W") && !strings.HasPrefix(word, "-f") && !strings.HasPrefix(word, "-m") {
		return argtable.Match{}, false
	}
	const harmless = preprocessor | codegen | diagnostic
	m, ok := f.extra.Lookup(word)
	if !ok || m.Option.Class&^harmless != 0 || m.Form == argtable.Separate || strings.ContainsAny(m.Value, `/\`) {
		return argtable.Match{}, false
	}
	if slices.ContainsFunc(notBorrowed(), func(name string) bool { return strings.HasPrefix(word, name) }) {
		return argtable.Match{}, false
	}
	return m, true
}

// notBorrowed are the beginnings of options that make other outputs or read further files.
func notBorrowed() []string {
	return []string{
		"-fbasic-block-sections=", "-fcoverage", "-fcs-profile", "-flto", "-fmodule", "-foffload", "-fprofile",
		"-fsanitize", "-fsave-optimization", "-fsycl", "-fthin", "-ftime-trace",
	}
}

// Parse makes a Compile of a call that resolved to tc. Errors are
// *toolchains.UnsupportedError with a reason of gnu.Reasons or Reasons.
func (f *Family) Parse(call *toolchains.Call, tc *toolchains.Toolchain) (*toolchains.Compile, error) {
	l, expanded, err := f.read(call)
	if err != nil {
		return nil, err
	}
	if err := l.check(); err != nil {
		return nil, err
	}
	if len(l.sources) > 1 {
		return nil, toolchains.Unsupported(gnu.ReasonSeveralSources, l.args[l.sources[1].arg].Value)
	}
	p := parser{line: l, Compile: &toolchains.Compile{
		Call: call, Toolchain: tc, Mode: toolchains.Object, Args: l.args, Expanded: expanded,
		Language: l.language(l.sources[0]), Source: l.args[l.sources[0].arg].Value,
	}}
	return p.Compile, p.parse()
}

// read takes the arguments of call apart.
func (f *Family) read(call *toolchains.Call) (l *line, expanded bool, err error) {
	if len(call.Argv) == 0 {
		return nil, false, toolchains.Unsupported(gnu.ReasonNoSource, "")
	}
	if reason, name := f.asideByEnvironment(call.Env); reason != "" {
		return nil, false, toolchains.Unsupported(reason, name)
	}
	words, expanded, err := f.words(call)
	if err != nil {
		return nil, false, err
	}
	l = &line{family: f}
	return l, expanded, l.read(words)
}

// asideByEnvironment returns the reason and the variable that makes any call step aside.
func (f *Family) asideByEnvironment(env toolchains.Environ) (reason, name string) {
	if !f.clang {
		return "", ""
	}
	for _, name := range []string{"CCC_OVERRIDE_OPTIONS", "QA_OVERRIDE_GCC3_OPTIONS", "FORCE_CLANG_DIAGNOSTICS_CRASH"} {
		if _, set := env.Lookup(name); set {
			return gnu.ReasonEnvOptions, name
		}
	}
	for _, name := range []string{"CC_PRINT_OPTIONS", "CC_PRINT_HEADERS", "CC_LOG_DIAGNOSTICS", "CC_PRINT_PROC_STAT", "CC_PRINT_INTERNAL_STAT"} {
		if _, set := env.Lookup(name); set {
			return gnu.ReasonEnvOutput, name
		}
	}
	return "", ""
}

// check returns why the line is no compile of sources that are understood.
func (l *line) check() error {
	compiles := false
	for _, name := range l.names {
		compiles = compiles || name == "-c"
	}
	switch {
	case l.action != nil:
		return l.action
	case len(l.sources) == 0 && l.aside == nil:
		return toolchains.Unsupported(gnu.ReasonNoSource, "")
	case l.aside != nil:
		return l.aside
	case !compiles:
		return toolchains.Unsupported(gnu.ReasonLink, "")
	}
	for _, s := range l.sources {
		if l.language(s) == "" {
			return toolchains.Unsupported(gnu.ReasonLinkerInput, l.args[s.arg].Value)
		}
	}
	return nil
}
