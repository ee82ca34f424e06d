package gcc

import (
	"strconv"
	"strings"

	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/argtable"
	"github.com/rexwrap/rexwrap/toolchains/gnu"
)

// Family is the command-line language of gcc and g++. It is immutable and safe
// for concurrent use.
type Family struct {
	dialect gnu.Dialect
	environ map[string][]string // by language
}

var _ toolchains.Family = (*Family)(nil)

// New returns the Family. Rows of extra, the user's own flags (argtable.Extra),
// come before the family's. It sorts a table: make one Family for all calls of
// the same settings.
func New(extra ...argtable.Option) *Family {
	return &Family{environ: gnu.ByLanguage(environ), dialect: gnu.Dialect{Table: argtable.New(options(), extra), Language: language}}
}

// Name returns "gcc".
func (f *Family) Name() string { return "gcc" }

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
	p := parser{Compile: c, line: line, version: major(tc.Version)}
	if err := p.parse(); err != nil {
		return nil, err
	}
	return c, nil
}

// major returns the first number of a version, 0 for none.
func major(version string) int {
	first, _, _ := strings.Cut(version, ".")
	n, err := strconv.Atoi(first)
	if err != nil {
		return 0
	}
	return n
}

// language returns the language of files with suffix by gcc's rules. Languages
// of other front ends are named so that they are told from linker input.
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
	case ".cc", ".cp", ".cxx", ".cpp", ".CPP", ".c++", ".C":
		return "c++"
	case ".hh", ".H", ".hp", ".hxx", ".hpp", ".HPP", ".h++", ".tcc":
		return "c++-header"
	case ".s":
		return "assembler"
	case ".S", ".sx":
		return "assembler-with-cpp"
	}
	return otherLanguage(suffix)
}

func otherLanguage(suffix string) string {
	switch suffix {
	case ".f", ".for", ".ftn", ".F", ".FOR", ".fpp", ".FPP", ".FTN", ".f90", ".f95", ".f03", ".f08", ".fi", ".fii",
		".F90", ".F95", ".F03", ".F08":
		return "fortran"
	case ".ads", ".adb":
		return "ada"
	case ".d", ".di", ".dd":
		return "d"
	case ".go":
		return "go"
	case ".rs":
		return "rust"
	case ".mod":
		return "modula-2"
	case ".cob", ".COB", ".cbl", ".CBL":
		return "cobol"
	case ".brig":
		return "brig"
	}
	return ""
}

// environ are the variables that gcc reads in every compile. TMPDIR does not
// reach the result; TERM, COLUMNS and their like choose a variant of the
// diagnostics on a terminal and are not here.
func environ(lang string) []string {
	always := []string{
		"COMPILER_PATH", "GCC_COLORS", "GCC_COMPARE_DEBUG", "GCC_EXEC_PREFIX", "GCC_EXTRA_DIAGNOSTIC_OUTPUT",
		"GCC_URLS", "LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "LC_MESSAGES", "TERM_URLS",
	}
	if !gnu.IsPreprocessed(lang) {
		return gnu.Variables(always)
	}
	return gnu.Variables(always, gnu.SearchVariables(lang), []string{"SOURCE_DATE_EPOCH"})
}

// darwin are variables that gcc reads besides when it compiles for macOS.
func darwin() []string {
	return []string{"DEVELOPER_DIR", "MACOSX_DEPLOYMENT_TARGET", "SDKROOT"}
}
