package rustc

// Reasons why the family lets a call step aside. Tables and parser use no others.
const (
	ReasonCodegenUnits   = "several-codegen-units"
	ReasonCrateName      = "crate-name"
	ReasonCrateType      = "crate-type"
	ReasonEmit           = "emit-kind"
	ReasonEmitFile       = "emit-file"
	ReasonExtern         = "extern-without-path"
	ReasonIncremental    = "rust-incremental"
	ReasonLinkerOption   = "linker-option"
	ReasonLog            = "compiler-log"
	ReasonMissing        = "missing-argument"
	ReasonNoSource       = "no-source"
	ReasonOutputName     = "output-name"
	ReasonPlugin         = "plugin"
	ReasonQuery          = "query"
	ReasonRepeated       = "repeated-argument"
	ReasonResponse       = "response-file"
	ReasonSaveTemps      = "save-temps"
	ReasonSeveralLinks   = "several-links"
	ReasonSeveralSources = "several-sources"
	ReasonSplitDebug     = "split-debuginfo"
	ReasonStdin          = "stdin"
	ReasonSysroot        = "sysroot"
	ReasonTarget         = "target-outputs"
	ReasonTargetFile     = "target-file"
	ReasonUncached       = "rust-uncached"
	ReasonUnknown        = "unknown-argument"
	ReasonUnstable       = "unstable-option"
)

// A Reason is a reason for stepping aside with its explanation in one line.
type Reason struct{ Name, Text string }

// Reasons returns the closed list of reasons of the family, sorted by name.
func Reasons() []Reason {
	return []Reason{
		{ReasonLog, "the compiler is told to log what it does"},
		{ReasonCrateName, "the name of the crate stands in the source only"},
		{ReasonCrateType, "the type of the crate stands in the source only, or is not known"},
		{ReasonEmitFile, "an output goes to a stream"},
		{ReasonEmit, "a kind of output that is not known"},
		{ReasonExtern, "a crate is to be searched for by its name alone"},
		{ReasonLinkerOption, "an option for the linker that may read or write further files"},
		{ReasonMissing, "an option lacks its value"},
		{ReasonNoSource, "there is no source"},
		{ReasonOutputName, "the names of the outputs are not known"},
		{ReasonPlugin, "a plugin of the code generator is loaded"},
		{ReasonQuery, "the call only tells of the compiler or of the crate"},
		{ReasonRepeated, "an option stands twice that may stand once"},
		{ReasonResponse, "an argument file is missing or ambiguous"},
		{ReasonIncremental, "the result depends on what was compiled incrementally before"},
		{ReasonUncached, "the setting rust_uncached names the crate or its package"},
		{ReasonSaveTemps, "intermediate files are kept"},
		{ReasonCodegenUnits, "one file for each code generation unit"},
		{ReasonSeveralLinks, "the linker runs more than once"},
		{ReasonSeveralSources, "several sources in one call"},
		{ReasonSplitDebug, "debug information in files whose names are not known"},
		{ReasonStdin, "the source comes from a stream"},
		{ReasonSysroot, "the call names a sysroot of its own"},
		{ReasonTargetFile, "the description of the target is searched for by its name"},
		{ReasonTarget, "linking for a target whose outputs are not known"},
		{ReasonUnknown, "an argument that is not known"},
		{ReasonUnstable, "an unstable option whose effect is not known"},
	}
}
