package ask

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/rexwrap/rexwrap/toolchains"
)

// cl.exe lists absolute names. Those of files that it finds by relative ones become
// relative again, those of folders with absolute names stay.
func TestRelative(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, filepath.FromSlash(name)) }
	p := &Plan{c: &toolchains.Compile{
		Source: "x.cpp", Call: &toolchains.Call{Dir: at("p/src")}, Toolchain: &toolchains.Toolchain{Family: toolchains.FamilyMSVC},
	}}
	facts := &toolchains.Facts{AngleDirs: []string{"inc", at("vc/include"), at("p/abs")}}
	listed := []string{"x.cpp", at("p/src/a.h"), at("p/src/inc/b.h"), at("p/c.h"), at("vc/include/d.h"), at("p/abs/e.h"), at("p/absent.h")}
	want := []string{"x.cpp", "a.h", "inc/b.h", "../c.h", at("vc/include/d.h"), at("p/abs/e.h"), "../absent.h"}
	for i, name := range want {
		want[i] = filepath.FromSlash(name)
	}
	if got := p.relative(listed, facts); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if got := p.relative(want[:2], facts); got != nil {
		t.Errorf("nothing to change: %q", got)
	}
}

// A name in a text can be that of a file that is included by its absolute name.
func TestNamesAbsolute(t *testing.T) {
	c := &toolchains.Compile{Toolchain: &toolchains.Toolchain{Family: toolchains.FamilyMSVC}, Microsoft: &toolchains.Microsoft{}}
	for _, test := range []struct {
		text Text
		args []toolchains.Arg
		want bool
	}{
		{text: Text{Names: []Name{{Path: "a.h"}, {Path: `..\b.h`}}}},
		{text: Text{Names: []Name{{Path: "a.h"}, {Path: string(filepath.Separator) + "b.h"}}}, want: filepath.Separator == '/'},
		{text: Text{ComputedInclude: true}, want: true},
		{args: []toolchains.Arg{{Option: "-include", Value: "a.h"}}},
		{args: []toolchains.Arg{{Option: "-include", Value: mustAbs(t, "a.h")}}, want: true},
	} {
		view := *c
		view.Args = test.args
		g := &gathering{c: &view, texts: []*Text{{}, &test.text}}
		if got := g.namesAbsolute(); got != test.want {
			t.Errorf("%+v %+v: %v", test.text, test.args, got)
		}
	}
}

func mustAbs(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(name)
	if err != nil {
		t.Fatal(err)
	}
	return path
}
