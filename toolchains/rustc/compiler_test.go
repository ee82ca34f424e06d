package rustc

import (
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/argtable"
)

func run(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command("rustc", args...)
	cmd.Env = append(cmd.Environ(), "RUSTC_BOOTSTRAP=1")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("rustc %q: %v", args, err)
	}
	return string(out)
}

func TestTables(t *testing.T) {
	for _, rows := range [][]argtable.Option{options(), codegen(), unstable()} {
		if err := argtable.Check(rows); err != nil {
			t.Error(err)
		}
	}
}

// TestCompilerOptions checks that every option and every setting which the
// installed compiler lists has a row.
func TestCompilerOptions(t *testing.T) {
	f := New()
	n := 0
	option := regexp.MustCompile(`(?m)^ {4,8}(-[A-Za-z])?,? ?(--[a-z-]+)?`)
	for _, m := range option.FindAllStringSubmatch(run(t, "--help", "-v"), -1) {
		for _, name := range m[1:] {
			if name == "" {
				continue
			}
			n++
			if _, ok := f.tables.option(name); !ok {
				t.Errorf("%s has no row", name)
			}
		}
	}
	if n < 30 {
		t.Errorf("found %d options in the compiler's help", n)
	}
	setting := regexp.MustCompile(`(?m)^ +-C +([a-z-]+)=val`)
	names := setting.FindAllStringSubmatch(run(t, "-C", "help"), -1)
	for _, m := range names {
		if _, ok := f.tables.setting("-C" + m[1]); !ok {
			t.Errorf("-C %s has no row", m[1])
		}
	}
	if len(names) < 40 {
		t.Errorf("found %d settings in the compiler's help", len(names))
	}
}

// TestUnstableSettings checks that those which the installed compiler lists and
// the table does not step aside.
func TestUnstableSettings(t *testing.T) {
	setting := regexp.MustCompile(`(?m)^ +-Z +([a-z-]+)=val`)
	names := setting.FindAllStringSubmatch(run(t, "-Z", "help"), -1)
	if len(names) < 100 {
		t.Errorf("found %d settings in the compiler's help", len(names))
	}
	f := New()
	for _, m := range names {
		name := "-Z" + m[1]
		_, known := f.tables.setting(name)
		_, err := f.Parse(call("--crate-name", "x", "--crate-type", "lib", "x.rs", name+"=y"), host())
		if reason, _, _ := toolchains.ReasonOf(err); known != (err == nil) || !known && reason != ReasonUnstable {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestFileNames compares the names of outputs with those that the compiler says.
func TestFileNames(t *testing.T) {
	for _, types := range []string{"bin", "rlib", "lib", "dylib", "cdylib", "staticlib", "proc-macro"} {
		args := []string{"--crate-name", "a_b", "--crate-type", types, "-C", "extra-filename=-0f", "-"}
		want := strings.TrimSpace(run(t, append(args, "--print=file-names")...))
		c, err := New().Parse(call(append(args[:len(args)-1], "x.rs")...), host())
		if err != nil {
			t.Errorf("%s: %v", types, err)
			continue
		}
		if got := c.Outputs[0].Path; got != want || len(c.Outputs) != 1 {
			t.Errorf("%s: %q, want %q alone", types, got, want)
		}
	}
}
