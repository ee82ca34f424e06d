package ask

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rexwrap/rexwrap/depscan"
	"github.com/rexwrap/rexwrap/toolchains"
)

// TestAbsent checks which names are noted as looked for and absent, in both
// compilers' lists.
func TestAbsent(t *testing.T) {
	tests := []struct {
		name  string
		files []string // name, text, …
		args  []string
		want  []string // all of them but those in built-in directories
	}{
		{
			"a header of the second directory",
			[]string{"x.c", "#include <foo.h>\n", "a/y", "", "b/foo.h", ""},
			[]string{"-Ia", "-Ib"},
			[]string{"a/foo.h"},
		},
		{
			"quotes",
			[]string{"src/x.c", "#include \"foo.h\"\n", "q/y", "", "a/y", "", "b/foo.h", ""},
			[]string{"-iquote", "q", "-Ia", "-Ib"},
			[]string{"a/foo.h", "q/foo.h", "src/foo.h"},
		},
		{
			"a directory that is not there",
			[]string{"x.c", "#include <foo.h>\n#include <sub/bar.h>\n", "b/foo.h", "", "b/sub/bar.h", ""},
			[]string{"-Ia/b/c", "-Ib"},
			[]string{"a/"},
		},
		{
			"a subdirectory that is not there",
			[]string{"x.c", "#include <sub/bar.h>\n", "a/y", "", "b/sub/bar.h", ""},
			[]string{"-Ia", "-Ib"},
			[]string{"a/sub/"},
		},
		{
			"a directory of the name",
			[]string{"x.c", "#include <foo.h>\n", "a/foo.h/y", "", "b/foo.h", ""},
			[]string{"-Ia", "-Ib"},
			[]string{"a/foo.h"},
		},
		{
			"__has_include",
			[]string{"x.c", "#if __has_include(\"foo.h\") || __has_include_next(\"bar.h\")\n#endif\n", "a/y", ""},
			[]string{"-Ia"},
			[]string{"a/bar.h", "a/foo.h", "bar.h", "foo.h"},
		},
		{
			"of macros",
			[]string{"x.c", "#define F \"foo.h\"\n#if __has_include(F)\n#endif\n"},
			nil,
			[]string{"foo.h"},
		},
		{
			"of an option's macro",
			[]string{"x.c", "#if __has_include(F)\n#endif\n"},
			[]string{"-DF=\"foo.h\""},
			[]string{"foo.h"},
		},
		{
			"by way of a macro",
			[]string{"x.c", "#define HAS(x) __has_include(x)\n#if HAS(\"foo.h\")\n#endif\n"},
			nil,
			[]string{"foo.h"},
		},
		{
			"computed include",
			[]string{"x.c", "#define F <foo.h>\n#include F\n", "a/y", "", "b/foo.h", ""},
			[]string{"-Ia", "-Ib"},
			[]string{"a/foo.h", "foo.h"},
		},
		{
			"include_next",
			[]string{"x.c", "#include <foo.h>\n", "a/foo.h", "#include_next <foo.h>\n", "b/y", "", "c/foo.h", ""},
			[]string{"-Ia", "-Ib", "-Ic"},
			[]string{"b/foo.h"},
		},
		{
			"incbin",
			[]string{"x.c", "__asm__(\".incbin \\\"x.bin\\\"\");\n", "a/x.bin", "", "b/y", ""},
			[]string{"-Ia", "-Ib"},
			[]string{"b/x.bin", "x.bin"},
		},
		{
			"forced",
			[]string{"x.c", "\n", "a/y", "", "b/foo.h", ""},
			[]string{"-include", "foo.h", "-Ia", "-Ib"},
			[]string{"a/foo.h", "foo.h"},
		},
		{
			"in a group that is skipped",
			[]string{"x.c", "#if 0\n#include \"foo.h\"\n#endif\n"},
			nil,
			[]string{"foo.h"},
		},
	}
	for _, cc := range compilers(t) {
		for _, tt := range tests {
			t.Run(cc+"/"+tt.name, func(t *testing.T) {
				b := newBed(t)
				b.write(tt.files...)
				argv := slices.Concat([]string{cc, "-c", "-o", "x.o"}, tt.args, tt.files[:1])
				got := relative(b.collect(argv...).Inputs.Absent)
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Error(diff)
				}
			})
		}
	}
}

