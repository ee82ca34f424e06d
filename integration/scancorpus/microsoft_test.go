package scancorpus

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rexwrap/rexwrap/depscan"
	"github.com/rexwrap/rexwrap/depscan/cpp/cpptest"
)

const clangCL = "/usr/bin/clang-cl-14"

// microsoft returns the compiles of clang among units, every nth of each corpus, as ones of
// clang-cl with this system's headers in place of Microsoft's: it preprocesses them too.
func microsoft(t testing.TB, units []unit, nth int) []unit {
	var out []unit
	seen := map[string]int{}
	for _, u := range units {
		driver := filepath.Base(u.argv[0])
		if !strings.HasPrefix(driver, "clang") || slices.Contains(u.argv, "-march=haswell") {
			continue
		}
		if seen[u.corpus]++; seen[u.corpus]%nth != 0 {
			continue
		}
		argv := slices.Concat([]string{clangCL}, microsoftArgs(u.argv[1:]))
		for _, dir := range systemDirs(t, driver == "clang++") {
			argv = append(argv, "-imsvc", dir)
		}
		out = append(out, unit{"cl-" + u.corpus, u.dir, append(argv, "/c", u.argv[len(u.argv)-1])})
	}
	return out
}

// microsoftArgs are clang's arguments as clang-cl has them, without the source.
func microsoftArgs(args []string) (out []string) {
	for i := 0; i < len(args); i++ {
		a := args[i]
		switch {
		case a == "-isystem":
			i++
			out = append(out, "/external:I", args[i])
		case a == "-I":
			i++
			out = append(out, "/I", args[i])
		case strings.HasPrefix(a, "-I"), strings.HasPrefix(a, "-D"), a == "-O2":
			out = append(out, "/"+a[1:])
		case strings.HasSuffix(a, "++20"):
			out = append(out, "/std:c++20")
		case strings.HasSuffix(a, "++17"):
			out = append(out, "/std:c++17")
		case strings.HasPrefix(a, "-std=c11"):
			out = append(out, "/std:c11")
		}
	}
	return out
}

// systemDirs are the directories of this system's headers.
func systemDirs(t testing.TB, cxx bool) []string {
	var dirs []string
	if cxx {
		for _, pattern := range []string{"/usr/include/c++/*", "/usr/include/*-linux-gnu/c++/*"} {
			found, err := filepath.Glob(pattern)
			if err != nil || len(found) == 0 {
				t.Fatalf("no %s", pattern)
			}
			dirs = append(dirs, found[0])
		}
	}
	found, err := filepath.Glob("/usr/include/*-linux-gnu")
	if err != nil || len(found) == 0 {
		t.Fatal("no /usr/include/*-linux-gnu")
	}
	return append(dirs, found[0], "/usr/include")
}

// noteDifference compares what a compile of clang-cl reads with the notes of /showIncludes.
func noteDifference(files []depscan.File, read *cpptest.Reading) string {
	noted := read.Headers(files[0].Path)
	entered := slices.DeleteFunc(slices.Clone(files[1:]), func(f depscan.File) bool { return f.Unread && !slices.Contains(noted, f.Path) })
	slices.SortFunc(entered, func(a, b depscan.File) int { return strings.Compare(a.Path, b.Path) })
	return difference(entered, noted)
}
