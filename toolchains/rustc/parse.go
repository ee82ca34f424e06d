package rustc

import (
	"cmp"
	"slices"
	"strings"

	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/argtable"
)

// A parser fills a Compile from its Args.
type parser struct {
	*toolchains.Compile
	crate  *toolchains.Crate
	rules  *Rules
	tables *tables

	extraFilename string
	incremental   bool
	units         string // of -C codegen-units
	split         string // of -C split-debuginfo
	file          string // of -o
	flavor        string // of -C linker-flavor
	// linkWords are those of -C link-arg and -C link-args.
	linkWords []string
	// files are the names that the call gives to kinds of output.
	files map[string]string
	once  map[string]bool
}

func (p *parser) parse() error {
	if p.Call.Env.Value("RUSTC_LOG") != "" {
		return toolchains.Unsupported(ReasonLog, "RUSTC_LOG")
	}
	p.once, p.files = map[string]bool{}, map[string]string{}
	for i := range p.Args {
		if err := p.option(&p.Args[i]); err != nil {
			return err
		}
	}
	if err := p.whole(); err != nil {
		return err
	}
	if p.excluded() {
		return toolchains.Unsupported(ReasonUncached, p.crate.Name)
	}
	if err := p.outputs(); err != nil {
		return err
	}
	p.Env = variables(p.crate, p.target())
	return nil
}

func (p *parser) option(a *toolchains.Arg) error {
	switch name := strings.TrimSuffix(a.Option, "="); name {
	case "--crate-name":
		p.crate.Name = a.Value
		return p.single(name)
	case "--out-dir":
		p.crate.OutDir = a.Value
		return p.single(name)
	case "-o":
		p.file = a.Value
		return p.single(name)
	case "--target":
		return cmp.Or(p.single(name), p.describedTarget(a.Value))
	case "--crate-type":
		p.types(a.Value)
	case "--emit":
		return p.emit(a.Value)
	case "--test":
		p.crate.Test = true
	case "--extern":
		return p.extern(a.Value)
	case "-L":
		return p.search(a.Value)
	case "-l":
		p.crate.Libraries = append(p.crate.Libraries, a.Value)
	case "-C", "--codegen", "-Z":
		return p.codegen(a)
	}
	return nil
}

func (p *parser) single(name string) error {
	if p.once[name] {
		return toolchains.Unsupported(ReasonRepeated, name)
	}
	p.once[name] = true
	return nil
}

func (p *parser) types(value string) {
	for t := range strings.SplitSeq(value, ",") {
		if t == "lib" {
			t = "rlib"
		}
		if !slices.Contains(p.crate.Types, t) {
			p.crate.Types = append(p.crate.Types, t)
		}
	}
}

func (p *parser) emit(value string) error {
	for one := range strings.SplitSeq(value, ",") {
		kind, file, named := strings.Cut(one, "=")
		again := p.crate.EmitsKind(kind)
		switch _, before := p.files[kind]; {
		case named && (file == "" || file == stdout):
			return toolchains.Unsupported(ReasonEmitFile, one)
		case again && (named || before):
			return toolchains.Unsupported(ReasonRepeated, one)
		case named:
			p.files[kind] = file
		}
		if !again {
			p.crate.Emits = append(p.crate.Emits, kind)
		}
	}
	return nil
}

// stdout is what newer compilers take for their standard output where a file's name
// goes.
const stdout = "-"

// describedTarget takes the target, of which a file can say what it is: one that is
// named, and may want code for the processor at hand, or one that is searched for.
func (p *parser) describedTarget(target string) error {
	p.crate.Target = target
	switch {
	case strings.HasSuffix(target, ".json"):
		p.InputFiles, p.crate.Native = append(p.InputFiles, target), true
	case p.Call.Env.Value("RUST_TARGET_PATH") != "":
		return toolchains.Unsupported(ReasonTargetFile, target)
	}
	return nil
}

