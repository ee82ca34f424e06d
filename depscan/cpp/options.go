package cpp

import "strings"

// optionsPragma follows which pragmas that change predefined macros are in
// force.
func (e *evaluator) optionsPragma(word string) {
	switch word {
	case "push_options":
		e.options = append(e.options, e.dirty)
	case "pop_options":
		if n := len(e.options); n > 0 {
			e.rec.popped(n)
			e.dirty = e.options[n-1]
			e.options = e.options[:n-1]
		}
	case "reset_options":
		e.dirty = 0
	case "optimize":
		e.dirty |= optionsOptimize
	default:
		e.dirty |= optionsTarget
	}
}

// optionsSet says which #pragma GCC are in force that change predefined macros.
type optionsSet uint8

const (
	optionsTarget optionsSet = 1 << iota
	optionsOptimize
)

// affected reports whether a #pragma GCC target or optimize can have changed s,
// whose definition is d as far as directives say.
func (e *evaluator) affected(s symbol, d *macroDef) bool {
	if d != e.base.def(s) || strings.Contains(e.frames[len(e.frames)-1].ref.path, "/lib/gcc/") {
		return false // gcc's own headers include the same files either way
	}
	name := e.s.syms.name(s)
	switch {
	case !strings.HasPrefix(name, "__"):
		return false
	case strings.HasPrefix(name, "__OPTIMIZE"), name == "__NO_INLINE__":
		return e.dirty&optionsOptimize != 0
	}
	for _, fixed := range unaffected() {
		if strings.HasPrefix(name, fixed) {
			return false
		}
	}
	return true
}

// unaffected returns prefixes of predefined macros that no target or optimize
// pragma changes.
func unaffected() []string {
	return []string{
		"__GNUC", "__STDC", "__cplusplus", "__cpp_", "__has_", "__x86_64", "__i386", "__amd64",
		"__aarch64__", "__arm__", "__linux", "__unix", "__ELF__", "__LP64__", "_LP64", "__ILP32__",
		"__CHAR", "__INT", "__UINT", "__SIZE", "__GLIBC", "__USE_", "__clang", "__STRICT_ANSI__",
		"__BYTE_ORDER__", "__ORDER_", "__EXCEPTIONS", "__GXX_", "__need_", "__WCHAR", "__PTRDIFF",
		"__INCLUDE", "__FILE__", "__LINE__", "__KERNEL__", "__VERSION__", "__USER_LABEL",
	}
}
