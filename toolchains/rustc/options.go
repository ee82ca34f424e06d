package rustc

import "github.com/rexwrap/rexwrap/toolchains/argtable"

// Forms of rustc's options. A value stands behind "=" (long options) or joined
// (short ones), or in the next word.
const (
	flag   = argtable.AsFlag
	valued = argtable.AsJoined | argtable.AsSeparate
	// setting is the form of what follows -C and -Z: NAME or NAME=VALUE.
	setting = argtable.AsFlag | argtable.AsJoined
)

// options are the options of `rustc --help -v`, and those that it does not list.
func options() []argtable.Option {
	return []argtable.Option{
		{Name: "--allow", Forms: valued, Class: argtable.Diagnostic},
		{Name: "--cap-lints", Forms: valued, Class: argtable.Diagnostic},
		{Name: "--cfg", Forms: valued, Class: argtable.Macro},
		{Name: "--check-cfg", Forms: valued, Class: argtable.Diagnostic},
		{Name: "--codegen", Forms: valued, Class: argtable.Codegen},
		{Name: "--color", Forms: valued, Class: argtable.Diagnostic},
		{Name: "--crate-name", Forms: valued, Class: argtable.Codegen},
		{Name: "--crate-type", Forms: valued, Class: argtable.Codegen},
		{Name: "--deny", Forms: valued, Class: argtable.Diagnostic},
		{Name: "--diagnostic-width", Forms: valued, Class: argtable.Diagnostic},
		{Name: "--edition", Forms: valued, Class: argtable.Codegen},
		{Name: "--emit", Forms: valued, Class: argtable.Codegen},
		{Name: "--env-set", Forms: valued, Class: argtable.Aside, Reason: ReasonUnstable},
		{Name: "--error-format", Forms: valued, Class: argtable.Codegen}, // decides on bytes of the metadata
		{Name: "--explain", Forms: valued, Class: argtable.Aside, Reason: ReasonQuery},
		{Name: "--extern", Forms: valued, Class: argtable.InputFile | argtable.Path},
		{Name: "--forbid", Forms: valued, Class: argtable.Diagnostic},
		{Name: "--force-warn", Forms: valued, Class: argtable.Diagnostic},
		{Name: "--help", Forms: flag, Class: argtable.Aside, Reason: ReasonQuery},
		{Name: "--json", Forms: valued, Class: argtable.Codegen},
		{Name: "--out-dir", Forms: valued, Class: argtable.Output},
		{Name: "--pretty", Forms: valued, Class: argtable.Aside, Reason: ReasonQuery},
		{Name: "--print", Forms: valued, Class: argtable.Aside, Reason: ReasonQuery},
		{Name: "--remap-path-prefix", Forms: valued, Class: argtable.Prefix},
		{Name: "--remap-path-scope", Forms: valued, Class: argtable.Codegen},
		{Name: "--sysroot", Forms: valued, Class: argtable.Aside, Reason: ReasonSysroot},
		{Name: "--target", Forms: valued, Class: argtable.Codegen},
		{Name: "--test", Forms: flag, Class: argtable.Codegen},
		{Name: "--unpretty", Forms: valued, Class: argtable.Aside, Reason: ReasonQuery},
		{Name: "--unstable-features", Forms: valued, Class: argtable.Aside, Reason: ReasonUnstable},
		{Name: "--verbose", Forms: flag, Class: argtable.Diagnostic},
		{Name: "--version", Forms: flag, Class: argtable.Aside, Reason: ReasonQuery},
		{Name: "--warn", Forms: valued, Class: argtable.Diagnostic},
		{Name: "-A", Forms: valued, Class: argtable.Diagnostic},
		{Name: "-C", Forms: valued, Class: argtable.Codegen},
		{Name: "-D", Forms: valued, Class: argtable.Diagnostic},
		{Name: "-F", Forms: valued, Class: argtable.Diagnostic},
		{Name: "-L", Forms: valued, Class: argtable.Search | argtable.Path},
		{Name: "-O", Forms: flag, Class: argtable.Codegen},
		{Name: "-V", Forms: flag, Class: argtable.Aside, Reason: ReasonQuery},
		{Name: "-W", Forms: valued, Class: argtable.Diagnostic},
		{Name: "-Z", Forms: valued, Class: argtable.Codegen},
		{Name: "-g", Forms: flag, Class: argtable.Debug},
		{Name: "-h", Forms: flag, Class: argtable.Aside, Reason: ReasonQuery},
		{Name: "-l", Forms: valued, Class: argtable.Linker},
		{Name: "-o", Forms: valued, Class: argtable.Codegen}, // the parser makes outputs of it,
		{Name: "-v", Forms: flag, Class: argtable.Diagnostic},
	}
}

