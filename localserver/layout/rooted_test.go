package layout

import (
	"slices"
	"strings"
	"testing"

	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/toolchains/pack"
)

// rooted is a compile for a worker whose root is the InputRoot.
func rooted(t *testing.T, args string, env ...string) *Request {
	t.Helper()
	r := shipped(t, args, env...)
	p := &pack.Pack{
		Family: "gcc", Driver: "usr/bin/gcc", Root: true, LibraryDirs: []string{"/lib/x"},
		Entries: []pack.Entry{{Path: "usr/bin/gcc", Executable: true, Digest: digest.OfString("gcc")}},
	}
	tree, err := PackTree(p)
	if err != nil {
		t.Fatal(err)
	}
	r.Ship = &Ship{Pack: p, Tree: tree, Facts: r.Ship.Facts}
	return r
}

// TestRooted checks that all is as the client has it.
func TestRooted(t *testing.T) {
	r := rooted(t, "-g -I/abs/inc -c x.c -o out/x.o")
	l, err := New(r)
	if err != nil || l.Unproven != nil {
		t.Fatal(err, l.Unproven)
	}
	want := []string{"/usr/bin/gcc", "-g", "-I/abs/inc", "-c", "x.c", "-o", "out/x.o"}
	if !slices.Equal(l.Arguments, want) {
		t.Errorf("%q, want %q", l.Arguments, want)
	}
	for _, v := range []string{"PWD=" + r.Compile.Call.Dir, "LC_ALL=C", "LD_LIBRARY_PATH=/lib/x"} {
		if !slices.Contains(l.Env, v) {
			t.Errorf("no %s in %q", v, l.Env)
		}
	}
	dir := strings.TrimPrefix(r.Compile.Call.Dir, "/")
	if l.WorkingDir != dir || len(l.Names()) > 0 {
		t.Errorf("in %s, with other names %v", l.WorkingDir, l.Names())
	}
	var paths []string
	for _, e := range l.Entries {
		if e.Mount != nil {
			t.Errorf("%s is mounted", e.Path)
		}
		paths = append(paths, e.Path)
	}
	for _, name := range []string{dir + "/x.c", dir + "/out", "usr/bin/gcc", "tmp"} {
		if !slices.Contains(paths, name) {
			t.Errorf("no %s in %q", name, paths)
		}
	}
}

// TestRootedApart leaves the toolchain to a property of the platform.
func TestRootedApart(t *testing.T) {
	r := rooted(t, "-c x.c -o out/x.o")
	r.Ship.Apart = true
	l, err := New(r)
	if err != nil || l.Unproven != nil {
		t.Fatal(err, l.Unproven)
	}
	for _, e := range l.Entries {
		if e.Path == "usr/bin/gcc" {
			t.Error("the toolchain is in the InputRoot")
		}
	}
}

func TestRootedUnproven(t *testing.T) {
	charset := rooted(t, "-fexec-charset=latin1 -c x.c -o out/x.o")
	relocatable := rooted(t, "-c x.c -o out/x.o")
	relocatable.Mode = Relocatable
	linked := rooted(t, "-c x.c -o out/x.o", "PWD=/another/name")
	for name, r := range map[string]*Request{"charset": charset, "relocatable": relocatable, "working directory": linked} {
		if name == "working directory" {
			r.Compile.Call.PWD = "/another/name"
		}
		if l, err := New(r); err != nil || l.Unproven == nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
