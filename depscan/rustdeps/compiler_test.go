//go:build linux

package rustdeps

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/depscan/filestate"
	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/rustc"
)

// debianRust is where Debian puts its rustc, which no proxy stands before.
const debianRust = "/usr/bin/rustc"

// allSettled takes every file for old enough.
type allSettled struct{}

func (allSettled) DigestSince(path string, _ filestate.Mark) (digest.Digest, bool, error) {
	data, err := os.ReadFile(path)
	return digest.Of(data), true, err
}

// A project is a folder with sources in which rustc is run.
type project struct {
	t   *testing.T
	dir string
	env toolchains.Environ
}

func newProject(t *testing.T, files map[string]string) *project {
	t.Helper()
	p := &project{t: t, dir: t.TempDir(), env: toolchains.Environ{"PATH=/usr/bin:/bin"}}
	for name, text := range files {
		write(t, filepath.Join(p.dir, name), text)
	}
	if err := os.Mkdir(filepath.Join(p.dir, "o"), 0o777); err != nil {
		t.Fatal(err)
	}
	return p
}

// compile runs rustc as a Plan says and returns what it read.
func (p *project) compile(args string) (*Result, error) {
	p.t.Helper()
	call := &toolchains.Call{Program: debianRust, Argv: append([]string{"rustc", "--edition=2018"}, strings.Fields(args)...), Dir: p.dir, Env: p.env}
	tc := &toolchains.Toolchain{Family: "rustc", Sysroot: "/usr", Target: "x86_64-unknown-linux-gnu"}
	c, err := rustc.New().Parse(call, tc)
	if err != nil {
		p.t.Fatal(err)
	}
	plan, err := New().Plan(c, filepath.Join(p.t.TempDir(), "scratch"))
	if err != nil {
		p.t.Fatal(err)
	}
	defer plan.Remove()
	cmd := exec.Command(debianRust, plan.Argv[1:]...)
	cmd.Dir, cmd.Env = p.dir, p.env
	if out, err := cmd.CombinedOutput(); err != nil {
		p.t.Fatalf("%q: %v\n%s", plan.Argv, err, out)
	}
	return plan.Collect(Run{}, allSettled{})
}

// read compiles and returns the paths that were read.
func (p *project) read(args string) []string {
	p.t.Helper()
	res, err := p.compile(args)
	if err != nil {
		p.t.Fatalf("%s: %v", args, err)
	}
	var out []string
	for _, f := range res.Files {
		out = append(out, f.Path)
	}
	return out
}

const emitAll = " --emit=dep-info,metadata,link --out-dir o -L dependency=o "

func TestCollect(t *testing.T) {
	p := newProject(t, map[string]string{
		"a.rs": "pub fn a() {}", "b.rs": "pub use a::a;", "text": "x", "c/mod.rs": "",
		"m.rs": "extern crate proc_macro;\n#[proc_macro] pub fn m(t: proc_macro::TokenStream) -> proc_macro::TokenStream { t }",
		"l.rs": "pub mod c; pub use b::a; pub const T: &str = include_str!(\"text\"); pub const N: Option<&str> = option_env!(\"NO\");",
		"u.rs": "pub const X: u8 = m::m!(1);", "main.rs": "fn main() { l::a() }", "v.rs": "pub use u::X;",
	})
	p.compile("--crate-name a --crate-type lib a.rs -Cextra-filename=-00000000000000aa" + emitAll)
	if got := p.read("--crate-name b --crate-type lib b.rs --extern a=o/liba-00000000000000aa.rmeta -Cextra-filename=-00000000000000bb" + emitAll); !slices.Equal(got, []string{"b.rs", "o/liba-00000000000000aa.rmeta"}) {
		t.Errorf("b: %q", got)
	}
	res, err := p.compile("--crate-name l --crate-type lib l.rs --extern b=o/libb-00000000000000bb.rmeta -Cextra-filename=-00000000000000cc" + emitAll)
	if err != nil {
		t.Fatal(err)
	}
	var files []string
	for _, f := range res.Files {
		files = append(files, f.Path)
	}
	slices.Sort(files)
	want := []string{"c/mod.rs", "l.rs", "o/liba-00000000000000aa.rmeta", "o/libb-00000000000000bb.rmeta", "text"}
	if !slices.Equal(files, want) || !slices.Equal(res.Absent, []string{"c.rs"}) || res.Package != "" ||
		!slices.Equal(res.Variables, []Variable{{Name: "NO"}}) {
		t.Errorf("l: %q, absent %q, package %q, variables %+v", files, res.Absent, res.Package, res.Variables)
	}
	linked := p.read("--crate-name main --crate-type bin main.rs --emit=dep-info,link --out-dir o -L dependency=o --extern l=o/libl-00000000000000cc.rlib")
	for _, part := range []string{"o/liba-00000000000000aa.rlib", "o/libb-00000000000000bb.rmeta", "/crti.o", "/libc.so.6"} {
		if !slices.ContainsFunc(linked, func(path string) bool { return strings.HasSuffix(path, part) }) {
			t.Errorf("main: no %s in %q", part, linked)
		}
	}
	p.compile("--crate-name m --crate-type proc-macro m.rs -Cextra-filename=-00000000000000dd --extern proc_macro --emit=dep-info,link --out-dir o")
	if res, err = p.compile("--crate-name u --crate-type lib u.rs --extern m=o/libm-00000000000000dd.so -Cextra-filename=-00000000000000ee" + emitAll); err != nil || res.Package != p.dir {
		t.Errorf("u: %+v, %v: want the package that its macro may read", res, err)
	}
	if res, err = p.compile("--crate-name v --crate-type lib v.rs --extern u=o/libu-00000000000000ee.rmeta" + emitAll); err != nil || res.Package != p.dir {
		t.Errorf("v: %+v, %v: it loads the macro of u", res, err)
	}
}

