package msvc

import "github.com/rexwrap/rexwrap/toolchains/argtable"

const (
	flag     = argtable.AsFlag
	joined   = argtable.AsJoined
	separate = argtable.AsSeparate
	either   = argtable.AsJoined | argtable.AsSeparate
	option   = argtable.AsFlag | argtable.AsJoined

	output       = argtable.Output
	dep          = argtable.Dep
	search       = argtable.Search
	macro        = argtable.Macro
	include      = argtable.Include
	path         = argtable.Path
	source       = argtable.Source
	inputFile    = argtable.InputFile
	preprocessor = argtable.Preprocessor
	codegen      = argtable.Codegen
	cpp          = argtable.Preprocessor | argtable.Codegen
	diagnostic   = argtable.Diagnostic
	debug        = argtable.Debug
	linker       = argtable.Linker
	noKey        = argtable.NoKey
	aside        = argtable.Aside
	prefix       = argtable.Prefix
)

type row argtable.Option

func options(rows []row) []argtable.Option {
	list := make([]argtable.Option, len(rows))
	for i, r := range rows {
		list[i] = argtable.Option(r)
	}
	return list
}

// table holds what cl.exe and clang-cl have in common, sorted by name. What no row names
// steps aside.
func table() []row {
	return []row{
		{"-?", flag, aside, "information"},
		{"-AI", either, aside, "managed-code"},
		{"-Brepro", flag, codegen, ""},
		{"-Brepro-", flag, codegen, ""},
		{"-Bt", option, aside, "timing"},
		{"-Bv", flag, aside, "information"},
		{"-C", flag, preprocessor, ""},
		{"-D", either, macro, ""},
		{"-E", flag, aside, "preprocess-only"},
		{"-EH", joined, cpp, ""},
		{"-EP", flag, aside, "preprocess-only"},
		{"-F", either, linker, ""},
		{"-FA", flag, output | codegen, ""},
		{"-FAc", option, aside, "listing"},
		{"-FAs", flag, output | codegen, ""},
		{"-FAsc", option, aside, "listing"},
		{"-FAsu", flag, aside, "listing"},
		{"-FAu", option, aside, "listing"},
		{"-FC", flag, cpp, ""},
		{"-FI", either, include | path, ""},
		{"-FR", option, aside, "browse-information"},
		{"-FS", flag, noKey, ""},
		{"-FU", either, aside, "managed-code"},
		{"-Fa", option, output | path, ""},
		{"-Fd", option, output | path, ""},
		{"-Fe", option, linker, ""},
		{"-Fi", option, aside, "preprocess-only"},
		{"-Fm", option, linker, ""},
		{"-Fo", option, output | path, ""},
		{"-Fp", option, aside, "precompiled-header"},
		{"-Fr", option, aside, "browse-information"},
		{"-Fx", flag, aside, "other-output"},
		{"-GA", flag, codegen, ""},
		{"-GF", flag, codegen, ""},
		{"-GF-", flag, codegen, ""},
		{"-GL", flag, codegen, ""},
		{"-GL-", flag, codegen, ""},
		{"-GR", flag, cpp, ""},
		{"-GR-", flag, cpp, ""},
		{"-GS", flag, codegen, ""},
		{"-GS-", flag, codegen, ""},
		{"-GT", flag, codegen, ""},
		{"-GX", flag, cpp, ""},
		{"-GX-", flag, cpp, ""},
		{"-GZ", flag, cpp, ""},
		{"-Gd", flag, cpp, ""},
		{"-Ge", flag, codegen, ""},
		{"-Gh", flag, codegen, ""},
		{"-Gm", flag, aside, "edit-and-continue"},
		{"-Gm-", flag, diagnostic, ""},
		{"-Gr", flag, cpp, ""},
		{"-Gs", option, codegen, ""},
		{"-Gv", flag, cpp, ""},
		{"-Gw", flag, codegen, ""},
		{"-Gw-", flag, codegen, ""},
		{"-Gy", flag, codegen, ""},
		{"-Gy-", flag, codegen, ""},
		{"-Gz", flag, cpp, ""},
		{"-HELP", flag, aside, "information"},
		{"-I", either, search | path, ""},
		{"-J", flag, cpp, ""},
		{"-LD", flag, cpp, ""},
		{"-LDd", flag, cpp, ""},
		{"-LN", flag, aside, "managed-code"},
		{"-MD", flag, cpp, ""},
		{"-MDd", flag, cpp, ""},
		{"-MP", option, diagnostic, ""},
		{"-MT", flag, cpp, ""},
		{"-MTd", flag, cpp, ""},
		{"-O", joined, cpp, ""},
		{"-P", flag, aside, "preprocess-only"},
		{"-Qfast_transcendentals", flag, codegen, ""},
		{"-Qimprecise_fwaits", flag, codegen, ""},
		{"-Qpar", flag, codegen, ""},
		{"-Qpar-report", joined, diagnostic, ""},
		{"-Qspectre", option, codegen, ""},
		{"-Qvec", flag, codegen, ""},
		{"-Qvec-", flag, codegen, ""},
		{"-Qvec-report", joined, diagnostic, ""},
		{"-RTC", joined, cpp, ""},
		{"-TC", flag, cpp, ""},
		{"-TP", flag, cpp, ""},
		{"-Tc", either, source | path, ""},
		{"-Tp", either, source | path, ""},
		{"-U", either, macro, ""},
		{"-W0", flag, diagnostic, ""},
		{"-W1", flag, diagnostic, ""},
		{"-W2", flag, diagnostic, ""},
		{"-W3", flag, diagnostic, ""},
		{"-W4", flag, diagnostic, ""},
		{"-WL", flag, diagnostic, ""},
		{"-WX", flag, diagnostic, ""},
		{"-WX-", flag, diagnostic, ""},
		{"-Wall", flag, diagnostic, ""},
		{"-Wp64", flag, diagnostic, ""},
		{"-Wv:", joined, diagnostic, ""},
		{"-X", flag, preprocessor, ""},
		{"-Y-", flag, preprocessor, ""},
		{"-Yc", option, aside, "precompiled-header"},
		{"-Yd", flag, aside, "precompiled-header"},
		{"-Yl", option, aside, "precompiled-header"},
		{"-Yu", option, aside, "precompiled-header"},
		{"-Z7", flag, debug | codegen, ""},
		{"-ZI", flag, debug | codegen, ""},
		{"-ZW", option, aside, "managed-code"},
		{"-Za", flag, cpp, ""},
		{"-Zc:", joined, cpp, ""},
		{"-Ze", flag, cpp, ""},
		{"-Zg", flag, aside, "other-output"},
		{"-Zi", flag, debug | codegen, ""},
		{"-Zl", flag, cpp, ""},
		{"-Zm", joined, noKey, ""},
		{"-Zo", flag, debug | codegen, ""},
		{"-Zo-", flag, debug | codegen, ""},
		{"-Zp", option, cpp, ""},
		{"-Zs", flag, aside, "other-output"},
		{"-analyze", flag, aside, "analyzer-option"},
		{"-analyze-", flag, cpp, ""},
		{"-analyze:", joined, aside, "analyzer-option"},
		{"-arch:", joined, cpp, ""},
		{"-await", option, cpp, ""},
		{"-bigobj", flag, codegen, ""},
		{"-c", flag, codegen, ""},
		{"-cgthreads", joined, noKey, ""},
		{"-clr", option, aside, "managed-code"},
		{"-d1nodatetime", flag, cpp, ""},
		{"-d1trimfile:", joined, cpp, ""},
		{"-d2FH4", option, codegen, ""},
		{"-d2Zi+", flag, debug | codegen, ""},
		{"-diagnostics:", joined, diagnostic, ""},
		{"-doc", option, aside, "browse-information"},
		{"-errorReport:", joined, noKey, ""},
		{"-execution-charset:", joined, cpp, ""},
		{"-exportHeader", flag, aside, "modules"},
		{"-external:", joined, diagnostic | preprocessor, ""},
		{"-external:I", either, search | path, ""},
		{"-external:env:", joined, search | preprocessor, ""},
		{"-favor:", joined, codegen, ""},
		{"-fp:", joined, cpp, ""},
		{"-guard:", joined, cpp, ""},
		{"-headerName:", joined, aside, "modules"},
		{"-headerUnit", either, aside, "modules"},
		{"-help", flag, aside, "information"},
		{"-homeparams", flag, codegen, ""},
		{"-hotpatch", flag, codegen, ""},
		{"-ifc", joined, aside, "modules"},
		{"-interface", flag, aside, "modules"},
		{"-internalPartition", flag, aside, "modules"},
		{"-kernel", flag, cpp, ""},
		{"-kernel-", flag, cpp, ""},
		{"-link", flag, linker, ""},
		{"-nologo", flag, diagnostic, ""},
		{"-o", either, aside, "output-name"},
		{"-openmp", option, cpp, ""},
		{"-permissive", flag, cpp, ""},
		{"-permissive-", flag, cpp, ""},
		{"-reference", either, aside, "modules"},
		{"-sdl", flag, cpp, ""},
		{"-sdl-", flag, cpp, ""},
		{"-showIncludes", flag, diagnostic, ""},
		{"-showIncludes:user", flag, diagnostic, ""},
		{"-source-charset:", joined, cpp, ""},
		{"-std:", joined, cpp, ""},
		{"-stdIfcDir", either, aside, "modules"},
		{"-translateInclude", flag, aside, "modules"},
		{"-u", flag, macro, ""},
		{"-utf-8", flag, cpp, ""},
		{"-validate-charset", flag, diagnostic, ""},
		{"-validate-charset-", flag, diagnostic, ""},
		{"-vd", joined, cpp, ""},
		{"-vm", joined, cpp, ""},
		{"-volatile:", joined, cpp, ""},
		{"-volatileMetadata", option, codegen, ""},
		{"-w", flag, diagnostic, ""},
	}
}

