//go:build linux

package toolchains

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rexwrap/rexwrap/client/digest"
)

// readingFiles is a Files without a memory.
type readingFiles struct{}

func (readingFiles) Digest(path string) (digest.Digest, error) {
	data, err := os.ReadFile(path)
	return digest.Of(data), err
}

// library is a shared library to be built for a test.
type library struct {
	dir, name string
	needs     []string // "dir/name"
	flags     []string
}

func build(t *testing.T, root string, lib library, program bool) string {
	t.Helper()
	out := filepath.Join(root, lib.dir, lib.name)
	if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
		t.Fatal(err)
	}
	source := out + ".c"
	text := "int unused;"
	args := []string{"-shared", "-fPIC", "-Wl,-soname," + lib.name}
	if program {
		text, args = "int main(void) { return 0; }", nil
	}
	if err := os.WriteFile(source, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	args = slices.Concat(args, []string{"-o", out, source, "-Wl,--no-as-needed", "-Wl,--allow-shlib-undefined"}, lib.flags)
	for _, need := range lib.needs {
		args = append(args, filepath.Join(root, need))
	}
	cmd := exec.Command("gcc", args...)
	cmd.Dir = root
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return out
}

// TestLoaderAgreesWithLdd builds programs whose libraries are found by every rule
// of the search order and compares with the loader's own choice.
func TestLoaderAgreesWithLdd(t *testing.T) {
	root := t.TempDir()
	for _, dir := range []string{"one", "two", "three"} {
		build(t, root, library{dir: dir, name: "libb.so"}, false)
	}
	build(t, root, library{dir: "plain", name: "liba.so", needs: []string{"one/libb.so"}}, false)
	build(t, root, library{
		dir: "runpath", name: "liba.so", needs: []string{"one/libb.so"},
		flags: []string{"-Wl,-rpath,$ORIGIN/../two", "-Wl,--enable-new-dtags"},
	}, false)
	build(t, root, library{
		dir: "rpath", name: "liba.so", needs: []string{"one/libb.so"},
		flags: []string{"-Wl,-rpath,${ORIGIN}/../two", "-Wl,--disable-new-dtags"},
	}, false)
	runpath := func(dirs string) []string { return []string{"-Wl,-rpath," + dirs, "-Wl,--enable-new-dtags"} }
	rpath := func(dirs string) []string { return []string{"-Wl,-rpath," + dirs, "-Wl,--disable-new-dtags"} }
	for name, c := range map[string]struct {
		needs string
		flags []string
		env   []string
	}{
		"RUNPATH is not inherited": {"plain/liba.so", runpath("$ORIGIN/../plain:$ORIGIN/../one"), []string{"LD_LIBRARY_PATH=" + root + "/three"}},
		"RPATH is inherited":       {"plain/liba.so", rpath("$ORIGIN/../plain:$ORIGIN/../one"), []string{"LD_LIBRARY_PATH=" + root + "/three"}},
		"own RUNPATH after the environment": {
			"runpath/liba.so", rpath("$ORIGIN/../runpath:$ORIGIN/../one"),
			[]string{"LD_LIBRARY_PATH=/nonexistent:" + root + "/three"},
		},
		"own RUNPATH stops RPATH":     {"runpath/liba.so", rpath("$ORIGIN/../runpath:$ORIGIN/../one"), nil},
		"own RPATH first":             {"rpath/liba.so", rpath("$ORIGIN/../rpath:$ORIGIN/../one"), nil},
		"empty element":               {"plain/liba.so", rpath("$ORIGIN/../plain"), []string{"LD_LIBRARY_PATH=:" + root + "/three"}},
		"relative element, semicolon": {"plain/liba.so", rpath("$ORIGIN/../plain"), []string{"LD_LIBRARY_PATH=none;three"}},
		"preload":                     {"rpath/liba.so", rpath("$ORIGIN/../rpath"), []string{"LD_PRELOAD=" + root + "/three/libb.so"}},
	} {
		t.Run(name, func(t *testing.T) {
			program := build(t, root, library{dir: "bin", name: "main", needs: []string{c.needs}, flags: c.flags}, true)
			around := surroundingsOf(&Call{Dir: root, Env: c.env}, nil)
			l := newLoader(newObserver(readingFiles{}), around)
			if err := l.add(program, program); err != nil {
				t.Fatal(err)
			}
			var got []string
			for path := range l.found {
				if strings.HasPrefix(path, root) {
					got = append(got, filepath.Clean(path))
				}
			}
			slices.Sort(got)
			if want := lddPaths(t, program, root, c.env); !slices.Equal(got, want) {
				t.Errorf("found %v, ldd says %v", got, want)
			}
		})
	}
}

