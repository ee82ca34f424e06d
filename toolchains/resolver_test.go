//go:build linux

package toolchains_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/depscan/filestate"
	"github.com/rexwrap/rexwrap/localserver/localexec"
	"github.com/rexwrap/rexwrap/toolchains"
)

// testFiles digests by reading and remembers by stat, for files old enough.
type testFiles struct {
	mu      sync.Mutex
	known   map[string]testFile
	reads   atomic.Int64
	onRead  func(path string)
	failing map[string]error
}

type testFile struct {
	stat unix.Stat_t
	d    digest.Digest
}

func newTestFiles() *testFiles { return &testFiles{known: map[string]testFile{}} }

func (f *testFiles) Digest(path string) (digest.Digest, error) {
	if f.onRead != nil {
		f.onRead(path)
	}
	if err := f.failing[path]; err != nil {
		return digest.Digest{}, err
	}
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return digest.Digest{}, err
	}
	st.Atim = unix.Timespec{}
	f.mu.Lock()
	defer f.mu.Unlock()
	if known, ok := f.known[path]; ok && known.stat == st && time.Since(time.Unix(st.Ctim.Unix())) > 2*time.Second {
		return known.d, nil
	}
	f.reads.Add(1)
	data, err := os.ReadFile(path)
	if err != nil {
		return digest.Digest{}, err
	}
	d := digest.Of(data)
	f.known[path] = testFile{stat: st, d: d}
	return d, nil
}

// testMemory is a Memory that counts.
type testMemory struct {
	mu     sync.Mutex
	values map[digest.Digest][]byte
}

func newTestMemory() *testMemory { return &testMemory{values: map[digest.Digest][]byte{}} }

func (m *testMemory) Load(key digest.Digest) ([]byte, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	value, ok := m.values[key]
	return value, ok
}

func (m *testMemory) Store(key digest.Digest, value []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.values[key] = value
}

// sharedFiles spares the tests of one run the digests of the installed compilers.
var sharedFiles = sync.OnceValue(newTestFiles)

// watchedFiles are sharedFiles that hear of changes.
var watchedFiles = sync.OnceValue(func() *filestate.State { return filestate.New(filestate.Options{Watch: true}) })

// fixture is a Resolver whose processes are counted.
type fixture struct {
	*toolchains.Resolver
	files     *testFiles
	memory    *testMemory
	processes atomic.Int64
}

func newFixture(t testing.TB) *fixture {
	t.Helper()
	f := &fixture{files: sharedFiles(), memory: newTestMemory()}
	f.restart()
	return f
}

// restart replaces the Resolver, as a new server with the same memory.
func (f *fixture) restart() { f.restartOver(f.files) }

// restartOver is restart with other Files.
func (f *fixture) restartOver(files toolchains.Files) {
	run := localexec.Runner(localexec.Limits{})
	f.Resolver = toolchains.NewResolver(files, func(ctx context.Context, c toolchains.Command) (*toolchains.CommandResult, error) {
		f.processes.Add(1)
		return run(ctx, c)
	}, f.memory)
}

func installed(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%s is not installed", name)
	}
	return path
}

func call(program string, args ...string) *toolchains.Call {
	return &toolchains.Call{
		Program: program, Argv: append([]string{filepath.Base(program)}, args...),
		Dir: "/", Env: toolchains.Environ{"PATH=/usr/local/bin:/usr/bin:/bin"},
	}
}

func withEnv(c *toolchains.Call, set ...string) *toolchains.Call {
	c.Env = c.Env.With(set...)
	return c
}

func (f *fixture) resolve(t testing.TB, c *toolchains.Call) *toolchains.Toolchain {
	t.Helper()
	tc, err := f.Resolve(t.Context(), c)
	if err != nil {
		t.Fatalf("resolve %s: %v", c.Program, err)
	}
	return tc
}

func (f *fixture) reason(t testing.TB, c *toolchains.Call) string {
	t.Helper()
	_, err := f.Resolve(t.Context(), c)
	reason, _, ok := toolchains.ReasonOf(err)
	if !ok {
		t.Fatalf("resolve %s: %v, want an UnsupportedError", c.Program, err)
	}
	return reason
}

func program(tc *toolchains.Toolchain, name string) *toolchains.Program {
	for i := range tc.Programs {
		if tc.Programs[i].Name == name {
			return &tc.Programs[i]
		}
	}
	return nil
}