// extern reads [OPTIONS:]NAME[=PATH]. One without a path is searched for, where it is
// none of those that come with the compiler.
func (p *parser) extern(value string) error {
	name, path, ok := strings.Cut(value, "=")
	if _, bare, opts := strings.Cut(name, ":"); opts {
		name = bare
	}
	if ok {
		p.crate.Externs = append(p.crate.Externs, toolchains.Extern{Name: name, Path: path})
		p.InputFiles = append(p.InputFiles, path)
		return nil
	}
	if !slices.Contains([]string{"alloc", "core", "proc_macro", "std", "test"}, name) {
		return toolchains.Unsupported(ReasonExtern, value)
	}
	return nil
}

func (p *parser) search(value string) error {
	kind, dir, ok := strings.Cut(value, "=")
	switch {
	case ok && (kind == "dependency" || kind == "crate" || kind == "native" || kind == "framework" || kind == "all"):
	default:
		kind, dir = "all", value
	}
	if strings.HasPrefix(dir, "@") { // @RUSTC_BUILTIN: below the sysroot
		return toolchains.Unsupported(ReasonSysroot, dir)
	}
	p.crate.Search = append(p.crate.Search, toolchains.SearchDir{Kind: kind, Dir: dir})
	return nil
}

// optionIncremental is how every spelling of -C incremental stands in Args.
const optionIncremental = "-Cincremental="

// codegen takes note of a setting of -C that means more than other bytes.
func (p *parser) codegen(a *toolchains.Arg) error {
	name, value, _ := strings.Cut(a.Value, "=")
	switch strings.ReplaceAll(name, "_", "-") {
	case "extra-filename":
		p.extraFilename = value
	case "incremental":
		p.incremental = true
		// The directory is none of the result's business, that there is one is.
		a.Option, a.Value, a.Form = optionIncremental, value, argtable.Joined
	case "codegen-units":
		p.units = value
	case "split-debuginfo":
		p.split = value
	case "linker":
		p.crate.Linker = value
	case "linker-flavor":
		p.flavor = value
	case "linker-plugin-lto":
		return linkerPlugin(value)
	case "link-arg":
		p.linkWords = append(p.linkWords, value)
	case "link-args":
		p.linkWords = append(p.linkWords, strings.Fields(value)...)
	case "llvm-args":
		return backendOptions(value)
	case "profile-use":
		p.InputFiles = append(p.InputFiles, value)
	case "rpath": // made of the folders of libraries
		p.Recorded = value == "" || value != "no" && value != "n" && value != "off" && value != "false"
	case "target-cpu", "tune-cpu":
		if value == "native" {
			p.crate.Native = true
			a.Class |= argtable.LocalOnly
		}
	}
	return nil
}

// excluded reports whether the rules name the crate, or the package that cargo
// makes it of. Both spellings of a name are one to cargo.
func (p *parser) excluded() bool {
	same := func(a, b string) bool {
		return strings.ReplaceAll(a, "-", "_") == strings.ReplaceAll(b, "-", "_")
	}
	return slices.ContainsFunc(p.rules.Uncached, func(name string) bool {
		return same(name, p.crate.Name) || same(name, p.Call.Env.Value("CARGO_PKG_NAME"))
	})
}

// linkerPlugin lets no plugin be named that the linker would load.
func linkerPlugin(value string) error {
	switch value {
	case "", "y", "yes", "on", "n", "no", "off":
		return nil
	}
	return toolchains.Unsupported(ReasonPlugin, value)
}

// backendOptions lets pass options of LLVM that hold no path and ask for no
// output of their own.
func backendOptions(value string) error {
	for arg := range strings.FieldsSeq(value) {
		for _, part := range []string{"/", "load", "file", "print", "dump", "stats", "time", "debug-only", "info-output"} {
			if strings.Contains(arg, part) {
				return toolchains.Unsupported(ReasonPlugin, arg)
			}
		}
	}
	return nil
}
