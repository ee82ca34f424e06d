package layout

import (
	"slices"
	"strings"
	"testing"

	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/depscan"
	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/rustc"
)

// crateRequest is a compile as cargo asks for it, of a workspace in /ws with a
// source elsewhere.
func crateRequest(t *testing.T, args string, env ...string) *Request {
	t.Helper()
	call := &toolchains.Call{
		Program: "/usr/bin/rustc", Dir: "/ws", Env: append(toolchains.Environ{"PATH=/opt/x:/usr/local/bin:/usr/bin"}, env...),
		Argv: append([]string{"rustc"}, strings.Fields("--crate-name x --out-dir /t/debug/deps -L dependency=/t/debug/deps "+args)...),
	}
	tc := &toolchains.Toolchain{
		Family: "rustc", Version: "1.95.0", Target: "x86_64-unknown-linux-gnu", Real: "/usr/local/bin/rustc",
		Programs: []toolchains.Program{{Path: "/usr/local/bin/rustc"}},
	}
	c, err := rustc.New().Parse(call, tc)
	if err != nil {
		t.Fatal(err)
	}
	return &Request{
		Compile: c, Crate: &Crate{}, HostFile: func(path string) bool { return strings.HasPrefix(path, "/usr/") },
		Inputs: &depscan.Inputs{Files: []depscan.File{
			{Path: c.Source, Digest: digest.OfString("x")}, {Path: "/t/debug/deps/liby-1.rmeta", Digest: digest.OfString("y")},
		}},
	}
}

const crateLib = " --crate-type lib --emit=dep-info,metadata,link --extern y=/t/debug/deps/liby-1.rmeta "

// TestCrate checks how a compile with absolute paths looks to a worker.
func TestCrate(t *testing.T) {
	l, err := New(crateRequest(t, "/home/reg/x/lib.rs"+crateLib))
	if err != nil || l.Unproven != nil || l.Tree == nil {
		t.Fatal(err, l.Unproven)
	}
	const top = "/proc/self/cwd/.rexwrap-outside/root"
	want := []string{
		"/bin/sh", "-c", `exec "$@" --remap-path-prefix="$(pwd -P)=$0"`, "/ws", "/usr/local/bin/rustc",
		"--crate-name", "x", "--out-dir", top + "/t/debug/deps", "-L", "dependency=" + top + "/t/debug/deps", top + "/home/reg/x/lib.rs",
		"--crate-type", "lib", "--emit=dep-info,metadata,link", "--extern", "y=" + top + "/t/debug/deps/liby-1.rmeta",
		"--remap-path-prefix=/=/", "--remap-path-prefix=/proc/self/cwd=/ws", "--remap-path-prefix=" + top + "=/",
	}
	if !slices.Equal(l.Arguments, want) {
		t.Errorf("arguments %q\nwant %q", l.Arguments, want)
	}
	if !slices.Equal(l.Env, []string{"PATH=/usr/local/bin:/usr/bin:/bin"}) {
		t.Errorf("environment %q", l.Env)
	}
	var paths []string
	for _, e := range l.Entries {
		paths = append(paths, e.Path)
	}
	slices.Sort(paths)
	inside := []string{
		".rexwrap-outside/root/home/reg/x/lib.rs", ".rexwrap-outside/root/t/debug/deps", ".rexwrap-outside/root/t/debug/deps/liby-1.rmeta",
	}
	if !slices.Equal(paths, inside) {
		t.Errorf("input root %q", paths)
	}
	if got := l.Names().ClientPath(top + "/t/debug/deps/libx.rlib"); got != "/t/debug/deps/libx.rlib" {
		t.Error(got)
	}
}