func copyFile(t testing.TB, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	write(t, to, data)
}

func write(t testing.TB, path string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o755); err != nil {
		t.Fatal(err)
	}
}

func link(t testing.TB, target, path string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, path); err != nil {
		t.Fatal(err)
	}
}

func TestInstalledCompilers(t *testing.T) {
	f := newFixture(t)
	for _, c := range []struct {
		name, family string
		cPlusPlus    bool
		programs     []string
	}{
		{"gcc", "gcc", false, []string{"gcc", "cc1", "cc1plus", "as", "objcopy", "collect2", "lto1", "lto-wrapper", "liblto_plugin.so", "libisl.so.23", "libc.so.6", "ld-linux-x86-64.so.2"}},
		{"g++", "gcc", true, []string{"g++", "cc1plus"}},
		{"cc", "gcc", false, []string{"cc", "cc1"}},
		{"c++", "gcc", true, []string{"c++", "cc1"}},
		{"x86_64-linux-gnu-gcc-12", "gcc", false, []string{"cc1"}},
		{"clang", "clang", false, []string{"clang", "as", "objcopy", "libLLVM-14.so.1", "libclang-cpp.so.14"}},
		{"clang++-14", "clang", true, []string{"clang++-14"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			tc := f.resolve(t, call(installed(t, c.name)))
			if tc.Family != c.family || tc.CPlusPlus != c.cPlusPlus {
				t.Errorf("family %s, C++ %v", tc.Family, tc.CPlusPlus)
			}
			if tc.Version == "" || !strings.Contains(tc.Target, "linux") {
				t.Errorf("version %q, target %q", tc.Version, tc.Target)
			}
			for _, name := range c.programs {
				if p := program(tc, name); p == nil || p.Digest.IsZero() {
					t.Errorf("%s is not among the programs", name)
				}
			}
		})
	}
}

// TestLibrariesAgreeWithLoader compares with what the loader itself would do.
func TestLibrariesAgreeWithLoader(t *testing.T) {
	f := newFixture(t)
	for _, name := range []string{"gcc", "clang"} {
		tc := f.resolve(t, call(installed(t, name)))
		known := map[string]bool{}
		for _, p := range tc.Programs {
			known[p.Path] = true
		}
		for _, p := range tc.Programs {
			if strings.HasSuffix(filepath.Dir(p.Path), "/x86_64-linux-gnu") {
				continue // a library: named by what loads it
			}
			out, err := exec.Command("ldd", p.Path).Output()
			if err != nil {
				continue // the interpreter itself
			}
			for line := range strings.Lines(string(out)) {
				if _, path, ok := strings.Cut(line, " => "); ok {
					if path, _, _ = strings.Cut(path, " ("); !known[path] {
						t.Errorf("%s loads %s, which is not among the programs", p.Path, path)
					}
				}
			}
		}
	}
}

// TestProgramsAgreeWithDriver compares with -print-prog-name in every kind of
// surroundings.
func TestProgramsAgreeWithDriver(t *testing.T) {
	dir := t.TempDir()
	as, cc1 := installed(t, "as"), "/usr/lib/gcc/x86_64-linux-gnu/12/cc1"
	copyFile(t, as, dir+"/path/as")
	copyFile(t, as, dir+"/b/as")
	copyFile(t, as, dir+"/start-as")
	copyFile(t, as, dir+"/x86_64-linux-gnu/12/as")
	link(t, cc1, dir+"/b/cc1")
	write(t, dir+"/rsp", []byte("-c '-B"+dir+"/b'"))
	f := newFixture(t)
	for name, c := range map[string]*toolchains.Call{
		"plain":           call("/usr/bin/gcc"),
		"PATH":            withEnv(call("/usr/bin/gcc"), "PATH="+dir+"/path:/usr/bin"),
		"-B folder":       call("/usr/bin/gcc", "-B"+dir+"/b", "-c", "x.c"),
		"-B separate":     call("/usr/bin/gcc", "-c", "x.c", "-B", dir+"/b"),
		"-B start":        call("/usr/bin/gcc", "-B"+dir+"/start-"),
		"-B with version": call("/usr/bin/gcc", "-B"+dir),
		"-B in a file":    call("/usr/bin/gcc", "@"+dir+"/rsp"),
		"two -B":          call("/usr/bin/gcc", "-B"+dir+"/start-", "-B"+dir+"/b"),
		"COMPILER_PATH":   withEnv(call("/usr/bin/gcc"), "COMPILER_PATH=/nonexistent:"+dir+"/b"),
		"GCC_EXEC_PREFIX": withEnv(call("/usr/bin/gcc"), "GCC_EXEC_PREFIX="+dir+"/b/"),
		"clang -B":        call("/usr/bin/clang", "-B"+dir+"/b"),
		"clang -B start":  call("/usr/bin/clang", "-B"+dir+"/start-"),
		"clang PATH":      withEnv(call("/usr/bin/clang"), "PATH="+dir+"/path:/usr/bin"),
		"clang COMPILER":  withEnv(call("/usr/bin/clang"), "COMPILER_PATH="+dir+"/b"),
	} {
		t.Run(name, func(t *testing.T) {
			tc := f.resolve(t, c)
			for _, name := range []string{"cc1", "cc1plus", "as", "objcopy", "collect2", "lto1", "lto-wrapper"} {
				if tc.Family == "clang" && name != "as" && name != "objcopy" {
					continue
				}
				got := ""
				if p := program(tc, name); p != nil {
					got = p.Path
				}
				if want := printedName(t, c, name); got != want {
					t.Errorf("%s is %q, the driver says %q", name, got, want)
				}
			}
		})
	}
}