// TestShadowing checks that a library in front of the one that was linked must
// stay absent.
func TestShadowing(t *testing.T) {
	p := newProject(t, map[string]string{"main.rs": "#[link(name = \"m\")] extern \"C\" { fn cos(x: f64) -> f64; }\nfn main() { unsafe { cos(1.0); } }"})
	write(t, filepath.Join(p.dir, "n/x"), "")
	res, err := p.compile("--crate-name main --crate-type bin main.rs --emit=dep-info,link --out-dir o -L native=n")
	if err != nil || !slices.Contains(res.Absent, "n/libm.so") || !slices.Contains(res.Absent, "n/libm.a") {
		t.Errorf("%+v, %v", res, err)
	}
}

func TestStaticLibraries(t *testing.T) {
	p := newProject(t, map[string]string{
		"x.c": "int x(void) { return 1; }", "a.rs": "#[link(name = \"x\", kind = \"static\")] extern \"C\" { fn x() -> i32; }\npub fn f() -> i32 { unsafe { x() } }",
		"b.rs": "extern \"C\" { fn x() -> i32; }\npub fn f() -> i32 { unsafe { x() } }",
	})
	for _, argv := range [][]string{{"cc", "-c", "x.c", "-o", "x.o"}, {"ar", "rcs", "libx.a", "x.o"}} {
		cmd := exec.Command(argv[0], argv[1:]...)
		cmd.Dir = p.dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%q: %v\n%s", argv, err, out)
		}
	}
	if got := p.read("--crate-name b --crate-type lib b.rs -L native=none -L native=. -l static=x" + emitAll); !slices.Contains(got, "./libx.a") {
		t.Errorf("b: %q", got)
	}
	for _, kind := range []string{"lib", "staticlib"} {
		_, err := p.compile("--crate-name a --crate-type " + kind + " a.rs -L native=. --emit=dep-info,link --out-dir o")
		if reason, _, _ := toolchains.ReasonOf(err); reason != "bundled-library" {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

// TestCrateByHand checks that a crate which neither --extern nor an output names is
// noticed.
func TestCrateByHand(t *testing.T) {
	p := newProject(t, map[string]string{"a.rs": "pub fn a() {}", "main.rs": "extern crate a; fn main() { a::a() }"})
	p.compile("--crate-name a --crate-type lib a.rs" + emitAll)
	if got := p.read("--crate-name l --crate-type lib main.rs -L crate=o" + emitAll); !slices.Contains(got, "o/liba.rmeta") {
		t.Errorf("l: %q", got)
	}
	const bin = "--crate-name main --crate-type bin main.rs --emit=dep-info,link --out-dir o -L o"
	if got := p.read(bin); !slices.ContainsFunc(got, func(path string) bool { return strings.HasSuffix(path, "o/liba.rlib") }) {
		t.Errorf("main: the linker's list lacks the crate: %q", got)
	}
	for _, args := range []string{bin + " -C lto", strings.Replace(bin, "bin main.rs", "staticlib main.rs", 1)} {
		_, err := p.compile(args)
		if reason, _, _ := toolchains.ReasonOf(err); reason != "extern-crate" {
			t.Errorf("%s: %v", args, err)
		}
	}
	write(t, filepath.Join(p.dir, "main.rs"), "// extern crate b;\nfn main() {}")
	if got := p.read(bin); !slices.Contains(got, "main.rs") {
		t.Errorf("a crate that is not there: %q", got)
	}
}

// TestTarget checks that no description of a target may come to be in the sysroot.
func TestTarget(t *testing.T) {
	p := newProject(t, map[string]string{"x.rs": "#![no_std]\n"})
	res, err := p.compile("--crate-name x --crate-type lib x.rs --emit=dep-info,metadata --out-dir o --target wasm32-unknown-unknown")
	if want := "/usr/lib/rustlib/wasm32-unknown-unknown/target.json"; err != nil || !slices.Contains(res.Absent, want) {
		t.Errorf("%+v, %v: want %s to be absent", res, err, want)
	}
}

// TestStandsAlone checks which sources need no dep-info.
func TestStandsAlone(t *testing.T) {
	p := newProject(t, map[string]string{"probe.rs": "#![allow(dead_code)] pub fn f() -> std::io::Result<()> { Ok(()) }", "other.rs": "pub const X: Option<&str> = option_env!(\"X\");"})
	if got := p.read("--crate-name p --crate-type lib probe.rs --emit=metadata --out-dir o"); !slices.Equal(got, []string{"probe.rs"}) {
		t.Errorf("%q", got)
	}
	call := &toolchains.Call{Program: debianRust, Argv: strings.Fields("rustc --crate-name a --crate-type lib other.rs --emit=metadata"), Dir: p.dir}
	c, err := rustc.New().Parse(call, &toolchains.Toolchain{Target: "x86_64-unknown-linux-gnu"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := New().Plan(c, ""); err == nil {
		t.Error("a source that asks for a variable stands alone")
	}
}

// TestChangedDuringRun checks that a file which is too young is not believed.
func TestChangedDuringRun(t *testing.T) {
	p := newProject(t, map[string]string{"a.rs": "pub fn a() {}"})
	state := filestate.New(filestate.Options{})
	mark := state.Mark()
	write(t, filepath.Join(p.dir, "a.rs"), "pub fn b() {}")
	if err := os.Chtimes(filepath.Join(p.dir, "a.rs"), time.Now(), time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	call := &toolchains.Call{Program: debianRust, Argv: strings.Fields("rustc --crate-name a --crate-type lib a.rs --emit=dep-info"), Dir: p.dir, Env: p.env}
	c, err := rustc.New().Parse(call, &toolchains.Toolchain{Target: "x86_64-unknown-linux-gnu"})
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(p.dir, "a.d"), "a.d: a.rs\n")
	plan, err := New().Plan(c, filepath.Join(p.dir, "scratch"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = plan.Collect(Run{Mark: mark}, state)
	if reason, _, _ := toolchains.ReasonOf(err); reason != "modified-during-compile" {
		t.Errorf("%v", err)
	}
}

// direct is a toolchains.Runner.
func direct(ctx context.Context, c toolchains.Command) (*toolchains.CommandResult, error) {
	cmd := exec.CommandContext(ctx, c.Argv[0], c.Argv[1:]...)
	cmd.Dir, cmd.Env = c.Dir, c.Env
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		return nil, err
	}
	return &toolchains.CommandResult{Status: cmd.ProcessState.ExitCode()}, nil
}

// foresee asks what a compile will read, where links read system.
func (p *project) foresee(args string, macros bool, system ...string) (*Foreseen, error) {
	p.t.Helper()
	call := &toolchains.Call{Program: debianRust, Argv: append([]string{"rustc", "--edition=2018"}, strings.Fields(args)...), Dir: p.dir, Env: p.env}
	c, err := rustc.New().Parse(call, &toolchains.Toolchain{Family: "rustc", Real: debianRust, Sysroot: "/usr", Target: "x86_64-unknown-linux-gnu"})
	if err != nil {
		p.t.Fatal(err)
	}
	return New().Foresee(context.Background(), direct, c, filepath.Join(p.t.TempDir(), "scratch"), Run{}, allSettled{}, system, macros)
}

// TestForesee checks that what is foreseen is what a run reads, and no output of
// an earlier run counts.
func TestForesee(t *testing.T) {
	p := newProject(t, map[string]string{
		"a.rs": "pub fn a() -> u8 { 1 }\n", "b.rs": "pub use a::a;\n", "x.rs": "mod m; pub fn f() -> u8 { b::a() }\npub const V: Option<&str> = option_env!(\"V\");\n",
		"m.rs": "pub const T: &str = include_str!(\"t\");\n", "t": "text",
	})
	const emit = " --crate-type lib --emit=dep-info,metadata,link --out-dir o -L dependency=o -Cextra-filename=-"
	p.read("--crate-name a a.rs" + emit + "00000000000000aa")
	p.read("--crate-name b b.rs" + emit + "00000000000000bb --extern a=o/liba-00000000000000aa.rmeta")
	args := "--crate-name x x.rs" + emit + "00000000000000cc --extern b=o/libb-00000000000000bb.rmeta"
	f, err := p.foresee(args, false)
	if err != nil {
		t.Fatal(err)
	}
	res, err := p.compile(args)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := pathsOf(f.Result), pathsOf(res); !slices.Equal(got, want) {
		t.Errorf("foreseen %q, read %q", got, want)
	}
	if !slices.Equal(f.Absent, res.Absent) || !slices.Equal(f.Variables, res.Variables) {
		t.Errorf("foreseen %q and %v, read %q and %v", f.Absent, f.Variables, res.Absent, res.Variables)
	}
	text, err := os.ReadFile(filepath.Join(p.dir, "o/x-00000000000000cc.d"))
	if err != nil {
		t.Fatal(err)
	}
	same := func(path string) string { return path }
	if !f.Same(text, same, p.env.Lookup) {
		t.Error("the run's own dep-info is another one")
	}
	if f.Same(bytes.ReplaceAll(text, []byte(" m.rs"), nil), same, p.env.Lookup) || f.Same(text, same, toolchains.Environ{"V=1"}.Lookup) {
		t.Error("another dep-info is the same")
	}
	if _, err := p.foresee("--crate-name y missing.rs"+emit+"00000000000000dd", false); err == nil {
		t.Error("a compile that fails is foreseen")
	}
}

func pathsOf(r *Result) []string {
	var out []string
	for _, f := range r.Files {
		out = append(out, f.Path)
	}
	slices.Sort(out)
	return out
}

// TestForeseeMacros checks that no macro is run unasked.
func TestForeseeMacros(t *testing.T) {
	p := newProject(t, map[string]string{
		"m.rs": "extern crate proc_macro;\n#[proc_macro] pub fn m(_: proc_macro::TokenStream) -> proc_macro::TokenStream { \"1\".parse().unwrap() }\n",
		"x.rs": "pub const N: u8 = m::m!();\n",
	})
	p.read("--crate-name m m.rs --crate-type proc-macro --emit=dep-info,link --out-dir o --extern proc_macro")
	const args = "--crate-name x x.rs --crate-type lib --emit=dep-info,metadata --out-dir o --extern m=o/libm.so"
	if _, err := p.foresee(args, false); err == nil {
		t.Error("a macro is run unasked")
	}
	if f, err := p.foresee(args, true); err != nil || f.Package != p.dir {
		t.Errorf("%+v, %v", f, err)
	}
}

// TestLinked checks that a worker's link may read only what it was sent, what the
// toolchain has, and what it made itself.
func TestLinked(t *testing.T) {
	p := newProject(t, map[string]string{"x.rs": "fn main() {}\n", "sys/crt.o": "", "n/libn.a": ""})
	crt := filepath.Join(p.dir, "sys/crt.o")
	const args = "--crate-name x x.rs --crate-type bin --emit=dep-info,link --out-dir o -L native=n"
	for list, ok := range map[string]bool{
		"o/x: \\\n  " + crt + " \\\n  n/libn.a \\\n  o/x.1.rcgu.o \\\n  /tmp/rustcAb1/list \\\n  /w/libstd.rlib\n": true,
		"o/x: \\\n  /w/7/n/libn.a\n": true, "o/x: \\\n  /lib/libother.so\n": false, "": false, "o/x:\n": false,
		"o/x: \\\n n/libn.a \\\n o/x.1.rcgu.o\n\nn/libn.a:\n": true, "o/x: \\\n /lib/libother.so\n": false,
	} {
		f, err := p.foresee(args, false, crt)
		if err != nil {
			t.Fatal(err)
		}
		spell := func(path string) string { return strings.TrimPrefix(path, "/w/7/") }
		if err := f.Linked([]byte(list), spell, func(path string) bool { return path == "/w/libstd.rlib" }); (err == nil) != ok {
			t.Errorf("%q: %v", list, err)
		}
	}
}

// TestLinkers checks that the list of each linker is understood.
func TestLinkers(t *testing.T) {
	p := newProject(t, map[string]string{"x.rs": "fn main() {}\n"})
	for _, linker := range []string{"bfd", "gold", "lld"} {
		got := p.read("--crate-name x x.rs --crate-type bin --emit=dep-info,link --out-dir o -Clink-arg=-fuse-ld=" + linker)
		for _, want := range []string{"crti.o", "libc.so.6"} {
			if !slices.ContainsFunc(got, func(path string) bool { return filepath.Base(path) == want }) {
				t.Errorf("%s: no %s in %q", linker, want, got)
			}
		}
	}
}
