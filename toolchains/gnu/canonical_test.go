package gnu_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/argtable"
	"github.com/rexwrap/rexwrap/toolchains/clang"
	"github.com/rexwrap/rexwrap/toolchains/gcc"
	"github.com/rexwrap/rexwrap/toolchains/gnu"
)

func parse(t *testing.T, f toolchains.Family, args ...string) *toolchains.Compile {
	t.Helper()
	call := &toolchains.Call{Argv: append([]string{"cc"}, args...), Dir: t.TempDir()}
	c, err := f.Parse(call, &toolchains.Toolchain{Version: "14.0"})
	if err != nil {
		t.Fatalf("%q: %v", args, err)
	}
	return c
}

func TestOptions(t *testing.T) {
	args := strings.Fields("-c -Wp,-DX=4 --include-directory=i --define-macro A -isystem s -U B -Wp,-UB,-DC --sysroot /r -std=c11 " +
		"--include h.h -O2 -mavx2 -march=x86-64 -fno-builtin -x c y -nostdinc -iprefix p -pthread -Wno-error=x")
	want := strings.Fields("-c= -I=i -D=A -isystem=s -U=B --sysroot==/r -std==c11 " +
		"-include=h.h -O=2 -mavx2= -march==x86-64 -fno-builtin= -x=c -nostdinc= -iprefix=p -pthread= -Wno-error==x -D=X=4 -U=B -D=C")
	for _, f := range []toolchains.Family{gcc.New(), clang.New()} {
		var got []string
		for name, value := range gnu.Options(parse(t, f, args...).Args) {
			got = append(got, name+"="+value)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: got  %q\nwant %q", f.Name(), got, want)
		}
	}
}

func TestInnerOptions(t *testing.T) {
	var got []string
	for name, value := range gnu.Options(parse(t, clang.New(), "-Xclang", "-include", "-c", "-Xclang", "h.h", "x.c", "-Xclang", "-DA=1",
		"-Wp,-DB", "-Xclang", "-fno-pch-timestamp", "-Xclang", "-std=c++17").Args) {
		got = append(got, name+" "+value)
	}
	want := []string{"-c ", "-D B", "-include h.h", "-D A=1", "-fno-pch-timestamp ", "-std= c++17"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestOptionsStops(t *testing.T) {
	c := parse(t, clang.New(), "-c", "x.c", "-Wp,-DA", "-Wp,-DB", "-Xclang", "-include", "-Xclang", "h.h", "-Xclang", "-DC", "-Xclang", "-DD")
	for n := range 6 {
		seen := 0
		for range gnu.Options(c.Args) {
			if seen++; seen > n {
				break
			}
		}
		if seen != min(n+1, 6) {
			t.Errorf("saw %d options, want %d", seen, n+1)
		}
	}
}

// TestCanonical checks that what an alias stands for is in both tables with the
// same class.
func TestCanonical(t *testing.T) {
	for _, f := range []interface{ Table() *argtable.Table }{gcc.New(), clang.New()} {
		classes := map[string]argtable.Class{}
		for _, o := range f.Table().Rows() {
			classes[o.Name] = o.Class
		}
		for _, o := range f.Table().Rows() {
			name := gnu.Canonical(o.Name)
			if name != o.Name && classes[name] != o.Class && !o.Class.Has(argtable.Aside) {
				t.Errorf("%s has class %b, %s has %b", o.Name, o.Class, name, classes[name])
			}
		}
	}
}

func TestTables(t *testing.T) {
	reasons := map[string]bool{}
	for _, r := range gnu.Reasons() {
		reasons[r.Name] = true
		if r.Text == "" || strings.ToLower(r.Name) != r.Name || strings.ContainsAny(r.Name, " _") {
			t.Errorf("reason %+v", r)
		}
	}
	if !slices.IsSortedFunc(gnu.Reasons(), func(a, b gnu.Reason) int { return strings.Compare(a.Name, b.Name) }) {
		t.Error("Reasons are not sorted")
	}
	for _, f := range []interface{ Table() *argtable.Table }{gcc.New(), clang.New()} {
		for _, o := range f.Table().Rows() {
			if o.Reason != "" && !reasons[o.Reason] {
				t.Errorf("%s: reason %s is not in Reasons", o.Name, o.Reason)
			}
		}
	}
}
