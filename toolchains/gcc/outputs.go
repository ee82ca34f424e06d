package gcc

import (
	"os"
	"strings"

	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/argtable"
	"github.com/rexwrap/rexwrap/toolchains/gnu"
)

// outputs fills Outputs and Dep.
func (p *parser) outputs() error {
	if p.Mode != toolchains.SyntaxOnly {
		role, path := p.primary()
		p.add(role, path)
	}
	if err := p.sideOutputs(); err != nil {
		return err
	}
	if p.optInfo != "" { // made by the first note
		p.Outputs = append(p.Outputs, toolchains.Output{Role: toolchains.RoleRemarks, Path: p.optInfo, Optional: true})
	}
	return p.depFile()
}

func (p *parser) add(role toolchains.Role, path string) {
	p.Outputs = append(p.Outputs, toolchains.Output{Role: role, Path: path})
}

func (p *parser) primary() (toolchains.Role, string) {
	role, suffix := toolchains.RoleObject, ".o"
	switch p.Mode {
	case toolchains.Assembly:
		role, suffix = toolchains.RoleAssembly, ".s"
	case toolchains.Precompile:
		role = toolchains.RolePCH
	}
	switch {
	case p.line.Output != "":
		return role, p.line.Output
	case p.Mode == toolchains.Precompile:
		return role, p.Source + ".gch"
	}
	return role, gnu.StripName(gnu.Base(p.Source)) + suffix
}

// aux is the stem of side outputs: the object's where it is a file, else the
// source's, in the working directory.
func (p *parser) aux() string {
	if p.line.Output != "" && p.line.Output != os.DevNull {
		return gnu.StripName(p.line.Output)
	}
	return gnu.StripName(gnu.Base(p.Source))
}

func (p *parser) sideOutputs() error {
	if p.split && p.Mode == toolchains.Object {
		if gnu.IsDevice(p.line.Output) {
			return toolchains.Unsupported(gnu.ReasonDeviceOutput, "-gsplit-dwarf")
		}
		p.add(toolchains.RoleDwo, p.aux()+".dwo")
	}
	if p.listing != "" && p.Mode == toolchains.Object {
		p.add(toolchains.RoleListing, p.listing)
	}
	if gnu.IsAssembler(p.Language) || !(p.stack || p.callgraph || p.test || p.clones || p.record) {
		return nil
	}
	switch {
	case p.Mode == toolchains.SyntaxOnly || p.Mode == toolchains.Precompile:
		return toolchains.Unsupported(gnu.ReasonOutputName, p.Source)
	case (p.clones || p.record) && (p.version < 11 || strings.HasSuffix(p.Source, ".")):
		return toolchains.Unsupported(gnu.ReasonOutputName, p.Source)
	}
	p.compilerOutputs()
	return nil
}

// compilerOutputs adds what cc1 writes beside the assembler text.
func (p *parser) compilerOutputs() {
	aux := p.aux()
	if p.test {
		path := aux + ".gcno"
		if p.note != "" {
			path = p.note
		}
		p.optional(toolchains.RoleCoverage, path)
	}
	if p.stack {
		p.optional(toolchains.RoleStack, aux+".su")
	}
	if p.callgraph {
		p.optional(toolchains.RoleCallgraph, aux+".ci")
	}
	dump := aux + gnu.Suffix(p.Source)
	if p.clones {
		p.optional(toolchains.RoleDump, dump+".000i.ipa-clones")
	}
	if p.record {
		p.optional(toolchains.RoleRemarks, dump+".opt-record.json.gz")
	}
}

// optional adds an output that link-time optimisation leaves to a later step.
func (p *parser) optional(role toolchains.Role, path string) {
	p.Outputs = append(p.Outputs, toolchains.Output{Role: role, Path: path, Optional: p.lto})
}

