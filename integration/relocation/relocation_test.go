//go:build linux

package relocation

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rexwrap/rexwrap/localserver/layout"
	"github.com/rexwrap/rexwrap/toolchains"
)

// long reports whether all rows are asked for.
func long() bool { return os.Getenv("REXWRAP_TEST_LONG") != "" }

// TestRelocation runs the table.
func TestRelocation(t *testing.T) {
	r := newRig(t)
	for _, row := range rows() {
		if !row.short && !long() {
			continue
		}
		for cc := range strings.FieldsSeq(row.on) {
			program := compilerFor(t, cc)
			t.Run(row.name+"/"+cc, func(t *testing.T) { relocate(t, r, &row, program) })
		}
	}
}

// A place is the project in a folder of its own.
type place struct {
	dir string // holds proj, ext and build
	out string // another tree
}

func newPlace(t *testing.T) *place {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	p := &place{dir: filepath.Join(dir, "home", "user"), out: filepath.Join(dir, "scratch")}
	writeTree(t, p.dir)
	for _, d := range []string{p.out, filepath.Join(dir, "linked")} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(p.dir, filepath.Join(dir, "linked", "home")); err != nil {
		t.Fatal(err)
	}
	return p
}

// expand replaces the place's names: $P the project, $E the folder beside it, $B
// another tree, $L the project by way of a symbolic link.
func (p *place) expand(s string) string {
	return strings.NewReplacer(
		"$P", filepath.Join(p.dir, "proj"), "$E", filepath.Join(p.dir, "ext"), "$B", p.out,
		"$L", filepath.Join(filepath.Dir(p.out), "linked", "home", "proj"),
	).Replace(s)
}

// call makes the Call of a row.
func (p *place) call(row *row, program string) *toolchains.Call {
	c := &toolchains.Call{Program: program, Argv: []string{program}, Dir: p.expand(row.dir)}
	for word := range strings.FieldsSeq(row.args) {
		c.Argv = append(c.Argv, p.expand(word))
	}
	c.Env = toolchains.Environ{"PATH=" + os.Getenv("PATH"), "LC_ALL=C.UTF-8", "HOME=" + p.dir}
	for _, kv := range row.env {
		c.Env = append(c.Env, p.expand(kv))
	}
	if real, err := filepath.EvalSymlinks(c.Env.Value("PWD")); err == nil && real == c.Dir {
		c.PWD = c.Env.Value("PWD")
	}
	return c
}

// relocate proves one row for one compiler.
func relocate(t *testing.T, r *rig, row *row, program string) {
	p := newPlace(t)
	call := p.call(row, program)
	root := p.expand("$P")
	if row.root != "" {
		root = p.expand(strings.TrimPrefix(row.root, "none"))
	}
	prepare(t, row, call)
	req := r.request(t, call, root)
	req.Mode = row.mode
	l, err := layout.New(req)
	if err != nil {
		t.Fatal(err)
	}
	switch {
	case row.unproven == "" && l.Unproven != nil:
		t.Errorf("unproven: %v", l.Unproven)
	case row.unproven != "" && l.Unproven == nil:
		t.Errorf("is proven, although %s", row.unproven)
	}
	if l.Unproven != nil && !long() {
		return
	}
	want := compile(t, withLocal(call.Argv, l), call.Dir, call.Env, localOutputs(req.Compile))
	data := contents(t, l)
	if err := os.Rename(p.dir, p.dir+".away"); err != nil {
		t.Fatal(err)
	}
	for i, where := range []string{shortPath(t), filepath.Join(t.TempDir(), "a-worker", "with", "a-long-path", "to-the-root")} {
		diff := difference(want, onWorker(t, l, data, where), l, req.Compile)
		switch {
		case l.Unproven == nil && diff != "":
			t.Errorf("worker %d: %s\n%q\n%s", i, diff, l.Arguments, strings.Join(l.Env, "\n"))
		case l.Unproven != nil:
			t.Logf("unproven (%v): worker %d: %s", l.Unproven, i, orEqual(diff))
		}
	}
}

func orEqual(diff string) string {
	if diff == "" {
		return "equal"
	}
	return diff
}

// prepare runs the row's preparation in the project, with the compiler as $CC.
func prepare(t *testing.T, row *row, call *toolchains.Call) {
	t.Helper()
	if row.prep == "" {
		return
	}
	out := compile(t, []string{"/bin/sh", "-ec", row.prep}, call.Dir, append(slices.Clone(call.Env), "CC="+call.Program), nil)
	if out.status != 0 {
		t.Fatalf("prepare: %s%s", out.stdout, out.stderr)
	}
}

// withLocal is the command line of a local compile that goes by l.
func withLocal(argv []string, l *layout.Layout) []string {
	return slices.Concat(argv[:1], l.LocalArguments, argv[1:])
}

func localOutputs(c *toolchains.Compile) map[toolchains.Role]string {
	out := map[toolchains.Role]string{}
	for _, o := range c.Outputs {
		out[o.Role] = o.Path
	}
	return out
}

// shortPath is a path shorter than any that worker software chooses.
func shortPath(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// difference says in what a worker's outcome differs from the local one.
func difference(want, got *outcome, l *layout.Layout, c *toolchains.Compile) string {
	if want.status != got.status {
		return fmt.Sprintf("exit status %d, want %d: %s", got.status, want.status, got.stderr)
	}
	if text := l.ToClient(got.stderr); !bytes.Equal(text, want.stderr) {
		return fmt.Sprintf("stderr is\n%s\nwant\n%s", text, want.stderr)
	}
	if text := l.ToClient(got.stdout); !bytes.Equal(text, want.stdout) {
		return fmt.Sprintf("stdout is\n%s\nwant\n%s", text, want.stdout)
	}
	for _, role := range slices.Sorted(maps.Keys(want.files)) {
		file := got.files[role]
		if role == toolchains.RoleDep && want.status == 0 {
			var ok bool
			if file, ok = l.ClientDep(c.Toolchain.Family, file, c.Dep.Targets); !ok {
				return fmt.Sprintf("dep-file is not understood:\n%s", got.files[role])
			}
		}
		if want.status == 0 && !bytes.Equal(file, want.files[role]) {
			return fmt.Sprintf("%s differs: %s", role, firstDifference(file, want.files[role]))
		}
	}
	if len(got.files) != len(want.files) {
		return fmt.Sprintf("%d outputs, want %d", len(got.files), len(want.files))
	}
	return ""
}

// firstDifference shows where two outputs part.
func firstDifference(got, want []byte) string {
	n := 0
	for n < len(got) && n < len(want) && got[n] == want[n] {
		n++
	}
	show := func(b []byte) string { return fmt.Sprintf("%q", b[max(0, min(len(b), n)-40):min(len(b), n+80)]) }
	return fmt.Sprintf("%d and %d bytes, from %d on:\n got %s\nwant %s", len(got), len(want), n, show(got), show(want))
}

// compilerFor returns the absolute path of a compiler. One that is missing fails
// the test: every machine that runs it must have all.
func compilerFor(t *testing.T, name string) string {
	t.Helper()
	for _, dir := range []string{"/usr/bin", "/usr/local/bin"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			return filepath.Join(dir, name)
		}
	}
	t.Fatalf("%s is not installed", name)
	return ""
}