// TestCrateRelocatable checks that results have the same names for three folders,
// whichever they are, and that a link reports.
func TestCrateRelocatable(t *testing.T) {
	r := crateRequest(t, "src/main.rs --crate-type bin --emit=dep-info,link")
	r.Inputs.Files = r.Inputs.Files[:1]
	r.Mode, r.Root, r.Beside, r.Crate.Roots = Relocatable, "/ws", []string{"/home/cargo", "/t"}, Roots{Dir: "/ws", Cargo: "/home/cargo", Target: "/t"}
	l, err := New(r)
	if err != nil || l.Unproven != nil {
		t.Fatal(err, l.Unproven)
	}
	local := []string{
		"--remap-path-prefix=/=/", "--remap-path-prefix=/ws=/proc/self/cwd/.",
		"--remap-path-prefix=/home/cargo=/rexwrap/cargo", "--remap-path-prefix=/t=/rexwrap/target",
	}
	if !slices.Equal(l.LocalArguments, local) {
		t.Errorf("here %q", l.LocalArguments)
	}
	words := strings.Join(l.Arguments, " ")
	for _, want := range []string{
		"pwd -P>.rexwrap-here;exec", " /proc/self/cwd/. /usr/local/bin/rustc ", "link-arg=-Wl,--dependency-file=.rexwrap-linked",
		"--remap-path-prefix=/proc/self/cwd=/proc/self/cwd/. ", "/.rexwrap-outside/0=/rexwrap/cargo", "/.rexwrap-outside/1=/rexwrap/target",
	} {
		if !strings.Contains(words, want) {
			t.Errorf("no %q in %s", want, words)
		}
	}
	if last := l.Outputs[len(l.Outputs)-1]; last.Role != RoleWorkerDir || l.Outputs[len(l.Outputs)-2].Role != RoleLinkList {
		t.Errorf("outputs %+v", l.Outputs)
	}
	if got := l.WorkerFile([]byte("/var/w/7\n"), "/var/w/7/.rexwrap-outside/1/debug/deps/liby.rlib"); got != "/t/debug/deps/liby.rlib" {
		t.Error(got)
	}
	if got := l.WorkerFile([]byte("/var/w/7\n"), "/usr/lib/libc.so"); got != "/usr/lib/libc.so" {
		t.Error(got)
	}
}

// TestCrateVariables checks which variables a worker gets, and with which value.
func TestCrateVariables(t *testing.T) {
	variables := []Variable{
		{Name: "OUT_DIR", Value: "/t/debug/build/x/out", Set: true, Includes: true}, {Name: "STAMP", Value: "/t/7", Set: true}, {Name: "NOT"},
	}
	r := crateRequest(t, "x.rs"+crateLib, "CARGO_PKG_NAME=x", "HOME=/h", "OUT_DIR=/t/debug/build/x/out", "STAMP=/t/7")
	r.Crate.Variables = variables
	l, err := New(r)
	if err != nil || l.Unproven != nil {
		t.Fatal(err, l.Unproven)
	}
	want := []string{
		"CARGO_PKG_NAME=x", "OUT_DIR=/proc/self/cwd/.rexwrap-outside/root/t/debug/build/x/out", "PATH=/usr/local/bin:/usr/bin:/bin", "STAMP=/t/7",
	}
	if slices.Sort(l.Env); !slices.Equal(l.Env, want) {
		t.Errorf("%q", l.Env)
	}
	for _, name := range []string{"PATH", "LD_LIBRARY_PATH"} {
		r.Crate.Variables = append(slices.Clone(variables), Variable{Name: name, Set: true, Value: "/opt/x"})
		if l, err = New(r); err != nil || l.Unproven == nil {
			t.Errorf("a source that asks for %s, of which workers have their own: %v", name, err)
		}
	}
	r.Crate.Variables = variables
	r.Mode, r.Crate.Roots = Relocatable, Roots{Target: "/t"}
	if l, err = New(r); err != nil || l.Unproven == nil {
		t.Errorf("a variable that names the place: %v", err)
	}
}

// TestCrateUnproven holds what no worker is asked to do.
func TestCrateUnproven(t *testing.T) {
	for _, args := range []string{
		"-Clink-arg=/l/x.o", "-C linker=/l/cc", "-C rpath", "-Csplit-debuginfo=packed", "--remap-path-prefix=/a=/b", "--crate-type dylib",
	} {
		l, err := New(crateRequest(t, "x.rs"+crateLib+args))
		if err != nil || l.Unproven == nil {
			t.Errorf("%s: %v", args, err)
		}
	}
	for _, env := range []string{"LIBRARY_PATH=/l", "RUST_TARGET_PATH=/l"} {
		l, err := New(crateRequest(t, "x.rs --crate-type bin", env))
		if err != nil || l.Unproven == nil {
			t.Errorf("%s: %v", env, err)
		}
	}
}

func TestNamesWorker(t *testing.T) {
	for text, want := range map[string]bool{
		"": false, "/proc/self/cwd/./src/x.rs": false, "/proc/self/cwd/.\x00": false, "/proc/self/cwdx": false, "/proc/self/exe": false,
		"a/proc/self/cwd/x": true, "/proc/self/cwd/../x": true, "/proc/self/cwd/./a/proc/self/cwd/b": true, "/w/.rexwrap-outside/0": true,
	} {
		if NamesWorker([]byte(text)) != want {
			t.Errorf("%q", text)
		}
	}
}
