package clang

import (
	"os"
	"strings"

	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/argtable"
	"github.com/rexwrap/rexwrap/toolchains/gnu"
)

// A parser fills a Compile from a line. Its fields are what the options say; of
// an option and its negation the last one counts.
type parser struct {
	*toolchains.Compile
	line  *gnu.Line
	table *argtable.Table

	lto, bitcode         bool
	split                bool
	coverage, test, arcs bool
	generate             bool
	stack                bool
	record               string // suffix of the optimisation record, empty for none
	recordFile           string
	trace                bool
	traceFile            string
	diagnostics          string // file of --serialize-diagnostics
	uses, archs          int
	externalAs           bool
	directory            bool // a compilation directory is given
	pch                  bool // -Xclang -emit-pch
	pending              string
}

func (p *parser) parse() error {
	if reason, name := asideByEnvironment(p.Call.Env); reason != "" {
		return toolchains.Unsupported(reason, name)
	}
	for i, name := range p.line.Names {
		if name == "" {
			continue
		}
		if err := p.option(name, &p.Args[i]); err != nil {
			return err
		}
	}
	if p.pending != "" {
		return toolchains.Unsupported(gnu.ReasonMissingArgument, "-Xclang "+p.pending)
	}
	p.test = p.test || p.coverage
	p.environment()
	if err := p.outputs(); err != nil {
		return err
	}
	p.consequences()
	return nil
}

func (p *parser) environment() {
	if p.externalAs {
		p.Env = gnu.Variables(p.Env, locale())
	}
	if p.isDarwin() {
		p.Env = gnu.Variables(p.Env, darwin())
		if _, set := p.Call.Env.Lookup("RC_DEBUG_OPTIONS"); set {
			p.Recorded = true
		}
	}
}

func (p *parser) isDarwin() bool {
	target := p.Toolchain.Target
	for i, name := range p.line.Names {
		if name == "--target=" {
			target = p.Args[i].Value
		}
	}
	return strings.Contains(target, "apple") || strings.Contains(target, "darwin") || p.archs > 0
}

func (p *parser) option(name string, a *toolchains.Arg) error {
	switch name {
	case "-Xclang", "-Xclang=":
		return p.inner(a)
	case "-mllvm", "-mllvm=":
		return backend(a.Value)
	case "-Wa,":
		return p.assembler(strings.Split(a.Value, ","))
	case "-Xassembler":
		return p.assembler([]string{a.Value})
	case "-fplugin=", "-fpass-plugin=":
		return p.plugin(a.Value)
	case "-fprofile-use", "-fprofile-use=", "-fprofile-instr-use", "-fprofile-instr-use=":
		return p.profile(a.Value)
	case "-fbasic-block-sections=":
		if file, ok := strings.CutPrefix(a.Value, "list="); ok {
			return p.input(file, gnu.ReasonInputUnreadable)
		}
	case "-arch":
		p.archs++
		if p.archs > 1 {
			return toolchains.Unsupported(gnu.ReasonArchitectures, "-arch "+a.Value)
		}
	case "--serialize-diagnostics":
		return p.serialize(a.Value)
	}
	switch {
	case strings.HasPrefix(name, "-fplugin-arg-") && strings.ContainsRune(a.Value, '/'):
		return toolchains.Unsupported(gnu.ReasonPlugin, a.Option+a.Value)
	case a.Class.Has(argtable.InputFile):
		p.listed(name)
		return p.input(a.Value, gnu.ReasonInputUnreadable)
	}
	if !p.toggle(name, a.Value) {
		p.carried(name)
	}
	return nil
}

// toggle takes note of an option that has no other consequence than its field.
func (p *parser) toggle(name, value string) bool {
	if flag, ok := strings.CutPrefix(name, "-fno-"); ok {
		return p.toggleFlag(flag, value, false)
	}
	if flag, ok := strings.CutPrefix(name, "-f"); ok {
		return p.toggleFlag(flag, value, true)
	}
	switch name {
	case "-emit-llvm":
		p.bitcode = true
	case "-gsplit-dwarf":
		p.split = true
	case "-gsplit-dwarf=":
		p.split = value != "single"
	case "-gno-split-dwarf":
		p.split = false
	case "--coverage":
		p.coverage, p.arcs = true, true
	default:
		return false
	}
	return true
}

// toggleFlag does so for -fFLAG and -fno-FLAG.
func (p *parser) toggleFlag(flag, value string, on bool) bool {
	switch flag {
	case "lto", "lto=":
		p.lto = on
	case "test-coverage":
		p.test = on
	case "profile-arcs":
		p.arcs = p.arcs || on
	case "profile-generate", "profile-generate=", "cs-profile-generate", "cs-profile-generate=", "profile-instr-generate", "profile-instr-generate=", "coverage-mapping":
		p.generate = p.generate || on
	case "stack-usage":
		p.stack = on
	case "time-trace":
		p.trace = on
	case "time-trace=":
		p.trace, p.traceFile = true, value
	case "integrated-as":
		p.externalAs = !on
	default:
		return p.toggleRecord(flag, value, on)
	}
	return true
}

