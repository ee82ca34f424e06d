package pack_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/localserver/localexec"
	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/pack"
)

type readFiles struct{}

func (readFiles) Digest(path string) (digest.Digest, error) {
	data, err := os.ReadFile(path)
	return digest.Of(data), err
}

// resolve returns the installed toolchain of a name.
func resolve(t *testing.T, name string) *toolchains.Toolchain {
	t.Helper()
	program, err := exec.LookPath(name)
	if err != nil {
		t.Fatal(err)
	}
	r := toolchains.NewResolver(readFiles{}, localexec.Runner(localexec.Limits{}), toolchains.Forgetful{})
	tc, err := r.Resolve(context.Background(), &toolchains.Call{
		Program: program, Argv: []string{name, "-c", "x.c"}, Dir: t.TempDir(), Env: []string{"PATH=" + os.Getenv("PATH")},
	})
	if err != nil {
		t.Fatal(err)
	}
	return tc
}

// build compiles a Go program of this module, statically.
func build(t *testing.T, pkg string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), filepath.Base(pkg))
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", out, pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return out
}

func launcher(t *testing.T) pack.Launcher {
	t.Helper()
	data, err := os.ReadFile(build(t, "../../cmd/rexlaunch"))
	if err != nil {
		t.Fatal(err)
	}
	return pack.Launcher{Data: data}
}

// lay writes the files of p below dir.
func lay(t *testing.T, p *pack.Pack, dir string) {
	t.Helper()
	for _, e := range p.Entries {
		data := e.Data
		if e.Source != "" {
			var err error
			if data, err = os.ReadFile(e.Source); err != nil {
				t.Fatal(err)
			}
		}
		if digest.Of(data) != e.Digest {
			t.Fatalf("%s has another digest", e.Path)
		}
		mode := os.FileMode(0o644)
		if e.Executable {
			mode = 0o755
		}
		path := filepath.Join(dir, e.Path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, mode); err != nil {
			t.Fatal(err)
		}
	}
}

// confined runs a command in a mount namespace that holds nothing but /proc,
// /dev/null and root, at the place at. dir is relative to root.
func confined(t *testing.T, root, at, dir string, argv ...string) error {
	t.Helper()
	const script = `set -e
base=$1 at=$2 root=$3 dir=$4
shift 4
mount -t tmpfs none "$base"
mkdir -p "$base/proc" "$base/dev" "$base/tmp" "$base$at"
touch "$base/dev/null"
mount --bind /dev/null "$base/dev/null"
mount --rbind /proc "$base/proc"
mount --bind "$root" "$base$at"
exec env -i LC_ALL=C PATH=/dev/null PWD=/proc/self/cwd "$(command -v unshare)" --root="$base" --wd="$at/$dir" "$@"
`
	args := append([]string{"--map-root-user", "--mount", "sh", "-c", script, "sh", t.TempDir(), at, root, dir}, argv...)
	out, err := exec.Command("unshare", args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	return nil
}

// TestElsewhere compiles with packed toolchains where nothing else is, at two
// places, and compares the objects with those made here.
func TestElsewhere(t *testing.T) {
	l := launcher(t)
	for _, c := range []struct {
		compiler, language, source, text string
		flags                            []string
		most                             int64
	}{
		{"gcc", "c", "x.i", "int f(int x) { return x * 3; }\n", []string{"-g", "-O2"}, 70 << 20},
		{"gcc", "c", "x.i", "int f(int x) { return x * 3; }\n", []string{"-g", "-gsplit-dwarf"}, 70 << 20},
		{"gcc", "assembler", "x.s", ".long 7\n", nil, 20 << 20},
		{"g++", "c++", "x.ii", "template<class T> T f(T x) { return x; } int g() { return f(2); }\n", []string{"-O2"}, 80 << 20},
		{"clang", "c", "x.i", "int f(int x) { return x * 3; }\n", []string{"-g", "-O2"}, 260 << 20},
		{"clang++", "c++", "x.ii", "int g() { return 1; }\n", []string{"-fno-integrated-as"}, 260 << 20},
	} {
		t.Run(strings.Join(append([]string{c.compiler, c.language}, c.flags...), " "), func(t *testing.T) {
			tc := resolve(t, c.compiler)
			p, err := pack.New(tc, c.language, l, readFiles{})
			if err != nil {
				t.Fatal(err)
			}
			if p.Size() > c.most {
				t.Errorf("%d bytes, at most %d wanted", p.Size(), c.most)
			}
			root := t.TempDir()
			lay(t, p, filepath.Join(root, "pack"))
			src := filepath.Join(root, "src")
			if err := os.Mkdir(src, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(src, c.source), []byte(c.text), 0o644); err != nil {
				t.Fatal(err)
			}
			args := append(slices.Clone(c.flags), "-c", c.source, "-o", "x.o")
			local := exec.Command(tc.Program, args...)
			local.Dir = src
			local.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "PWD=/proc/self/cwd"}
			if text, err := local.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
			want := outputs(t, src)
			for _, at := range []string{"/w/one", "/another/place/of/it"} {
				if err := confined(t, root, at, "src", slices.Concat([]string{"../pack/" + p.Driver}, p.Arguments, args)...); err != nil {
					t.Fatal(err)
				}
				for name, data := range outputs(t, src) {
					if !bytes.Equal(data, want[name]) {
						t.Errorf("%s made at %s differs", name, at)
					}
				}
			}
		})
	}
}