// relative returns the relative paths of list, those of precompiled and implicit
// headers left out.
func relative(list []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(path string) bool {
		ext := filepath.Ext(path)
		return filepath.IsAbs(path) || ext == ".gch" || ext == ".pch" || filepath.Base(path) == "stdc-predef.h"
	})
}

// TestEnvironment checks the directories that the environment names.
func TestEnvironment(t *testing.T) {
	b := newBed(t)
	b.write("x.c", "#include <foo.h>\n", "p/y", "", "c/foo.h", "")
	t.Setenv("CPATH", "p")
	t.Setenv("C_INCLUDE_PATH", ":c")
	in := b.collect("gcc", "-c", "-o", "x.o", "x.c").Inputs
	if diff := cmp.Diff([]string{"foo.h", "p/foo.h"}, relative(in.Absent)); diff != "" {
		t.Error(diff)
	}
	if got := paths(in.Files); !slices.Contains(got, "c/foo.h") {
		t.Errorf("files %q", got)
	}
}

// TestProbed checks the files that are inputs without being listed.
func TestProbed(t *testing.T) {
	tests := []struct {
		name  string
		files []string
		args  []string
		want  []string
	}{
		{"__has_include", []string{"x.c", "#if __has_include(\"foo.h\")\n#endif\n", "foo.h", ""}, nil, []string{"foo.h"}},
		{"by way of a macro", []string{"x.c", "#define F \"foo.h\"\n#if __has_include(F)\n#endif\n", "foo.h", ""}, nil, []string{"foo.h"}},
		{"incbin", []string{"x.c", "__asm__(\".incbin\" \" \\\"a/x.bin\\\"\");\n", "a/x.bin", "1"}, nil, []string{"a/x.bin"}},
		{"assembler", []string{"x.s", ".include \"y.s\"\n", "y.s", ".incbin \"x.bin\"\n", "x.bin", "1"}, nil, []string{"x.bin", "y.s"}},
		{"preprocessed assembler", []string{"x.S", ".incbin \"x.bin\"\n", "x.bin", "1"}, nil, []string{"x.bin"}},
		{"line", []string{"x.c", "#line 1 \"x.y\"\n#line 1 \"/dev/null\"\nint x;\n", "x.y", "1"}, nil, []string{"x.y"}},
		{"skipped", []string{"x.c", "#if 0\n#include \"foo.h\"\n#endif\n", "foo.h", ""}, nil, nil},
	}
	for _, cc := range compilers(t) {
		for _, tt := range tests {
			t.Run(cc+"/"+tt.name, func(t *testing.T) {
				b := newBed(t)
				b.write(tt.files...)
				b.loud = true
				argv := slices.Concat([]string{cc, "-c", "-o", "x.o"}, tt.args, tt.files[:1])
				if got := paths(b.collect(argv...).Inputs.Probed); !slices.Equal(got, tt.want) {
					t.Errorf("probed %q, want %q", got, tt.want)
				}
			})
		}
	}
}

// TestQuiet checks that #line names no input where nothing was diagnosed.
func TestQuiet(t *testing.T) {
	b := newBed(t)
	b.write("x.c", "#line 1 \"x.y\"\nint x;\n", "x.y", "1")
	if got := b.collect("gcc", "-c", "-o", "x.o", "x.c").Inputs.Probed; got != nil {
		t.Errorf("probed %q", paths(got))
	}
}