// clTable holds what only cl.exe has.
func clTable() []row {
	return []row{
		{"-B1", joined, aside, "other-compiler-parts"},
		{"-B2", joined, aside, "other-compiler-parts"},
		{"-Bx", joined, aside, "other-compiler-parts"},
		{"-FD", flag, noKey, ""},
		{"-Fo:", either, output | path, ""},
		{"-Gi", option, aside, "edit-and-continue"},
		{"-H", joined, codegen, ""},
		{"-JMC", flag, codegen, ""},
		{"-JMC-", flag, codegen, ""},
		{"-V", joined, codegen, ""},
		{"-Yi", option, aside, "precompiled-header"},
		{"-Zd", flag, debug | codegen, ""},
		{"-Zf", option, noKey, ""},
		{"-experimental:deterministic", flag, cpp, ""},
		{"-experimental:external", flag, preprocessor, ""},
		{"-experimental:module", option, aside, "modules"},
		{"-experimental:preprocessor", option, cpp, ""},
		{"-fastfail", flag, codegen, ""},
		{"-fsanitize-coverage=", joined, codegen, ""},
		{"-fsanitize=", joined, cpp, ""},
		{"-jumptablerdata", flag, codegen, ""},
		{"-pathmap:", joined, prefix | codegen, ""},
		{"-presetPadding", flag, codegen, ""},
		{"-presetPadding-", flag, codegen, ""},
		{"-scanDependencies", option, aside, "dependencies-other"},
		{"-sourceDependencies", either, output | dep | path, ""},
		{"-sourceDependencies:directives", either, aside, "dependencies-other"},
		{"-w1", joined, diagnostic, ""},
		{"-w2", joined, diagnostic, ""},
		{"-w3", joined, diagnostic, ""},
		{"-w4", joined, diagnostic, ""},
		{"-wd", joined, diagnostic, ""},
		{"-we", joined, diagnostic, ""},
		{"-wo", joined, diagnostic, ""},
	}
}

