package filestate

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rexwrap/rexwrap/depscan"
)

func machineFile(t *testing.T, id string) string {
	t.Helper()
	p := filepath.Join(t.TempDir(), "machine-id")
	if err := os.WriteFile(p, []byte(id+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

// project is a small tree: two include directories of which the second has the
// header, and one directory that does not exist.
func project() (*fakeFS, *State) {
	f := newFake(volume{class: local, listable: true}, tick)
	for _, d := range []string{"/d/a", "/d/b"} {
		f.mkdir(d)
	}
	f.write("/d/main.c", "main")
	f.write("/d/b/foo.h", "foo")
	f.symlink("/d/b", "/d/link")
	f.advance(10 * second)
	return f, newState(Options{}, f)
}

var expect = Expect{
	Files:  []Want{{"main.c", of("main")}, {"/d/b/foo.h", of("foo")}},
	Absent: []string{"a/foo.h", "foo.h", "none/foo.h", "none/deep/foo.h", "none/", "a/sub/", "link/bar.h"},
	Dirs:   []string{"a", "b"},
	Links:  []depscan.Symlink{{Path: "link", Target: "/d/b"}},
}

// TestCheckAllOneChange makes one change at a time and expects it to be found,
// however young it is and whatever was learnt before.
func TestCheckAllOneChange(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*fakeFS)
		want   Difference
	}{
		{"nothing", func(*fakeFS) {}, Difference{}},
		{"touched", func(f *fakeFS) { f.chtimes("/d/main.c", 7) }, Difference{}},
		{"unrelated file appears", func(f *fakeFS) { f.write("/d/a/other.h", "") }, Difference{}},
		{"object appears beside the source", func(f *fakeFS) { f.write("/d/main.o", "") }, Difference{}},
		{"directory of a header's name", func(f *fakeFS) { f.mkdir("/d/a/foo.h") }, Difference{}},
		{
			"source edited", func(f *fakeFS) { f.write("/d/main.c", "MAIN") },
			Difference{Cause: Changed, Path: "/d/main.c", Old: of("main"), New: of("MAIN")},
		},
		{"header removed", func(f *fakeFS) { f.remove("/d/b/foo.h") }, Difference{Cause: Vanished, Path: "/d/b/foo.h"}},
		{
			"header becomes a directory", func(f *fakeFS) { f.remove("/d/b/foo.h"); f.mkdir("/d/b/foo.h") },
			Difference{Cause: Unreadable, Path: "/d/b/foo.h"},
		},
		{"header shadowed", func(f *fakeFS) { f.write("/d/a/foo.h", "") }, Difference{Cause: Appeared, Path: "/d/a/foo.h"}},
		{
			"header shadowed by a link", func(f *fakeFS) { f.symlink("/d/b/foo.h", "/d/a/foo.h") },
			Difference{Cause: Appeared, Path: "/d/a/foo.h"},
		},
		{
			"header shadowed beside the source", func(f *fakeFS) { f.write("/d/foo.h", "") },
			Difference{Cause: Appeared, Path: "/d/foo.h"},
		},
		{"include directory appears", func(f *fakeFS) { f.mkdir("/d/none") }, Difference{Cause: Appeared, Path: "/d/none"}},
		{
			"include directory appears as a link", func(f *fakeFS) { f.symlink("/d/b", "/d/none") },
			Difference{Cause: Appeared, Path: "/d/none"},
		},
		{"sub-directory appears", func(f *fakeFS) { f.mkdir("/d/a/sub") }, Difference{Cause: Appeared, Path: "/d/a/sub"}},
		{"file in the place of a directory", func(f *fakeFS) { f.write("/d/a/sub", "") }, Difference{}},
		{
			"shadowed behind a link", func(f *fakeFS) { f.write("/d/b/bar.h", "") },
			Difference{Cause: Appeared, Path: "/d/link/bar.h"},
		},
		{
			"link leads elsewhere", func(f *fakeFS) { f.remove("/d/link"); f.symlink("/d/a", "/d/link") },
			Difference{Cause: Redirected, Path: "/d/link"},
		},
		{
			"directory replaced by a file", func(f *fakeFS) { f.remove("/d/a"); f.write("/d/a", "") },
			Difference{Cause: Vanished, Path: "/d/a"},
		},
	} {
		for checks := range 4 {
			t.Run(fmt.Sprintf("%s/after=%d", tt.name, checks), func(t *testing.T) {
				f, s := project()
				set := s.Prepare("/d", expect)
				for i := range checks {
					if d, ok := s.CheckAll(set); !ok {
						t.Fatalf("check %d before the change: %+v", i, d)
					}
				}
				tt.change(f)
				for range 2 {
					got, ok := s.CheckAll(set)
					if ok != (tt.want == Difference{}) || !ok && (got.Cause != tt.want.Cause || !strings.HasPrefix(got.Path, tt.want.Path)) {
						t.Fatalf("CheckAll = %+v, %v, want %+v", got, ok, tt.want)
					}
					f.advance(10 * second)
				}
			})
		}
	}
}

// TestDanglingLinkTurnsGood: what a symbolic link leads to appears without a
// change of the directory that holds the link.
func TestDanglingLinkTurnsGood(t *testing.T) {
	for name, absent := range map[string]string{"file": "a/foo.h", "directory": "a/foo.h/x.h"} {
		f, s := project()
		f.symlink("/d/b/later", "/d/a/foo.h")
		f.advance(10 * second)
		set := s.Prepare("/d", Expect{Absent: []string{absent}})
		for range 3 {
			if d, ok := s.CheckAll(set); !ok {
				t.Fatalf("%s: dangling link: %+v", name, d)
			}
		}
		if name == "file" {
			f.write("/d/b/later", "")
		} else {
			f.mkdir("/d/b/later")
			f.write("/d/b/later/x.h", "")
		}
		if d, ok := s.CheckAll(set); ok {
			t.Errorf("%s: %+v, want Appeared", name, d)
		}
	}
}

// TestAbsentIsCheap counts the looks that a Set costs once it is known.
func TestAbsentIsCheap(t *testing.T) {
	f, s := project()
	var e Expect
	for i := range 1000 {
		e.Absent = append(e.Absent, fmt.Sprintf("a/h%d.h", i), fmt.Sprintf("none/h%d.h", i), fmt.Sprintf("a/dir%d/h.h", i))
	}
	set := s.Prepare("/d", e)
	if d, ok := s.CheckAll(set); !ok {
		t.Fatalf("%+v", d)
	}
	f.stats = 0
	if d, ok := s.CheckAll(set); !ok || f.stats != 2 {
		t.Errorf("%+v, %v with %d stats for two directories, want 2", d, ok, f.stats)
	}
	f.write("/d/a/other", "")
	f.advance(10 * second)
	f.stats = 0
	if d, ok := s.CheckAll(set); !ok || f.stats > 1010 {
		t.Errorf("%+v, %v with %d stats after a change, want a listing in place of 2000", d, ok, f.stats)
	}
	f.write("/d/a/dir7", "")
	f.mkdir("/d/a/dir8")
	f.write("/d/a/dir8/h.h", "")
	if d, ok := s.CheckAll(set); ok || d.Path != "/d/a/dir8/h.h" {
		t.Errorf("CheckAll = %+v, %v, want dir8/h.h to have appeared", d, ok)
	}
}

func TestFirst(t *testing.T) {
	f, s := project()
	other := s.Prepare("/d", Expect{Files: []Want{{"main.c", of("another")}, {"b/foo.h", of("foo")}}})
	good := s.Prepare("/d", expect)
	if i, _ := s.First([]*Set{other, good}); i != 1 {
		t.Errorf("First = %d, want 1", i)
	}
	f.stats = 0
	i, diffs := s.First([]*Set{other, other})
	if i != -1 || len(diffs) != 2 || diffs[1].Cause != Changed {
		t.Errorf("First = %d, %+v, want -1 and two changed files", i, diffs)
	}
	if f.stats != 1 {
		t.Errorf("%d stats, want 1 for one file", f.stats)
	}
}

func TestViewLookup(t *testing.T) {
	f, s := project()
	v := s.View()
	for range 20 {
		for path, want := range map[string]Kind{
			"/d/main.c": Regular, "/d/a": Directory, "/d/none.h": Missing, "/d/link": Directory,
			"/d/link/foo.h": Regular, "/d/main.c/x": Missing, "/": Directory, "/d/none/x.h": Missing, "/d/MAIN.C": Missing,
		} {
			if got := v.Lookup(path); got != want {
				t.Fatalf("Lookup(%s) = %v, want %v", path, got, want)
			}
			if got := s.Lookup(path); got != want {
				t.Fatalf("State.Lookup(%s) = %v, want %v", path, got, want)
			}
		}
	}
	f.write("/d/none.h", "")
	if got := s.View().Lookup("/d/none.h"); got != Regular {
		t.Errorf("Lookup of a new file = %v, want Regular", got)
	}
}
