package layout

import (
	"path"
	"slices"
	"strings"

	"github.com/rexwrap/rexwrap/depscan"
	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/argtable"
	"github.com/rexwrap/rexwrap/toolchains/gnu"
)

// A class is a row of the table of proven classes: compiles of one family whose
// paths reach the bytes by way of an option.
type class struct {
	family       string
	since, until int    // major versions, both included
	option       string // see carrier
	extent       extent
}

// An extent says for which arguments a class is proven.
type extent uint8

const (
	relative extent = iota // relative ones only
	inputs                 // absolute ones too, but for the output's
	anywhere               // all
)

// proven are the classes for which integration/relocation shows equal bytes. A
// compile of which no path reaches the bytes needs no row.
func proven() []class {
	return []class{
		{"gcc", 12, 12, "-g", anywhere},
		{"gcc", 12, 12, "-gdwarf-4", relative}, // files are numbered anew once a map applies
		{"gcc", 12, 12, "-gsplit-dwarf", relative},
		{"gcc", 12, 12, "__FILE__", anywhere},
		{"gcc", 12, 12, "assembler -g", anywhere},
		{"gcc", 12, 12, "-fsanitize=", relative},
		{"gcc", 12, 12, "-fstack-usage", relative},
		{"gcc", 12, 12, "-fcallgraph-info", relative},
		{"gcc", 12, 12, "-fdump-ipa-clones", relative},
		{"gcc", 12, 12, "-fopt-info", relative},
		{"clang", 14, 14, "-g", anywhere},
		{"clang", 14, 14, "-gdwarf-4", anywhere},
		{"clang", 14, 14, "-gsplit-dwarf", inputs},
		{"clang", 14, 14, "__FILE__", anywhere},
		{"clang", 14, 14, "-fsanitize=", relative},
		{"clang", 14, 14, "-fprofile-generate", relative},
		{"clang", 14, 14, "-fprofile-instr-generate", relative},
		{"clang", 14, 14, "-fcoverage-mapping", relative},
		{"clang", 14, 14, "-flto", relative},
		{"clang", 14, 14, "-emit-llvm", relative},
		{"clang", 14, 14, "-fstack-usage", relative},
		{"clang", 14, 14, "--serialize-diagnostics", relative},
		{"clang", 14, 14, "-funique-internal-linkage-names", relative},
	}
}

// unproven says why the result of a worker may differ, nil where it does not.
func (b *builder) unproven() error {
	switch {
	case b.doubt != "":
	case b.c.Microsoft != nil && b.c.Output(toolchains.RolePDB) == nil:
		b.doubt = "without a program database of its own"
	case b.c.Nondeterministic:
		b.doubt = "nondeterministic"
	case b.c.Mode == toolchains.Precompile:
		b.doubt = "precompiled header"
	default:
		b.doubt = b.unprovenText()
	}
	if b.doubt == "" {
		b.doubt = b.unprovenOption()
	}
	if b.doubt == "" {
		return nil
	}
	return unprovenBy(b.doubt)
}

// unprovenText: clock and time zone are the worker's own.
func (b *builder) unprovenText() string {
	ids := b.in.Identifiers
	switch {
	case b.c.SignatureNamesFile() && (b.absolute || b.r.Ship != nil) &&
		(ids&depscan.IdentSignature != 0 || ids&depscan.IdentAssertion != 0 && !showsSignatures(b.c)):
		return "__PRETTY_FUNCTION__"
	case ids&depscan.IdentTimestamp != 0:
		return "__TIMESTAMP__"
	case ids&(depscan.IdentDate|depscan.IdentTime) != 0:
		if _, set := b.c.Call.Env.Lookup(epoch); !set || b.c.Toolchain.Family != "gcc" {
			return "__DATE__"
		}
	}
	return ""
}

// unprovenOption returns the first way by which paths reach the bytes that has
// no row.
func (b *builder) unprovenOption() string {
	rows := proven()
	if (b.absolute || b.c.Toolchain.Family == toolchains.FamilyMSVC) && b.in.Identifiers&(depscan.IdentFile|depscan.IdentBaseFile) != 0 && !b.hasRow(rows, "__FILE__") {
		return "__FILE__"
	}
	if b.c.Carries == 0 {
		return ""
	}
	known := false
	for i := range b.c.Args {
		name := carrier(&b.c.Args[i])
		if name == "" {
			continue
		}
		known = true
		if name == "-g" {
			name = b.debugRow()
		}
		if !b.hasRow(rows, name) {
			return name
		}
	}
	if !known {
		return "unknown"
	}
	return ""
}