// codegen are the settings of `rustc -C help`, of all versions from 1.63 to 1.97.
// Options that name a file to read are looked at by the parser.
func codegen() []argtable.Option {
	return []argtable.Option{
		{Name: "-Car", Forms: setting, Class: argtable.Codegen},
		{Name: "-Ccode-model", Forms: setting, Class: argtable.Codegen},
		{Name: "-Ccodegen-units", Forms: setting, Class: argtable.Codegen},
		{Name: "-Ccollapse-macro-debuginfo", Forms: setting, Class: argtable.Debug},
		{Name: "-Ccontrol-flow-guard", Forms: setting, Class: argtable.Codegen},
		{Name: "-Cdebug-assertions", Forms: setting, Class: argtable.Codegen},
		{Name: "-Cdebuginfo", Forms: setting, Class: argtable.Debug},
		{Name: "-Cdefault-linker-libraries", Forms: setting, Class: argtable.Linker},
		{Name: "-Cdlltool", Forms: setting, Class: argtable.Aside, Reason: ReasonLinkerOption},
		{Name: "-Cdwarf-version", Forms: setting, Class: argtable.Debug},
		{Name: "-Cembed-bitcode", Forms: setting, Class: argtable.Codegen},
		{Name: "-Cextra-filename", Forms: setting, Class: argtable.Codegen},
		{Name: "-Cforce-frame-pointers", Forms: setting, Class: argtable.Codegen},
		{Name: "-Cforce-unwind-tables", Forms: setting, Class: argtable.Codegen},
		{Name: "-Chelp", Forms: setting, Class: argtable.Aside, Reason: ReasonQuery},
		{Name: "-Cincremental", Forms: setting, Class: argtable.Output},
		{Name: "-Cinline-threshold", Forms: setting, Class: argtable.Codegen},
		{Name: "-Cinstrument-coverage", Forms: setting, Class: argtable.Codegen},
		{Name: "-Cjump-tables", Forms: setting, Class: argtable.Codegen},
		{Name: "-Clink-arg", Forms: setting, Class: argtable.Linker},
		{Name: "-Clink-args", Forms: setting, Class: argtable.Linker},
		{Name: "-Clink-dead-code", Forms: setting, Class: argtable.Linker},
		{Name: "-Clink-self-contained", Forms: setting, Class: argtable.Linker},
		{Name: "-Clinker", Forms: setting, Class: argtable.Linker},
		{Name: "-Clinker-features", Forms: setting, Class: argtable.Linker},
		{Name: "-Clinker-flavor", Forms: setting, Class: argtable.Linker},
		{Name: "-Clinker-plugin-lto", Forms: setting, Class: argtable.Codegen},
		{Name: "-Cllvm-args", Forms: setting, Class: argtable.Codegen},
		{Name: "-Clto", Forms: setting, Class: argtable.Codegen},
		{Name: "-Cmetadata", Forms: setting, Class: argtable.Codegen},
		{Name: "-Cno-prepopulate-passes", Forms: setting, Class: argtable.Codegen},
		{Name: "-Cno-redzone", Forms: setting, Class: argtable.Codegen},
		{Name: "-Cno-stack-check", Forms: setting, Class: argtable.Codegen},
		{Name: "-Cno-vectorize-loops", Forms: setting, Class: argtable.Codegen},
		{Name: "-Cno-vectorize-slp", Forms: setting, Class: argtable.Codegen},
		{Name: "-Copt-level", Forms: setting, Class: argtable.Codegen},
		{Name: "-Coverflow-checks", Forms: setting, Class: argtable.Codegen},
		{Name: "-Cpanic", Forms: setting, Class: argtable.Codegen},
		{Name: "-Cpasses", Forms: setting, Class: argtable.Codegen},
		{Name: "-Cprefer-dynamic", Forms: setting, Class: argtable.Codegen},
		{Name: "-Cprofile-generate", Forms: setting, Class: argtable.Codegen},
		{Name: "-Cprofile-use", Forms: setting, Class: argtable.InputFile},
		{Name: "-Crelocation-model", Forms: setting, Class: argtable.Codegen},
		{Name: "-Crelro-level", Forms: setting, Class: argtable.Codegen},
		{Name: "-Cremark", Forms: setting, Class: argtable.Diagnostic},
		{Name: "-Crpath", Forms: setting, Class: argtable.Codegen},
		{Name: "-Csave-temps", Forms: setting, Class: argtable.Aside, Reason: ReasonSaveTemps},
		{Name: "-Csoft-float", Forms: setting, Class: argtable.Codegen},
		{Name: "-Csplit-debuginfo", Forms: setting, Class: argtable.Debug},
		{Name: "-Cstrip", Forms: setting, Class: argtable.Codegen},
		{Name: "-Csymbol-mangling-version", Forms: setting, Class: argtable.Codegen},
		{Name: "-Ctarget-cpu", Forms: setting, Class: argtable.Codegen},
		{Name: "-Ctarget-feature", Forms: setting, Class: argtable.Codegen},
		{Name: "-Cunsafe-allow-abi-mismatch", Forms: setting, Class: argtable.Codegen},
	}
}
