package rustc

import (
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/argtable"
)

// whole checks what all options together ask for.
func (p *parser) whole() error {
	c := p.crate
	if c.Test {
		c.Types = []string{"bin"}
	}
	if len(c.Emits) == 0 {
		c.Emits = []string{"link"}
	}
	slices.Sort(c.Emits)
	if err := p.named(); err != nil {
		return err
	}
	switch {
	case c.Name == "":
		return toolchains.Unsupported(ReasonCrateName, p.Source)
	case len(c.Types) == 0:
		return toolchains.Unsupported(ReasonCrateType, p.Source)
	case strings.ContainsAny(p.extraFilename+c.Name, "./\\"):
		return toolchains.Unsupported(ReasonOutputName, p.extraFilename)
	case p.incremental && (p.makesCode() || minor(p.Toolchain.Version) < provenIncremental) && !p.dropIncremental():
		return toolchains.Unsupported(ReasonIncremental, c.Name)
	case c.Linked() > 1:
		return toolchains.Unsupported(ReasonSeveralLinks, strings.Join(c.Types, ","))
	case c.Links() && (!isELF(p.target()) || strings.HasSuffix(c.Target, ".json")): // which names a linker of its own
		return toolchains.Unsupported(ReasonTarget, p.target())
	}
	return p.linkArguments()
}

// named finds out which outputs have names of the caller's own. -o names the one
// that --emit does not; where there are several, rustc makes names for them of it.
// Its folder is then that of all others. Names of the caller's own stand in the key
// as they are, and so does the folder that they are not in.
func (p *parser) named() error {
	c := p.crate
	if p.file != "" {
		bare := slices.DeleteFunc(slices.Clone(c.Emits), func(kind string) bool { return p.files[kind] != "" })
		if len(bare) != 1 || p.file == stdout || strings.HasSuffix(p.file, "/") {
			return toolchains.Unsupported(ReasonOutputName, p.file)
		}
		p.files[bare[0]], c.OutDir = p.file, ""
		if dir := path.Dir(p.file); dir != "." {
			c.OutDir = dir
		}
	}
	switch {
	case len(p.files) == 0:
		return nil
	case len(c.Types) > 1:
		return toolchains.Unsupported(ReasonOutputName, p.file)
	case p.split != "" && p.split != "off":
		return toolchains.Unsupported(ReasonSplitDebug, p.split)
	}
	for i := range p.Args {
		if strings.TrimSuffix(p.Args[i].Option, "=") == "--out-dir" {
			p.Args[i].Class = argtable.Codegen
		}
	}
	return nil
}

// provenIncremental is the first minor version of rustc of which metadata that is
// made incrementally was found to be the same fresh, warm and after edits. That of
// 1.63 differs from run to run; the versions in between were not tried.
const provenIncremental = 95

// minor returns the second number of a version, 0 for none.
func minor(version string) int {
	_, rest, _ := strings.Cut(version, ".")
	first, _, _ := strings.Cut(rest, ".")
	n, err := strconv.Atoi(first)
	if err != nil {
		return 0
	}
	return n
}

// makesCode reports whether any output but metadata and dep-info is asked for.
func (p *parser) makesCode() bool {
	return slices.ContainsFunc(p.crate.Emits, func(kind string) bool { return kind != "metadata" && kind != "dep-info" })
}

func (p *parser) target() string {
	if p.crate.Target != "" {
		return p.crate.Target
	}
	return p.Toolchain.Target
}

// isELF reports whether programs for a target have no suffix and shared libraries
// ".so".
func isELF(target string) bool {
	for _, system := range []string{"linux", "android", "freebsd", "netbsd", "openbsd", "dragonfly", "illumos", "solaris"} {
		if strings.Contains(target, "-"+system) {
			return true
		}
	}
	return false
}

// outputs lists what the call writes, the linked or archived one first.
func (p *parser) outputs() error {
	for _, kind := range []string{"link", "metadata", "obj", "asm", "llvm-ir", "llvm-bc", "mir", "dep-info"} {
		if !p.crate.EmitsKind(kind) {
			continue
		}
		if err := p.output(kind); err != nil {
			return err
		}
	}
	for _, kind := range p.crate.Emits {
		if _, ok := simpleOutput(kind); !ok && kind != "link" && kind != "metadata" {
			return toolchains.Unsupported(ReasonEmit, kind)
		}
	}
	return p.splitOutputs()
}

