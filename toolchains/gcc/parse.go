package gcc

import (
	"bytes"
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
	line    *gnu.Line
	version int // major

	lto, split               bool
	coverage                 bool
	test, arcs, generate     bool // notes, counters, profile
	use                      int
	useDir, profileDir       string
	note                     string // of -fprofile-note=
	stack, callgraph, clones bool
	record                   bool // -fsave-optimization-record
	optInfo, listing         string
	lists                    bool // the assembler makes a listing
	seeded                   bool
	specs                    bool
}

func (p *parser) parse() error {
	if err := p.environment(); err != nil {
		return err
	}
	for i, name := range p.line.Names {
		if name == "" {
			continue
		}
		if err := p.option(name, &p.Args[i]); err != nil {
			return err
		}
	}
	if p.lists && p.listing == "" {
		return toolchains.Unsupported(gnu.ReasonAssemblerListing, "-Wa,-a")
	}
	p.test = p.test || p.coverage
	if err := p.profile(); err != nil {
		return err
	}
	if err := p.outputs(); err != nil {
		return err
	}
	p.consequences()
	return nil
}

func (p *parser) environment() error {
	env := p.Call.Env
	for _, name := range []string{"DEPENDENCIES_OUTPUT", "SUNPRO_DEPENDENCIES"} {
		if _, set := env.Lookup(name); set {
			return toolchains.Unsupported(gnu.ReasonEnvDependencies, name)
		}
	}
	for _, name := range []string{"EXPERIMENTAL_SARIF_SOCKET", "GCC_DIAGNOSTICS_LOG"} {
		if _, set := env.Lookup(name); set {
			return toolchains.Unsupported(gnu.ReasonEnvOutput, name)
		}
	}
	if strings.Contains(p.Toolchain.Target, "darwin") {
		p.Env = gnu.Variables(p.Env, darwin())
	}
	return nil
}

func (p *parser) option(name string, a *toolchains.Arg) error {
	if strings.HasPrefix(name, "-fopt-info") {
		return p.optimizationInfo(a)
	}
	switch name {
	case "-Wa,":
		return p.assembler(strings.Split(a.Value, ","))
	case "-Xassembler":
		return p.assembler([]string{a.Value})
	case "-fplugin=":
		return p.plugin(a.Value)
	case "-specs=":
		return p.specsFile(a.Value)
	case "-fauto-profile", "-fauto-profile=":
		return p.autoProfile(a.Value)
	case "-frandomize-layout-seed-file=":
		return p.input(a.Value, gnu.ReasonInputUnreadable)
	case "-fdiagnostics-format=":
		if strings.HasSuffix(a.Value, "-file") {
			return toolchains.Unsupported(gnu.ReasonDiagnosticsFile, a.Option+a.Value)
		}
	}
	if strings.HasPrefix(name, "-fplugin-arg-") && strings.ContainsRune(a.Value, '/') {
		return toolchains.Unsupported(gnu.ReasonPlugin, a.Option+a.Value)
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
	case "-gsplit-dwarf":
		p.split = true
	case "-gno-split-dwarf":
		p.split = false
	case "--coverage": // comes after all others on cc1's command line
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
	case "profile-arcs", "condition-coverage", "path-coverage":
		p.arcs = p.arcs || on
	case "profile-generate", "profile-generate=":
		p.generate = p.generate || on
	case "profile-use", "branch-probabilities":
		p.used(on, "")
	case "profile-use=":
		p.used(on, value)
	case "profile-dir=":
		p.profileDir = value
	case "profile-note=":
		p.note = value
	case "stack-usage":
		p.stack = on
	case "callgraph-info", "callgraph-info=":
		p.callgraph = on
	case "dump-ipa-clones":
		p.clones = on
	case "save-optimization-record":
		p.record = on
	case "random-seed=":
		p.seeded = on
	default:
		return false
	}
	return true
}

func (p *parser) used(on bool, dir string) {
	if on {
		p.use++
		p.useDir = dir
	}
}

// carried takes note of options by which names of files reach the result or
// change it.
func (p *parser) carried(name string) {
	switch name {
	case "-frecord-gcc-switches":
		p.Recorded = true
	case "-fverbose-asm":
		p.Carries |= toolchains.CarriesDir | toolchains.CarriesPaths | toolchains.CarriesOutput
	case "-fsanitize=", "-fsanitize-coverage=", "-fprofile-filter-files=", "-fprofile-exclude-files=",
		"-finstrument-functions-exclude-file-list=":
		p.Carries |= toolchains.CarriesPaths
	case "-fworking-directory", "-fprofile-abs-path":
		p.Carries |= toolchains.CarriesDir
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

// plugin: a bare name is looked for in the compiler's own folders. A plugin is
// taken to depend on nothing but itself and its arguments; libcc1's talks to a
// debugger.
func (p *parser) plugin(value string) error {
	if !strings.ContainsRune(value, '/') || strings.Contains(value, "libcc1plugin") {
		return toolchains.Unsupported(gnu.ReasonPlugin, value)
	}
	return p.input(value, gnu.ReasonPluginUnreadable)
}

// specsFile: a bare name is looked for in the compiler's own folders, and a file
// can include others; both step aside.
func (p *parser) specsFile(value string) error {
	text, err := os.ReadFile(p.Call.Abs(value))
	if err != nil || !strings.ContainsRune(value, '/') || bytes.Contains(text, []byte("%include")) {
		return toolchains.Unsupported(gnu.ReasonSpecs, value)
	}
	p.specs = true
	p.InputFiles = append(p.InputFiles, value)
	return nil
}

// optimizationInfo: what follows "=" is a file, else the notes go to stderr.
func (p *parser) optimizationInfo(a *toolchains.Arg) error {
	switch {
	case a.Form == argtable.Flag:
		return nil
	case a.Value == "stdout" || a.Value == "stderr" || gnu.IsStream(a.Value):
		return toolchains.Unsupported(gnu.ReasonOutputToStdout, a.Option+a.Value)
	case p.optInfo != "":
		return toolchains.Unsupported(gnu.ReasonSeveralOutputs, a.Option+a.Value)
	}
	p.optInfo = a.Value
	return nil
}

// consequences fills what follows from all options together.
func (p *parser) consequences() {
	all := toolchains.CarriesDir | toolchains.CarriesPaths | toolchains.CarriesOutput
	counts := p.arcs || p.test || p.generate
	switch {
	case counts, p.split, p.lto, p.record, p.Recorded:
		p.Carries |= all
	case p.line.Debug:
		p.Carries |= toolchains.CarriesDir | toolchains.CarriesPaths
	case p.stack, p.callgraph, p.clones, p.optInfo != "", p.listing != "", p.Mode == toolchains.Precompile:
		p.Carries |= toolchains.CarriesPaths
	}
	p.Nondeterministic = !p.seeded && (counts || p.lto) || p.Mode == toolchains.Precompile || p.listing != ""
	if p.Recorded || p.specs {
		p.keyEverything()
	}
}

// keyEverything takes from all arguments the claim that they do not matter:
// the command line is recorded, or read by specs that are not ours.
func (p *parser) keyEverything() {
	for i := range p.Args {
		if p.Args[i].Class.Has(argtable.NoKey) {
			p.Args[i].Class = p.Args[i].Class&^argtable.NoKey | argtable.Codegen
		}
	}
}
