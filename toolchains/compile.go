package toolchains

import (
	"strings"

	"github.com/rexwrap/rexwrap/toolchains/argtable"
)

// Mode says what a compile makes.
type Mode uint8

// The modes of the gcc and clang families. Other modes (linking,
// preprocessing) step aside.
const (
	Object       Mode = iota // -c
	Assembly                 // -S
	SyntaxOnly               // -fsyntax-only, --analyze: no primary output
	Precompile               // a header input: .gch, .pch
	CrateOutputs             // rustc: what --emit and --crate-type say
)

// A Compile is one understood Call with one source.
type Compile struct {
	Call      *Call
	Toolchain *Toolchain
	Mode      Mode
	// Language is the -x spelling of the source's language: "c", "c++",
	// "cpp-output", "c++-cpp-output", "assembler", "assembler-with-cpp",
	// "objective-c", "c-header", …; "rust" for rustc.
	Language string
	// Source is the one source as spelled.
	Source string
	// Args are all arguments after Argv[0] in order, response files
	// expanded, the source and every output included.
	Args []Arg
	// Expanded is set when Args came from a response file, so that the
	// words of Args are not those of Call.Argv.
	Expanded bool
	// Outputs are all files that a successful run makes, the primary one
	// first, the dep-file included. Optional ones may be missing after it.
	Outputs []Output
	// Dep is the dep-file that the call asks for, nil for none.
	Dep *DepFile
	// InputFiles are files named by arguments, beside source and headers,
	// whose content reaches the result: plugins, specs, profiles, response
	// files of the assembler, a precompiled header given as such, …. As
	// spelled.
	InputFiles []string
	// Env names the variables that the compiler reads for this call beside
	// those every process reads, sorted. Their values are in the key.
	Env []string
	// Carries says what of the paths reaches the result by way of flags.
	Carries Carries
	// Recorded is set when the command line itself lands in the result
	// (-frecord-gcc-switches): nothing may be added to it.
	Recorded bool
	// Nondeterministic is set when two runs of the bare compiler differ
	// (gcc's -flto, --coverage, -fprofile-generate, .gch).
	Nondeterministic bool
	// Crate is set for rustc only.
	Crate *Crate
	// Microsoft is set for cl.exe and clang-cl only.
	Microsoft *Microsoft
}

// Carries is a set of ways by which paths reach the bytes of a result. It holds
// only what the flags decide; what the text decides (__FILE__ and its like) is
// depscan's Identifiers.
type Carries uint8

const (
	// CarriesDir: the apparent working directory.
	CarriesDir Carries = 1 << iota
	// CarriesPaths: the paths of source and headers, as spelled.
	CarriesPaths
	// CarriesOutput: the spelled name of the primary output.
	CarriesOutput
)

// An Arg is one argument with its value.
type Arg struct {
	// Option is the option as the table spells it ("-I", "-std="), empty
	// for a positional argument.
	Option string
	// Value is the option's value, or the positional argument.
	Value string
	// Form says how Option and Value stand in the argument list.
	Form argtable.Form
	// Class says what the argument means for the result.
	Class argtable.Class
}

// Words returns a as it stands in an argument list.
func (a *Arg) Words() []string { return a.Render(a.Value) }

// Render returns a with value in place of its own value.
func (a *Arg) Render(value string) []string {
	switch a.Form {
	case argtable.Separate:
		return []string{a.Option, value}
	case argtable.Flag:
		return []string{a.Option}
	default: // Joined, and positional arguments, whose Option is empty
		return []string{a.Option + value}
	}
}

// Role names what an output is, the same for all families.
type Role string

// The roles of gcc's and clang's outputs.
const (
	RoleObject      Role = "object"      // .o
	RoleAssembly    Role = "assembly"    // .s
	RolePCH         Role = "pch"         // .gch, .pch
	RoleDep         Role = "dep"         // .d
	RoleDwo         Role = "dwo"         // -gsplit-dwarf
	RoleCoverage    Role = "coverage"    // .gcno
	RoleStack       Role = "stack"       // .su
	RoleCallgraph   Role = "callgraph"   // .ci
	RoleDiagnostics Role = "diagnostics" // .dia, SARIF files
	RoleTimeTrace   Role = "timetrace"   // .json
	RoleRemarks     Role = "remarks"     // .opt.yaml, -fopt-info files
	RoleListing     Role = "listing"     // -Wa,-a=FILE
	RoleDump        Role = "dump"        // -fdump-ipa-clones
)

// The roles of outputs that cl.exe has besides.
const (
	RolePDB        Role = "pdb"         // /Zi; the one that compiles share
	RoleSourceDeps Role = "source-deps" // /sourceDependencies
)

// The roles of rustc's outputs; RoleObject and RoleAssembly are those of --emit.
const (
	RoleDepInfo   Role = "dep-info"   // .d
	RoleMetadata  Role = "metadata"   // .rmeta
	RoleRlib      Role = "rlib"       // .rlib
	RoleStaticlib Role = "staticlib"  // .a
	RoleDylib     Role = "dylib"      // .so
	RoleCdylib    Role = "cdylib"     // .so
	RoleProcMacro Role = "proc-macro" // .so
	RoleProgram   Role = "bin"        // no suffix
	RoleLLVMIR    Role = "llvm-ir"    // .ll
	RoleLLVMBC    Role = "llvm-bc"    // .bc
	RoleMIR       Role = "mir"        // .mir
	RoleDwp       Role = "dwp"        // -C split-debuginfo=packed
	RoleDwpOld    Role = "dwp-old"    // the same, as older versions name it
)

// An Output is one file that a compile makes.
type Output struct {
	Role Role
	// Path is where it goes, as the compiler would spell it: relative to
	// the working directory or absolute.
	Path string
	// Optional is set when a successful compile may leave it out.
	Optional bool
	// Stale is set when the compiler removes or truncates an existing file
	// of this name even if it then writes none.
	Stale bool
}

// Output returns the output with the given role, nil where there is none.
func (c *Compile) Output(role Role) *Output {
	for i := range c.Outputs {
		if c.Outputs[i].Role == role {
			return &c.Outputs[i]
		}
	}
	return nil
}

// Primary returns the main output, nil for SyntaxOnly.
func (c *Compile) Primary() *Output {
	if c.Mode == SyntaxOnly || len(c.Outputs) == 0 {
		return nil
	}
	return &c.Outputs[0]
}

// A DepFile describes the Make-syntax dependency file of a call.
type DepFile struct {
	// Path is where it goes, as spelled or derived by the compiler's rule.
	Path string
	// Targets are the rule's targets as they stand in the file, quoted by
	// the compiler's own rule where that quotes (-MQ, the default target),
	// verbatim where it does not (-MT).
	Targets []string
	// System is set for -MD: headers of system directories are listed.
	System bool
	// Phony is set for -MP: an empty rule for every header follows.
	Phony bool
	// Implied is set when no -MF or -Wp,-MD,FILE names the file.
	Implied bool
}

// SignatureNamesFile reports whether __PRETTY_FUNCTION__ and its like may hold the
// name of a file: clang's do, of templates that are given a lambda or a type without
// a name. A C function would need such a type in its own declaration, and no second
// declaration could agree with that. What cl.exe makes of lambdas is not known.
func (c *Compile) SignatureNamesFile() bool {
	switch c.Toolchain.Family {
	case "clang", FamilyClangCL, FamilyMSVC:
		return strings.Contains(c.Language, "++")
	}
	return false
}
