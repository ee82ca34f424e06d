//go:build linux

package shipped

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/rexwrap/rexwrap/integration/rig"
)

// TestNames calls compilers by the names that installations give them, and for other
// machines than the usual one: what can be sent is, all else is made here and says why.
func TestNames(t *testing.T) {
	require(t, "ccache")
	f := newBare(t)
	for _, c := range []struct {
		name   string
		argv   []string
		reason string // empty where a worker compiles
		long   bool
	}{
		{name: "farm of links", argv: []string{f.farm("gcc", "gcc"), "-g"}},
		{name: "farm with a name of its own", argv: []string{f.farm("x86_64-farm-linux-gcc-12", "gcc"), "-g"}},
		{name: "link to a link", argv: []string{f.farm("cc", f.farm("mine/gcc", "gcc"))}},
		{name: "farm of clang", argv: []string{f.farm("clang", "clang"), "-g"}, long: true},
		{name: "farm of ccache", argv: []string{"/usr/lib/ccache/gcc"}, reason: "other-wrapper"},
		{name: "farm of ccache by another name", argv: []string{f.farm("gcc-12", "ccache")}, reason: "other-wrapper"},
		{name: "script that passes all on", argv: []string{f.script("spack/bin/gcc", "exec /usr/bin/gcc -fno-plt \"$@\"\n"), "-g"}},
		{name: "script that does more", argv: []string{f.script("nix/bin/gcc", "NIX_CFLAGS=-Wall\nexec gcc $NIX_CFLAGS \"$@\"\n")}, reason: "compiler-is-script"},
		{name: "32 bits", argv: []string{"gcc", "-m32", "-g"}},
		{name: "x32", argv: []string{"gcc", "-mx32", "-g"}, long: true},
		{name: "32 bits of clang", argv: []string{"clang", "-m32", "-g"}, long: true},
		{name: "another machine of clang", argv: []string{"clang", "--target=aarch64-linux-gnu", "-g"}, long: true},
		{name: "cross compiler", argv: []string{"aarch64-linux-gnu-gcc", "-g"}, long: true},
		{name: "link to a cross compiler", argv: []string{f.farm("aarch64-linux-gnu-gcc", "aarch64-linux-gnu-gcc"), "-g"}, long: true},
	} {
		if c.long && !rig.Long() {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			f.t = t
			if c.reason == "" {
				f.warm(c.argv...)
			}
			s := f.compile(append(c.argv, "-O2", "-ffreestanding", "-c", "x.c")...)
			if c.reason == "" && s.Remotely != 1 || c.reason != "" && s.Reasons[c.reason] != 1 {
				t.Errorf("%+v", s)
			}
		})
	}
}

// farm makes a link to a compiler in a folder beside the sources, and returns its path.
func (f *files) farm(name, compiler string) string {
	f.t.Helper()
	program, err := exec.LookPath(compiler)
	if err != nil {
		f.t.Fatal(err)
	}
	return f.place(name, func(path string) error { return os.Symlink(program, path) })
}

// script makes a script for the shell, and returns its path.
func (f *files) script(name, text string) string {
	f.t.Helper()
	return f.place(name, func(path string) error { return os.WriteFile(path, []byte("#!/bin/sh\n"+text), 0o755) })
}

func (f *files) place(name string, make func(path string) error) string {
	f.t.Helper()
	path := filepath.Join(f.dir, "farm", name)
	err := os.MkdirAll(filepath.Dir(path), 0o755)
	if err == nil {
		err = make(path)
	}
	if err != nil {
		f.t.Fatal(err)
	}
	return path
}

// TestCrates has crates of kinds that cargo seldom asks for made: each by a worker, or
// here with a reason.
func TestCrates(t *testing.T) {
	const rustc, clippy = "/usr/bin/rustc", "/usr/bin/clippy-driver"
	require(t, rustc)
	require(t, clippy)
	f := newBare(t)
	f.rig.Set = append(f.rig.Set, "PATH="+f.rig.Bin+":/usr/bin:/bin")
	if err := os.WriteFile(filepath.Join(f.dir, "x.rs"), []byte("pub fn f(x: u32) -> String { x.to_string() }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(f.dir, "p.rs"), []byte("fn main() { println!(\"p\"); }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, made string
		argv       []string
		reason     string // empty where a worker compiles
		long       bool   // sends some hundred megabytes
	}{
		{name: "library", made: "libx.rlib", argv: []string{rustc, "--crate-type=lib", "--emit=link", "x.rs"}, long: true},
		{name: "for wasm", made: "libx.rlib", argv: []string{rustc, "--target=wasm32-unknown-unknown", "--crate-type=lib", "--emit=link", "x.rs"}, long: true},
		{name: "program", made: "x", argv: []string{rustc, "--crate-type=bin", "--emit=link", "p.rs"}, long: true},
		{name: "dylib", made: "libx.so", argv: []string{rustc, "--crate-type=dylib", "-Cprefer-dynamic", "--emit=link", "x.rs"}, reason: "remote-unproven", long: true},
		{name: "clippy", made: "libx.rmeta", argv: []string{clippy, "--crate-type=lib", "--emit=metadata", "x.rs"}, reason: "pack-family"},
		{name: "clang links", made: "x", argv: []string{rustc, "--crate-type=bin", "-Clinker=clang", "--emit=link", "p.rs"}, reason: "pack-linker"},
	} {
		if c.long && !rig.Long() {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			f.t = t
			argv := append(c.argv, "--crate-name=x", "--out-dir=.")
			if c.reason == "" {
				f.until(func(i int) bool {
					return f.both(c.made, identity(), append(argv, fmt.Sprint("--cfg=warm", i))...).Remotely > 0
				})
			}
			s := f.both(c.made, identity(), append(argv, "-Cdebuginfo=2")...)
			if c.reason == "" && s.Remotely != 1 || c.reason != "" && s.Reasons[c.reason] != 1 {
				t.Errorf("%+v", s)
			}
		})
	}
}

// identity is what rustc is told besides where there is a remote.
func identity() []string { return []string{"--remap-path-prefix=/=/"} }
