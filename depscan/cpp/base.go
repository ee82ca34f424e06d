package cpp

import (
	"strconv"
	"strings"

	"github.com/rexwrap/rexwrap/toolchains"
)

// A base is what holds before a compile's first line: the predefined macros of
// one class of flags, and the rules that follow from them. It is immutable but for
// the answers, and safe for concurrent use.
type base struct {
	facts  *toolchains.Facts
	macros []*macroDef // by symbol
	mode   lexMode
	reason string // why no compile of this class can be scanned
	gccish int    // gcc's major version, 0 for clang
	clang  int    // clang's major version, 0 for gcc

	// wentOn stands for that a name was looked for by #include_next.
	wentOn *macroDef

	answers answers
}

// def returns the predefined macro s, nil for none.
func (b *base) def(s symbol) *macroDef {
	if int(s) < len(b.macros) {
		return b.macros[s]
	}
	return nil
}

// newBase reads the predefined macros of f.
func newBase(f *toolchains.Facts, cfg *config, syms *symbols) *base {
	b := &base{facts: f, wentOn: &macroDef{}}
	text := func(name string) string {
		if d := b.def(syms.intern(name)); d != nil {
			return strings.TrimSpace(d.text)
		}
		return ""
	}
	var defs []*macroDef
	for line := range strings.SplitSeq(string(f.Predefined), "\n") {
		rest, ok := strings.CutPrefix(line, "#define ")
		if name := identifier(rest, modeDollars); ok && name != "" {
			defs = append(defs, &macroDef{name: syms.intern(name), text: rest[len(name):]})
		}
	}
	b.macros = make([]*macroDef, syms.count())
	for _, d := range defs {
		b.macros[d.name] = d
	}
	b.versions(text)
	b.mode = b.modes(cfg, text)
	for _, d := range defs {
		d.mode = b.mode
	}
	b.addBuiltins(cfg)
	if width := text("__INTMAX_WIDTH__"); width != "" && width != "64" {
		b.reason = "intmax"
	}
	return b
}

const (
	oldestGCC   = 10
	oldestClang = 11
)

func (b *base) versions(text func(string) string) {
	if v := text("__clang_major__"); v != "" {
		b.clang, _ = strconv.Atoi(v)
		if text("__apple_build_version__") != "" {
			b.clang = max(b.clang-2, 0) // Apple counts on its own, ahead by two at most
		}
		if b.clang < oldestClang {
			b.reason = "old-compiler"
		}
		return
	}
	b.gccish, _ = strconv.Atoi(text("__GNUC__"))
	if b.gccish < oldestGCC {
		b.reason = "old-compiler"
	}
}

func number(s string) int {
	n, _ := strconv.Atoi(strings.TrimRight(s, "L"))
	return n
}

// modes says which lexical rules the compiler follows for a language standard.
// Sources: gcc's table of languages in libcpp, clang's LangStandards; both are
// checked against the installed compilers by tests.
func (b *base) modes(cfg *config, text func(string) string) (m lexMode) {
	cxx, c := number(text("__cplusplus")), number(text("__STDC_VERSION__"))
	strict := text("__STRICT_ANSI__") != ""
	c23 := cxx == 0 && c > 201710
	set := func(on bool, bit lexMode) {
		if on {
			m |= bit
		}
	}
	set(b.clang > 0, modeClang)
	if strings.HasPrefix(cfg.language, "assembler") {
		m |= modeAsm
		set(b.clang > 0, modeElifdef)
		return m
	}
	set(cxx > 0 && !cfg.noOperators, modeNamedOps)
	set(cxx > 0 || c23, modeTrueFalse)
	set(cxx >= 201402 || c23, modeSeparators)
	set(cfg.dollars, modeDollars)
	strict = strict || cfg.isoC && cxx == 0
	trigraphs := strict && cxx < 201703 && !cfg.microsoft
	set(strict && c23 && (b.gccish > 12 || b.clang > 14), modeNoTrigraph)
	if cfg.trigraph != 0 {
		trigraphs = cfg.trigraph > 0
	}
	set(trigraphs, modeTrigraphs)
	set(cfg.microsoft, modeMicrosoft)
	set(text("__CHAR_UNSIGNED__") != "", modeUnsignedChar)
	if b.clang > 0 {
		set(cxx >= 201103 || b.clang >= 19 && cxx == 0 && c >= 199901 && !strict, modeRawStrings)
		set(b.clang >= 13, modeElifdef)
		set(!strict || cxx > 0, modeGNUComma)
		set(b.clang >= 19, modeEmbed)
		set(b.clang >= 15 && cxx > 202000, modeModules)
		return m
	}
	set(cxx >= 201103 || cxx == 0 && c >= 199901 && (!strict || c23), modeRawStrings)
	set(b.gccish >= 12 && (!strict || c23 || cxx > 202002), modeElifdef)
	set(!strict, modeGNUComma)
	set(b.gccish >= 15, modeEmbed)
	set(text("__cpp_modules") != "", modeModules)
	return m
}

// addBuiltins adds the macros that -dM does not show.
func (b *base) addBuiltins(cfg *config) {
	add := func(kind builtin, syms ...symbol) {
		for _, s := range syms {
			b.macros[s] = &macroDef{name: s, builtin: kind}
		}
	}
	cxx := cfg.language == "c++" || strings.HasPrefix(cfg.language, "c++-")
	add(builtinFile, symFile)
	add(builtinBaseFile, symBaseFile)
	add(builtinLine, symLine)
	add(builtinLevel, symIncludeLevel)
	add(builtinCounter, symCounter)
	add(builtinDate, symDate, symTime, symTimestamp)
	add(builtinPragma, symPragma)
	add(builtinInclude, symHasInclude, symHasIncludeNext)
	if b.mode&modeEmbed != 0 {
		add(builtinInclude, symHasEmbed)
	}
	add(builtinAnswer, symHasAttribute, symHasBuiltin)
	if b.clang == 0 {
		add(builtinAnswer, symHasCppAttribute)
		if b.gccish >= 11 {
			add(builtinAnswer, symHasCAttribute)
		}
		if b.gccish >= 14 {
			add(builtinAnswer, symHasFeature, symHasExtension)
		}
		return
	}
	if cfg.microsoft {
		add(builtinPragma, symIdentifier)
	}
	add(builtinAnswer, symHasFeature, symHasExtension, symHasDeclspecAttribute, symHasWarning,
		symIsIdentifier, symIsTargetArch, symIsTargetOS, symIsTargetVendor, symIsTargetEnvironment,
		symBuildingModule)
	if cxx {
		add(builtinAnswer, symHasCppAttribute)
	} else {
		add(builtinAnswer, symHasCAttribute)
	}
	if b.clang >= 19 {
		add(builtinAnswer, symHasConstexprBuiltin)
	}
}
