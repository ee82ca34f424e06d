package cpp

import (
	"strings"

	"github.com/rexwrap/rexwrap/toolchains"
)

// clang-cl is clang with Microsoft's command line and some of the ways of Microsoft's
// preprocessor:
//
//   - A "header" is looked for beside all includers (see includers). That it was found
//     there is a warning; where that is off, the chain decides the spelling no more.
//   - A backslash in the name of an #include is a slash, in that of __has_include it is
//     not.
//   - #import names a type library, which is an error.
//   - A comma before an empty __VA_ARGS__ vanishes without ## too; a comma that is all
//     of an argument's expansion does not part arguments of a macro around it.
//   - Numbers have suffixes like ui64; __pragma is _Pragma with words for a string.
//
// Compiles of cl.exe fall back: how its preprocessor expands macros, and what it says of
// itself (/Zc:preprocessor /PD), has not been tried.

// microsoftSwitches are what clang-cl's options say of its preprocessor alone.
type microsoftSwitches struct {
	// silent is set where clang-cl warns of nothing (-w), mute and loud where
	// it does not warn of Microsoft's search, or of system headers too.
	silent, mute, loud bool
	// external is set for /external:W1 and above, which clang 14 does not
	// know and later versions take for loud.
	external bool
	// noOperators is set where "and" and its like are no operators, isoC for
	// C without GNU's extensions.
	noOperators, isoC bool
}

// readMicrosoft reads the arguments of a call of cl.exe or clang-cl.
func readMicrosoft(c *toolchains.Compile) (*config, error) {
	if c.Toolchain.Family != toolchains.FamilyClangCL {
		return nil, stop("cl")
	}
	cfg := &config{clang: true, microsoft: true, language: c.Language, source: c.Source, dollars: true}
	cfg.spec = searchSpec{clang: true, microsoft: true, cwd: c.Call.Dir}
	for i := range c.Args {
		a := &c.Args[i]
		if a.Option == "" || cfg.microsoftOption(a.Option[1:], a.Value) {
			continue
		}
		name := strings.TrimRight(a.Option, "=")
		switch {
		case strings.HasPrefix(name, "-fms-compatibility-version"):
		case strings.HasPrefix(name, "-fms-"), strings.HasPrefix(name, "-fno-ms-"):
			return nil, &fallback{"flag", name}
		case strings.HasPrefix(name, "-W"):
			cfg.warning(strings.Join(a.Words(), "")[2:])
		case !cfg.switchOption(name) && unsupported(name, a.Value):
			return nil, &fallback{"flag", name}
		}
	}
	cfg.environment(c.Call.Env)
	return cfg, nil
}

// microsoftOption applies an option of cl.exe's, by its name without dash or slash, and
// reports whether it is one that matters. The directories of -imsvc, INCLUDE and
// EXTERNAL_INCLUDE are among the Facts.
func (cfg *config) microsoftOption(name, value string) bool {
	switch name {
	case "I":
		cfg.spec.bracket = append(cfg.spec.bracket, specDir{path: value})
	case "external:I":
		cfg.spec.system = append(cfg.spec.system, specDir{path: value})
	case "D":
		cfg.macros = append(cfg.macros, parseDefine(equalsForHash(value)))
	case "U":
		cfg.macros = append(cfg.macros, cmdMacro{undef: true, name: value})
	case "FI":
		cfg.includes = append(cfg.includes, value)
	case "w", "W0":
		cfg.silent = true
	case "Wall":
		cfg.mute = false
	case "external:":
		cfg.external = cfg.external || len(value) == 2 && value[0] == 'W' && value != "W0"
	case "permissive", "permissive-":
		cfg.noOperators = name == "permissive"
	case "std:":
		cfg.isoC = strings.HasPrefix(value, "c") && !strings.HasPrefix(value, "c++")
	case "Zc:":
		return cfg.conformance(value)
	default:
		return false
	}
	return true
}

func (cfg *config) conformance(value string) bool {
	switch value {
	case "trigraphs":
		cfg.trigraph = 1
	case "trigraphs-":
		cfg.trigraph = -1
	default:
		return false
	}
	return true
}

// warning applies -WNAME.
func (cfg *config) warning(name string) {
	name, off := strings.CutPrefix(name, "no-")
	switch name {
	case "microsoft-include", "microsoft", "everything":
		cfg.mute = off
	case "error=microsoft-include", "error=microsoft":
		cfg.mute = cfg.mute && off
	case "system-headers":
		cfg.loud = !off
	}
}

// equalsForHash returns the value of /D with "=" for the "#" that may stand for it.
func equalsForHash(value string) string {
	if i := strings.IndexAny(value, "=#"); i >= 0 && value[i] == '#' {
		return value[:i] + "=" + value[i+1:]
	}
	return value
}

// slashed returns the name of an #include as it is looked for where separators are
// slashes. Before clang 14 two backslashes stayed.
func (e *evaluator) slashed(name string) (string, error) {
	if e.base.clang < 14 && strings.Contains(name, `\\`) {
		return "", stop("backslashes")
	}
	return strings.ReplaceAll(name, `\`, "/"), nil
}

// around returns the directories of f and of the files around it, for what a file in own
// includes that f includes.
func (e *evaluator) around(f *fileFrame, own int32) int32 {
	if !e.cfg.microsoft {
		return 0
	}
	return e.chain.around(includer{f.own, f.system}, f.outer, own)
}

// searchIncluders lets l go on in the directories outer.
func (e *evaluator) searchIncluders(l *lookup, outer int32, system bool) {
	if e.cfg.microsoft {
		l.stack, l.quiet = outer, e.cfg.silent || e.cfg.mute || system && !e.cfg.loud
	}
}

// clang remembers of each name where a search that began at one directory ended. One that
// #include_next began elsewhere stays half remembered where an includer's directory
// decides, and leads the next search for the name astray. Where that could be, the
// evaluation ends: names that #include_next looked for are kept like macros.

// wentOn notes an #include_next of name.
func (e *evaluator) wentOn(name string) {
	if e.cfg.microsoft {
		e.set(e.nextOf(name), e.base.wentOn)
	}
}

// nextOf is the symbol, which is no identifier, of an #include_next of name.
func (e *evaluator) nextOf(name string) symbol { return e.s.syms.intern("include_next " + name) }

// trusts notes what r, the answer to l, rests on, and reports whether the compiler finds
// the same.
func (e *evaluator) trusts(l lookup, r *resolution) error {
	if e.stacked {
		e.rec.searched()
	}
	if r.beside && !l.quiet && e.see(e.nextOf(l.name)) != nil {
		return stop("search-cache")
	}
	return nil
}