// lddPaths are the libraries below root that ldd names.
func lddPaths(t *testing.T, program, root string, env []string) []string {
	t.Helper()
	cmd := exec.Command("/lib64/ld-linux-x86-64.so.2", "--list", program)
	cmd.Dir, cmd.Env = root, env
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for line := range strings.Lines(string(out)) {
		path := strings.TrimSpace(line)
		if strings.HasPrefix(path, "linux-vdso") {
			continue // the kernel's
		}
		if _, after, ok := strings.Cut(path, " => "); ok {
			path = after
		}
		path, _, _ = strings.Cut(path, " (")
		if !filepath.IsAbs(path) {
			path = filepath.Join(root, path)
		}
		if strings.HasPrefix(path, root) && !slices.Contains(paths, filepath.Clean(path)) {
			paths = append(paths, filepath.Clean(path))
		}
	}
	slices.Sort(paths)
	return paths
}

func TestLoaderMissingLibrary(t *testing.T) {
	root := t.TempDir()
	build(t, root, library{dir: "one", name: "libb.so"}, false)
	program := build(t, root, library{dir: "bin", name: "main", needs: []string{"one/libb.so"}}, true)
	l := newLoader(newObserver(readingFiles{}), surroundingsOf(&Call{Dir: root}, nil))
	if err := l.add(program, program); err == nil {
		t.Errorf("no error, found %v", l.found)
	}
}

func TestStaticProgramLoadsNothing(t *testing.T) {
	root := t.TempDir()
	program := build(t, root, library{dir: "bin", name: "main", flags: []string{"-static"}}, true)
	l := newLoader(newObserver(readingFiles{}), surroundingsOf(&Call{Dir: root}, nil))
	if err := l.add(program, program); err != nil || len(l.found) != 0 {
		t.Errorf("err = %v, found %v", err, l.found)
	}
}

func TestParseLoaderCacheOfThisSystem(t *testing.T) {
	data, err := os.ReadFile(loaderCache)
	if err != nil {
		t.Fatal(err)
	}
	cache := parseLoaderCache(data)
	out, err := exec.Command("/sbin/ldconfig", "-p").Output()
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(string(out)) {
		name, path, ok := strings.Cut(strings.TrimSpace(line), " => ")
		if !ok {
			continue
		}
		n++
		name, _, _ = strings.Cut(name, " (")
		if !slices.ContainsFunc(cache[name], func(c cachedLibrary) bool { return c.path == path }) {
			t.Errorf("%s => %s is missing", name, path)
		}
	}
	total := 0
	for _, entries := range cache {
		total += len(entries)
	}
	if total != n {
		t.Errorf("%d entries, ldconfig lists %d", total, n)
	}
}

func FuzzParseLoaderCache(f *testing.F) {
	data, err := os.ReadFile(loaderCache)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data[:min(len(data), 4096)])
	f.Add([]byte(cacheMagic))
	f.Add(append([]byte(cacheMagic), make([]byte, 64)...))
	f.Fuzz(func(t *testing.T, data []byte) {
		for name, entries := range parseLoaderCache(data) {
			if name == "" || len(entries) == 0 || entries[0].path == "" {
				t.Errorf("entry %q: %v", name, entries)
			}
		}
	})
}
