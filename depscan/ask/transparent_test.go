package ask

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestTransparent compares a compile as it is with one by plan: object, side
// outputs, stderr and the user's dep-file.
func TestTransparent(t *testing.T) {
	b := newBed(t)
	b.write(
		"x.c", "#include <stddef.h>\n#include \"a.h\"\n#warning w\nint f(int a) { return a / A + sizeof __FILE__; }\n", "a.h", "#define A 2\n",
		"x.S", "#include \"a.h\"\n.globl f\nf:\n\tnop\n", "x.s", ".globl f\nf:\n\tnop\n", "x.i", "int f(int a) { return a; }\n",
	)
	flags := [][]string{
		{},
		{"-g"},
		{"-O2", "-g3"},
		{"-gsplit-dwarf"},
		{"-g", "-ffile-prefix-map=" + b.dir + "=/x"},
		{"-fverbose-asm", "-S"},
		{"-Wall", "-Wextra", "-O2"},
		{"-fstack-usage"},
	}
	deps := [][]string{nil, {"-MD"}, {"-MMD"}, {"-MMD", "-MP", "-MT", "all x$(y)", "-MF", "sub.d"}}
	for _, cc := range compilers(t) {
		for _, f := range flags {
			for _, d := range deps {
				argv := slices.Concat([]string{cc, "-c", "-o", "x.o"}, f, d, []string{"x.c"})
				checkTransparent(t, b, argv)
			}
		}
		for _, source := range []string{"x.S", "x.s", "x.i"} {
			checkTransparent(t, b, []string{cc, "-c", "-g", "-o", "x.o", source})
			checkTransparent(t, b, []string{cc, "-c", "-g", "-MMD", "-o", "x.o", source})
		}
	}
}

// checkTransparent compares the bed after argv with the bed after its plan.
func checkTransparent(t *testing.T, b *bed, argv []string) {
	t.Helper()
	before := b.names()
	stderr, err := b.exec(nil, argv...)
	if err != nil {
		t.Fatalf("%q: %v\n%s", argv, err, stderr)
	}
	want := b.outputs(before)
	c := compileOf(t, b.dir, argv...)
	plan, err := b.asker.Plan(c, b.scratch())
	if err != nil {
		t.Fatalf("%q: %v", argv, err)
	}
	mark := b.settledMark()
	planned, err := b.exec(plan.Env, plan.Argv...)
	if err != nil {
		t.Fatalf("%q: %v\n%s", plan.Argv, err, planned)
	}
	ran := RunInfo{Mark: mark}
	if plan.FilterHeaders {
		ran.Headers = planned
		planned = withoutHeaders(planned)
	}
	res, err := plan.Collect(t.Context(), ran, b.files, factsOf(t, c))
	if err != nil {
		t.Fatalf("%q: %v", argv, err)
	}
	if res.UserDep != nil {
		b.write(c.Dep.Path, string(res.UserDep))
	}
	plan.Remove()
	if string(planned) != string(stderr) {
		t.Errorf("%q: stderr %q, want %q", argv, planned, stderr)
	}
	got := b.outputs(before)
	for name := range got {
		if want[name] != got[name] {
			t.Errorf("%q: %s differs", argv, name)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%q: made %d files, want %d", argv, len(got), len(want))
	}
}

// withoutHeaders takes the lines of -H out of what gcc wrote, as the wrapper does.
func withoutHeaders(stderr []byte) []byte {
	text, _, _ := strings.Cut(string(stderr), "Multiple include guards may be useful for:\n")
	var out strings.Builder
	for line := range strings.Lines(text) {
		if rest := strings.TrimLeft(line, "."); rest == line || !strings.HasPrefix(rest, " ") {
			out.WriteString(line)
		}
	}
	return []byte(out.String())
}

// names returns the names in the bed.
func (b *bed) names() map[string]bool {
	b.t.Helper()
	entries, err := os.ReadDir(b.dir)
	if err != nil {
		b.t.Fatal(err)
	}
	out := map[string]bool{}
	for _, e := range entries {
		out[e.Name()] = true
	}
	return out
}

// outputs returns, and removes, the files of the bed that are not in before.
func (b *bed) outputs(before map[string]bool) map[string]string {
	b.t.Helper()
	out := map[string]string{}
	for name := range b.names() {
		if before[name] {
			continue
		}
		out[name] = b.read(name)
		if err := os.Remove(filepath.Join(b.dir, name)); err != nil {
			b.t.Fatal(err)
		}
	}
	return out
}
