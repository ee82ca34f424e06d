// Package gnutest runs real compilers for the tests of toolchains/gcc and
// toolchains/clang and compares what they leave with what a parsed call
// announces. A compiler that is missing skips the test, or fails it when
// REXWRAP_TEST_ALL_TOOLS is 1.
package gnutest

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rexwrap/rexwrap/toolchains"
)

// Find returns the absolute path of a compiler.
func Find(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("REXWRAP_TEST_ALL_TOOLS") == "1" {
			t.Fatalf("%s is missing", name)
		}
		t.Skipf("%s is missing", name)
	}
	return path
}

// Tree makes the sources that the calls of tests name: x.c, sub/y.c, x.cpp, …,
// an empty.c, and the empty directory d. It returns the folder.
func Tree(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	const c = "#include \"a b.h\"\nint f(int x) { return x + g; }\n"
	files := map[string]string{
		"a b.h": "static int g = 1;\n", "sub/a b.h": "static int g = 1;\n", "h.h": "int h;\n", "sub/h.h": "int h;\n",
		"x.c": c, "sub/y.c": c, "noext": c, "foo.": c, "foo.c.c": c, ".hid.c": c, "a$b#c d.c": c,
		"x.cpp": c, "x.m": c, "empty.c": "", "sys.c": "#include <stddef.h>\n" + c,
		"s.s": ".text\nfoo: nop\n", "p.S": "#define A nop\n.text\nfoo: A\n",
		"i.i": "int i;\n", "i.ii": "int i;\n", "d/.keep": "",
	}
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// Call returns the call of program with args in dir, in the test's own
// environment with the given changes ("NAME=value").
func Call(dir, program string, args []string, env ...string) *toolchains.Call {
	return &toolchains.Call{
		Program: program, Argv: append([]string{filepath.Base(program)}, args...), Dir: dir,
		Env: toolchains.Environ(os.Environ()).With(append([]string{"LC_ALL=C", "PWD=" + dir}, env...)...),
	}
}

// Run runs call and returns the files that it made, sorted and relative to its
// directory, and whether it succeeded.
func Run(t testing.TB, call *toolchains.Call) (made []string, ok bool) {
	t.Helper()
	before := list(t, call.Dir)
	cmd := exec.Command(call.Program, call.Argv[1:]...)
	cmd.Dir, cmd.Env = call.Dir, call.Env
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	err := cmd.Run()
	if err != nil {
		t.Logf("%q: %v: %s", call.Argv, err, stderr.String())
	}
	for _, name := range list(t, call.Dir) {
		if !slices.Contains(before, name) {
			made = append(made, name)
		}
	}
	return made, err == nil
}

func list(t testing.TB, dir string) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			name, _ := filepath.Rel(dir, path)
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// CheckOutputs runs the call that c was parsed from and reports every file that
// it makes and c does not announce, and every announced one that it does not
// make although it is not optional.
func CheckOutputs(t *testing.T, c *toolchains.Compile) {
	t.Helper()
	made, ok := Run(t, c.Call)
	if !ok {
		t.Errorf("%q fails", c.Call.Argv)
		return
	}
	announced := map[string]bool{}
	for _, o := range c.Outputs {
		name := filepath.Clean(o.Path)
		if rel, err := filepath.Rel(c.Call.Dir, name); filepath.IsAbs(name) && err == nil {
			name = rel
		}
		announced[name] = true
		if !o.Optional && !strings.HasPrefix(o.Path, os.DevNull) && !slices.Contains(made, name) {
			t.Errorf("%q makes %q, not the %s %s", c.Call.Argv, made, o.Role, o.Path)
		}
	}
	for _, name := range made {
		if !announced[name] {
			t.Errorf("%q makes %s, which is not announced: %+v", c.Call.Argv, name, c.Outputs)
		}
	}
}

// CheckDep runs the call that c was parsed from and compares the dep-file with
// c.Dep. The file lists a header named system exactly when it lists those of
// system directories.
func CheckDep(t *testing.T, c *toolchains.Compile, system string) {
	t.Helper()
	_, ok := Run(t, c.Call)
	if !ok || c.Dep == nil || c.Output(toolchains.RoleDep) == nil {
		t.Errorf("%q: success %v, dep-file %v, outputs %v", c.Call.Argv, ok, c.Dep, c.Outputs)
		return
	}
	path := filepath.Join(c.Call.Dir, c.Dep.Path)
	if got, want := targets(t, path), strings.Join(c.Dep.Targets, " "); got != want {
		t.Errorf("%q: targets %q, the compiler writes %q", c.Call.Argv, want, got)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := bytes.Contains(text, []byte(system)); got != c.Dep.System {
		t.Errorf("%q: System %v, the file has system headers: %v", c.Call.Argv, c.Dep.System, got)
	}
	if got := bytes.Contains(text, []byte("a\\ b.h:\n")); got != c.Dep.Phony {
		t.Errorf("%q: Phony %v, the file has phony rules: %v", c.Call.Argv, c.Dep.Phony, got)
	}
}

// targets returns the targets of the first rule of a dep-file, as they stand
// there.
func targets(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Error(err)
		return ""
	}
	rule, _, _ := strings.Cut(strings.ReplaceAll(string(text), " \\\n ", " "), ": ")
	return strings.TrimSuffix(strings.TrimSpace(rule), ":")
}

// Words returns the words of c's arguments.
func Words(c *toolchains.Compile) []string {
	var words []string
	for i := range c.Args {
		words = append(words, c.Args[i].Words()...)
	}
	return words
}

// Stderr runs call, whatever comes of it, and returns what it says.
func Stderr(t *testing.T, call *toolchains.Call) string {
	t.Helper()
	cmd := exec.Command(call.Program, call.Argv[1:]...)
	cmd.Dir, cmd.Env = call.Dir, call.Env
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Run(); err != nil {
		t.Logf("%q: %v", call.Argv, err)
	}
	return stderr.String()
}
