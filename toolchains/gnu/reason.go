package gnu

import "github.com/rexwrap/rexwrap/toolchains/argtable"

// Reasons why the families gcc and clang let a call step aside. Tables and
// parsers use no others.
const (
	ReasonAnalyzer          = "analyzer-option"
	ReasonArchitectures     = "several-architectures"
	ReasonAssembler         = "assembler-option"
	ReasonAssemblerListing  = "assembler-listing"
	ReasonBackend           = "backend-option"
	ReasonCC1               = "cc1-option"
	ReasonCompareDebug      = "compare-debug"
	ReasonCompilationDB     = "compilation-database"
	ReasonConfigFile        = "config-file"
	ReasonDepConflict       = "dep-file-conflict"
	ReasonDependenciesOnly  = "dependencies-only"
	ReasonDependenciesOther = "dependencies-other"
	ReasonDeviceOutput      = "side-output-of-device"
	ReasonDiagnosticsFile   = "diagnostics-file"
	ReasonDriverMode        = "driver-mode"
	ReasonDump              = "dump"
	ReasonEmbed             = "embed"
	ReasonEmptyArgument     = "empty-argument"
	ReasonEnvDependencies   = "env-dependencies-output"
	ReasonEnvOptions        = "env-options"
	ReasonEnvOutput         = "env-side-output"
	ReasonExtraFlags        = argtable.ExtraReason
	ReasonFileOverlay       = "file-overlay"
	ReasonHeaderList        = "header-list"
	ReasonHeaderMap         = "header-map"
	ReasonIndexStore        = "index-store"
	ReasonInformation       = "information"
	ReasonInputUnreadable   = "input-unreadable"
	ReasonInternal          = "internal"
	ReasonLanguageOverride  = "language-override"
	ReasonLink              = "link"
	ReasonLinkerInput       = "linker-input"
	ReasonLTOInternal       = "lto-internal"
	ReasonMissingArgument   = "missing-argument"
	ReasonModules           = "modules"
	ReasonNoSource          = "no-source"
	ReasonOffload           = "offload"
	ReasonOtherLanguage     = "other-language"
	ReasonOtherOutput       = "other-output"
	ReasonOutputName        = "output-name"
	ReasonOutputToStdout    = "output-to-stdout"
	ReasonPlugin            = "plugin"
	ReasonPluginUnreadable  = "plugin-unreadable"
	ReasonPreprocessOnly    = "preprocess-only"
	ReasonPreprocessorMode  = "preprocessor-mode"
	ReasonPreprocessorOpt   = "preprocessor-option"
	ReasonProfile           = "profile-unreadable"
	ReasonProfileTwice      = "profile-twice"
	ReasonResponseFile      = "response-file"
	ReasonSaveTemps         = "save-temps"
	ReasonSeveralOutputs    = "several-outputs"
	ReasonSeveralSources    = "several-sources"
	ReasonSpecs             = "specs"
	ReasonSplitSearch       = "split-search"
	ReasonStdin             = "stdin"
	ReasonTargetFiles       = "target-files"
	ReasonThinLTO           = "thinlto-backend"
	ReasonTiming            = "timing"
	ReasonUnknownArgument   = "unknown-argument"
	ReasonVerbose           = "verbose"
	ReasonWorkingDirectory  = "working-directory"
	ReasonWrapper           = "wrapper"
)

// A Reason is a reason for stepping aside with its explanation in one line.
type Reason struct{ Name, Text string }

