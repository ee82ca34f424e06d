package pdbtest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Tools are clang-cl, lld-link, llvm-lib and llvm-pdbutil.
type Tools struct{ clang, link, lib, pdbutil string }

// FindTools returns the tools. Without them the test is skipped, or fails where all tools
// are promised.
func FindTools(t testing.TB) *Tools {
	t.Helper()
	return &Tools{
		clang: find(t, "clang-cl"), link: find(t, "lld-link"),
		lib: find(t, "llvm-lib"), pdbutil: find(t, "llvm-pdbutil"),
	}
}

func find(t testing.TB, name string) string {
	t.Helper()
	for _, candidate := range []string{name, name + "-14"} {
		if path, err := exec.LookPath(candidate); err == nil {
			return path
		}
	}
	if os.Getenv("REXWRAP_TEST_ALL_TOOLS") != "" {
		t.Fatalf("%s is not installed", name)
	}
	t.Skipf("%s is not installed", name)
	return ""
}

// Compile compiles source, a file name in dir, with /Z7 and without a run-time library,
// and returns the object.
func (x *Tools) Compile(t testing.TB, dir, source string, flags ...string) []byte {
	t.Helper()
	object := filepath.Join(t.TempDir(), "x.obj")
	args := append([]string{
		"--target=x86_64-pc-windows-msvc", "/nologo", "/c", "/Z7", "/GS-", "/GR-", "/Brepro",
		"/Zc:threadSafeInit-", "/Fo" + object,
	}, flags...)
	Run(t, dir, x.clang, append(args, source)...)
	data, err := os.ReadFile(object)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// Link links objects in dir, where it leaves t.exe and t.pdb, and returns both. What
// lld-link warns of fails the test.
func (x *Tools) Link(t testing.TB, dir string, args ...string) (exe, debug []byte) {
	t.Helper()
	x.LinkWarns(t, dir, append([]string{"-WX"}, args...)...)
	return Read(t, dir, "t.exe"), Read(t, dir, "t.pdb")
}

// LinkWarns links as Link does, warnings allowed, and returns what lld-link says.
func (x *Tools) LinkWarns(t testing.TB, dir string, args ...string) string {
	t.Helper()
	fixed := []string{"-entry:main", "-subsystem:console", "-nodefaultlib", "-Brepro", "-out:t.exe", "-pdb:t.pdb"}
	return Run(t, dir, x.link, append(fixed, args...)...)
}

// Library makes a static library.
func (x *Tools) Library(t testing.TB, dir, library string, objects ...string) {
	t.Helper()
	Run(t, dir, x.lib, append([]string{"/nologo", "/out:" + library}, objects...)...)
}

// Check lets llvm-pdbutil read all of a PDB, the hashes of its records included, and
// returns what it says of the types.
func (x *Tools) Check(t testing.TB, path string) string {
	t.Helper()
	return Run(t, ".", x.pdbutil, "dump", "-summary", "-streams", "-types", "-type-extras", "-ids", "-id-extras",
		"-string-table", path)
}

// Type returns what llvm-pdbutil says of one type, which it finds by the list of offsets
// in the hash stream.
func (x *Tools) Type(t testing.TB, path string, index int) string {
	t.Helper()
	return Run(t, ".", x.pdbutil, "dump", "-types", fmt.Sprintf("-type-index=%#x", index), path)
}

// Run runs a program in dir, fails the test unless it succeeds, and returns its output.
func Run(t testing.TB, dir, program string, args ...string) string {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", program, args, err, out)
	}
	return string(out)
}

// Read returns a file of dir.
func Read(t testing.TB, dir, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// Write makes a file of dir, and the folders above it.
func Write(t testing.TB, dir, name string, data []byte) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o666); err != nil {
		t.Fatal(err)
	}
}
