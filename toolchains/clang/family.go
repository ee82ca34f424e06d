package clang

import (
	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/argtable"
	"github.com/rexwrap/rexwrap/toolchains/gnu"
)

// Family is the command-line language of clang and clang++. It is immutable and
// safe for concurrent use.
type Family struct {
	dialect gnu.Dialect
	environ map[string][]string // by language
}

var _ toolchains.Family = (*Family)(nil)

// New returns the Family. Rows of extra, the user's own flags (argtable.Extra),
// come before the family's. It sorts a table: make one Family for all calls of
// the same settings.
func New(extra ...argtable.Option) *Family {
	return &Family{environ: gnu.ByLanguage(environ), dialect: gnu.Dialect{Table: argtable.New(options(), extra), DropsEmpty: true, Language: language}}
}

// Name returns "clang".
func (f *Family) Name() string { return "clang" }

// Table returns the option table.
func (f *Family) Table() *argtable.Table { return f.dialect.Table }

// Parse makes a Compile of a call that resolved to tc. Errors are
// *toolchains.UnsupportedError with a reason of gnu.Reasons.
func (f *Family) Parse(call *toolchains.Call, tc *toolchains.Toolchain) (*toolchains.Compile, error) {
	line, err := f.dialect.Read(call)
	if err != nil {
		return nil, err
	}
	c, err := line.Compile(&f.dialect, call, tc)
	if err != nil {
		return nil, err
	}
	c.Env = f.environ[c.Language]
	p := parser{Compile: c, line: line, table: f.dialect.Table}
	if err := p.parse(); err != nil {
		return nil, err
	}
	return c, nil
}

// language returns the language of files with suffix by clang's rules.
// Languages that are not compiled here are named so that they are told from
// linker input.
func language(suffix string) string {
	switch suffix {
	case ".c":
		return "c"
	case ".i":
		return "cpp-output"
	case ".ii":
		return "c++-cpp-output"
	case ".m":
		return "objective-c"
	case ".mi":
		return "objective-c-cpp-output"
	case ".mm", ".M":
		return "objective-c++"
	case ".mii":
		return "objective-c++-cpp-output"
	case ".h":
		return "c-header"
	case ".cc", ".cp", ".cxx", ".cpp", ".CPP", ".CXX", ".c++", ".C++", ".C":
		return "c++"
	case ".hh", ".H", ".hp", ".hxx", ".hpp":
		return "c++-header"
	case ".s":
		return "assembler"
	case ".S":
		return "assembler-with-cpp"
	case ".ll", ".bc":
		return "ir"
	}
	return otherLanguage(suffix)
}

func otherLanguage(suffix string) string {
	switch suffix {
	case ".cu", ".cui", ".hip", ".hipi", ".cl", ".clcpp", ".hlsl":
		return "offload"
	case ".cppm", ".c++m", ".cxxm", ".ccm", ".ixx", ".iim", ".pcm", ".ast", ".gch", ".pch":
		return "module"
	case ".f", ".F", ".f90", ".F90", ".f95", ".F95", ".f03", ".F03", ".f08", ".F08", ".for", ".FOR", ".ftn", ".FTN",
		".fpp", ".FPP":
		return "fortran"
	case ".ads", ".adb", ".ifs", ".rs", ".cir", ".fir", ".td":
		return "other"
	}
	return ""
}

// environ are the variables that clang reads in every compile. TERM and its
// like choose a variant of the diagnostics on a terminal and are not here.
func environ(lang string) []string {
	always := []string{"CLANG_NO_DEFAULT_CONFIG", "COMPILER_PATH", "LLVM_OVERRIDE_PRODUCER"}
	if !gnu.IsPreprocessed(lang) {
		return always
	}
	return gnu.Variables(always, gnu.SearchVariables(lang), []string{"SOURCE_DATE_EPOCH"})
}

// darwin are variables that clang reads besides for Apple's systems.
func darwin() []string {
	return []string{
		"DEVELOPER_DIR", "DRIVERKIT_DEPLOYMENT_TARGET", "IPHONEOS_DEPLOYMENT_TARGET", "MACOSX_DEPLOYMENT_TARGET",
		"RC_DEBUG_OPTIONS", "SDKROOT", "TVOS_DEPLOYMENT_TARGET", "WATCHOS_DEPLOYMENT_TARGET", "XROS_DEPLOYMENT_TARGET",
	}
}

// locale are variables that an assembler of its own reads.
func locale() []string { return []string{"LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "LC_MESSAGES"} }

// asideByEnvironment returns the reason and the variable that makes any call
// step aside.
func asideByEnvironment(env toolchains.Environ) (reason, name string) {
	for _, name := range []string{
		"CCC_OVERRIDE_OPTIONS", "QA_OVERRIDE_GCC3_OPTIONS", "CCC_ADD_ARGS", "FORCE_CLANG_DIAGNOSTICS_CRASH",
	} {
		if _, set := env.Lookup(name); set {
			return gnu.ReasonEnvOptions, name
		}
	}
	for _, name := range []string{
		"CC_PRINT_OPTIONS", "CC_PRINT_HEADERS", "CC_LOG_DIAGNOSTICS", "CC_PRINT_PROC_STAT", "CC_PRINT_INTERNAL_STAT",
		"AS_SECURE_LOG_FILE",
	} {
		if _, set := env.Lookup(name); set {
			return gnu.ReasonEnvOutput, name
		}
	}
	return "", ""
}
