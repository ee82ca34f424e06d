package cpp_test

import (
	"context"
	"path/filepath"
	"slices"
	"testing"

	"github.com/rexwrap/rexwrap/depscan"
	"github.com/rexwrap/rexwrap/depscan/cpp"
	"github.com/rexwrap/rexwrap/depscan/cpp/cpptest"
)

func scanOf(t *testing.T, files, cc string, args ...string) (*depscan.Inputs, string) {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	layout(t, dir, files)
	s := cpp.New(cpp.Options{Compiler: &cpptest.Compiler{}})
	c := cpptest.Compile(dir, nil, append(append([]string{"/usr/bin/" + cc}, args...), "-c", "x.c")...)
	in, err := s.Scan(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	return in, dir
}

// TestSurroundings checks what an InputRoot must hold beside the files.
func TestSurroundings(t *testing.T) {
	for _, cc := range []string{"gcc", "clang"} {
		in, dir := scanOf(t, "-- x.c --\n#include \"sub/../a/x.h\"\n#include \"link/y.h\"\n-- sub/none --\n-- a/x.h --\n-- a/y.h --\n-- link -> a\n-- empty/none --\n",
			cc, "-nostdinc", "-Iempty", "-Imissing")
		for _, want := range []string{"sub", "empty"} {
			if !slices.Contains(in.Dirs, want) {
				t.Errorf("%s: %s is not among the directories %q", cc, want, in.Dirs)
			}
		}
		if want := []depscan.Symlink{{Path: dir + "/link", Target: "a"}}; !slices.Equal(in.Symlinks, want) {
			t.Errorf("%s: links %v, want %v", cc, in.Symlinks, want)
		}
		if !slices.Contains(in.Absent, "missing/") || !slices.IsSorted(in.Absent) {
			t.Errorf("%s: absent names %q", cc, in.Absent)
		}
		last := in.Files[len(in.Files)-1]
		if last.Path != "link/y.h" || last.Real != dir+"/a/y.h" || last.Digest.IsZero() {
			t.Errorf("%s: last file %+v", cc, last)
		}
	}
}

// TestIdentifiers checks which identifiers the text is said to expand.
func TestIdentifiers(t *testing.T) {
	for _, c := range []struct {
		text string
		want depscan.Identifiers
	}{
		{"int x;\n", 0},
		{"/* __FILE__ */ char *s = \"__FILE__\"; int a__FILE__;\n", 0},
		{"char *s = __FILE__;\n", depscan.IdentFile},
		{"#define F __FILE__\n", depscan.IdentFile},
		{"#if 0\nchar *s = __DATE__;\n#endif\n", 0},
		{"char *s = __DATE__ __TIME__ __TIMESTAMP__;\n", depscan.IdentDate | depscan.IdentTime | depscan.IdentTimestamp},
		{"char *s = __BASE_FILE__; int n = __COUNTER__;\n", depscan.IdentBaseFile | depscan.IdentCounter},
		{"char *s = __builtin_FILE();\n", depscan.IdentFile},
		{"#define C(a, b) a##b\nchar *s = C(__FI, LE__);\n", depscan.IdentFile},
		{"#define C(a, b) a##b\nchar *s = C(__builtin_, FILE)();\n", depscan.IdentFile},
		{"#define C(a, b) a##b\n#define D __TI\nchar *s = C(D, ME__);\n", depscan.IdentTime | depscan.IdentTimestamp},
		{"#define P(x) __ ## x ## __\nchar *s = P(FILE);\n", depscan.IdentFile | depscan.IdentBaseFile | depscan.IdentSignature},
		{"#define P(x) __##x##_chk\n#define Q(x) x##_##x\ntypedef int __FILE; __FILE f;\n", 0},
		{"#define P(x) __DA##x\nchar *s = P(TE__);\n", depscan.IdentDate},
		{"void *s = __builtin_source_location();\n", depscan.IdentFile},
		{"char *s = __PRETTY_FUNCTION__;\n", depscan.IdentSignature},
		{"#define __ASSERT_FUNCTION\t__extension__ \\\n __PRETTY_FUNCTION__\n", depscan.IdentAssertion},
		{"#define __ASSERT_FUNCTION size(__PRETTY_FUNCTION__)\n", depscan.IdentSignature},
		{"#define assert(expr) ((expr) ? 0 \\\n : __assert_fail (#expr, __FILE__, __LINE__, __ASSERT_FUNCTION))\n", depscan.IdentAssertion | depscan.IdentFile},
		{"#define assert(expr) (__assert_fail (#expr, __FILE__, __LINE__, __ASSERT_FUNCTION), __PRETTY_FUNCTION__)\n", depscan.IdentSignature | depscan.IdentFile},
		{"char *s = __ASSERT_FUNCTION;\n", depscan.IdentSignature},
		{"int __L; int f(int x) { return (__L); }\n", 0},
	} {
		in, _ := scanOf(t, "-- x.c --\n"+c.text, "gcc", "-nostdinc")
		if in.Identifiers != c.want {
			t.Errorf("%q: identifiers %b, want %b", c.text, in.Identifiers, c.want)
		}
	}
}

// TestIdentifiersOfCommandLine checks macros that no file defines.
func TestIdentifiersOfCommandLine(t *testing.T) {
	for arg, want := range map[string]depscan.Identifiers{
		"-DF=1": 0, "-DF=__FILE__": depscan.IdentFile, "-DF(x)=__builtin_FILE()": depscan.IdentFile, "-DF=__DATE__": depscan.IdentDate,
	} {
		in, _ := scanOf(t, "-- x.c --\nint x;\n", "gcc", "-nostdinc", arg)
		if in.Identifiers != want {
			t.Errorf("%s: identifiers %b, want %b", arg, in.Identifiers, want)
		}
	}
}

// TestUserFiles compares the files that are not a system's with -MMD.
func TestUserFiles(t *testing.T) {
	dir := t.TempDir()
	layout(t, dir, "-- x.c --\n#include \"a.h\"\n#include <s.h>\n#include <stdio.h>\n#include \"p.h\"\n-- a.h --\n-- sys/s.h --\n#include \"t.h\"\n#include <a2.h>\n-- sys/t.h --\n-- i/a2.h --\n-- p.h --\n#pragma GCC system_header\n#include \"q.h\"\n-- q.h --\n")
	for _, cc := range []string{"gcc", "clang"} {
		s := cpp.New(cpp.Options{Compiler: &cpptest.Compiler{}})
		c := cpptest.Compile(dir, nil, "/usr/bin/"+cc, "-Ii", "-isystem", "sys", "-c", "x.c")
		want, err := cpptest.ReadBy(context.Background(), c, false)
		if err != nil {
			t.Fatal(err)
		}
		in, err := s.Scan(context.Background(), c)
		if err != nil {
			t.Fatal(err)
		}
		user := slices.DeleteFunc(slices.Clone(in.Files), func(f depscan.File) bool { return f.System })
		if d := difference(paths(user), want); d != "" {
			t.Errorf("%s reads %q:%s", cc, want, d)
		}
	}
}