func (p *parser) toggleRecord(flag, value string, on bool) bool {
	switch flag {
	case "save-optimization-record":
		p.record = ""
		if on {
			p.record = "yaml"
		}
	case "save-optimization-record=":
		p.record = value
	case "optimization-record-file=":
		p.recordFile = value
		if p.record == "" {
			p.record = "yaml"
		}
	case "debug-compilation-dir", "debug-compilation-dir=", "file-compilation-dir=":
		p.directory = true
	default:
		return false
	}
	return true
}

// carried takes note of options by which names of files, or the command line,
// reach the result or change it.
func (p *parser) carried(name string) {
	switch name {
	case "-frecord-command-line", "-frecord-gcc-switches", "-grecord-command-line", "-grecord-gcc-switches",
		"-gcodeview-command-line", "-fembed-bitcode", "-fembed-bitcode=":
		p.Recorded = true
	case "-fsanitize=", "-fsanitize-coverage=", "-gembed-source", "-fprofile-filter-files=", "-fprofile-exclude-files=",
		"-object-file-name", "-object-file-name=", "-funique-internal-linkage-names":
		p.Carries |= toolchains.CarriesPaths
	case "-fdiagnostics-absolute-paths", "-fworking-directory", "-gcodeview":
		p.Carries |= toolchains.CarriesDir
	}
}

// listed: lists choose by the names of sources what is instrumented.
func (p *parser) listed(name string) {
	if name != "-include-pch" {
		p.Carries |= toolchains.CarriesPaths
	}
}

// input adds a file whose content reaches the result; without the file the
// call steps aside.
func (p *parser) input(path, reason string) error {
	if info, err := os.Stat(p.Call.Abs(path)); err != nil || !info.Mode().IsRegular() {
		return toolchains.Unsupported(reason, path)
	}
	p.InputFiles = append(p.InputFiles, path)
	return nil
}

// plugin: a bare name is looked for by the dynamic linker. A plugin is taken to
// depend on nothing but itself and its arguments.
func (p *parser) plugin(value string) error {
	if !strings.ContainsRune(value, '/') {
		return toolchains.Unsupported(gnu.ReasonPlugin, value)
	}
	return p.input(value, gnu.ReasonPluginUnreadable)
}

// profile: the value is a file, or a folder with default.profdata in it, which
// is also what is read where there is no value.
func (p *parser) profile(value string) error {
	if p.uses++; p.uses > 1 {
		return toolchains.Unsupported(gnu.ReasonProfileTwice, value)
	}
	const name = "default.profdata"
	path := value
	if value == "" {
		path = name
	} else if info, err := os.Stat(p.Call.Abs(value)); err == nil && info.IsDir() {
		path = strings.TrimSuffix(value, "/") + "/" + name
	}
	return p.input(path, gnu.ReasonProfile)
}

func (p *parser) serialize(path string) error {
	switch {
	case p.diagnostics != "":
		return toolchains.Unsupported(gnu.ReasonSeveralOutputs, path)
	case path == "" || gnu.IsStream(path):
		return toolchains.Unsupported(gnu.ReasonOutputToStdout, path)
	}
	p.diagnostics = path
	return nil
}

// assembler judges words for the assembler. Words that may name further files,
// and all that are not known, step aside.
func (p *parser) assembler(words []string) error {
	for i := 0; i < len(words); i++ {
		switch word := words[i]; {
		case word == "-defsym" || word == "--defsym":
			i++
		case !gnu.IsAssemblerFlag(word):
			return toolchains.Unsupported(gnu.ReasonAssembler, "-Wa,"+word)
		case strings.HasPrefix(word, "-g") || strings.HasPrefix(word, "--g"):
			p.line.Debug = true
		}
	}
	return nil
}

// consequences fills what follows from all options together.
func (p *parser) consequences() {
	all := toolchains.CarriesDir | toolchains.CarriesPaths | toolchains.CarriesOutput
	switch {
	case p.arcs, p.test, p.generate, p.split, p.Recorded, p.Mode == toolchains.Precompile, p.line.Analyze:
		p.Carries |= all
	case p.line.Debug && p.directory:
		p.Carries |= toolchains.CarriesPaths
	case p.line.Debug:
		p.Carries |= toolchains.CarriesDir | toolchains.CarriesPaths
	case p.lto, p.bitcode, p.stack, p.trace, p.record != "", p.diagnostics != "":
		p.Carries |= toolchains.CarriesPaths
	}
	p.Nondeterministic = p.trace
	if !p.Recorded {
		return
	}
	for i := range p.Args {
		if p.Args[i].Class.Has(argtable.NoKey) {
			p.Args[i].Class = p.Args[i].Class&^argtable.NoKey | argtable.Codegen
		}
	}
}