// clangTable holds what only clang-cl has of this kind; options that it takes from clang
// are in that family's table.
func clangTable() []row {
	return []row{
		{"-###", flag, aside, "verbose"},
		{"--", flag, codegen, ""},
		{"--analyze", flag, aside, "analyzer-option"},
		{"--driver-mode=", joined, aside, "driver-mode"},
		{"--target=", joined, cpp, ""},
		{"--version", flag, aside, "information"},
		{"-FD", flag, aside, "unknown-argument"},
		{"-Gregcall", flag, cpp, ""},
		{"-QIntel-jcc-erratum", flag, codegen, ""},
		{"-Qunused-arguments", flag, diagnostic, ""},
		{"-Xclang", either, aside, "cc1-option"},
		{"-clang:", joined, aside, "cc1-option"},
		{"-d1PP", flag, preprocessor, ""},
		{"-d1reportAllClassLayout", flag, aside, "dump"},
		{"-diasdkdir", either, linker, ""},
		{"-fallback", flag, aside, "other-compiler-parts"},
		{"-fsanitize=address", flag, aside, "sanitizer"},
		{"-fuse-ld=", joined, linker, ""},
		{"-imsvc", either, search | path, ""},
		{"-m32", flag, cpp, ""},
		{"-m64", flag, cpp, ""},
		{"-mllvm", either, aside, "backend-option"},
		{"-showFilenames", flag, diagnostic, ""},
		{"-showFilenames-", flag, diagnostic, ""},
		{"-tune:", joined, codegen, ""},
		{"-v", flag, aside, "verbose"},
		{"-vctoolsdir", either, search | path | codegen, ""},
		{"-vctoolsversion", either, search | codegen, ""},
		{"-wd", joined, diagnostic, ""},
		{"-winsdkdir", either, search | path | codegen, ""},
		{"-winsdkversion", either, search | codegen, ""},
		{"-winsysroot", either, search | path | codegen, ""},
	}
}