// printedName asks the driver for a program; a bare name is looked up in PATH.
func printedName(t *testing.T, c *toolchains.Call, name string) string {
	t.Helper()
	cmd := exec.Command(c.Program, append(c.Argv[1:len(c.Argv):len(c.Argv)], "-print-prog-name="+name)...)
	cmd.Env, cmd.Dir = c.Env, c.Dir
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	path := strings.TrimSpace(string(out))
	if strings.Contains(path, "/") {
		return path
	}
	for dir := range strings.SplitSeq(c.Env.Value("PATH"), ":") {
		if unix.Access(dir+"/"+path, unix.X_OK) == nil {
			return dir + "/" + path
		}
	}
	return ""
}

func TestKnownCallRunsNothing(t *testing.T) {
	f := newFixture(t)
	for _, name := range []string{"gcc", "clang"} {
		first := f.resolve(t, call(installed(t, name), "-c", "a.c"))
		before, reads := f.processes.Load(), f.files.reads.Load()
		second := f.resolve(t, call(installed(t, name), "-O2", "-c", "b.c"))
		if first != second {
			t.Errorf("%s: two Toolchains for one compiler", name)
		}
		f.restart()
		if third := f.resolve(t, call(installed(t, name), "-c", "a.c")); third.Digest != first.Digest {
			t.Errorf("%s: another identity after a restart", name)
		}
		if n := f.processes.Load() - before; n != 0 {
			t.Errorf("%s: %d processes", name, n)
		}
		if n := f.files.reads.Load() - reads; n != 0 {
			t.Errorf("%s: %d reads", name, n)
		}
	}
}