// Reasons returns the closed list of reasons of the families gcc and clang,
// sorted by name.
func Reasons() []Reason {
	return []Reason{
		{ReasonAnalyzer, "an option of the static analyzer that changes what it writes"},
		{ReasonAssemblerListing, "the assembler lists to stdout, or twice"},
		{ReasonAssembler, "an assembler option that may read or write further files"},
		{ReasonBackend, "an option of the code generator that may read or write files"},
		{ReasonCC1, "an option of clang's inner compiler that is not known to be safe"},
		{ReasonCompareDebug, "the compiler compiles twice and compares"},
		{ReasonCompilationDB, "the call appends to a compilation database"},
		{ReasonConfigFile, "options come from a configuration file"},
		{ReasonDepConflict, "options contradict each other on the dep-file"},
		{ReasonDependenciesOnly, "the call only lists dependencies"},
		{ReasonDependenciesOther, "a dependency file of another form"},
		{ReasonDiagnosticsFile, "diagnostics go to a file whose name is not known"},
		{ReasonDriverMode, "the driver is told to act as another one"},
		{ReasonDump, "the compiler dumps its inner state"},
		{ReasonEmbed, "a search path for #embed"},
		{ReasonEmptyArgument, "an argument is empty"},
		{ReasonEnvDependencies, "DEPENDENCIES_OUTPUT or SUNPRO_DEPENDENCIES is set"},
		{ReasonEnvOptions, "a variable of the environment changes the command line"},
		{ReasonEnvOutput, "a variable of the environment names a file to write"},
		{ReasonExtraFlags, "the settings say so"},
		{ReasonFileOverlay, "a file system overlay changes which files are read"},
		{ReasonHeaderList, "the compiler lists the headers it reads"},
		{ReasonHeaderMap, "headers are found through a map"},
		{ReasonIndexStore, "the compiler writes an index store"},
		{ReasonInformation, "the compiler only tells of itself"},
		{ReasonInputUnreadable, "a file that an argument names cannot be read"},
		{ReasonInternal, "an option that compilers pass to their own parts"},
		{ReasonLanguageOverride, "the language of all sources is overridden"},
		{ReasonLink, "the call links"},
		{ReasonLinkerInput, "an input for the linker stands in a compile"},
		{ReasonLTOInternal, "an inner step of link-time optimisation"},
		{ReasonMissingArgument, "an option lacks its value"},
		{ReasonModules, "modules are built or used"},
		{ReasonNoSource, "there is no source"},
		{ReasonOffload, "code for accelerators"},
		{ReasonOtherLanguage, "an option or source of a language that is not cached"},
		{ReasonOtherOutput, "something else than an object is made"},
		{ReasonOutputName, "the names of the outputs are not known"},
		{ReasonOutputToStdout, "the result or the dep-file goes to a stream"},
		{ReasonPlugin, "a plugin is searched for, or reads files"},
		{ReasonPluginUnreadable, "a plugin cannot be read"},
		{ReasonPreprocessOnly, "the call only preprocesses"},
		{ReasonPreprocessorMode, "the preprocessor works in an unusual mode"},
		{ReasonPreprocessorOpt, "an option passed through to the preprocessor"},
		{ReasonProfileTwice, "a profile is used twice, or used and made"},
		{ReasonProfile, "the profile to use is missing"},
		{ReasonResponseFile, "a response file is missing or ambiguous"},
		{ReasonSaveTemps, "intermediate files are kept"},
		{ReasonArchitectures, "several architectures in one call"},
		{ReasonSeveralOutputs, "one kind of output is asked for twice"},
		{ReasonSeveralSources, "several sources in one call"},
		{ReasonDeviceOutput, "further outputs beside one that is a device"},
		{ReasonSpecs, "a specs file changes how the compiler works"},
		{ReasonSplitSearch, "the include search path is split"},
		{ReasonStdin, "the source comes from a stream"},
		{ReasonTargetFiles, "the target is described by further files"},
		{ReasonThinLTO, "a back-end step of ThinLTO"},
		{ReasonTiming, "the compiler reports its own times or memory"},
		{ReasonUnknownArgument, "an argument that is not known"},
		{ReasonVerbose, "the compiler shows the commands it runs"},
		{ReasonWorkingDirectory, "the compiler is told to work in another directory"},
		{ReasonWrapper, "the compiler is told to start its parts through a wrapper"},
	}
}
