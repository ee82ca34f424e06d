package cpp

import (
	"fmt"
	"strings"

	"github.com/rexwrap/rexwrap/depscan"
	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/gnu"
)

// fallback is an error that wraps depscan.ErrFallback.
type fallback struct{ reason, about string }

func (f *fallback) Error() string {
	if f.about == "" {
		return fmt.Sprintf("%v: %s", depscan.ErrFallback, f.reason)
	}
	return fmt.Sprintf("%v: %s: %s", depscan.ErrFallback, f.reason, f.about)
}

func (f *fallback) Unwrap() error { return depscan.ErrFallback }

// Reason returns the counted reason of an error that wraps ErrFallback: one of
// the names listed in the package comment, empty for other errors.
func Reason(err error) string {
	if f, ok := err.(*fallback); ok {
		return f.reason
	}
	return ""
}

// A config is what the command line of a compile says about its reading.
type config struct {
	clang    bool // or clang-cl
	language string
	source   string
	spec     searchSpec
	macros   []cmdMacro
	imacros  []string
	includes []string
	trigraph int8 // 1 on, -1 off, 0 as the standard has it
	dollars  bool
	mapped   bool // __FILE__ is rewritten
	pch      bool
	sysroot  string
	iprefix  string
	// microsoft is set for clang-cl.
	microsoft bool
	microsoftSwitches
}

// A cmdMacro is one -D or -U.
type cmdMacro struct {
	undef bool
	name  string
	body  string // as after the name in a #define
}

// flags says what the macro's expansion can bring about.
func (m *cmdMacro) flags(mode lexMode) textFlags {
	l := &lexer{mode: mode, asm: strings.Contains(m.body, ".inc")}
	return l.bodyFlags(m.body)
}

// readConfig reads c's arguments and environment.
func readConfig(c *toolchains.Compile) (*config, error) {
	if drives {
		return nil, stop("windows")
	}
	if c.Microsoft != nil {
		return readMicrosoft(c)
	}
	cfg := &config{
		clang: c.Toolchain.Family == "clang", language: c.Language, source: c.Source, dollars: true,
	}
	cfg.spec.clang, cfg.spec.cwd, cfg.spec.canonical = cfg.clang, c.Call.Dir, c.Toolchain.Family == "gcc"
	cfg.sysroot = sysroot(c.Args)
	for name, value := range gnu.Options(c.Args) {
		if !cfg.option(strings.TrimRight(name, "="), value) {
			return nil, &fallback{"flag", name}
		}
	}
	cfg.environment(c.Call.Env)
	return cfg, nil
}

// sysroot returns the value of -isysroot, else of --sysroot.
func sysroot(args []toolchains.Arg) string {
	var root, headers string
	for name, value := range gnu.Options(args) {
		switch name {
		case "--sysroot=":
			root = value
		case "-isysroot":
			headers = value
		}
	}
	if headers != "" {
		return headers
	}
	return root
}

// option applies one option and reports whether the scanner knows what the
// preprocessor makes of it. Options that Facts cover, and those that no
// preprocessor sees, change nothing here.
func (cfg *config) option(name, value string) bool {
	return cfg.searchOption(name, value) || cfg.macroOption(name, value) || cfg.switchOption(name) || !unsupported(name, value)
}

// unsupported reports whether the scanner does not know what the preprocessor
// makes of an option.
func unsupported(name, value string) bool {
	switch name {
	case "-traditional-cpp", "-traditional", "-remap", "-fdirectives-only", "-fpreprocessed",
		"-fpch-preprocess", "-A", "-Wp,", "-Xpreprocessor", "-cxx-isystem", "-isystem-after",
		"-iwithsysroot", "-stdlib++-isystem", "-objc-isystem", "-objcxx-isystem", "-ivfsoverlay", "-vfsoverlay",
		"-isystem-prefix", "--system-header-prefix", "-no-isystem-prefix", "--no-system-header-prefix",
		"-fplugin", "-fms-extensions", "-fms-compatibility", "-fmax-include-depth", "-index-header-map",
		"--embed-dir", "-specs", "-wrapper", "-internal-isystem", "-internal-externc-isystem", "-c-isystem",
		"-load", "-add-plugin", "-plugin":
		return true
	case "-finput-charset":
		return !strings.EqualFold(value, "utf-8") && !strings.EqualFold(value, "utf8")
	}
	return strings.HasPrefix(name, "-fmodule") || strings.HasPrefix(name, "-fprebuilt-module") ||
		strings.HasPrefix(name, "-fbuild-session") || name == "-fcxx-modules"
}

