package clang

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/argtable"
	"github.com/rexwrap/rexwrap/toolchains/gnu/gnutest"
)

func TestTable(t *testing.T) {
	if err := argtable.Check(options()); err != nil {
		t.Error(err)
	}
}

func TestAside(t *testing.T) {
	gnutest.Aside(t, New(), toolchain(), map[string][]string{
		"link":                  {"x.c", "x.c -o x", "x.o y.o", "-shared x.o", "x.c -funknown-flag", "x.c -fmodules"},
		"preprocess-only":       {"-E x.c", "-c -E x.c", "-E x.c -funknown"},
		"dependencies-only":     {"-M x.c", "-MM x.c -MF k.d", "-c -MM x.c", "-c x.c -MD -MG"},
		"information":           {"--version", "-dumpversion", "-print-file-name=libc.a", "--help", "-print-targets", "--autocomplete=-f"},
		"no-source":             {"-c", "-c -O2"},
		"several-sources":       {"-c x.c sub/y.c", "-S x.c x.cpp", "-c x.c -- sub/y.c"},
		"stdin":                 {"-c -x c -", "-c -x c /dev/stdin"},
		"linker-input":          {"-c x.c y.o", "-c noext", "-c x.unknown"},
		"other-language":        {"-c x.f90", "-c x.cu", "-c x.cppm", "-c -x unknown x.c", "-c -x hip x.c", "-c x.c -fcoarray=single", "-c -x c++-module x.cpp"},
		"unknown-argument":      {"-c x.c -funknown-flag", "-c x.c -gfoo", "-c x.c -fcallgraph-info", "-c x.c -symbolic"},
		"missing-argument":      {"-c x.c -I", "-c x.c -o", "-c x.c -Xclang", "-c x.c -Xclang -include", "-c x.c -mllvm"},
		"empty-argument":        {"-c x.c ''"},
		"output-to-stdout":      {"-c x.c -o -", "-S x.c -o /dev/stdout", "-c x.c -MD -MF -", "-c x.c --serialize-diagnostics -", "-c x.c -foptimization-record-file=-"},
		"several-outputs":       {"-c x.c -o a.o -o b.o", "-c x.c --serialize-diagnostics a --serialize-diagnostics b"},
		"response-file":         {"-c x.c @missing", "-c x.c --rsp-quoting=windows"},
		"save-temps":            {"-c x.c -save-temps", "-c x.c --save-temps=obj"},
		"dump":                  {"-c x.c -dM"},
		"timing":                {"-c x.c -ftime-report", "-c x.c -save-stats", "-c x.c -fproc-stat-report"},
		"verbose":               {"-c x.c -v", "-c x.c -###"},
		"header-list":           {"-c x.c -H"},
		"modules":               {"-c x.cpp -fmodules", "-c x.cpp -fmodules-ts", "-c x.cpp -fmodule-file=x.pcm", "-c x.c -fmodule-map-file=m", "-c x.c -gmodules"},
		"other-output":          {"-c x.c -emit-ast", "-c x.c -rewrite-objc", "--precompile x.cpp"},
		"output-name":           {"-c x.c -dumpdir d/", "-S sub/h.h", "-S p.S", "-fsyntax-only x.c -ftime-trace", "h.h -ftime-trace", "-S x.c -g -gsplit-dwarf", "-c x.c -Xclang -emit-pch", "-c x.c -ftime-trace=k"},
		"side-output-of-device": {"-c x.c -g -gsplit-dwarf -o /dev/null", "-c x.c --coverage -o /dev/null"},
		"dep-file-conflict":     {"-c x.c -Wp,-MMD,k.d -MF l.d"},
		"preprocessor-option":   {"-c x.c -Wp,-P", "-c x.c -Xpreprocessor -DX", "-c x.c -Wp,-DX,y", "-c x.c -Wp,-DX,-P", "-c x.c -Wp,-D,X", "-c x.c -Wp,-MMD,k.d,-MT,w", "-c x.c -MD -Wp,-MT,x"},
		"cc1-option":            {"-c x.c -Xclang -ast-dump", "-c x.c -Xclang -fmodules", "-c x.c -Xclang -fsyntax-only", "-c x.c -Xclang -fsanitize=address", "-c x.c -Xclang -o", "-c x.c -Xclang x.c", "-c x.c -Xclang -fdump-record-layouts", "-c x.c -Xclang -fplugin-arg-x-y"},
		"backend-option":        {"-c x.c -mllvm -stats", "-c x.c -mllvm -x=y", "-c x.c -mllvm -print-after-all", "-c x.c -Xclang -mllvm -Xclang -dot-x", "-c x.c -mllvm -x=/a"},
		"assembler-option":      {"-c x.c -Wa,-I,d", "-c x.c -Wa,-Id", "-c x.c -Wa,-a=k"},
		"plugin":                {"-c x.c -fplugin=name", "-c x.c -fpass-plugin=x.so", "-c x.c -Xclang -load -Xclang x.so", "-c x.c -fplugin-arg-x-f=/etc/x", "-c x.c -Xclang -plugin-arg-x -Xclang f=/etc/x"},
		"plugin-unreadable":     {"-c x.c -fplugin=./missing.so"},
		"input-unreadable":      {"-c x.c -fsanitize-ignorelist=missing", "-c x.c -include-pch missing.pch", "-c x.c -fprofile-sample-use=missing", "-c x.c -fbasic-block-sections=list=missing"},
		"profile-unreadable":    {"-c x.c -fprofile-use", "-c x.c -fprofile-use=d", "-c x.c -fprofile-instr-use=missing"},
		"profile-twice":         {"-c x.c -fprofile-use=x.c -fprofile-instr-use=x.c"},
		"config-file":           {"-c x.c --config x.cfg", "-c x.c --config=./x.cfg"},
		"file-overlay":          {"-c x.c -ivfsoverlay x"},
		"index-store":           {"-c x.c -index-store-path x"},
		"several-architectures": {"-c x.c -arch arm64 -arch x86_64", "-c x.c -Xarch_arm64 -O2", "-c x.c -Xarch_host -O2"},
		"offload":               {"-c x.c --cuda-path=/x", "-c x.c -fopenmp-targets=x", "-c x.c --offload-arch=x", "-c x.c -fgpu-rdc"},
		"thinlto-backend":       {"-c -x ir x.o -fthinlto-index=x.bc"},
		"working-directory":     {"-c x.c -working-directory d", "-c x.c -working-directory=d"},
		"compilation-database":  {"-c x.c -MJ k.json"},
		"dependencies-other":    {"-c x.c -MD -MV"},
		"analyzer-option":       {"--analyze x.c -Xanalyzer -x", "--analyze x.c --analyzer-output html"},
		"split-search":          {"-c x.c -I-"},
		"driver-mode":           {"-c x.c --driver-mode=g++"},
		"language-override":     {"-c x.c -ObjC"},
	})
}