// debugRow is the name of the row for "-g".
func (b *builder) debugRow() string {
	if gnu.IsAssembler(b.c.Language) {
		return "assembler -g"
	}
	return "-g"
}

func (b *builder) hasRow(rows []class, option string) bool {
	version := major(b.c.Toolchain.Version)
	for _, r := range rows {
		if r.family == b.c.Toolchain.Family && r.option == option && r.since <= version && version <= r.until {
			return r.extent == anywhere || !b.absolute || r.extent == inputs && !b.absoluteOutput()
		}
	}
	return false
}

// absoluteOutput reports whether the call names an output by an absolute path.
func (b *builder) absoluteOutput() bool {
	return slices.ContainsFunc(b.c.Outputs, func(o toolchains.Output) bool { return path.IsAbs(o.Path) })
}

// carrier returns the name under which an option that takes paths into the bytes
// stands in the table, empty for other options.
func carrier(a *toolchains.Arg) string {
	name := gnu.Canonical(a.Option)
	switch {
	case a.Class.Has(argtable.Prefix) || isText(name):
		return ""
	case strings.HasPrefix(name, "-gsplit-dwarf"):
		return "-gsplit-dwarf"
	case a.Class.Has(argtable.InputFile):
		return strings.TrimSuffix(name, "=")
	case name == "-fsanitize=":
		return sanitizeCarrier(a.Value)
	}
	for _, prefix := range carriers() {
		if strings.HasPrefix(name, prefix) {
			return prefix
		}
	}
	if a.Class.Has(argtable.Debug) {
		return debugCarrier(name, a.Value)
	}
	return ""
}

// sanitizeCarrier returns the row for -fsanitize=: one for all that were tried.
func sanitizeCarrier(kinds string) string {
	for kind := range strings.SplitSeq(kinds, ",") {
		switch kind {
		case "address", "undefined", "thread":
		default:
			return "-fsanitize=" + kind
		}
	}
	return "-fsanitize="
}

// debugCarrier returns the row for an option of debug information. "-g" stands
// for those that choose DWARF 5, its extent, its compression and its indexes.
func debugCarrier(name, value string) string {
	switch name {
	case "-g", "-ggdb", "-gdwarf", "-gz", "-gz=", "-gpubnames", "-ggnu-pubnames", "-gcolumn-info", "-gno-column-info", "-gno-split-dwarf",
		"-gline-tables-only", "-gmlt", "-glldb", "-gno-record-gcc-switches", "-gno-record-command-line",
		"-gstatement-frontiers", "-gvariable-location-views", "-ginline-points", "-gno-statement-frontiers",
		"-gno-variable-location-views":
		return "-g"
	case "-gdwarf-":
		if value == "5" {
			return "-g"
		}
		return name + "4" // 2 and 3 as well
	}
	return name
}

// carriers are the starts of those options, beside "-g" and its like, by which
// toolchains.Carries comes about in one of the families.
func carriers() []string {
	return []string{
		"--analyze", "--coverage", "--serialize-diagnostics", "-Wa,", "-Xassembler", "-Xclang", "-emit-llvm",
		"-fauto-profile", "-fbranch-probabilities", "-fcallgraph-info", "-fcondition-coverage", "-fcoverage-mapping",
		"-fcs-profile-generate", "-fdiagnostics-absolute-paths", "-fdump-ipa-clones", "-fembed-bitcode",
		"-finstrument-functions-exclude-file-list", "-flto", "-fopt-info", "-foptimization-record-file", "-fpath-coverage",
		"-fprofile-generate", "-fprofile-instr-generate", "-fprofile", "-frecord-", "-fsanitize-coverage",
		"-fsave-optimization-record", "-fstack-usage", "-ftest-coverage", "-ftime-trace", "-funique-internal-linkage-names",
		"-fverbose-asm", "-fworking-directory", "-gcodeview", "-gembed-source", "-grecord-", "-include-pch", "-mllvm",
		"-object-file-name",
	}
}
