package cpp_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rexwrap/rexwrap/depscan"
	"github.com/rexwrap/rexwrap/depscan/cpp"
	"github.com/rexwrap/rexwrap/depscan/cpp/cpptest"
	"github.com/rexwrap/rexwrap/toolchains"
)

func paths(files []depscan.File) (out []string) {
	for _, f := range files {
		out = append(out, f.Path)
	}
	return out
}

// difference describes how two lists differ, empty where they do not.
func difference(got, want []string) string {
	if slices.Equal(got, want) {
		return ""
	}
	var b strings.Builder
	for _, p := range want {
		if !slices.Contains(got, p) {
			b.WriteString("\n  missing " + p)
		}
	}
	for _, p := range got {
		if !slices.Contains(want, p) {
			b.WriteString("\n  extra " + p)
		}
	}
	if b.Len() == 0 {
		for i := range got {
			if got[i] != want[i] {
				b.WriteString("\n  order: " + got[i] + " instead of " + want[i])
				break
			}
		}
	}
	return b.String()
}

func TestSystemHeaders(t *testing.T) {
	dir := t.TempDir()
	s := cpp.New(cpp.Options{Compiler: &cpptest.Compiler{}})
	for _, cc := range []string{"/usr/bin/gcc", "/usr/bin/clang", "/usr/bin/g++", "/usr/bin/clang++"} {
		for _, h := range []string{"stdio.h", "stdlib.h", "math.h", "pthread.h", "sys/socket.h", "limits.h", "stdatomic.h", "immintrin.h", "signal.h"} {
			check(t, s, dir, h, cc, "-c")
		}
		if strings.HasSuffix(cc, "+") {
			for _, std := range []string{"-std=c++11", "-std=gnu++17", "-std=c++20"} {
				for _, h := range []string{"vector", "string", "iostream", "algorithm", "thread", "regex", "memory"} {
					check(t, s, dir, h, cc, "-c", std)
				}
			}
		}
	}
}

// check compares a compile of a source that includes one header.
func check(t *testing.T, s *cpp.Scanner, dir, header string, argv ...string) {
	t.Helper()
	src := filepath.Join(dir, strings.ReplaceAll(header, "/", "_")+".c")
	if err := os.WriteFile(src, []byte("#include <"+header+">\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	compare(t, s, cpptest.Compile(dir, nil, append(argv, filepath.Base(src))...))
}

// compare compares the scan of c with its compiler's list.
func compare(t *testing.T, s *cpp.Scanner, c *toolchains.Compile) {
	t.Helper()
	want, err := cpptest.ReadBy(context.Background(), c, true)
	if err != nil {
		t.Logf("%v: compiler: %v", c.Call.Argv, err)
		return
	}
	got, err := s.Scan(context.Background(), c)
	switch {
	case errors.Is(err, depscan.ErrFallback):
		t.Errorf("%v: %v", c.Call.Argv, err)
	case err != nil:
		t.Fatal(err)
	default:
		if d := difference(paths(got.Files), want); d != "" {
			t.Errorf("%v:%s", c.Call.Argv, d)
		}
	}
}
