//go:build linux

package toolchains_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/rexwrap/rexwrap/toolchains"
)

// debianRust is where Debian puts its rustc, which no proxy stands before.
const debianRust = "/usr/bin/rustc"

// TestResolveRust resolves the installed rustc.
func TestResolveRust(t *testing.T) {
	f := newFixture(t)
	tc := f.resolve(t, call(debianRust))
	has := func(part string) bool {
		return slices.ContainsFunc(tc.Programs, func(p toolchains.Program) bool {
			return strings.Contains(p.Name, part) && !p.Digest.IsZero()
		})
	}
	for _, part := range []string{"librustc_driver-", "libLLVM", "/lib/libstd-", "/lib/libcore-"} {
		if !has(part) {
			t.Errorf("no %s among %d programs", part, len(tc.Programs))
		}
	}
	if tc.Family != "rustc" || tc.Sysroot != "/usr" || tc.Version == "" || !strings.Contains(tc.Target, "linux") {
		t.Errorf("%+v", tc)
	}
	before := f.processes.Load()
	f.restart()
	again := f.resolve(t, withEnv(call(debianRust), "LD_LIBRARY_PATH=/nowhere"))
	if again.Digest != tc.Digest || f.processes.Load() != before {
		t.Errorf("%v after %d runs, want the same toolchain without any", again.Digest, f.processes.Load()-before)
	}
}

// TestResolveLinker checks that the linker that cc would run is part of what it is.
func TestResolveLinker(t *testing.T) {
	f := newFixture(t)
	resolve := func(c *toolchains.Call) *toolchains.Toolchain {
		t.Helper()
		tc, err := f.ResolveLinker(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		return tc
	}
	cc := installed(t, "cc")
	plain := resolve(call(cc))
	if program(plain, "ld") == nil || len(plain.LibraryDirs) == 0 {
		t.Errorf("%+v", plain)
	}
	dir := t.TempDir()
	copyFile(t, "/bin/true", dir+"/ld")
	if err := os.Chmod(dir+"/ld", 0o777); err != nil {
		t.Fatal(err)
	}
	if other := resolve(withEnv(call(cc), "COMPILER_PATH="+dir)); other.Digest == plain.Digest {
		t.Error("another ld is the same linker")
	}
	if compiler := f.resolve(t, call(cc)); compiler.Digest == plain.Digest {
		t.Error("a compiler is no linker")
	}
}