// TestOneChange changes one thing about a compiler and wants another identity on
// the very next call.
func TestOneChange(t *testing.T) {
	as := installed(t, "as")
	extend := func(t *testing.T, from, to string) {
		copyFile(t, from, to)
		f, err := os.OpenFile(to, os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := f.WriteString("x"); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		setUp  func(t *testing.T, dir string)
		call   func(dir string) *toolchains.Call
		change func(t *testing.T, dir string)
	}{
		"as first on PATH": {
			call:   func(dir string) *toolchains.Call { return withEnv(call("/usr/bin/gcc"), "PATH="+dir+":/usr/bin") },
			change: func(t *testing.T, dir string) { extend(t, as, dir+"/as") },
		},
		"as in a folder of PATH that did not exist": {
			call: func(dir string) *toolchains.Call {
				return withEnv(call("/usr/bin/gcc"), "PATH="+dir+"/a/b:/usr/bin")
			},
			change: func(t *testing.T, dir string) { extend(t, as, dir+"/a/b/as") },
		},
		"as in the working directory, empty PATH element": {
			call: func(dir string) *toolchains.Call {
				c := withEnv(call("/usr/bin/gcc"), "PATH=:/usr/bin")
				c.Dir = dir
				return c
			},
			change: func(t *testing.T, dir string) { extend(t, as, dir+"/as") },
		},
		"as in a relative PATH element": {
			call: func(dir string) *toolchains.Call {
				c := withEnv(call("/usr/bin/gcc"), "PATH=tools:/usr/bin")
				c.Dir = dir
				return c
			},
			change: func(t *testing.T, dir string) { extend(t, as, dir+"/tools/as") },
		},
		"as on PATH overwritten in place, same size": {
			setUp:  func(t *testing.T, dir string) { extend(t, as, dir+"/as") },
			call:   func(dir string) *toolchains.Call { return withEnv(call("/usr/bin/gcc"), "PATH="+dir+":/usr/bin") },
			change: func(t *testing.T, dir string) { flipLastByte(t, dir+"/as") },
		},
		"as on PATH removed": {
			setUp:  func(t *testing.T, dir string) { extend(t, as, dir+"/as") },
			call:   func(dir string) *toolchains.Call { return withEnv(call("/usr/bin/gcc"), "PATH="+dir+":/usr/bin") },
			change: func(t *testing.T, dir string) { remove(t, dir+"/as") },
		},
		"as on PATH becomes executable": {
			setUp: func(t *testing.T, dir string) {
				extend(t, as, dir+"/as")
				chmod(t, dir+"/as", 0o644)
			},
			call:   func(dir string) *toolchains.Call { return withEnv(call("/usr/bin/gcc"), "PATH="+dir+":/usr/bin") },
			change: func(t *testing.T, dir string) { chmod(t, dir+"/as", 0o755) },
		},
		"dangling link on PATH comes to life": {
			setUp:  func(t *testing.T, dir string) { link(t, dir+"/else/as", dir+"/bin/as") },
			call:   func(dir string) *toolchains.Call { return withEnv(call("/usr/bin/gcc"), "PATH="+dir+"/bin:/usr/bin") },
			change: func(t *testing.T, dir string) { extend(t, as, dir+"/else/as") },
		},
		"as below -B": {
			call:   func(dir string) *toolchains.Call { return call("/usr/bin/gcc", "-B"+dir+"/b/") },
			change: func(t *testing.T, dir string) { extend(t, as, dir+"/b/as") },
		},
		"folder of -B appears": {
			call:   func(dir string) *toolchains.Call { return call("/usr/bin/gcc", "-B"+dir+"/b") },
			change: func(t *testing.T, dir string) { extend(t, as, dir+"/b/as") },
		},
		"cc1 in COMPILER_PATH": {
			call:   func(dir string) *toolchains.Call { return withEnv(call("/usr/bin/gcc"), "COMPILER_PATH="+dir) },
			change: func(t *testing.T, dir string) { extend(t, as, dir+"/cc1") },
		},
		"as beside clang": {
			setUp:  func(t *testing.T, dir string) { copyFile(t, "/usr/bin/clang", dir+"/clang") },
			call:   func(dir string) *toolchains.Call { return withEnv(call(dir+"/clang"), "PATH=/none:/usr/bin") },
			change: func(t *testing.T, dir string) { extend(t, as, dir+"/as") },
		},
		"driver replaced under the same version": {
			setUp:  func(t *testing.T, dir string) { copyFile(t, "/usr/bin/gcc", dir+"/gcc") },
			call:   func(dir string) *toolchains.Call { return call(dir + "/gcc") },
			change: func(t *testing.T, dir string) { extend(t, "/usr/bin/gcc", dir+"/gcc") },
		},
		"driver's link changed": {
			setUp: func(t *testing.T, dir string) {
				copyFile(t, "/usr/bin/gcc", dir+"/one/gcc")
				extend(t, "/usr/bin/gcc", dir+"/two/gcc")
				link(t, dir+"/one/gcc", dir+"/gcc")
			},
			call: func(dir string) *toolchains.Call { return call(dir + "/gcc") },
			change: func(t *testing.T, dir string) {
				remove(t, dir+"/gcc")
				link(t, dir+"/two/gcc", dir+"/gcc")
			},
		},
		"cc1's library in LD_LIBRARY_PATH": {
			call:   func(dir string) *toolchains.Call { return withEnv(call("/usr/bin/gcc"), "LD_LIBRARY_PATH="+dir) },
			change: func(t *testing.T, dir string) { extend(t, "/lib/x86_64-linux-gnu/libisl.so.23", dir+"/libisl.so.23") },
		},
		"clang's library for some processors": {
			setUp: func(t *testing.T, dir string) { extend(t, "/lib/x86_64-linux-gnu/libffi.so.8", dir+"/libffi.so.8") },
			call:  func(dir string) *toolchains.Call { return withEnv(call("/usr/bin/clang"), "LD_LIBRARY_PATH="+dir) },
			change: func(t *testing.T, dir string) {
				copyFile(t, "/lib/x86_64-linux-gnu/libffi.so.8", dir+"/glibc-hwcaps/x86-64-v3/libffi.so.8")
			},
		},
		"preloaded library appears": {
			call: func(dir string) *toolchains.Call {
				return withEnv(call("/usr/bin/gcc"), "LD_PRELOAD="+dir+"/libz.so.1")
			},
			change: func(t *testing.T, dir string) { extend(t, "/lib/x86_64-linux-gnu/libz.so.1", dir+"/libz.so.1") },
		},
		"GCC installed for clang to choose": {
			setUp:  func(t *testing.T, dir string) { write(t, dir+"/lib/gcc/x86_64-linux-gnu/12/crtbegin.o", nil) },
			call:   func(dir string) *toolchains.Call { return call("/usr/bin/clang", "--gcc-toolchain="+dir) },
			change: func(t *testing.T, dir string) { write(t, dir+"/lib/gcc/x86_64-linux-gnu/13/crtbegin.o", nil) },
		},
		"configuration file of clang": {
			setUp: func(t *testing.T, dir string) { copyFile(t, "/usr/bin/clang", dir+"/x86_64-linux-gnu-clang") },
			call:  func(dir string) *toolchains.Call { return call(dir + "/x86_64-linux-gnu-clang") },
			change: func(t *testing.T, dir string) {
				write(t, dir+"/x86_64-linux-gnu-clang.cfg", []byte("# none\n--rtlib=compiler-rt\n"))
			},
		},
	} {
		for _, watched := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, watched %t", name, watched), func(t *testing.T) {
				dir := t.TempDir()
				if c.setUp != nil {
					c.setUp(t, dir)
				}
				f := newFixture(t)
				if watched {
					f.restartOver(watchedFiles())
				}
				before := f.resolve(t, c.call(dir))
				for range 5 { // then it is watched
					if again := f.resolve(t, c.call(dir)); again.Digest != before.Digest {
						t.Fatal("identity does not hold still")
					}
				}
				c.change(t, dir)
				if after := f.resolve(t, c.call(dir)); after.Digest == before.Digest {
					t.Error("same identity after the change")
				}
				f.restart()
				if after := f.resolve(t, c.call(dir)); after.Digest == before.Digest {
					t.Error("same identity after the change and a restart")
				}
			})
		}
	}
}

