package gcc

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
		"link":                  {"x.c", "x.c -o x", "x.o y.o", "-shared x.o", "x.c -funknown-flag", "-xHost x.c"},
		"preprocess-only":       {"-E x.c", "-c -E x.c", "-E x.c -funknown"},
		"dependencies-only":     {"-M x.c", "-MM x.c -MF k.d", "-c -MM x.c", "-c x.c -MD -MG"},
		"information":           {"--version", "-dumpversion", "-print-file-name=libc.a", "--help", "-dumpmachine", "-print-search-dirs"},
		"no-source":             {"-c", "-c -O2"},
		"several-sources":       {"-c x.c sub/y.c", "-S x.c x.cpp"},
		"stdin":                 {"-c -x c -", "-c -x c /dev/stdin"},
		"linker-input":          {"-c x.c y.o", "-c noext", "-c x.unknown", "-c libx.a"},
		"other-language":        {"-c x.f90", "-c x.go", "-c -x ada x.c", "-c -x unknown x.c", "-c -xHost x.c", "-c x.c -fcoarray=single"},
		"unknown-argument":      {"-c x.c -funknown-flag", "-c x.c --", "-c x.c -fcolor-diagnostics", "-c x.c -gfoo", "-c x.c -rpath x", "-c x.c -MJ k"},
		"missing-argument":      {"-c x.c -I", "-c x.c -o", "-c x.c -MF", "-c x.c -Xlinker", "-c x.c -include"},
		"empty-argument":        {"-c x.c ''", "-c ''"},
		"output-to-stdout":      {"-c x.c -o -", "-S x.c -o /dev/stdout", "-c x.c -o /dev/fd/3", "-c x.c -MD -MF -", "-c x.c -MD -MF /dev/stderr", "-c x.c -fopt-info=stdout", "-c x.c -o ''"},
		"several-outputs":       {"-c x.c -o a.o -o b.o", "-c x.c -fopt-info-vec=a -fopt-info-loop=b"},
		"response-file":         {"-c x.c @missing", "@d"},
		"save-temps":            {"-c x.c -save-temps", "-c x.c --save-temps", "-c x.c -save-temps=obj"},
		"dump":                  {"-c x.c -fdump-tree-all", "-c x.c -da", "-c x.c -dA", "-c x.c -aux-info k", "-c x.c -fdump-go-spec=k", "-c x.c -fdisable-tree-dce"},
		"timing":                {"-c x.c -ftime-report", "-c x.c -fmem-report", "-c x.c -time", "-c x.c -Q"},
		"verbose":               {"-c x.c -v", "-c x.c -###"},
		"header-list":           {"-c x.c -H"},
		"compare-debug":         {"-c x.c -fcompare-debug", "-c x.c -gtoggle"},
		"modules":               {"-c x.cpp -fmodules-ts", "-c x.cpp -fmodule-header", "-c x.cpp -Mmodules"},
		"wrapper":               {"-c x.c -wrapper gdb,--args"},
		"output-name":           {"-c x.c -dumpbase k", "-c x.c -dumpdir d/", "-S sub/h.h", "-S p.S", "-fsyntax-only x.c -fstack-usage", "-c sub/h.h --coverage", "-c -x c foo. -fdump-ipa-clones"},
		"side-output-of-device": {"-c x.c -g -gsplit-dwarf -o /dev/null"},
		"dep-file-conflict":     {"-c x.c -Wp,-MMD,k.d -MF l.d", "-c x.c -Wp,-MD,k.d -MMD", "-c x.c -Wp,-MMD,k.d -MD", "-c x.c -Wp,-MD,k.d -Wp,-MD,l.d"},
		"preprocessor-option":   {"-c x.c -Wp,-P", "-c x.c -Xpreprocessor -DX", "-c x.c -Wp,-DX,y", "-c x.c -Wp,-DX,-P", "-c x.c -Wp,-D,X", "-c x.c -Wp,-MMD,k.d,-MT,w", "-c x.c -Wp,-MMD", "-c x.c -MD -Wp,-MF,k.d"},
		"preprocessor-mode":     {"-c x.c -fpreprocessed", "-c x.c -fdirectives-only", "-c x.c -no-integrated-cpp"},
		"assembler-option":      {"-c x.c -Wa,-I,d", "-c x.c -Wa,-Id", "-c x.c -Wa,--MD,k.d", "-c x.c -Wa,-o,k", "-c x.c -Wa,x.s", "-c x.c -Xassembler -I", "-c x.c -Wa,@k"},
		"assembler-listing":     {"-c x.c -Wa,-a", "-c x.c -Wa,-aln", "-c x.c -Wa,-a=k,-a=l", "-c x.c -Wa,-a,-ad", "-c x.c -Wa,-a=/dev/stderr"},
		"plugin":                {"-c x.c -fplugin=name", "-c x.c -fplugin=/x/libcc1plugin.so", "-c x.c -fplugin=./x.c -fplugin-arg-x-f=/etc/x", "-c x.c -iplugindir=d"},
		"plugin-unreadable":     {"-c x.c -fplugin=./missing.so", "-c x.c -fplugin=./d"},
		"specs":                 {"-c x.c -specs=nano.specs", "-c x.c --specs=./missing", "-c x.c -specs x"},
		"profile-unreadable":    {"-c x.c -fprofile-use", "-c x.c -fprofile-use=d", "-c x.c -fauto-profile", "-c x.c -fbranch-probabilities"},
		"profile-twice":         {"-c x.c -fprofile-use=a -fprofile-use=b", "-c x.c -fprofile-use --coverage", "-c x.c -fprofile-use -fprofile-generate"},
		"diagnostics-file":      {"-c x.c -fdiagnostics-format=sarif-file", "-c x.c -fdiagnostics-format=json-file", "-c x.c -fdiagnostics-add-output=sarif"},
		"split-search":          {"-c x.c -I-", "-c x.c -I -"},
		"header-map":            {"-c x.c -remap"},
		"lto-internal":          {"-c x.c -fltrans", "-c x.c -fwpa"},
		"target-files":          {"-c x.c -mmcu=atmega328p"},
		"backend-option":        {"-c x.c -mllvm -x"},
	})
}