// depFile fills Dep. gcc writes none for what is not preprocessed.
func (p *parser) depFile() error {
	d := &p.line.Deps
	if !d.Asked() || !gnu.IsPreprocessed(p.Language) {
		p.dropDep()
		return nil
	}
	if err := p.depConflict(); err != nil {
		return err
	}
	dep := &toolchains.DepFile{
		Targets: p.targets(),
		System:  d.MD && !d.MMD || d.PassMD,
		Phony:   d.MP,
		Implied: !d.HasFile && d.PassFiles == 0,
	}
	switch {
	case d.PassFiles > 0:
		dep.Path = d.PassFile
	case d.HasFile:
		dep.Path = d.File
	default:
		dep.Path = p.depName()
	}
	if dep.Path == "" || gnu.IsStream(dep.Path) {
		return toolchains.Unsupported(gnu.ReasonOutputToStdout, dep.Path)
	}
	p.Dep = dep
	p.add(toolchains.RoleDep, dep.Path)
	return nil
}

// depConflict: what is passed through by -Wp, overrides the driver's own
// options in part only.
func (p *parser) depConflict() error {
	d := &p.line.Deps
	switch {
	case d.PassFiles > 1, d.PassFiles == 1 && d.HasFile,
		d.PassMD && d.MMD, d.PassMMD && d.MD:
		return toolchains.Unsupported(gnu.ReasonDepConflict, d.PassFile)
	case strings.ContainsRune(d.PassFile, ','):
		return toolchains.Unsupported(gnu.ReasonPreprocessorOpt, d.PassFile)
	}
	return nil
}

// dropDep keys the dependency options of a call that writes no dep-file: the
// compiler may still complain of them, by name.
func (p *parser) dropDep() {
	for i := range p.Args {
		if c := p.Args[i].Class; c.Has(argtable.Dep) {
			p.Args[i].Class = argtable.Diagnostic
		}
	}
}

// depName is the dep-file's name where none is given. A call without -c or -S
// is named like the steps of a link, from gcc 11 on with the prefix "a-".
func (p *parser) depName() string {
	switch {
	case p.line.Output != "":
		return gnu.Strip(p.line.Output) + ".d"
	case p.line.C || p.line.S || p.version < 11:
		return gnu.Strip(gnu.Base(p.Source)) + ".d"
	}
	return "a-" + gnu.Strip(gnu.Base(p.Source)) + ".d"
}

// targets returns the rule's targets in the order in which gcc writes them: it
// sees all -MQ before all -MT, then what -Wp, passes through, and an unquoted
// target takes the place of the first quoted one, which goes to the end.
func (p *parser) targets() []string {
	d := &p.line.Deps
	var seen []gnu.Target
	for _, quoted := range []bool{true, false} {
		for _, t := range d.Targets {
			if t.Quoted == quoted {
				seen = append(seen, t)
			}
		}
	}
	if len(seen) == 0 && (d.MD || d.MMD) && p.line.Output != "" {
		seen = append(seen, gnu.Target{Name: p.line.Output, Quoted: true})
	}
	seen = append(seen, d.PassTargets...)
	if len(seen) == 0 {
		seen = append(seen, gnu.Target{Name: gnu.Strip(gnu.Base(p.Source)) + ".o", Quoted: true})
	}
	return arrange(seen)
}

func arrange(seen []gnu.Target) []string {
	var targets []string
	unquoted := 0
	for _, t := range seen {
		name := withoutDot(t.Name)
		if !t.Quoted {
			if unquoted < len(targets) {
				targets[unquoted], name = name, targets[unquoted]
			}
			unquoted++
		}
		targets = append(targets, name)
	}
	for i := unquoted; i < len(targets); i++ {
		targets[i] = gnu.QuoteTarget(targets[i])
	}
	return targets
}

// withoutDot removes "./" at the start of name, as gcc does for every target.
func withoutDot(name string) string {
	for len(name) >= 2 && name[0] == '.' && name[1] == '/' {
		name = strings.TrimLeft(name[2:], "/")
	}
	return name
}
