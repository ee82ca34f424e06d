package rustc

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/argtable"
)

// Family is the command-line language of rustc and of clippy-driver. It is
// immutable and safe for concurrent use.
type Family struct {
	tables tables
	rules  Rules
}

// Rules are what a user wants to be done about some calls. The zero Rules are
// those of nobody.
type Rules struct {
	// DropIncremental takes -C incremental from the calls that would step
	// aside for it: what is made is what a build without it makes.
	DropIncremental bool
	// Uncached are names of crates, and of cargo's packages with all their
	// crates, that step aside.
	Uncached []string
}

var _ toolchains.Family = (*Family)(nil)

// New returns the Family.
func New() *Family { return WithRules(Rules{}) }

// WithRules returns the Family under r.
func WithRules(r Rules) *Family {
	return &Family{tables{
		options: argtable.New(options()), settings: argtable.New(codegen(), unstable()),
		driver: argtable.New(driverOptions()), linker: argtable.New(linkerOptions()),
	}, r}
}

// Name returns "rustc".
func (f *Family) Name() string { return "rustc" }

// tables are the option tables: options proper, what follows -C and -Z, and words for
// the linker and its driver.
type tables struct{ options, settings, driver, linker *argtable.Table }

func (t *tables) option(name string) (*argtable.Option, bool) { return exact(t.options, name) }

func (t *tables) setting(name string) (*argtable.Option, bool) { return exact(t.settings, name) }

func exact(t *argtable.Table, name string) (*argtable.Option, bool) {
	m, ok := t.Lookup(name)
	if !ok || m.Option.Name != name {
		return nil, false
	}
	return m.Option, true
}

// Parse makes a Compile of a call that resolved to tc. Errors are
// *toolchains.UnsupportedError with a reason of Reasons.
func (f *Family) Parse(call *toolchains.Call, tc *toolchains.Toolchain) (*toolchains.Compile, error) {
	args, clippy := arguments(call)
	list, expanded, err := words(call, args)
	if err != nil {
		return nil, err
	}
	r := &reader{tables: &f.tables}
	r.read(list)
	switch {
	case r.query != nil:
		return nil, r.query
	case r.aside != nil:
		return nil, r.aside
	case len(r.sources) == 0:
		return nil, toolchains.Unsupported(ReasonNoSource, "")
	case len(r.sources) > 1:
		return nil, toolchains.Unsupported(ReasonSeveralSources, r.sources[1])
	}
	p := parser{
		Compile: &toolchains.Compile{
			Call: call, Toolchain: tc, Mode: toolchains.CrateOutputs, Language: "rust",
			Source: r.sources[0], Args: r.args, Expanded: expanded,
			Carries: toolchains.CarriesDir | toolchains.CarriesPaths,
		},
		crate: &toolchains.Crate{Clippy: clippy},
		rules: &f.rules, tables: &f.tables,
	}
	p.Crate = p.crate
	return p.Compile, p.parse()
}

// arguments returns what is left of call's arguments for the reader.
// clippy-driver takes a path to rustc as its first argument and drops it; rustup's
// proxies take +TOOLCHAIN.
func arguments(call *toolchains.Call) (args []string, clippy bool) {
	args = call.Argv[min(1, len(call.Argv)):]
	if len(args) > 0 && strings.HasPrefix(args[0], "+") {
		args = args[1:]
	}
	clippy = stem(call.Program) == "clippy-driver"
	if clippy && len(args) > 0 && stem(args[0]) == "rustc" {
		args = args[1:]
	}
	return args, clippy
}

func stem(path string) string {
	base := filepath.Base(path)
	return strings.TrimSuffix(base, filepath.Ext(base))
}

// variables are those that the compiler reads beside what the source asks for.
// Some of cargo's only choose the words of diagnostics. For Apple's systems code says
// which version of the system it is for.
func variables(c *toolchains.Crate, target string) []string {
	names := []string{
		"CARGO", "CARGO_CRATE_NAME", "CARGO_PKG_NAME", "RUSTC_BOOTSTRAP", "RUSTC_FORCE_RUSTC_VERSION",
		"RUSTC_OVERRIDE_VERSION_STRING", "RUST_TARGET_PATH",
	}
	if c.Clippy {
		names = append(names, "CARGO_MANIFEST_DIR", "CARGO_PRIMARY_PACKAGE", "CLIPPY_ARGS", "CLIPPY_CONF_DIR",
			"CLIPPY_DISABLE_DOCS_LINKS", "CLIPPY_TERMINAL_WIDTH", "RUST_SYSROOT", "SYSROOT")
	}
	if c.Links() {
		names = append(names, "CCC_OVERRIDE_OPTIONS", "COMPILER_PATH", "GCC_EXEC_PREFIX", "LANG", "LANGUAGE", "LC_ALL", "LC_MESSAGES",
			"LD_RUN_PATH", "LDEMULATION", "LIBRARY_PATH")
	}
	if strings.Contains(target, "-apple-") {
		names = append(names, "IPHONEOS_DEPLOYMENT_TARGET", "MACOSX_DEPLOYMENT_TARGET", "SDKROOT", "TVOS_DEPLOYMENT_TARGET",
			"WATCHOS_DEPLOYMENT_TARGET", "XROS_DEPLOYMENT_TARGET")
	}
	slices.Sort(names)
	return names
}
