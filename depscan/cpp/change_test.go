package cpp_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rexwrap/rexwrap/depscan"
	"github.com/rexwrap/rexwrap/depscan/cpp"
	"github.com/rexwrap/rexwrap/depscan/cpp/cpptest"
)

// A change is a step between two scans of one compile: the second must see it.
type change struct {
	name   string
	files  string
	args   []string
	change func(t *testing.T, dir string)
	want   []string // files after it
}

func put(name, text string) func(t *testing.T, dir string) {
	return func(t *testing.T, dir string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

func changes() []change {
	return []change{
		{
			name:   "probed header appears",
			files:  "-- x.c --\n#if __has_include(\"n.h\")\n#include \"a.h\"\n#endif\n-- a.h --\n",
			change: put("n.h", ""), want: []string{"x.c", "a.h"},
		},
		{
			name:  "header appears in an earlier directory",
			files: "-- x.c --\n#include <a.h>\n-- i1/b.h --\n-- i2/a.h --\n", args: []string{"-Ii1", "-Ii2"},
			change: put("i1/a.h", ""), want: []string{"x.c", "i1/a.h"},
		},
		{
			name:  "header appears in an earlier subdirectory",
			files: "-- x.c --\n#include <s/a.h>\n-- i1/b.h --\n-- i2/s/a.h --\n", args: []string{"-Ii1", "-Ii2"},
			change: put("i1/s/a.h", ""), want: []string{"x.c", "i1/s/a.h"},
		},
		{
			name:  "directory appears",
			files: "-- x.c --\n#include <a.h>\n-- i2/a.h --\n", args: []string{"-Ii1", "-Ii2"},
			change: put("i1/a.h", ""), want: []string{"x.c", "i1/a.h"},
		},
		{
			name:  "header beside the source appears",
			files: "-- x.c --\n#include \"a.h\"\n-- i/a.h --\n", args: []string{"-Ii"},
			change: put("a.h", ""), want: []string{"x.c", "a.h"},
		},
		{
			name:   "edit of equal length",
			files:  "-- x.c --\n#include \"a.h\"\n-- a.h --\n#include \"b.h\"\n-- b.h --\n-- c.h --\n",
			change: put("a.h", "#include \"c.h\"\n"), want: []string{"x.c", "a.h", "c.h"},
		},
		{
			name:  "edit with the time set back",
			files: "-- x.c --\n#include \"a.h\"\n-- a.h --\n#include \"b.h\"\n-- b.h --\n-- c.h --\n",
			change: func(t *testing.T, dir string) {
				fi, err := os.Stat(filepath.Join(dir, "a.h"))
				if err != nil {
					t.Fatal(err)
				}
				put("a.h", "#include \"c.h\"\n")(t, dir)
				if err := os.Chtimes(filepath.Join(dir, "a.h"), fi.ModTime(), fi.ModTime()); err != nil {
					t.Fatal(err)
				}
			}, want: []string{"x.c", "a.h", "c.h"},
		},
		{
			name:  "replaced by rename",
			files: "-- x.c --\n#include \"a.h\"\n-- a.h --\n#include \"b.h\"\n-- b.h --\n-- c.h --\n-- new.h --\n#include \"c.h\"\n",
			change: func(t *testing.T, dir string) {
				if err := os.Rename(filepath.Join(dir, "new.h"), filepath.Join(dir, "a.h")); err != nil {
					t.Fatal(err)
				}
			}, want: []string{"x.c", "a.h", "c.h"},
		},
		{
			name:   "written through another hard link",
			files:  "-- x.c --\n#include \"a.h\"\n-- other/a.h --\n#include \"b.h\"\n-- b.h --\n-- c.h --\n-- a.h => other/a.h --\n",
			change: put("other/a.h", "#include \"c.h\"\n"), want: []string{"x.c", "a.h", "c.h"},
		},
		{
			name:   "written behind a symbolic link",
			files:  "-- x.c --\n#include \"a.h\"\n-- other/a.h --\n#include \"b.h\"\n-- b.h --\n-- c.h --\n-- a.h -> other/a.h\n",
			change: put("other/a.h", "#include \"c.h\"\n"), want: []string{"x.c", "a.h", "c.h"},
		},
		{
			name:  "link that led nowhere leads somewhere",
			files: "-- x.c --\n#include <a.h>\n-- i1/b.h --\n-- i2/a.h --\n-- i1/a.h -> ../other/a.h\n", args: []string{"-Ii1", "-Ii2"},
			change: put("other/a.h", ""), want: []string{"x.c", "i1/a.h"},
		},
		{
			name:  "symbolic link of a directory turned",
			files: "-- x.c --\n#include <a.h>\n-- one/a.h --\n#include \"b.h\"\n-- one/b.h --\n-- two/a.h --\n-- i -> one\n", args: []string{"-Ii"},
			change: func(t *testing.T, dir string) {
				link := filepath.Join(dir, "i")
				if err := os.Remove(link); err != nil {
					t.Fatal(err)
				}
				if err := os.Symlink("two", link); err != nil {
					t.Fatal(err)
				}
			}, want: []string{"x.c", "i/a.h"},
		},
		{
			name:  "directory renamed and replaced",
			files: "-- x.c --\n#include <s/a.h>\n-- i/s/a.h --\n#include \"b.h\"\n-- i/s/b.h --\n-- j/s/a.h --\n", args: []string{"-Ii"},
			change: func(t *testing.T, dir string) {
				for _, r := range [][2]string{{"i", "old"}, {"j", "i"}} {
					if err := os.Rename(filepath.Join(dir, r[0]), filepath.Join(dir, r[1])); err != nil {
						t.Fatal(err)
					}
				}
			}, want: []string{"x.c", "i/s/a.h"},
		},
		{
			name:  "header removed",
			files: "-- x.c --\n#include <a.h>\n-- i1/a.h --\n-- i2/a.h --\n", args: []string{"-Ii1", "-Ii2"},
			change: func(t *testing.T, dir string) {
				if err := os.Remove(filepath.Join(dir, "i1/a.h")); err != nil {
					t.Fatal(err)
				}
			}, want: []string{"x.c", "i2/a.h"},
		},
	}
}

// TestChanges scans, changes something, and scans again: with and without
// watching, at once and after the files' times have settled.
func TestChanges(t *testing.T) {
	compiler := &cpptest.Compiler{}
	for _, cc := range []string{"gcc", "clang"} {
		for _, watch := range []bool{false, true} {
			for _, before := range []time.Duration{0, 200 * time.Millisecond} {
				for _, ch := range changes() {
					t.Run(fmt.Sprintf("%s/watch=%v/%v/%s", cc, watch, before, ch.name), func(t *testing.T) {
						t.Parallel()
						s := cpp.New(cpp.Options{Compiler: compiler, Watch: watch})
						defer s.Close()
						ch.run(t, s, cc, before)
					})
				}
			}
		}
	}
}

func (ch *change) run(t *testing.T, s *cpp.Scanner, cc string, settled time.Duration) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	layout(t, dir, ch.files)
	argv := append([]string{"/usr/bin/" + cc, "-nostdinc"}, ch.args...)
	c := cpptest.Compile(dir, nil, append(argv, "-c", "x.c")...)
	for start := time.Now(); ; {
		if _, err := s.Scan(context.Background(), c); err != nil {
			t.Fatal(err)
		}
		if time.Since(start) >= settled {
			break
		}
	}
	ch.change(t, dir)
	in, err := s.Scan(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	got := slices.DeleteFunc(paths(in.Files), func(p string) bool {
		return filepath.IsAbs(p) || p == "n.h" // clang lists what it probes
	})
	if !slices.Equal(got, ch.want) {
		t.Errorf("files %q, want %q", got, ch.want)
	}
}

// TestPrecompiledHeaderAppears checks that a remembered answer ends when the
// compiler would read a precompiled header instead.
func TestPrecompiledHeaderAppears(t *testing.T) {
	dir := t.TempDir()
	layout(t, dir, "-- x.c --\n#include \"a.h\"\n-- a.h --\n")
	s := cpp.New(cpp.Options{Compiler: &cpptest.Compiler{}, Watch: true})
	defer s.Close()
	c := cpptest.Compile(dir, nil, "/usr/bin/gcc", "-c", "x.c")
	for range 3 {
		if _, err := s.Scan(context.Background(), c); err != nil {
			t.Fatal(err)
		}
	}
	put("a.h.gch", "")(t, dir)
	if _, err := s.Scan(context.Background(), c); cpp.Reason(err) != "pch" {
		t.Errorf("error %v, want a fallback for a precompiled header", err)
	}
}

// TestHeaderMap searches through a clang header map, which is an input itself.
func TestHeaderMap(t *testing.T) {
	dir := t.TempDir()
	layout(t, dir, "-- x.c --\n#include <Foo/A.h>\n#include \"B.h\"\n-- real/a.h --\n-- inc/moved/b.h --\n")
	text := "\x00Foo/A.h\x00" + dir + "/real/\x00a.h\x00B.h\x00moved/\x00b.h\x00"
	at := func(s string) uint32 { return uint32(strings.Index(text, "\x00"+s+"\x00") + 1) }
	var b bytes.Buffer
	words := []any{uint32('h'<<24 | 'm'<<16 | 'a'<<8 | 'p'), uint16(1), uint16(0), uint32(24 + 4*12), uint32(2), uint32(4), uint32(8)}
	buckets := make([][3]uint32, 4)
	for _, e := range [][3]string{{"Foo/A.h", dir + "/real/", "a.h"}, {"B.h", "moved/", "b.h"}} {
		h := uint32(0)
		for _, c := range strings.ToLower(e[0]) {
			h += uint32(c) * 13
		}
		for buckets[h%4][0] != 0 {
			h++
		}
		buckets[h%4] = [3]uint32{at(e[0]), at(e[1]), at(e[2])}
	}
	for _, w := range append(words, buckets) {
		if err := binary.Write(&b, binary.LittleEndian, w); err != nil {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join(dir, "m.hmap"), b.String()+text)
	s := cpp.New(cpp.Options{Compiler: &cpptest.Compiler{}})
	c := cpptest.Compile(dir, nil, "/usr/bin/clang", "-Im.hmap", "-Iinc", "-c", "x.c")
	compare(t, s, c)
	in, err := s.Scan(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	if got := paths(in.Probed); !slices.Equal(got, []string{"m.hmap"}) {
		t.Errorf("probed %q", got)
	}
}

// TestEditOutsideDirectives checks that an edit that no directive sees keeps
// the closure and changes the digest.
func TestEditOutsideDirectives(t *testing.T) {
	dir := t.TempDir()
	layout(t, dir, "-- x.c --\n#include \"a.h\"\nint x;\n-- a.h --\nint a;\n")
	s := cpp.New(cpp.Options{Compiler: &cpptest.Compiler{}, Watch: true})
	defer s.Close()
	c := cpptest.Compile(dir, nil, "/usr/bin/gcc", "-c", "x.c")
	scan := func() *depscan.Inputs {
		in, err := s.Scan(context.Background(), c)
		if err != nil {
			t.Fatal(err)
		}
		return in
	}
	before := scan()
	put("a.h", "/* a */\nint a, b;\n")(t, dir)
	after := scan()
	if !slices.Equal(paths(before.Files), paths(after.Files)) {
		t.Errorf("files %q became %q", paths(before.Files), paths(after.Files))
	}
	last := len(after.Files) - 1
	if before.Files[last].Digest == after.Files[last].Digest || before.Files[0].Digest != after.Files[0].Digest {
		t.Error("digests do not follow the contents")
	}
	if again := scan(); again.Files[last].Digest != after.Files[last].Digest {
		t.Error("the new digest is forgotten")
	}
}

// TestManyAtOnce scans one source under different flags from many goroutines
// while headers change, with little memory for lexed text.
func TestManyAtOnce(t *testing.T) {
	dir := t.TempDir()
	var files strings.Builder
	files.WriteString("-- x.c --\n#if A\n#include \"a.h\"\n#else\n#include \"b.h\"\n#endif\n#include \"c.h\"\n")
	for _, name := range []string{"a", "b", "c"} {
		files.WriteString("-- " + name + ".h --\n#ifndef " + name + "_h\n#define " + name + "_h\nint x;\n#endif\n")
	}
	layout(t, dir, files.String())
	compiler := &cpptest.Compiler{}
	for _, watch := range []bool{false, true} {
		s := cpp.New(cpp.Options{Compiler: compiler, Watch: watch, Memory: 1})
		var wg sync.WaitGroup
		for w := range 8 {
			wg.Go(func() {
				want := []string{"x.c", "b.h", "c.h"}
				if w%2 == 1 {
					want[1] = "a.h"
				}
				c := cpptest.Compile(dir, nil, "/usr/bin/gcc", "-nostdinc", fmt.Sprintf("-DA=%d", w%2), fmt.Sprintf("-DW=%d", w), "-c", "x.c")
				for range 200 {
					in, err := s.Scan(context.Background(), c)
					if err != nil {
						t.Error(err)
						return
					}
					if got := slices.DeleteFunc(paths(in.Files), filepath.IsAbs); !slices.Equal(got, want) {
						t.Errorf("files %q, want %q", got, want)
						return
					}
				}
			})
		}
		for i := range 50 {
			now := time.Now().Add(time.Duration(i) * time.Second)
			if err := os.Chtimes(filepath.Join(dir, "c.h"), now, now); err != nil {
				t.Fatal(err)
			}
		}
		wg.Wait()
		s.Close()
	}
}

// TestPreprocessed checks that a preprocessed source is its own closure;
// compilers list nothing for one.
func TestPreprocessed(t *testing.T) {
	dir := t.TempDir()
	layout(t, dir, "-- x.i --\n# 1 \"x.c\"\n#pragma once\nint x;\n")
	s := cpp.New(cpp.Options{Compiler: &cpptest.Compiler{}})
	in, err := s.Scan(context.Background(), cpptest.Compile(dir, nil, "/usr/bin/gcc", "-c", "./x.i"))
	if err != nil {
		t.Fatal(err)
	}
	if got := paths(in.Files); !slices.Equal(got, []string{"x.i"}) {
		t.Errorf("files %q", got)
	}
}
