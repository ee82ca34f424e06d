package rustc

import "github.com/rexwrap/rexwrap/toolchains/argtable"

// unstable are those settings of `rustc -Z help` that change code or messages and
// neither read nor write files. All others step aside.
func unstable() []argtable.Option {
	return []argtable.Option{
		{Name: "-Zallow-features", Forms: setting, Class: argtable.Codegen},
		{Name: "-Zalways-encode-mir", Forms: setting, Class: argtable.Codegen},
		{Name: "-Zbranch-protection", Forms: setting, Class: argtable.Codegen},
		{Name: "-Zcf-protection", Forms: setting, Class: argtable.Codegen},
		{Name: "-Zcrate-attr", Forms: setting, Class: argtable.Codegen},
		{Name: "-Zdefault-visibility", Forms: setting, Class: argtable.Codegen},
		{Name: "-Zdylib-lto", Forms: setting, Class: argtable.Codegen},
		{Name: "-Zembed-source", Forms: setting, Class: argtable.Debug},
		{Name: "-Zfewer-names", Forms: setting, Class: argtable.Codegen},
		{Name: "-Zforce-unstable-if-unmarked", Forms: setting, Class: argtable.Codegen},
		{Name: "-Zfunction-sections", Forms: setting, Class: argtable.Codegen},
		{Name: "-Zinline-mir", Forms: setting, Class: argtable.Codegen},
		{Name: "-Zinline-mir-hint-threshold", Forms: setting, Class: argtable.Codegen},
		{Name: "-Zinline-mir-threshold", Forms: setting, Class: argtable.Codegen},
		{Name: "-Zlocation-detail", Forms: setting, Class: argtable.Codegen},
		{Name: "-Zmacro-backtrace", Forms: setting, Class: argtable.Diagnostic},
		{Name: "-Zmerge-functions", Forms: setting, Class: argtable.Codegen},
		{Name: "-Zmir-opt-level", Forms: setting, Class: argtable.Codegen},
		{Name: "-Zmutable-noalias", Forms: setting, Class: argtable.Codegen},
		{Name: "-Zoom", Forms: setting, Class: argtable.Codegen},
		{Name: "-Zpanic-abort-tests", Forms: setting, Class: argtable.Codegen},
		{Name: "-Zplt", Forms: setting, Class: argtable.Codegen},
		{Name: "-Zpolymorphize", Forms: setting, Class: argtable.Codegen},
		{Name: "-Zproc-macro-backtrace", Forms: setting, Class: argtable.Diagnostic},
		{Name: "-Zrelro-level", Forms: setting, Class: argtable.Codegen},
		{Name: "-Zsaturating-float-casts", Forms: setting, Class: argtable.Codegen},
		{Name: "-Zshare-generics", Forms: setting, Class: argtable.Codegen},
		{Name: "-Zstack-protector", Forms: setting, Class: argtable.Codegen},
		{Name: "-Zsymbol-mangling-version", Forms: setting, Class: argtable.Codegen},
		{Name: "-Zteach", Forms: setting, Class: argtable.Diagnostic},
		{Name: "-Zthinlto", Forms: setting, Class: argtable.Codegen},
		{Name: "-Ztrim-diagnostic-paths", Forms: setting, Class: argtable.Diagnostic},
		{Name: "-Ztune-cpu", Forms: setting, Class: argtable.Codegen},
		{Name: "-Zunstable-options", Forms: setting, Class: argtable.Codegen},
	}
}