func (cfg *config) searchOption(name, value string) bool {
	s := &cfg.spec
	switch name {
	case "-I":
		if value == "-" {
			s.quote, s.bracket, s.noOwn = append(s.quote, s.bracket...), nil, true
			return true
		}
		s.bracket = append(s.bracket, cfg.dir(value))
	case "-iquote":
		s.quote = append(s.quote, cfg.dir(value))
	case "-isystem":
		s.system = append(s.system, cfg.dir(value))
	case "-idirafter":
		s.after = append(s.after, cfg.dir(value))
	case "-F":
		s.bracket = append(s.bracket, specDir{path: value, framework: true})
	case "-iframework":
		s.system = append(s.system, specDir{path: value, framework: true})
	case "-iprefix":
		cfg.iprefix = value
	case "-iwithprefix":
		if cfg.iprefix == "" {
			return false
		}
		s.after = append(s.after, specDir{path: cfg.iprefix + value})
	case "-iwithprefixbefore":
		if cfg.iprefix == "" {
			return false
		}
		s.bracket = append(s.bracket, specDir{path: cfg.iprefix + value})
	case "-fno-canonical-system-headers":
		s.canonical = false
	case "-fcanonical-system-headers":
		s.canonical = !cfg.clang
	default:
		return false
	}
	return true
}

// dir applies the sysroot to a directory spelled "=dir" or "$SYSROOT/dir".
func (cfg *config) dir(value string) specDir {
	if cfg.sysroot != "" {
		if rest, ok := strings.CutPrefix(value, "="); ok {
			value = cfg.sysroot + rest
		} else if rest, ok := strings.CutPrefix(value, "$SYSROOT"); ok && !cfg.clang {
			value = cfg.sysroot + rest
		}
	}
	return specDir{path: value}
}

func (cfg *config) macroOption(name, value string) bool {
	switch name {
	case "-D":
		cfg.macros = append(cfg.macros, parseDefine(value))
	case "-U":
		cfg.macros = append(cfg.macros, cmdMacro{undef: true, name: value})
	case "-include":
		cfg.includes = append(cfg.includes, value)
	case "-imacros":
		cfg.imacros = append(cfg.imacros, value)
	default:
		return false
	}
	return true
}

// parseDefine reads NAME, NAME=BODY or NAME(PARAMETERS)=BODY.
func parseDefine(s string) cmdMacro {
	head, body, ok := strings.Cut(s, "=")
	if !ok {
		body = "1"
	}
	if i := strings.IndexByte(body, '\n'); i >= 0 {
		body = body[:i]
	}
	n := len(identifier(head, modeDollars))
	return cmdMacro{name: head[:n], body: head[n:] + " " + body}
}

func (cfg *config) switchOption(name string) bool {
	switch name {
	case "-trigraphs", "-ftrigraphs":
		cfg.trigraph = 1
	case "-fno-trigraphs":
		cfg.trigraph = -1
	case "-fdollars-in-identifiers":
		cfg.dollars = true
	case "-fno-dollars-in-identifiers":
		cfg.dollars = false
	case "-ffile-prefix-map", "-fmacro-prefix-map":
		cfg.mapped = true
	case "-include-pch", "-include-pth":
		cfg.pch = true
	default:
		return false
	}
	return true
}

// environment adds the directories that variables name.
func (cfg *config) environment(env toolchains.Environ) {
	cfg.spec.bracket = append(cfg.spec.bracket, envDirs(env, "CPATH")...)
	name := "C_INCLUDE_PATH"
	switch cfg.language {
	case "c++", "c++-header", "c++-system-header", "c++-user-header":
		name = "CPLUS_INCLUDE_PATH"
	case "objective-c", "objective-c-header":
		name = "OBJC_INCLUDE_PATH"
	case "objective-c++", "objective-c++-header":
		name = "OBJCPLUS_INCLUDE_PATH"
	}
	cfg.spec.system = append(cfg.spec.system, envDirs(env, name)...)
}

func envDirs(env toolchains.Environ, name string) (dirs []specDir) {
	v, ok := env.Lookup(name)
	if !ok || v == "" {
		return nil
	}
	for dir := range strings.SplitSeq(v, ":") {
		if dir == "" {
			dir = "."
		}
		dirs = append(dirs, specDir{path: dir})
	}
	return dirs
}

// builtins appends the compiler's own directories.
func (cfg *config) builtins(f *toolchains.Facts) {
	for _, dir := range f.AngleDirs {
		cfg.spec.system = append(cfg.spec.system, specDir{path: dir})
	}
	if cfg.microsoft {
		for _, dir := range f.AbsentDirs { // of INCLUDE: they may come to exist
			cfg.spec.system = append(cfg.spec.system, specDir{path: dir})
		}
	}
	for _, dir := range f.FrameworkDirs {
		cfg.spec.system = append(cfg.spec.system, specDir{path: dir, framework: true})
	}
}