// TestModified checks that what changes while the compiler runs is noticed:
// what it read, and what it would have found.
func TestModified(t *testing.T) {
	b := newBed(t)
	b.write("x.c", "#include <foo.h>\n", "a/y", "", "b/foo.h", "int x;\n")
	for _, name := range []string{"x.c", "b/foo.h", "a/foo.h"} {
		c := compileOf(t, b.dir, "gcc", "-c", "-Ia", "-Ib", "-o", "x.o", "x.c")
		plan, err := b.asker.Plan(c, b.scratch())
		if err != nil {
			t.Fatal(err)
		}
		mark := b.settledMark()
		if stderr, err := b.exec(plan.Env, plan.Argv...); err != nil {
			t.Fatalf("%v\n%s", err, stderr)
		}
		b.settledMark() // the clock that stamps files has advanced
		b.write(name, "#include <foo.h>\n\n")
		_, err = plan.Collect(t.Context(), RunInfo{Mark: mark}, b.files, factsOf(t, c))
		if reason, arg, _ := toolchains.ReasonOf(err); reason != "modified-during-compile" || arg != name {
			t.Errorf("%s: %v", name, err)
		}
		b.write("x.c", "#include <foo.h>\n", "b/foo.h", "int x;\n")
	}
}

// TestPrecompiledHeader checks gcc's and clang's inputs when one is in use.
func TestPrecompiledHeader(t *testing.T) {
	for _, cc := range compilers(t) {
		t.Run(cc, func(t *testing.T) {
			b := newBed(t)
			b.asker = New(Options{ModTimes: true})
			b.write("x.c", "#include \"y.h\"\nint main(void) { return PRE; }\n", "pre.h", "#include \"in.h\"\n#define PRE IN\n", "in.h", "#define IN 0\n", "y.h", "")
			pch := "pre.h.gch"
			if cc == "clang" {
				pch = "pre.h.pch"
			}
			made := b.collect(cc, "-c", "-o", pch, "-xc-header", "pre.h")
			if got := paths(made.Inputs.Files); !slices.Contains(got, "in.h") {
				t.Errorf("files of the precompiled header: %q", got)
			}
			in := b.collect(cc, "-c", "-o", "x.o", "-include", "pre.h", "x.c").Inputs
			if got := paths(in.Probed); !slices.Contains(got, pch) {
				t.Errorf("probed %q", got)
			}
			if cc == "clang" {
				checkStamped(t, in, b.dir+"/pre.h", b.dir+"/in.h")
			}
		})
	}
}