// outputs takes the files that a compile left out of dir.
func outputs(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	for _, name := range []string{"x.o", "x.dwo"} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			continue
		}
		out[name] = data
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if len(out["x.o"]) == 0 {
		t.Fatal("no object was made")
	}
	return out
}

func TestReasons(t *testing.T) {
	tc := resolve(t, "gcc")
	l := pack.Launcher{Data: []byte("launcher")}
	for _, c := range []struct {
		reason string
		change func(*toolchains.Toolchain)
	}{
		{"pack-family", func(tc *toolchains.Toolchain) { tc.Family = "other" }},
		{"pack-layout", func(tc *toolchains.Toolchain) { drop(tc, "cc1", "cc1plus") }},
		{"pack-library", func(tc *toolchains.Toolchain) { drop(tc, "libc.so.6") }},
		{"pack-unreadable", func(tc *toolchains.Toolchain) { tc.Programs[0].Digest = digest.OfString("changed") }},
		{"pack-loader", func(tc *toolchains.Toolchain) { withOldLoader(t, tc) }},
	} {
		t.Run(c.reason, func(t *testing.T) {
			changed := *tc
			changed.Programs = slices.Clone(tc.Programs)
			c.change(&changed)
			_, err := pack.New(&changed, "c", l, readFiles{})
			if reason, _, _ := toolchains.ReasonOf(err); reason != c.reason {
				t.Errorf("got %v", err)
			}
		})
	}
}

// withOldLoader gives a toolchain a loader that does not know --argv0.
func withOldLoader(t *testing.T, tc *toolchains.Toolchain) {
	t.Helper()
	i := slices.IndexFunc(tc.Programs, func(p toolchains.Program) bool { return strings.HasPrefix(p.Name, "ld-linux") })
	text, err := os.ReadFile(tc.Programs[i].Path)
	if err != nil {
		t.Fatal(err)
	}
	text = bytes.ReplaceAll(text, []byte("--argv0"), []byte("--argvO"))
	tc.Programs[i].Path = filepath.Join(t.TempDir(), "ld.so")
	if err := os.WriteFile(tc.Programs[i].Path, text, 0o700); err != nil {
		t.Fatal(err)
	}
	tc.Programs[i].Digest = digest.Of(text)
}

func drop(tc *toolchains.Toolchain, names ...string) {
	tc.Programs = slices.DeleteFunc(tc.Programs, func(p toolchains.Program) bool { return slices.Contains(names, p.Name) })
}

// TestSame makes sure that a pack is the same each time: its digest stands in
// every Action.
func TestSame(t *testing.T) {
	tc := resolve(t, "gcc")
	l := pack.Launcher{Data: []byte("launcher")}
	first, err := pack.New(tc, "c", l, readFiles{})
	if err != nil {
		t.Fatal(err)
	}
	second, err := pack.New(tc, "c", l, readFiles{})
	if err != nil {
		t.Fatal(err)
	}
	equal := func(a, b pack.Entry) bool {
		return a.Path == b.Path && a.Digest == b.Digest && a.Executable == b.Executable && a.For == b.For
	}
	if !slices.EqualFunc(first.Entries, second.Entries, equal) {
		t.Error("two packs of one toolchain differ")
	}
	for _, e := range first.Entries {
		if e.For == "" {
			t.Errorf("nobody needs %s", e.Path)
		}
	}
}

// TestRpath packs a driver with a DT_RPATH, as spack makes them, and a library that
// has one: elsewhere they lead to other libraries, which must not be loaded.
func TestRpath(t *testing.T) {
	dir := t.TempDir()
	shell(t, dir, `mkdir here there
echo 'int b(void) { return 1; }' >b.c
echo 'int b(void); int a(void) { return b(); }' >a.c
echo 'int a(void); int main(void) { return a(); }' >m.c
rpath="-Wl,--disable-new-dtags,-rpath,$PWD/there"
gcc -shared -fPIC -o there/libb.so b.c
gcc -shared -fPIC -o there/liba.so a.c "$rpath" -Lthere -lb
gcc -o there/driver m.c "$rpath" -Lthere -la -lb`)
	programs := []toolchains.Program{
		{Name: "driver", Path: filepath.Join(dir, "there/driver")},
		{Name: "liba.so", Path: filepath.Join(dir, "there/liba.so")},
		{Name: "libb.so", Path: filepath.Join(dir, "there/libb.so")},
	}
	for _, p := range resolve(t, "gcc").Programs {
		if p.Name == "libc.so.6" || strings.HasPrefix(p.Name, "ld-linux") {
			programs = append(programs, p)
		}
	}
	for i := range programs {
		programs[i].Digest, _ = readFiles{}.Digest(programs[i].Path)
	}
	tc := &toolchains.Toolchain{Family: "clang", Program: programs[0].Path, Real: programs[0].Path, Programs: programs}
	p, err := pack.New(tc, "c", launcher(t), readFiles{})
	if err != nil {
		t.Fatal(err)
	}
	lay(t, p, filepath.Join(dir, "pack"))
	shell(t, dir, `echo 'int b(void) { return 7; }' >b.c
gcc -shared -fPIC -o there/libb.so b.c
cp there/libb.so there/liba.so # has no a
! there/driver 2>/dev/null
code=0
pack/`+p.Driver+` || code=$?
test $code = 1`)
}

func shell(t *testing.T, dir, script string) {
	t.Helper()
	cmd := exec.Command("sh", "-ec", script)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}
