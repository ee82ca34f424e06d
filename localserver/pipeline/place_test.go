package pipeline

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rexwrap/rexwrap/toolchains"
)

func TestPlaceEncode(t *testing.T) {
	a := place{root: "/w/a", dir: "/w/a/build"}
	b := place{root: "/w/b", dir: "/w/b/build"}
	for path, there := range map[string]string{
		"/w/a/src/x.c": "/w/b/src/x.c", "/w/a": "/w/b", "../src/x.c": "../src/x.c", "x.c": "x.c",
		"/usr/include/stdio.h": "/usr/include/stdio.h", "/w/ab/x.c": "/w/ab/x.c",
	} {
		if got := a.spell(a.encode(path)); got != path {
			t.Errorf("%q becomes %q", path, got)
		}
		if got := b.spell(a.encode(path)); got != there {
			t.Errorf("%q is %q at the other place, want %q", path, got, there)
		}
	}
	if a.relDir() != b.relDir() {
		t.Errorf("working directories %q and %q differ", a.relDir(), b.relDir())
	}
}

func TestRootsFind(t *testing.T) {
	top := t.TempDir()
	for _, dir := range []string{"repo/.git", "repo/sub/.git", "repo/sub/build", "repo/src", "plain/src", "plain/build"} {
		if err := os.MkdirAll(filepath.Join(top, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	at := func(path string) string { return filepath.Join(top, path) }
	for _, c := range []struct{ dir, source, output, setting, want string }{
		{"repo/sub/build", "../x.c", "x.o", "", "repo"},
		{"repo/src", at("repo/src/x.c"), at("repo/sub/x.o"), "", "repo"},
		{"plain/build", "../src/x.c", "x.o", "", "plain"},
		{"plain/src", "x.c", "x.o", "", "plain/src"},
		{"plain/src", "x.c", "../build/x.o", "", "plain"},
		{"plain/src", "x.c", "x.o", at("repo"), "repo"},
	} {
		compile := &toolchains.Compile{
			Call:    &toolchains.Call{Dir: at(c.dir)},
			Source:  c.source,
			Outputs: []toolchains.Output{{Path: c.output}},
		}
		if got := newRoots().find(compile, c.setting); got != at(c.want) {
			t.Errorf("in %s, of %s: root %s, want %s", c.dir, c.source, got, at(c.want))
		}
	}
}

func TestRootsForbidden(t *testing.T) {
	for _, c := range []struct{ dir, source, home string }{
		{"/home/u", "x.c", "/home/u"}, {"/usr/src", "x.c", ""}, {"/a", "/b/x.c", ""}, {"/tmp", "x.c", ""},
	} {
		compile := &toolchains.Compile{
			Call:   &toolchains.Call{Dir: c.dir, Env: []string{"HOME=" + c.home}},
			Source: c.source,
		}
		if got := newRoots().find(compile, ""); got != "" {
			t.Errorf("in %s, of %s: root %s, want none", c.dir, c.source, got)
		}
	}
}