func (p *parser) output(kind string) error {
	name := p.crate.Name + p.extraFilename
	switch kind {
	case "link":
		for _, t := range p.crate.Types {
			role, file, ok := linkOutput(t, name)
			if !ok {
				return toolchains.Unsupported(ReasonCrateType, t)
			}
			p.add(kind, role, file)
		}
		return nil
	case "metadata":
		p.add(kind, toolchains.RoleMetadata, "lib"+name+".rmeta")
		return nil
	}
	if n, err := strconv.Atoi(p.units); kind != "dep-info" && p.units != "" && (err != nil || n > 1) {
		return toolchains.Unsupported(ReasonCodegenUnits, p.units)
	}
	o, _ := simpleOutput(kind)
	p.add(kind, o.role, name+o.suffix)
	return nil
}

// add adds an output, which has the name file unless the call names its kind.
func (p *parser) add(kind string, role toolchains.Role, file string) {
	named := p.files[kind]
	if named == "" {
		named = p.inOutDir(file)
	}
	p.Outputs = append(p.Outputs, toolchains.Output{Role: role, Path: named})
}

func (p *parser) inOutDir(file string) string {
	switch dir := p.crate.OutDir; {
	case dir == "":
		return file
	case strings.HasSuffix(dir, "/"):
		return dir + file
	default:
		return dir + "/" + file
	}
}

type namedOutput struct {
	role   toolchains.Role
	suffix string
}

// simpleOutput knows the outputs that are named by crate and kind alone.
func simpleOutput(kind string) (namedOutput, bool) {
	switch kind {
	case "obj":
		return namedOutput{toolchains.RoleObject, ".o"}, true
	case "asm":
		return namedOutput{toolchains.RoleAssembly, ".s"}, true
	case "llvm-ir":
		return namedOutput{toolchains.RoleLLVMIR, ".ll"}, true
	case "llvm-bc":
		return namedOutput{toolchains.RoleLLVMBC, ".bc"}, true
	case "mir":
		return namedOutput{toolchains.RoleMIR, ".mir"}, true
	case "dep-info":
		return namedOutput{toolchains.RoleDepInfo, ".d"}, true
	}
	return namedOutput{}, false
}

// linkOutput names what --emit=link makes for one crate type, on ELF systems
// where a linker makes it.
func linkOutput(crateType, name string) (role toolchains.Role, file string, ok bool) {
	switch crateType {
	case "rlib":
		return toolchains.RoleRlib, "lib" + name + ".rlib", true
	case "staticlib":
		return toolchains.RoleStaticlib, "lib" + name + ".a", true
	case "bin":
		return toolchains.RoleProgram, name, true
	case "dylib":
		return toolchains.RoleDylib, "lib" + name + ".so", true
	case "cdylib":
		return toolchains.RoleCdylib, "lib" + name + ".so", true
	case "proc-macro":
		return toolchains.RoleProcMacro, "lib" + name + ".so", true
	}
	return "", "", false
}

// provenSplit is the first minor version of rustc of which unpacked split debug
// information was found to be the same each time. What 1.63 makes differs.
const provenSplit = 95

// splitOutputs adds the package of split debug information, which is named after
// the linked file: with ".dwp" for its suffix, or behind it, by the version of
// rustc. Unpacked files are named by the units of code, which are not known before.
func (p *parser) splitOutputs() error {
	switch p.split {
	case "", "off":
		return nil
	case "packed": // code names the file of its debug information
		p.Carries |= toolchains.CarriesOutput
	case "unpacked":
		if p.makesCode() && minor(p.Toolchain.Version) < provenSplit {
			return toolchains.Unsupported(ReasonSplitDebug, p.split)
		}
		if p.makesCode() {
			p.Carries |= toolchains.CarriesOutput
			p.crate.Split = p.inOutDir(p.crate.Name + p.extraFilename)
		}
		return nil
	default:
		return toolchains.Unsupported(ReasonSplitDebug, p.split)
	}
	if !p.crate.Links() {
		return nil
	}
	linked := p.Outputs[slices.IndexFunc(p.Outputs, func(o toolchains.Output) bool { return isLinked(o.Role) })].Path
	p.Outputs = append(p.Outputs, toolchains.Output{Role: toolchains.RoleDwp, Path: linked + ".dwp", Optional: true})
	if bare, ok := strings.CutSuffix(linked, ".so"); ok {
		p.Outputs = append(p.Outputs, toolchains.Output{Role: toolchains.RoleDwpOld, Path: bare + ".dwp", Optional: true})
	}
	return nil
}

// isLinked reports whether a linker makes outputs of a role.
func isLinked(r toolchains.Role) bool {
	switch r {
	case toolchains.RoleProgram, toolchains.RoleDylib, toolchains.RoleCdylib, toolchains.RoleProcMacro:
		return true
	}
	return false
}
