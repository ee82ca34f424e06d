package msvc

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/argtable"
	"github.com/rexwrap/rexwrap/toolchains/gnu"
)

// A parser fills a Compile from a line. Of options that exclude each other the last one
// counts.
type parser struct {
	*toolchains.Compile
	line *line

	object, listing string // values of /Fo and /Fa
	lists           bool
	format          string // the last of -Z7 -Zi -ZI -Zd
	database        string
	wholeProgram    bool
	noInclude       bool // /X
	dependencies    string
	external        []string // variables of /external:env:
}

func (p *parser) parse() error {
	p.Microsoft = &toolchains.Microsoft{Echo: !p.line.family.clang}
	p.Nondeterministic = true // the object has a time stamp
	for i, name := range p.line.names {
		if err := p.option(name, &p.Args[i]); err != nil {
			return err
		}
	}
	if err := p.debug(); err != nil {
		return err
	}
	p.environment()
	return p.outputs()
}

func (p *parser) option(name string, a *toolchains.Arg) error {
	switch name {
	case "-Fo", "-Fo:":
		p.object = a.Value
	case "-Fa":
		p.listing, p.lists = a.Value, true
	case "-FA", "-FAs":
		p.lists = true
	case "-Fd":
		p.database = a.Value
	case "-Z7", "-Zi", "-ZI", "-Zd":
		p.format = name
	case "-GL", "-GL-":
		p.wholeProgram = name == "-GL"
	case "-X":
		p.noInclude = true
	case "-FC":
		p.Carries |= toolchains.CarriesDir | toolchains.CarriesPaths
	case "-Brepro", "-Brepro-":
		p.Nondeterministic = name == "-Brepro-"
	case "-march=", "-mtune=", "-tune:":
		if strings.Contains(a.Value, "native") {
			a.Class |= argtable.LocalOnly
		}
	case "-external:env:":
		p.external = append(p.external, a.Value)
	case "-showIncludes", "-showIncludes:user":
		p.Microsoft.Includes = true
		p.Microsoft.UserIncludes = name != "-showIncludes"
	case "-showFilenames", "-showFilenames-":
		p.Microsoft.Echo = name == "-showFilenames"
	case "-sourceDependencies":
		p.dependencies = a.Value
		p.Carries |= toolchains.CarriesDir | toolchains.CarriesPaths
	}
	return nil
}

// debug fills the debug format. With debug information the object names the working
// directory, the source, itself and the command line.
func (p *parser) debug() error {
	m := p.Microsoft
	switch {
	case p.format == "" || p.format == "-Zd":
		return nil
	case p.line.family.clang || p.format == "-Z7":
		m.Debug = toolchains.DebugEmbedded
	case p.format == "-ZI":
		return toolchains.Unsupported(ReasonEditContinue, "/ZI")
	case p.wholeProgram:
		return toolchains.Unsupported(ReasonLTCGDatabase, "/GL")
	default:
		m.Debug, m.PDB = toolchains.DebugDatabase, p.database
	}
	p.Carries |= toolchains.CarriesDir | toolchains.CarriesPaths
	if m.Debug == toolchains.DebugEmbedded {
		p.Carries |= toolchains.CarriesOutput
	}
	p.Recorded = true
	return nil
}

func (p *parser) environment() {
	if p.line.family.clang {
		p.Env = []string{"CLANG_NO_DEFAULT_CONFIG", "COMPILER_PATH", "LLVM_OVERRIDE_PRODUCER", "SOURCE_DATE_EPOCH", "VCToolsInstallDir", "VCINSTALLDIR", "WindowsSdkDir", "UniversalCRTSdkDir", "UCRTVersion"}
		p.Env = append(p.Env, gnu.SearchVariables(p.Language)...)
	} else {
		p.Env = []string{"EXTERNAL_INCLUDE", "LIBPATH", "VSLANG"}
	}
	if !p.noInclude {
		p.Env = append(p.Env, "EXTERNAL_INCLUDE", "INCLUDE")
	}
	p.Env = append(p.Env, p.external...)
	slices.Sort(p.Env)
	p.Env = slices.Compact(p.Env)
}

// outputs fills Outputs, the object first.
func (p *parser) outputs() error {
	for _, o := range []struct {
		role        toolchains.Role
		value, ext  string
		wanted      bool
		fromListing bool
	}{
		{toolchains.RoleObject, p.object, ".obj", true, false},
		{toolchains.RoleAssembly, p.listing, ".asm", p.lists, true},
	} {
		if !o.wanted {
			continue
		}
		path, err := p.place(o.value, o.ext)
		if err != nil {
			return err
		}
		p.Outputs = append(p.Outputs, toolchains.Output{Role: o.role, Path: path})
	}
	return p.sourceDependencies()
}

// place returns where an output goes: value, a folder if it ends with a separator, with an
// extension if it has none.
func (p *parser) place(value, ext string) (string, error) {
	switch {
	case value == "":
		return p.stem() + ext, nil
	case os.IsPathSeparator(value[len(value)-1]):
		return value + p.stem() + ext, nil
	case gnu.IsDevice(value), strings.EqualFold(value, "nul"), filepath.Base(value) == ".", filepath.Base(value) == "..":
		return "", toolchains.Unsupported(gnu.ReasonOutputName, value)
	case filepath.Ext(value) == "":
		return value + ext, nil
	}
	return value, nil
}

func (p *parser) stem() string {
	base := filepath.Base(p.Source)
	return strings.TrimSuffix(base, filepath.Ext(base))
}

// sourceDependencies adds the file of /sourceDependencies: in a folder it has the source's
// name.
func (p *parser) sourceDependencies() error {
	switch value := p.dependencies; {
	case value == "":
		return nil
	case value == "-":
		return toolchains.Unsupported(gnu.ReasonOutputToStdout, "/sourceDependencies-")
	default:
		if info, err := os.Stat(p.Call.Abs(value)); os.IsPathSeparator(value[len(value)-1]) || err == nil && info.IsDir() {
			value = filepath.Join(value, filepath.Base(p.Source)+".json")
		}
		p.Outputs = append(p.Outputs, toolchains.Output{Role: toolchains.RoleSourceDeps, Path: value})
	}
	return nil
}