func flipLastByte(t *testing.T, path string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)-1] ^= 1
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Write(data); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

func chmod(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

// TestEqualContent wants one identity where only the place of an equal assembler
// or library differs.
func TestEqualContent(t *testing.T) {
	dir := t.TempDir()
	copyFile(t, installed(t, "as"), dir+"/as")
	f := newFixture(t)
	a := f.resolve(t, call("/usr/bin/gcc"))
	b := f.resolve(t, withEnv(call("/usr/bin/gcc"), "PATH="+dir+":/usr/bin", "HOME=/nowhere"))
	if a.Digest != b.Digest {
		t.Error("an equal assembler at another place makes another identity")
	}
}

// TestUnrelatedChange writes into every folder that was looked at, as a build does
// whose tools are on PATH, and wants the very same Toolchain without a process.
func TestUnrelatedChange(t *testing.T) {
	dir := t.TempDir()
	c := withEnv(call("/usr/bin/gcc", "-B"+dir+"/b/"), "PATH="+dir+"/bin:"+dir+"/later:/usr/bin",
		"COMPILER_PATH="+dir+"/c", "LD_LIBRARY_PATH="+dir+"/lib")
	for _, name := range []string{"/bin", "/later", "/lib"} {
		if err := os.MkdirAll(dir+name, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	f := newFixture(t)
	before := f.resolve(t, c)
	processes := f.processes.Load()
	for _, path := range []string{"/bin/protoc", "/later/moc", "/lib/libproto.so", "/other", "/b.o", "/c.o"} {
		write(t, dir+path, []byte("text"))
		if f.resolve(t, c).Digest != before.Digest {
			t.Errorf("%s: another identity", path)
		}
	}
	if f.resolve(t, c) != before {
		t.Error("the identity was made again")
	}
	if n := f.processes.Load() - processes; n != 0 {
		t.Errorf("%d processes", n)
	}
}

func TestHardLinkedDriversDiffer(t *testing.T) {
	dir := t.TempDir()
	copyFile(t, "/usr/bin/gcc", dir+"/gcc")
	if err := os.Link(dir+"/gcc", dir+"/g++"); err != nil {
		t.Fatal(err)
	}
	f := newFixture(t)
	c, cxx := f.resolve(t, call(dir+"/gcc")), f.resolve(t, call(dir+"/g++"))
	if c.Digest == cxx.Digest || c.CPlusPlus || !cxx.CPlusPlus {
		t.Errorf("gcc %v %v, g++ %v %v", c.Digest, c.CPlusPlus, cxx.Digest, cxx.CPlusPlus)
	}
}

// TestUnknownNameIsAskedOnce covers vendors' names.
func TestUnknownNameIsAskedOnce(t *testing.T) {
	dir := t.TempDir()
	copyFile(t, "/usr/bin/gcc", dir+"/vendorcc")
	copyFile(t, "/usr/bin/clang", dir+"/zigcc")
	f := newFixture(t)
	for name, family := range map[string]string{"vendorcc": "gcc", "zigcc": "clang"} {
		if tc := f.resolve(t, call(dir+"/"+name)); tc.Family != family {
			t.Errorf("%s is of family %s", name, tc.Family)
		}
	}
	before := f.processes.Load()
	f.restart()
	f.resolve(t, call(dir+"/vendorcc"))
	f.resolve(t, call(dir+"/zigcc"))
	if n := f.processes.Load() - before; n != 0 {
		t.Errorf("%d processes after a restart", n)
	}
}

func TestDamagedMemory(t *testing.T) {
	f := newFixture(t)
	want := f.resolve(t, call("/usr/bin/gcc")).Digest
	for _, damage := range [][]byte{nil, []byte("{"), []byte(`{"Family":""}`), []byte("\x00\x01"), []byte(`[]`)} {
		for key := range f.memory.values {
			f.memory.values[key] = damage
		}
		f.restart()
		if got := f.resolve(t, call("/usr/bin/gcc")).Digest; got != want {
			t.Errorf("%q: another identity", damage)
		}
	}
}

const script = "#!/bin/sh\necho started >>%s\n"

func TestStepsAside(t *testing.T) {
	dir := t.TempDir()
	started := dir + "/started"
	write(t, dir+"/script/gcc", []byte(strings.ReplaceAll(script, "%s", started)))
	write(t, dir+"/unknown-script", []byte(strings.ReplaceAll(script, "%s", started)))
	write(t, dir+"/text/clang", []byte("echo started >>"+started))
	write(t, dir+"/macho/clang", []byte("\xcf\xfa\xed\xfe and so on"))
	write(t, dir+"/empty/gcc", nil)
	link(t, "../../../../../../../../usr/bin/ccache", dir+"/masquerade/gcc")
	copyFile(t, installed(t, "ccache"), dir+"/copy/gcc")
	for _, name := range []string{"nvcc", "x86_64-linux-gnu-gfortran-12", "swiftc", "ispc", "clang-cl", "cl.exe", "rustc", "mytool", "distcc"} {
		copyFile(t, "/bin/true", dir+"/"+name)
	}
	link(t, dir+"/loop/b", dir+"/loop/gcc")
	link(t, dir+"/loop/gcc", dir+"/loop/b")
	link(t, dir+"/nowhere", dir+"/dangling/gcc")
	if err := os.MkdirAll(dir+"/folder/gcc", 0o755); err != nil {
		t.Fatal(err)
	}
	copyFile(t, "/bin/true", dir+"/true/gcc")
	specs, err := exec.Command("/usr/bin/gcc", "-dumpspecs").Output()
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir+"/b/specs", specs)
	write(t, dir+"/fake/as", []byte("#!/bin/sh\nexec as \"$@\"\n"))
	copyFile(t, "/usr/bin/clang", dir+"/cfg/x86_64-linux-gnu-clang")
	write(t, dir+"/cfg/x86_64-linux-gnu-clang.cfg", []byte("@more.cfg\n"))
	write(t, dir+"/cfg/more.cfg", []byte("-g\n"))
	f := newFixture(t)
	for _, c := range []struct {
		call   *toolchains.Call
		reason string
	}{
		{call(dir + "/script/gcc"), "compiler-is-script"},
		{call(dir + "/unknown-script"), "compiler-is-script"},
		{call("/usr/bin/c89-gcc"), "compiler-is-script"},
		{call(dir + "/text/clang"), "executable-format"},
		{call(dir + "/macho/clang"), "executable-format"},
		{call(dir + "/empty/gcc"), "executable-format"},
		{call(dir + "/masquerade/gcc"), "other-wrapper"},
		{call(dir + "/copy/gcc"), "other-wrapper"},
		{call(dir + "/distcc"), "other-wrapper"},
		{call(dir + "/nvcc"), "nvcc"},
		{call(dir + "/x86_64-linux-gnu-gfortran-12"), "fortran"},
		{call(dir + "/swiftc"), "swift"},
		{call(dir + "/ispc"), "ispc"},
		{call(dir + "/clang-cl"), "not-a-compiler"},
		{call(dir + "/cl.exe"), "not-a-compiler"},
		{call(dir + "/mytool"), "not-a-compiler"},
		{call("/usr/bin/make"), "not-a-compiler"},
		{call("/usr/bin/ld"), "not-a-compiler"},
		{call("/usr/bin/clang-cpp-14"), "not-a-compiler"},
		{call(dir + "/true/gcc"), "not-a-compiler"},
		{call(dir + "/loop/gcc"), "compiler-unreadable"},
		{call(dir + "/dangling/gcc"), "compiler-unreadable"},
		{call(dir + "/folder/gcc"), "compiler-unreadable"},
		{call(dir + "/none"), "compiler-unreadable"},
		{call("gcc"), "compiler-unreadable"},
		{call("/usr/bin/gcc", "-B"+dir+"/b/"), "specs-file"},
		{withEnv(call("/usr/bin/gcc"), "PATH="+dir+"/fake:/usr/bin"), "subprogram-is-script"},
		{call(dir + "/cfg/x86_64-linux-gnu-clang"), "clang-config"},
		{call("/usr/bin/gcc", "@/nonexistent"), "response-file"},
		{withEnv(call("/usr/bin/gcc"), "LD_PRELOAD=/$PLATFORM/x.so"), "compiler-libraries"},
	} {
		for range 2 {
			if got := f.reason(t, c.call); got != c.reason {
				t.Errorf("%s %v: reason %q, want %q", c.call.Program, c.call.Argv[1:], got, c.reason)
			}
		}
	}
	if _, err := os.Stat(started); err == nil {
		t.Error("a script was run")
	}
}

// TestNothingElseIsRun wants no process for what is clearly no driver.
func TestNothingElseIsRun(t *testing.T) {
	f := newFixture(t)
	for _, path := range []string{"/bin/true", "/usr/bin/make", "/usr/bin/ld", "/usr/bin/c89-gcc", "/usr/bin/ccache"} {
		f.reason(t, call(path))
	}
	if n := f.processes.Load(); n != 0 {
		t.Errorf("%d processes", n)
	}
}

func TestWrapperInDisguise(t *testing.T) {
	dir := t.TempDir()
	source := `#include <unistd.h>
int main(int c, char **v) { v[0] = "/usr/bin/NAME"; /* -fsyntax-only */ execv(v[0], v); return 1; }`
	f := newFixture(t)
	for _, name := range []string{"gcc", "clang"} {
		write(t, dir+"/"+name+".c", []byte(strings.ReplaceAll(source, "NAME", name)))
		if out, err := exec.Command("gcc", "-o", dir+"/"+name, dir+"/"+name+".c").CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		if got := f.reason(t, call(dir+"/"+name)); got != "other-wrapper" {
			t.Errorf("%s: reason %q", name, got)
		}
	}
}

func TestRecoversAfterAStepAside(t *testing.T) {
	path := t.TempDir() + "/gcc"
	f := newFixture(t)
	if got := f.reason(t, call(path)); got != "compiler-unreadable" {
		t.Errorf("absent: reason %q", got)
	}
	write(t, path, []byte("#!/bin/sh\n"))
	if got := f.reason(t, call(path)); got != "compiler-is-script" {
		t.Errorf("script: reason %q", got)
	}
	copyFile(t, "/usr/bin/gcc", path)
	f.resolve(t, call(path))
}

// TestChangesWhileBeingRead covers a driver that goes away, or changes, between
// the look and the read.
func TestChangesWhileBeingRead(t *testing.T) {
	dir := t.TempDir()
	path := dir + "/gcc"
	copyFile(t, "/usr/bin/gcc", path)
	f := newFixture(t)
	f.files = newTestFiles()
	f.restart()
	once := sync.OnceFunc(func() { remove(t, path) })
	f.files.onRead = func(read string) {
		if read == path {
			once()
		}
	}
	if got := f.reason(t, call(path)); got != "compiler-unreadable" {
		t.Errorf("deleted: reason %q", got)
	}
	copyFile(t, "/usr/bin/gcc", path)
	n := 0
	f.files.onRead = func(read string) {
		if n++; read == path {
			write(t, path, append([]byte("\x7fELF"), byte(n>>8), byte(n)))
		}
	}
	if got := f.reason(t, call(path)); got == "" {
		t.Error("no reason for a driver that never holds still")
	}
	f.files.onRead = nil
	copyFile(t, "/usr/bin/gcc", path)
	f.resolve(t, call(path))
	f.files.failing = map[string]error{path: os.ErrPermission}
	flipLastByte(t, path)
	if got := f.reason(t, call(path)); got != "compiler-unreadable" {
		t.Errorf("unreadable: reason %q", got)
	}
}

func TestConcurrentFirstCalls(t *testing.T) {
	f := newFixture(t)
	f.resolve(t, call("/usr/bin/gcc")) // reads the files once
	f.memory = newTestMemory()
	f.restart()
	before := f.processes.Load()
	var group sync.WaitGroup
	digests := make([]digest.Digest, 32)
	for i := range digests {
		group.Go(func() {
			if tc, err := f.Resolve(t.Context(), call("/usr/bin/gcc")); err == nil {
				digests[i] = tc.Digest
			}
		})
	}
	group.Wait()
	for _, d := range digests {
		if d != digests[0] || d.IsZero() {
			t.Fatalf("identities differ: %v", digests)
		}
	}
	if n := f.processes.Load() - before; n > 3 {
		t.Errorf("%d processes for one compiler", n)
	}
}

func TestEndOfContext(t *testing.T) {
	f := newFixture(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.Resolve(ctx, call("/usr/bin/gcc")); err == nil {
		return // the answer came first
	} else if _, _, unsupported := toolchains.ReasonOf(err); unsupported {
		t.Errorf("err = %v, want the context's", err)
	}
}

func TestNative(t *testing.T) {
	f := newFixture(t)
	for _, name := range []string{"gcc", "clang"} {
		tc := f.resolve(t, call(installed(t, name)))
		before := f.processes.Load()
		native := func(args ...string) string {
			t.Helper()
			options, err := f.Native(t.Context(), tc, args)
			if err != nil {
				t.Fatal(err)
			}
			return options
		}
		first := native("-O2", "-march=native", "-c", "x.c")
		if !strings.Contains(first, "-march=") && !strings.Contains(first, "-target-cpu") || strings.Contains(first, "native") {
			t.Errorf("%s: %q", name, first)
		}
		if again := native("-march=native", "-g"); again != first {
			t.Errorf("%s: %q after %q", name, again, first)
		}
		if n := f.processes.Load() - before; n != 1 {
			t.Errorf("%s: %d processes", name, n)
		}
		if other := native("-march=native", "-mno-sse3"); other == first {
			t.Errorf("%s: -mno-sse3 changes nothing", name)
		}
		f.restart()
		before = f.processes.Load()
		if kept := native("-march=native"); kept != first || f.processes.Load() != before {
			t.Errorf("%s: asked again after a restart", name)
		}
	}
	for _, program := range []string{"/nonexistent/gcc", "/bin/true", "/bin/false"} {
		gone := &toolchains.Toolchain{Program: program}
		if options, err := f.Native(t.Context(), gone, []string{"-march=native"}); err == nil {
			t.Errorf("%s: no error, options %q", program, options)
		}
	}
	for word, want := range map[string]bool{
		"-march=native": true, "-mtune=native": true, "-mcpu=native": true, "-march=haswell": false, "-mnative": false,
	} {
		if got := toolchains.IsNative(word); got != want {
			t.Errorf("IsNative(%q) = %v", word, got)
		}
	}
}