// checkStamped checks that exactly these files have a modification time.
func checkStamped(t *testing.T, in *depscan.Inputs, want ...string) {
	t.Helper()
	var got []string
	for _, f := range in.Files {
		if f.ModTime != 0 {
			got = append(got, f.Path)
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestModTimesAreNeeded checks that a caller without them is not given a compile
// that depends on them.
func TestModTimesAreNeeded(t *testing.T) {
	b := newBed(t)
	b.write("x.c", "#include \"a.h\"\n#if 0\n#include \"b.h\"\n#endif\n", "a.h", "#pragma once\n", "b.h", "#pragma once\n")
	_, err := b.run(compileOf(t, b.dir, "gcc", "-c", "-o", "x.o", "x.c"))
	if reason, _, _ := toolchains.ReasonOf(err); reason != "modification-time" {
		t.Errorf("%v", err)
	}
}

// TestScanner compares what the preprocessor alone tells with what a run tells.
func TestScanner(t *testing.T) {
	for _, cc := range compilers(t) {
		b := newBed(t)
		b.write("x.c", "#include <stdio.h>\n#include \"a.h\"\n#if __has_include(\"b.h\")\n#endif\n", "inc/a.h", "", "b.h", "", "y/z", "")
		n := 0
		s := NewScanner(ScannerOptions{
			Asker: b.asker, Files: b.files, Run: runner(&n), Scratch: t.TempDir(),
			Facts: func(_ context.Context, c *toolchains.Compile) (*toolchains.Facts, error) { return factsOf(t, c), nil },
		})
		c := compileOf(t, b.dir, cc, "-c", "-MMD", "-Iy", "-Iinc", "-o", "x.o", "x.c")
		want := b.collect(c.Call.Argv...).Inputs
		want.Fallbacks = []string{"asked-compiler"}
		addSurroundings(want, b.dir)
		b.settledMark()
		got, err := s.Scan(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		slices.SortFunc(got.Files, byPath)
		slices.SortFunc(want.Files, byPath)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", cc, diff)
		}
		b.write("x.c", "#include \"nowhere.h\"\n")
		b.settledMark()
		if _, err := s.Scan(t.Context(), c); !errors.Is(err, depscan.ErrFallback) {
			t.Errorf("%s: error %v, want ErrFallback", cc, err)
		}
		if left, _ := filepath.Glob(s.o.Scratch + "/*"); left != nil {
			t.Errorf("%s: left behind %q", cc, left)
		}
	}
}

func byPath(a, b depscan.File) int {
	if a.Path < b.Path {
		return -1
	}
	return 1
}

// TestFailedCompile checks that gcc's dep-file of a compile that fails is made.
func TestFailedCompile(t *testing.T) {
	b := newBed(t)
	b.write("x.c", "#include \"a.h\"\n#include <stddef.h>\nint main(void) { return x }\n", "a.h", "")
	argv := []string{"gcc", "-c", "-g", "-MMD", "-o", "x.o", "x.c"}
	if _, err := b.exec(nil, argv...); err == nil {
		t.Fatal("it compiles")
	}
	want := b.read("x.d")
	if err := os.Remove(b.dir + "/x.d"); err != nil {
		t.Fatal(err)
	}
	c := compileOf(t, b.dir, argv...)
	plan, err := b.asker.Plan(c, b.scratch())
	if err != nil {
		t.Fatal(err)
	}
	mark := b.settledMark()
	if _, err := b.exec(plan.Env, plan.Argv...); err == nil {
		t.Fatal("it compiles")
	}
	res, err := plan.Collect(t.Context(), RunInfo{Mark: mark, Failed: true}, b.files, factsOf(t, c))
	if err != nil || res.Inputs != nil || string(res.UserDep) != want {
		t.Errorf("dep-file %q (%v), want %q", res.UserDep, err, want)
	}
}

// TestSurroundings checks what a worker is told of directories and links.
func TestSurroundings(t *testing.T) {
	b := newBed(t)
	b.write("real/a.h", "", "sub/deep/y", "", "x.c", "")
	for _, l := range [][2]string{{"real", "link"}, {"a.h", "real/b.h"}, {b.dir + "/link/b.h", "c.h"}} {
		if err := os.Symlink(l[0], filepath.Join(b.dir, l[1])); err != nil {
			t.Fatal(err)
		}
	}
	in := &depscan.Inputs{
		Files:  []depscan.File{{Path: "x.c"}, {Path: "link/a.h"}, {Path: "sub/deep/../../real/a.h"}},
		Probed: []depscan.File{{Path: b.dir + "/c.h"}},
	}
	addSurroundings(in, b.dir)
	want := &depscan.Inputs{
		Files: []depscan.File{
			{Path: "x.c", Real: b.dir + "/x.c"},
			{Path: "link/a.h", Real: b.dir + "/real/a.h"},
			{Path: "sub/deep/../../real/a.h", Real: b.dir + "/real/a.h"},
		},
		Probed: []depscan.File{{Path: b.dir + "/c.h", Real: b.dir + "/real/a.h"}},
		Dirs:   []string{"sub/deep"},
		Symlinks: []depscan.Symlink{
			{Path: b.dir + "/c.h", Target: b.dir + "/link/b.h"}, {Path: b.dir + "/link", Target: "real"}, {Path: b.dir + "/real/b.h", Target: "a.h"},
		},
	}
	if diff := cmp.Diff(want, in); diff != "" {
		t.Error(diff)
	}
}

// TestConcurrent checks that one Asker serves many compiles at once.
func TestConcurrent(t *testing.T) {
	b := newBed(t)
	b.write("x.c", "#include <stdio.h>\n#include \"a.h\"\nint main(void) { return A; }\n", "inc/a.h", "#define A 0\n", "y/z", "")
	var group sync.WaitGroup
	results := make([]*Result, 8)
	for i := range results {
		c := compileOf(t, b.dir, "gcc", "-c", "-Iy", "-Iinc", "-o", fmt.Sprintf("x%d.o", i), "x.c")
		group.Go(func() { results[i], _ = b.run(c) })
	}
	group.Wait()
	for i, res := range results {
		if diff := cmp.Diff(results[0], res); diff != "" || res.Inputs == nil {
			t.Errorf("compile %d: %s", i, diff)
		}
	}
}
