package clang

import (
	"strings"

	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/argtable"
	"github.com/rexwrap/rexwrap/toolchains/gnu"
)

// outputs fills Outputs and Dep.
func (p *parser) outputs() error {
	switch {
	case p.line.Analyze:
		p.add(toolchains.RoleDiagnostics, p.named(".plist"), false)
	case p.Mode != toolchains.SyntaxOnly:
		role, path := p.primary()
		p.add(role, path, false)
	}
	if p.diagnostics != "" {
		p.add(toolchains.RoleDiagnostics, p.diagnostics, false)
	}
	if err := p.sideOutputs(); err != nil {
		return err
	}
	return p.depFile()
}

func (p *parser) add(role toolchains.Role, path string, optional bool) {
	p.Outputs = append(p.Outputs, toolchains.Output{Role: role, Path: path, Optional: optional})
}

func (p *parser) primary() (toolchains.Role, string) {
	switch {
	case p.Mode == toolchains.Precompile && p.line.Output == "":
		return toolchains.RolePCH, p.Source + ".gch"
	case p.Mode == toolchains.Precompile:
		return toolchains.RolePCH, p.line.Output
	case p.Mode == toolchains.Assembly && p.bitcode:
		return toolchains.RoleAssembly, p.named(".ll")
	case p.Mode == toolchains.Assembly:
		return toolchains.RoleAssembly, p.named(".s")
	case p.bitcode:
		return toolchains.RoleObject, p.named(".bc")
	}
	return toolchains.RoleObject, p.named(".o")
}

// named is the value of -o, else the source's name with suffix in the working
// directory.
func (p *parser) named(suffix string) string {
	if p.line.Output != "" {
		return p.line.Output
	}
	return gnu.StripName(gnu.Base(p.Source)) + suffix
}

// stem is the stem of side outputs: that of the primary output.
func (p *parser) stem() string {
	if p.line.Output != "" {
		return gnu.Strip(p.line.Output)
	}
	return gnu.StripName(gnu.Base(p.Source))
}

func (p *parser) sideOutputs() error {
	if p.record != "" && p.recordFile != "" && gnu.IsStream(p.recordFile) {
		return toolchains.Unsupported(gnu.ReasonOutputToStdout, p.recordFile)
	}
	switch {
	case !p.trace && p.Mode != toolchains.Object && p.Mode != toolchains.Assembly:
		return nil
	case !p.split && !p.test && !p.stack && !p.trace && p.record == "":
		return nil
	case gnu.IsDevice(p.line.Output):
		return toolchains.Unsupported(gnu.ReasonDeviceOutput, p.line.Output)
	case p.trace && (p.traceFile != "" || p.Mode == toolchains.SyntaxOnly || p.Mode == toolchains.Precompile),
		p.split && p.Mode == toolchains.Assembly,
		strings.ContainsRune(p.record, '-'):
		return toolchains.Unsupported(gnu.ReasonOutputName, p.Source)
	}
	p.compilerOutputs()
	return nil
}

// compilerOutputs adds what is made beside the primary output. Bitcode instead
// of machine code leaves some to a later step, and without debug information
// there is nothing to split off.
func (p *parser) compilerOutputs() {
	later := p.lto || p.bitcode
	if p.split {
		p.add(toolchains.RoleDwo, p.stem()+".dwo", later || !p.line.Debug && !gnu.IsAssembler(p.Language))
	}
	if gnu.IsAssembler(p.Language) {
		return
	}
	if p.test {
		p.add(toolchains.RoleCoverage, p.stem()+".gcno", p.Language == "ir")
	}
	if p.stack {
		p.add(toolchains.RoleStack, p.stem()+".su", true) // made by the first function
	}
	if p.trace {
		p.add(toolchains.RoleTimeTrace, p.stem()+".json", false)
	}
	if p.record != "" {
		path := p.recordFile
		if path == "" {
			path = p.stem() + ".opt." + p.record
		}
		p.add(toolchains.RoleRemarks, path, later)
	}
}

// depFile fills Dep. clang writes none for what is not preprocessed.
func (p *parser) depFile() error {
	d := &p.line.Deps
	if !d.Asked() || !gnu.IsPreprocessed(p.Language) {
		p.dropDep()
		return nil
	}
	if strings.ContainsRune(d.PassFile, ',') {
		return toolchains.Unsupported(gnu.ReasonPreprocessorOpt, d.PassFile)
	}
	if d.PassFiles > 0 && d.HasFile {
		return toolchains.Unsupported(gnu.ReasonDepConflict, d.PassFile)
	}
	dep := &toolchains.DepFile{
		Targets: p.targets(),
		System:  !d.MMD && !d.PassMMD,
		Phony:   d.MP,
		Implied: !d.HasFile && d.PassFiles == 0,
	}
	switch {
	case d.HasFile:
		dep.Path = d.File
	case d.PassFiles > 0:
		dep.Path = d.PassFile
	case p.line.Output != "":
		dep.Path = gnu.Strip(p.line.Output) + ".d"
	default:
		dep.Path = gnu.Strip(gnu.Base(p.Source)) + ".d"
	}
	if dep.Path == "" || gnu.IsStream(dep.Path) {
		return toolchains.Unsupported(gnu.ReasonOutputToStdout, dep.Path)
	}
	p.Dep = dep
	p.add(toolchains.RoleDep, dep.Path, false)
	return nil
}

// dropDep keys the dependency options of a call that writes no dep-file: clang
// says of them, by name, that they are unused.
func (p *parser) dropDep() {
	for i := range p.Args {
		if p.Args[i].Class.Has(argtable.Dep) {
			p.Args[i].Class = argtable.Diagnostic
		}
	}
}

// targets returns the rule's targets in the order of the command line.
func (p *parser) targets() []string {
	seen := p.line.Deps.Targets
	if len(seen) == 0 {
		name := p.line.Output
		if name == "" {
			name = gnu.Strip(gnu.Base(p.Source)) + ".o"
		}
		seen = []gnu.Target{{Name: name, Quoted: true}}
	}
	var targets []string
	for _, t := range seen {
		name := t.Name
		if t.Quoted {
			name = gnu.QuoteTarget(name)
		}
		targets = append(targets, name)
	}
	return targets
}
