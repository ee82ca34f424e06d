package pack_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/localserver/localexec"
	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/pack"
	"github.com/rexwrap/rexwrap/toolchains/pack/launch"
)

// rust returns Debian's rustc, which no proxy stands before, and what links for it.
func rust(t *testing.T) (tc, linker *toolchains.Toolchain) {
	t.Helper()
	r := toolchains.NewResolver(readFiles{}, localexec.Runner(localexec.Limits{}), toolchains.Forgetful{})
	env := []string{"PATH=/usr/bin:/bin"}
	tc, err := r.Resolve(context.Background(), &toolchains.Call{Program: "/usr/bin/rustc", Argv: []string{"rustc"}, Dir: t.TempDir(), Env: env})
	if err == nil {
		linker, err = r.ResolveLinker(context.Background(), &toolchains.Call{Program: "/usr/bin/cc", Argv: []string{"cc"}, Dir: t.TempDir(), Env: env})
	}
	if err != nil {
		t.Fatal(err)
	}
	return tc, linker
}

// TestRust tries packs of a rustc, which is read once for all.
func TestRust(t *testing.T) {
	tc, linker := rust(t)
	for name, check := range map[string]func(t *testing.T, tc, linker *toolchains.Toolchain){
		"Elsewhere": rustElsewhere, "Root": rustRoot, "Reasons": rustReasons,
	} {
		t.Run(name, func(t *testing.T) { check(t, tc, linker) })
	}
}

// rustElsewhere links a program where nothing else is, at two places, with the
// files of the system in a folder of their own, and compares it with one that was
// made here.
func rustElsewhere(t *testing.T, tc, linker *toolchains.Toolchain) {
	p, err := pack.NewRust(tc, linker, "", launcher(t), readFiles{})
	if err != nil {
		t.Fatal(err)
	}
	if most := int64(540 << 20); p.Size() > most {
		t.Errorf("%d bytes, at most %d wanted", p.Size(), most)
	}
	root := t.TempDir()
	lay(t, p, filepath.Join(root, "pack"))
	src := filepath.Join(root, "src")
	if err := os.Mkdir(src, 0o755); err != nil {
		t.Fatal(err)
	}
	text := "fn main() { println!(\"{}\", std::env::args().count()); }\n"
	if err := os.WriteFile(filepath.Join(src, "x.rs"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	args := []string{"-g", "-O", "-C", "link-arg=-Wl,--dependency-file=list", "--remap-path-prefix=/=/", "x.rs", "-o", "x.o"}
	local := exec.Command("/usr/bin/rustc", append(slices.Clone(args), "--remap-path-prefix="+src+"=/here")...)
	local.Dir, local.Env = src, []string{"PATH=/usr/bin:/bin"}
	if text, err := local.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	gcc := linkedFiles(t, filepath.Join(src, "list"), filepath.Join(root, "system"))
	want := outputs(t, src)["x.o"]
	for _, at := range []string{"/w/one", "/another/place/of/it"} {
		argv := slices.Concat([]string{
			"../pack/" + launch.HereName, "/here", "where", "--remap-path-prefix=", "../pack/" + p.Driver, "--sysroot=../pack",
			"-C", "linker=/proc/self/cwd/../pack/" + p.Linker, "-C", "link-arg=--sysroot=../system", "-C", "link-arg=-B../system" + gcc + "/",
		}, args)
		if err := confined(t, root, at, "src", argv...); err != nil {
			t.Fatal(err)
		}
		if where, err := os.ReadFile(filepath.Join(src, "where")); err != nil || string(where) != at+"/src\n" {
			t.Errorf("it is at %q, %v", where, err)
		}
		if !bytes.Equal(outputs(t, src)["x.o"], want) {
			t.Errorf("the program made at %s differs", at)
		}
	}
}

// linkedFiles copies the system's files of a linker's list below dir, and returns
// the folder of gcc's own.
func linkedFiles(t *testing.T, list, dir string) (gcc string) {
	t.Helper()
	text, err := os.ReadFile(list)
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(text) {
		path, listed := bytes.CutSuffix(bytes.TrimSpace(line), []byte(":"))
		if !listed || !filepath.IsAbs(string(path)) {
			continue
		}
		name := filepath.Clean(string(path))
		data, err := os.ReadFile(name)
		if err != nil {
			continue // removed by rustc
		}
		if filepath.Base(name) == "libgcc.a" {
			gcc = filepath.Dir(name)
		}
		to := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return gcc
}

// rustRoot checks that all is where it is here, once.
func rustRoot(t *testing.T, tc, linker *toolchains.Toolchain) {
	p, err := pack.NewRustRoot(tc, linker, "", readFiles{})
	if err != nil {
		t.Fatal(err)
	}
	if !p.Root || p.Driver != "usr/bin/rustc" || p.Linker != "usr/bin/cc" || p.LinkedBy != linker.Digest || len(p.LibraryDirs) == 0 {
		t.Errorf("driver %s, linker %s, libraries in %q", p.Driver, p.Linker, p.LibraryDirs)
	}
	paths := map[string]bool{}
	for _, e := range p.Entries {
		if info, err := os.Stat("/" + e.Path); err != nil || info.Size() != e.Digest.Size || paths[e.Path] {
			t.Errorf("%s: %v", e.Path, err)
		}
		paths[e.Path] = true
	}
	for _, name := range []string{"usr/bin/ld", "lib64/ld-linux-x86-64.so.2", "usr/lib/gcc/x86_64-linux-gnu/12/collect2"} {
		if !paths[name] {
			t.Errorf("no %s", name)
		}
	}
}

func rustReasons(t *testing.T, tc, linker *toolchains.Toolchain) {
	l := pack.Launcher{Data: []byte("launcher")}
	for _, c := range []struct {
		reason, target string
		change         func(tc, linker *toolchains.Toolchain)
	}{
		{"pack-family", "", func(tc, _ *toolchains.Toolchain) { tc.Family = "gcc" }},
		{"pack-linker", "", func(_, linker *toolchains.Toolchain) { linker.Family = "clang" }},
		{"pack-layout", "", func(_, linker *toolchains.Toolchain) { drop(linker, "collect2") }},
		{"pack-layout", "mips-unknown-linux-gnu", func(_, _ *toolchains.Toolchain) {}},
		{"pack-library", "", func(_, linker *toolchains.Toolchain) { drop(linker, "libctf.so.0") }},
		{"pack-unreadable", "", func(tc, _ *toolchains.Toolchain) {
			i := slices.IndexFunc(tc.Programs, func(p toolchains.Program) bool { return p.Name == "rustc" })
			tc.Programs[i].Digest = digest.OfString("changed")
		}},
	} {
		t.Run(c.reason+c.target, func(t *testing.T) {
			rustc, ld := *tc, *linker
			rustc.Programs, ld.Programs = slices.Clone(tc.Programs), slices.Clone(linker.Programs)
			c.change(&rustc, &ld)
			_, err := pack.NewRust(&rustc, &ld, c.target, l, readFiles{})
			if reason, _, _ := toolchains.ReasonOf(err); reason != c.reason {
				t.Errorf("got %v", err)
			}
		})
	}
}