func TestAsideByEnvironment(t *testing.T) {
	for name, reason := range map[string]string{
		"DEPENDENCIES_OUTPUT": "env-dependencies-output", "SUNPRO_DEPENDENCIES": "env-dependencies-output",
		"EXPERIMENTAL_SARIF_SOCKET": "env-side-output",
	} {
		_, err := New().Parse(gnutest.Call(t.TempDir(), "gcc", []string{"-c", "x.c"}, name+"=secret"), toolchain())
		if got, arg, _ := toolchains.ReasonOf(err); got != reason || arg != name {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestLanguage(t *testing.T) {
	plus := toolchain()
	plus.CPlusPlus = true
	for args, want := range map[string][2]string{
		"-c x.c": {"c", "c++"}, "-c x.i": {"cpp-output", "c++-cpp-output"}, "-c x.C": {"c++", "c++"}, "-c x.cc": {"c++", "c++"},
		"-c x.cxx": {"c++", "c++"}, "-c x.ii": {"c++-cpp-output", "c++-cpp-output"}, "-c x.m": {"objective-c", "objective-c"},
		"-c x.mm": {"objective-c++", "objective-c++"}, "-c x.s": {"assembler", "assembler"}, "-c x.S": {"assembler-with-cpp", "assembler-with-cpp"},
		"x.h": {"c-header", "c++-header"}, "x.hpp": {"c++-header", "c++-header"}, "-c -x c x": {"c", "c"}, "-c -xc++ x.c": {"c++", "c++"},
		"-c -x c++ -x none x.c": {"c", "c++"}, "-c x.c -x c++": {"c", "c++"}, "-c --language=c x.y": {"c", "c"},
		"-c -x objc-cpp-output x": {"objective-c-cpp-output", "objective-c-cpp-output"}, "-c /dev/null -x c": {}, "-x c-header x": {"c-header", "c-header"},
		"-c -x c /dev/null": {"c", "c"},
	} {
		for i, tc := range []*toolchains.Toolchain{toolchain(), plus} {
			c, err := New().Parse(gnutest.Call(t.TempDir(), "gcc", strings.Fields(args)), tc)
			if want[i] == "" {
				if err == nil {
					t.Errorf("%s: %s", args, c.Language)
				}
				continue
			}
			if err != nil || c.Language != want[i] {
				t.Errorf("%s: %+v, %v, want %s", args, c, err, want[i])
			}
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
		"": 0, "-O2 -Wall": 0, "-g": dir | pth, "-g0": 0, "-g -g0": 0, "-g0 -g": dir | pth, "-ggdb3": dir | pth, "-gdwarf-5": dir | pth,
		"-gz": 0, "-gno-column-info": 0, "-gsplit-dwarf": dir | pth | out, "--coverage": dir | pth | out, "-fprofile-arcs": dir | pth | out,
		"-fprofile-generate": dir | pth | out, "-flto": dir | pth | out, "-flto -fno-lto": 0, "-fstack-usage": pth, "-fsanitize=address": pth,
		"-Wa,-g": dir | pth, "-Wa,--gdwarf-5": dir | pth, "-Wa,--noexecstack": 0, "-fverbose-asm": dir | pth | out,
		"-frecord-gcc-switches": dir | pth | out, "-finstrument-functions-exclude-file-list=x": pth, "-fopt-info-vec=k": pth,
	} {
		if c := gnutest.Parse(t, New(), toolchain(), "-c x.c "+args); c.Carries != want {
			t.Errorf("%s: %b, want %b", args, c.Carries, want)
		}
	}
}

func TestNondeterministic(t *testing.T) {
	for args, want := range map[string]bool{
		"-c x.c -g": false, "-c x.c --coverage": true, "-c x.c -flto": true, "-c x.c -fprofile-generate": true, "h.h": true,
		"-c x.c --coverage -frandom-seed=1": false, "-c x.c -Wa,-a=k": true, "-c x.c -fprofile-arcs": true,
	} {
		if c := gnutest.Parse(t, New(), toolchain(), args); c.Nondeterministic != want {
			t.Errorf("%s: %v, want %v", args, c.Nondeterministic, want)
		}
	}
}

// TestClasses checks what the classes promise to whoever makes keys of them.
func TestClasses(t *testing.T) {
	for args, want := range map[string]argtable.Class{
		"-pipe": argtable.NoKey, "-lm": argtable.NoKey, "-L d": argtable.NoKey, "-Wl,-s": argtable.NoKey,
		"-march=native": argtable.LocalOnly, "-mtune=native": argtable.LocalOnly, "-Ii": argtable.Path, "-include h.h": argtable.Path,
		"-fdebug-prefix-map=a=b": argtable.Prefix, "-ffile-prefix-map=a=b": argtable.Prefix, "-frandom-seed=x": argtable.Codegen,
		"-static": argtable.Linker, "--sysroot=/x": argtable.Path, "-Wno-deprecated": argtable.Preprocessor,
	} {
		c := gnutest.Parse(t, New(), toolchain(), args+" -c x.c")
		if !c.Args[0].Class.Has(want) {
			t.Errorf("%s: class %b lacks %b", args, c.Args[0].Class, want)
		}
		if want != argtable.NoKey && c.Args[0].Class.Has(argtable.NoKey) {
			t.Errorf("%s is not in the key", args)
		}
	}
	c := gnutest.Parse(t, New(), toolchain(), "-pipe -lm -c x.c -frecord-gcc-switches")
	if !c.Recorded || c.Args[0].Class.Has(argtable.NoKey) || c.Args[1].Class.Has(argtable.NoKey) {
		t.Errorf("with a recorded command line: %+v", c.Args)
	}
	c = gnutest.Parse(t, New(), toolchain(), "-MF k.d -c s.s -MD")
	if c.Dep != nil || c.Args[0].Class.Has(argtable.Dep|argtable.Output) {
		t.Errorf("without a dep-file: %+v, %+v", c.Dep, c.Args[0])
	}
}

func TestEnvironment(t *testing.T) {
	for args, want := range map[string][]string{
		"-c x.c":   {"CPATH", "C_INCLUDE_PATH", "GCC_EXEC_PREFIX", "LC_ALL", "SOURCE_DATE_EPOCH"},
		"-c x.cpp": {"CPATH", "CPLUS_INCLUDE_PATH", "COMPILER_PATH"},
		"-c x.m":   {"OBJC_INCLUDE_PATH"}, "-c p.S": {"C_INCLUDE_PATH"}, "-c s.s": {"LANG"},
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
		if slices.Contains(c.Env, "TMPDIR") || args == "-c s.s" && slices.Contains(c.Env, "CPATH") {
			t.Errorf("%s: %q has too much", args, c.Env)
		}
	}
}

func TestInputFiles(t *testing.T) {
	dir := gnutest.Tree(t)
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	write("p.so", "")
	write("my.specs", "*x:\n")
	write("more.specs", "%include <x>\n")
	write("x.gcda", "")
	write("d/#r#x.gcda", "")
	for args, want := range map[string]string{
		"-fplugin=./p.so": "./p.so", "-specs=./my.specs": "./my.specs", "-fprofile-use": "/x.gcda",
	} {
		c, err := New().Parse(gnutest.Call(dir, "gcc", append(strings.Fields(args), "-c", "x.c")), toolchain())
		if err != nil || len(c.InputFiles) != 1 || !strings.HasSuffix(c.InputFiles[0], want) {
			t.Errorf("%s: %+v, %v, want %s", args, c, err, want)
		}
	}
	_, err := New().Parse(gnutest.Call(dir, "gcc", []string{"-specs=./more.specs", "-c", "x.c"}), toolchain())
	if reason, _, _ := toolchains.ReasonOf(err); reason != "specs" {
		t.Errorf("specs that include others: %v", err)
	}
}

// TestProfileUse compares the profile that Parse finds with the one gcc misses.
func TestProfileUse(t *testing.T) {
	program, tc := installed(t)
	for _, args := range []string{
		"-c sub/y.c -fprofile-use", "-c sub/y.c -fprofile-use -o d/z.o", "-c sub/y.c -fprofile-use=pd", "-c sub/y.c -fprofile-use=pd -o d/z.o",
		"-c x.c -fprofile-use -fprofile-dir=pd", "-S x.c -fprofile-use=../q/./pd -o sub/../d/x.s",
	} {
		dir := gnutest.Tree(t)
		call := gnutest.Call(dir, program, append(strings.Fields(args), "-O2", "-fdiagnostics-color=never"))
		call.PWD = dir
		_, err := New().Parse(call, tc)
		reason, path, _ := toolchains.ReasonOf(err)
		if reason != "profile-unreadable" {
			t.Errorf("%s: %v", args, err)
			continue
		}
		stderr := gnutest.Stderr(t, call)
		if !strings.Contains(stderr, "'"+path+"'") {
			t.Errorf("%s: %s is expected, gcc says: %s", args, path, stderr)
		}
	}
}

func TestResponseFile(t *testing.T) {
	dir := gnutest.Tree(t)
	if err := os.WriteFile(filepath.Join(dir, "r"), []byte(`-DX="a b" -c @s`), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "s"), []byte("x.c"), 0o666); err != nil {
		t.Fatal(err)
	}
	c, err := New().Parse(gnutest.Call(dir, "gcc", []string{"-O2", "@r"}), toolchain())
	if err != nil || !c.Expanded || !slices.Equal(gnutest.Words(c), []string{"-O2", "-DX=a b", "-c", "x.c"}) {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestExtraFlags(t *testing.T) {
	f := New(argtable.Extra("-fvendor=", argtable.Joined, argtable.Codegen), argtable.Extra("-O", argtable.Joined, argtable.Aside))
	if c := gnutest.Parse(t, f, toolchain(), "-c x.c -fvendor=1"); len(c.Args) != 3 {
		t.Errorf("%+v", c.Args)
	}
	gnutest.Aside(t, f, toolchain(), map[string][]string{"extra-flags": {"-c x.c -O2"}})
}

// TestOldVersion checks that older gcc, which names other files, steps aside
// where its rules are not known.
func TestOldVersion(t *testing.T) {
	old := toolchain()
	old.Version = "9.4.0"
	gnutest.Aside(t, New(), old, map[string][]string{
		"output-name":        {"-c x.c -fdump-ipa-clones", "-c x.c -fsave-optimization-record"},
		"profile-unreadable": {"-c x.c -fprofile-use"},
	})
	if c := gnutest.Parse(t, New(), old, "-fsyntax-only x.c -MD"); c.Dep.Path != "x.d" {
		t.Errorf("dep-file %s", c.Dep.Path)
	}
}

func FuzzParse(f *testing.F)      { gnutest.Fuzz(f, New(), toolchain()) }
func BenchmarkParse(b *testing.B) { gnutest.Benchmark(b, New(), toolchain()) }
