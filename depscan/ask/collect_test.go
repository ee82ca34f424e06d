package ask

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rexwrap/rexwrap/depscan"
	"github.com/rexwrap/rexwrap/depscan/depfile"
	"github.com/rexwrap/rexwrap/toolchains"
)

// preprocessed returns the compiler's own list, by -E -MD.
func (b *bed) preprocessed(argv ...string) []string {
	b.t.Helper()
	var args []string
	for i := 0; i < len(argv); i++ {
		switch {
		case argv[i] == "-o" || argv[i] == "-MF" || argv[i] == "-MT":
			i++
		case argv[i] != "-c" && !depFlags[argv[i]]:
			args = append(args, argv[i])
		}
	}
	args = append(args[:1:1], append([]string{"-E", "-MD", "-MF", "oracle.d", "-o", "/dev/null", "-MT", "x"}, args[1:]...)...)
	if stderr, err := b.exec(nil, args...); err != nil {
		b.t.Fatalf("%q: %v\n%s", args, err, stderr)
	}
	f, err := depfile.Parse([]byte(b.read("oracle.d")))
	if err != nil {
		b.t.Fatal(err)
	}
	return f.Prereqs
}

func paths(files []depscan.File) []string {
	var out []string
	for _, f := range files {
		out = append(out, f.Path)
	}
	return out
}

// TestFiles compares the list of files, by every way of getting it, with what the
// preprocessor says.
func TestFiles(t *testing.T) {
	b := newBed(t)
	b.write(
		"x.c", "#include <stdio.h>\n#include \"a b.h\"\n#include \"sub/../in.h\"\n#include <sys.h>\nint main(void) { return A + IN; }\n",
		"a b.h", "#define A 1\n#include \"in.h\"\n", "in.h", "#ifndef IN\n#define IN 2\n#endif\n",
		"sub/x.h", "", "system/sys.h", "#include \"beside.h\"\n", "system/beside.h", "",
		"forced.h", "#include \"in.h\"\n", "x.cc", "#include <map>\n#include \"in.h\"\n", "x.S", "#include \"in.h\"\n",
		"plain.c", "int x;\n", "x.i", "int x;\n", "x.s", ".text\n",
	)
	sources := [][]string{
		{"-isystem", "system", "x.c"},
		{"-isystem", "system", "./x.c"},
		{"-isystem", "system", "-I.", b.dir + "/x.c"},
		{"-isystem", "system", "-include", "forced.h", "-imacros", "in.h", "x.c"},
		{"x.cc"},
		{"x.S"},
		{"-nostdinc", "plain.c"},
	}
	deps := [][]string{nil, {"-MD"}, {"-MMD"}, {"-MD", "-MF", "/dev/null"}, {"-MMD", "-MP", "-MT", "a b", "-MF", "u.d", "-g"}}
	for _, cc := range compilers(t) {
		for _, dep := range deps {
			for _, source := range sources {
				argv := slices.Concat([]string{cc, "-c", "-o", "x.o"}, dep, source)
				t.Run(strings.Join(argv, " "), func(t *testing.T) {
					b := &bed{t: t, dir: b.dir, asker: b.asker, files: b.files}
					in := b.collect(argv...).Inputs
					// A second name of a file is not in clang's list
					// of headers if its include guard kept it out.
					want := slices.DeleteFunc(unique(b.preprocessed(argv...)), func(path string) bool {
						probed := paths(in.Probed)
						return slices.Contains(probed, path) || slices.Contains(probed, b.dir+"/"+path)
					})
					if diff := cmp.Diff(want, paths(in.Files)); diff != "" {
						t.Error(diff)
					}
				})
			}
		}
	}
}

// TestOnlyTheSource covers compiles without a preprocessor.
func TestOnlyTheSource(t *testing.T) {
	b := newBed(t)
	b.write("x.i", "int x;\n", "x.s", ".text\n")
	for _, cc := range compilers(t) {
		for _, source := range []string{"x.i", "x.s"} {
			in := b.collect(cc, "-c", "-o", "x.o", source).Inputs
			if got := paths(in.Files); !slices.Equal(got, []string{source}) {
				t.Errorf("%s %s: files %q", cc, source, got)
			}
		}
	}
}

// TestNotCacheable lists compiles whose inputs cannot be known.
func TestNotCacheable(t *testing.T) {
	tests := []struct {
		name, source, reason string
		args                 []string
	}{
		{"recorded", "int x;", "recorded-command-line", []string{"-frecord-gcc-switches"}},
		{"incbin of a macro", "#define F \"x.bin\"\n__asm__(\".incbin \\\"\" F \"\\\"\");", "incbin", nil},
		{"computed __has_include", "#define S(x) #x\n#if __has_include(S(x.h))\n#endif", "computed-has-include", nil},
		{"pragma dependency", "#pragma GCC dependency \"x.bin\"", "pragma-dependency", nil},
		{"charset", "int x;", "input-charset", []string{"-finput-charset=SHIFT-JIS"}},
		{"header map", "int x;", "search-option", []string{"-Ix.hmap"}},
		{"PCH directory", "#include \"p.h\"", "pch-directory", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBed(t)
			b.write("x.c", tt.source+"\n", "x.bin", "1", "p.h", "", "p.h.gch/README", "")
			argv := slices.Concat([]string{"gcc", "-c", "-o", "x.o"}, tt.args, []string{"x.c"})
			res, err := b.run(compileOf(t, b.dir, argv...))
			if reason, _, _ := toolchains.ReasonOf(err); reason != tt.reason || res.Inputs != nil {
				t.Errorf("reason %q (%v), want %q", reason, err, tt.reason)
			}
		})
	}
}