func TestAsideByEnvironment(t *testing.T) {
	for name, reason := range map[string]string{
		"CCC_OVERRIDE_OPTIONS": "env-options", "CC_PRINT_HEADERS": "env-side-output", "AS_SECURE_LOG_FILE": "env-side-output",
	} {
		_, err := New().Parse(gnutest.Call(t.TempDir(), "clang", []string{"-c", "x.c"}, name+"=secret"), toolchain())
		if got, arg, _ := toolchains.ReasonOf(err); got != reason || arg != name {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestLanguage(t *testing.T) {
	for args, want := range map[string]string{
		"-c x.c": "c", "-c x.i": "cpp-output", "-c x.C": "c++", "-c x.CXX": "c++", "-c x.ii": "c++-cpp-output", "-c x.m": "objective-c",
		"-c x.mm": "objective-c++", "-c x.s": "assembler", "-c x.S": "assembler-with-cpp", "x.h": "c-header", "x.hpp": "c++-header",
		"-c x.ll": "ir", "-c -xc++ x.c": "c++", "-c -x c++ -x none x.c": "c", "-c x.c -x c++": "c", "-c -x ir x.o": "ir",
	} {
		c, err := New().Parse(gnutest.Call(t.TempDir(), "clang", strings.Fields(args)), toolchain())
		if err != nil || c.Language != want {
			t.Errorf("%s: %+v, %v, want %s", args, c, err, want)
		}
	}
}

func TestCarries(t *testing.T) {
	const (
		dir = toolchains.CarriesDir
		pth = toolchains.CarriesPaths
		out = toolchains.CarriesOutput
	)
	for args, want := range map[string]toolchains.Carries{
		"": 0, "-O2 -Wall": 0, "-g": dir | pth, "-g -g0": 0, "-gline-tables-only": dir | pth, "-gz": 0, "-gcolumn-info": 0,
		"-g -fdebug-compilation-dir=.": pth, "-g -ffile-compilation-dir=.": pth, "-g -fdebug-compilation-dir .": pth,
		"-gsplit-dwarf": dir | pth | out, "--coverage": dir | pth | out, "-fprofile-instr-generate": dir | pth | out,
		"-flto": pth, "-flto=thin": pth, "-flto -fno-lto": 0, "-emit-llvm": pth, "-fstack-usage": pth, "-fsanitize=address": pth,
		"-Wa,-g": dir | pth, "-frecord-command-line": dir | pth | out, "-grecord-gcc-switches": dir | pth | out,
		"-ftime-trace": pth, "--serialize-diagnostics k": pth, "-fdiagnostics-absolute-paths": dir,
	} {
		c := gnutest.Parse(t, New(), toolchain(), "-c x.c "+args)
		if c.Carries != want {
			t.Errorf("%s: %b, want %b", args, c.Carries, want)
		}
		if c.Nondeterministic != (args == "-ftime-trace") {
			t.Errorf("%s: nondeterministic %v", args, c.Nondeterministic)
		}
	}
}

// TestClasses checks what the classes promise to whoever makes keys of them.
// clang warns of linker options by name, so they stay in the key.
func TestClasses(t *testing.T) {
	for args, want := range map[string]argtable.Class{
		"-pipe": argtable.NoKey, "-lm": argtable.Linker, "-L d": argtable.Linker, "-march=native": argtable.LocalOnly,
		"-mcpu=native": argtable.LocalOnly, "-Ii": argtable.Path, "-fdebug-prefix-map=a=b": argtable.Prefix, "-include h.h": argtable.Include,
		"-fcoverage-prefix-map=a=b": argtable.Prefix, "-target x": argtable.Preprocessor, "-stdlib=libc++": argtable.Preprocessor,
	} {
		c := gnutest.Parse(t, New(), toolchain(), args+" -c x.c")
		if !c.Args[0].Class.Has(want) {
			t.Errorf("%s: class %b lacks %b", args, c.Args[0].Class, want)
		}
		if want != argtable.NoKey && c.Args[0].Class.Has(argtable.NoKey) {
			t.Errorf("%s is not in the key", args)
		}
	}
	c := gnutest.Parse(t, New(), toolchain(), "-pipe -c x.c -frecord-command-line")
	if !c.Recorded || c.Args[0].Class.Has(argtable.NoKey) {
		t.Errorf("with a recorded command line: %+v", c.Args)
	}
	for _, args := range []string{"-MF k.d -c x.c", "-MF k.d -c s.s -MD", "-MT k -c i.i -MMD"} {
		c := gnutest.Parse(t, New(), toolchain(), args)
		if c.Dep != nil || c.Args[0].Class.Has(argtable.Dep|argtable.Output) {
			t.Errorf("%s: %+v, %+v", args, c.Dep, c.Args[0])
		}
	}
}

// TestInnerClasses checks that who walks over the arguments by class sees what
// stands behind -Xclang and -Wp,.
func TestInnerClasses(t *testing.T) {
	c := gnutest.Parse(t, New(), toolchain(), "-c x.c -Xclang -include -Xclang h.h -Xclang -DX -Xclang -target-cpu -Xclang y -Wp,-DZ")
	for i, want := range map[int]argtable.Class{
		3: argtable.Include | argtable.Path, 4: argtable.Macro, 6: argtable.Preprocessor, 7: argtable.Macro,
	} {
		if a := c.Args[i]; a.Class&want != want {
			t.Errorf("%+v lacks class %b", a, want)
		}
	}
	if a := c.Args[7]; a.Option != "-Wp," || a.Value != "-DZ" {
		t.Errorf("-Wp,-DZ became %+v", a)
	}
}

func TestEnvironment(t *testing.T) {
	for args, want := range map[string][]string{
		"-c x.c": {"CPATH", "C_INCLUDE_PATH", "COMPILER_PATH", "SOURCE_DATE_EPOCH"}, "-c x.cpp": {"CPLUS_INCLUDE_PATH"},
		"-c x.c -target arm64-apple-macos": {"SDKROOT", "RC_DEBUG_OPTIONS"}, "-c x.c -fno-integrated-as": {"LC_ALL", "CPATH"},
	} {
		c := gnutest.Parse(t, New(), toolchain(), args)
		if !slices.IsSorted(c.Env) {
			t.Errorf("%s: %q is not sorted", args, c.Env)
		}
		for _, name := range want {
			if !slices.Contains(c.Env, name) {
				t.Errorf("%s: %q lacks %s", args, c.Env, name)
			}
		}
		if len(want) == 1 && slices.Contains(c.Env, "LC_ALL") {
			t.Errorf("%s: %q has too much", args, c.Env)
		}
	}
}

func TestInputFiles(t *testing.T) {
	dir := gnutest.Tree(t)
	for _, name := range []string{"p.so", "d/default.profdata", "list", "x.pch"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for args, want := range map[string]string{
		"-fplugin=./p.so": "./p.so", "-fprofile-use=d": "d/default.profdata", "-fprofile-use=d/": "d/default.profdata",
		"-fprofile-instr-use=list": "list", "-fsanitize-ignorelist=list": "list", "-fsanitize-blacklist=list": "list",
		"-include-pch x.pch": "x.pch", "-Xclang -include-pch -Xclang x.pch": "x.pch", "-Xclang -load -Xclang ./p.so": "./p.so",
		"-fbasic-block-sections=list=list": "list", "-fauto-profile=list": "list", "--warning-suppression-mappings=list": "list",
	} {
		c, err := New().Parse(gnutest.Call(dir, "clang", append(strings.Fields(args), "-c", "x.c")), toolchain())
		if err != nil || !slices.Equal(c.InputFiles, []string{want}) {
			t.Errorf("%s: %+v, %v, want %s", args, c, err, want)
		}
	}
}

// TestAccepted lists what must not step aside: build systems use it.
func TestAccepted(t *testing.T) {
	for _, args := range []string{
		"-Xclang -fcolor-diagnostics", "-Xclang -fuse-ctor-homing", "-Xclang -disable-O0-optnone", "-Xclang -std=c++17", "-Xclang -Wno-x", "-Xclang -target-feature -Xclang +x",
		"-mllvm -inline-threshold=100", "-mllvm -x", "-mllvm=-y=true", "-Xclang -mllvm -Xclang -z=1", "-Wa,--noexecstack", "-Wa,-mrelax,-defsym,A=1",
		"-arch arm64", "--gcc-toolchain=/x", "-Qunused-arguments", "-fcolor-diagnostics", "-fno-modules", "-Rpass=inline", "-Weverything",
		"-fdebug-prefix-map=/a=/b", "-isysroot /x", "-fno-pch-validate-input-files-content", "-mthread-model posix", "--start-no-unused-arguments",
	} {
		gnutest.Parse(t, New(), toolchain(), "-c x.c "+args)
	}
}

func TestResponseFile(t *testing.T) {
	dir := gnutest.Tree(t)
	for name, text := range map[string]string{"r": `-DX="a b" -c x.c`, "e": `-c x.c ""`} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	c, err := New().Parse(gnutest.Call(dir, "clang", []string{"-O2", "@r"}), toolchain())
	if err != nil || !c.Expanded || !slices.Equal(gnutest.Words(c), []string{"-O2", "-DX=a b", "-c", "x.c"}) {
		t.Errorf("%+v, %v", c, err)
	}
	_, err = New().Parse(gnutest.Call(dir, "clang", []string{"@e"}), toolchain())
	if reason, _, _ := toolchains.ReasonOf(err); reason != "response-file" {
		t.Errorf("an empty word, which clang loses: %v", err)
	}
}

func FuzzParse(f *testing.F)      { gnutest.Fuzz(f, New(), toolchain()) }
func BenchmarkParse(b *testing.B) { gnutest.Benchmark(b, New(), toolchain()) }
