package layout

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rexwrap/rexwrap/client/action"
	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/client/merkle"
	"github.com/rexwrap/rexwrap/depscan"
	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/clang"
	"github.com/rexwrap/rexwrap/toolchains/gcc"
)

// families are gcc and clang in the versions that have rows.
func families() map[string]string { return map[string]string{"gcc": "12.2.0", "clang": "14.0.6"} }

// parse makes the Compile of a command line.
func parse(t *testing.T, cc, dir string, args ...string) *toolchains.Compile {
	t.Helper()
	call := &toolchains.Call{
		Program: "/usr/bin/" + cc, Argv: append([]string{cc}, args...), Dir: dir,
		Env: toolchains.Environ{"PATH=/home/u/bin:/usr/bin", "SECRET=1"},
	}
	tc := &toolchains.Toolchain{
		Family: cc, Program: call.Program, Version: families()[cc], Target: "x86_64-linux-gnu",
		Programs: []toolchains.Program{{Name: "as", Path: "/usr/bin/as"}},
	}
	var family toolchains.Family = gcc.New()
	if cc == "clang" {
		family = clang.New()
	}
	c, err := family.Parse(call, tc)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// inputsOf makes Inputs of files whose content is their name without its folder.
// One that starts with "<" is a system's.
func inputsOf(paths ...string) *depscan.Inputs {
	in := &depscan.Inputs{}
	for _, p := range paths {
		name, system := strings.CutPrefix(p, "<")
		base := name[strings.LastIndexByte(name, '/')+1:]
		in.Files = append(in.Files, depscan.File{Path: name, Digest: digest.OfString(base), System: system})
	}
	return in
}

func systemPath(p string) bool { return strings.HasPrefix(p, "/usr/") }

func newLayout(t *testing.T, r *Request) *Layout {
	t.Helper()
	if r.HostFile == nil {
		r.HostFile = systemPath
	}
	r.Text = func(string) ([]byte, error) { return nil, nil }
	l, err := New(r)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func entryPaths(l *Layout) []string {
	var out []string
	for _, e := range l.Entries {
		name := e.Path
		switch {
		case e.Dir:
			name += "/"
		case e.Target != "":
			name += " -> " + e.Target
		}
		out = append(out, name)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func TestRelativeArgumentsStay(t *testing.T) {
	c := parse(t, "gcc", "/home/u/p/build", "-I../inc", "-O2", "-L/x", "-c", "../src/x.c", "-o", "x.o")
	l := newLayout(t, &Request{
		Compile: c, Root: "/home/u/p",
		Inputs: inputsOf("../src/x.c", "../inc/k.h", "/usr/include/stdio.h"),
	})
	want := []string{"/usr/bin/gcc", "-I../inc", "-O2", "-c", "../src/x.c", "-o", "x.o"}
	if diff := cmp.Diff(want, l.Arguments); diff != "" || l.Unproven != nil {
		t.Errorf("%v\n%s", l.Unproven, diff)
	}
	if diff := cmp.Diff([]string{"build/", "inc/k.h", "src/x.c"}, entryPaths(l)); diff != "" {
		t.Error(diff)
	}
	if l.WorkingDir != "build" || len(l.Outputs) != 1 || l.Outputs[0].Path != "x.o" {
		t.Errorf("in %q: %v", l.WorkingDir, l.Outputs)
	}
	if len(l.Host) != 1 || l.Host[0].Path != "/usr/include/stdio.h" {
		t.Errorf("host files %v", l.Host)
	}
	if diff := cmp.Diff([]string{"PATH=/usr/bin:/bin", "PWD=/proc/self/cwd"}, slices.Sorted(slices.Values(l.Env))); diff != "" {
		t.Error(diff)
	}
}

func TestAbsoluteArguments(t *testing.T) {
	c := parse(t, "gcc", "/home/u/p/build", "-g", "-I/home/u/p/inc", "-I/usr/include/x", "-MD", "-c", "/home/u/p/src/x.c", "-o", "obj/x.o")
	l := newLayout(t, &Request{Compile: c, Root: "/home/u/p", Inputs: inputsOf("/home/u/p/src/x.c", "/home/u/p/inc/k.h")})
	want := []string{
		"/usr/bin/gcc", "-g", "-I/proc/self/cwd/../inc", "-I/usr/include/x", "-c", "/proc/self/cwd/../src/x.c", "-o", "obj/x.o",
		"-MD", "-MT", "rexwrap", "-MF", "obj/x.d",
		"-ffile-prefix-map=/proc/self/cwd=/home/u/p/build",
		"-ffile-prefix-map=/proc/self/cwd/..=/home/u/p",
	}
	if diff := cmp.Diff(want, l.Arguments); diff != "" || l.Unproven != nil {
		t.Errorf("%v\n%s", l.Unproven, diff)
	}
	const text = "In file included from /proc/self/cwd/../src/x.c:1:\n/usr/include/x.h:1: note\n"
	if got := string(l.ToClient([]byte(text))); got != "In file included from /home/u/p/src/x.c:1:\n/usr/include/x.h:1: note\n" {
		t.Errorf("ToClient: %q", got)
	}
	const dep = "rexwrap: /proc/self/cwd/../src/x.c /proc/self/cwd/../inc/k.h\n"
	got, ok := l.ClientDep("gcc", []byte(dep), []string{"obj/x.o"})
	if !ok || string(got) != "obj/x.o: /home/u/p/src/x.c /home/u/p/inc/k.h\n" {
		t.Errorf("ClientDep: %q, %v", got, ok)
	}
	const twice = "rexwrap: /proc/self/cwd/../src/x.c /proc/self/cwd/../inc/k.h \\\n /proc/self/cwd/../inc/k.h\n"
	if _, ok := l.ClientDep("gcc", []byte(twice), []string{"obj/x.o"}); !ok {
		t.Error("a header that is named twice is not believed")
	}
	if back, ok := l.WorkerDep("gcc", got, []string{"obj/x.o"}); !ok || string(back) != dep {
		t.Errorf("WorkerDep: %q, %v", back, ok)
	}
	if _, ok := l.ClientDep("gcc", []byte("rexwrap: /proc/self/cwd/../src/x.c\n"), []string{"obj/x.o"}); ok {
		t.Error("a dep-file that lacks an input is believed")
	}
}

// encoded is the Action of a Layout.
func encoded(t *testing.T, l *Layout) digest.Digest {
	t.Helper()
	tree, err := merkle.Build(l.Entries)
	if err != nil {
		t.Fatal(err)
	}
	spec := &action.Spec{Arguments: l.Arguments, Env: l.Env, WorkingDir: l.WorkingDir, InputRoot: tree.Root}
	for _, o := range l.Outputs {
		spec.OutputFiles = append(spec.OutputFiles, o.Path)
	}
	e, err := action.Encode(spec)
	if err != nil {
		t.Fatal(err)
	}
	return e.Action
}

// TestSharing lays the same compile out in two checkouts.
func TestSharing(t *testing.T) {
	for _, tt := range []struct {
		name  string
		mode  Mode
		args  string
		share bool
	}{
		{"relative", Exact, "-O2 -I../inc -c ../src/x.c", true},
		{"absolute", Exact, "-O2 -I$P/inc -c $P/src/x.c -o $P/build/x.o", true},
		{"debug", Exact, "-g -I../inc -c ../src/x.c", false},
		{"debug, absolute", Exact, "-g -I$P/inc -c $P/src/x.c", false},
		{"relocatable", Relocatable, "-g -I../inc -c ../src/x.c", true},
		{"relocatable, absolute", Relocatable, "-g -MD -I$P/inc -c $P/src/x.c -o $P/build/x.o", true},
		{"relocatable, a user's map", Relocatable, "-g -fdebug-prefix-map=/elsewhere=X -I$P/inc -c $P/src/x.c", true},
		{"relocatable, coverage", Relocatable, "-g --coverage -I../inc -c ../src/x.c", false},
		{"relocatable, recorded", Relocatable, "-g -frecord-gcc-switches -I$P/inc -c $P/src/x.c", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var actions []digest.Digest
			for _, place := range []string{"/home/u/p", "/srv/other/checkout"} {
				args := strings.Fields(strings.ReplaceAll(tt.args, "$P", place))
				c := parse(t, "gcc", place+"/build", args...)
				in := inputsOf(c.Source, strings.TrimSuffix(c.Source, "src/x.c")+"inc/k.h")
				l := newLayout(t, &Request{Compile: c, Root: place, Inputs: in, Mode: tt.mode})
				actions = append(actions, encoded(t, l))
			}
			if got := actions[0] == actions[1]; got != tt.share {
				t.Errorf("shared is %v", got)
			}
		})
	}
}

// TestSides: what lies beside the exec root has a name of its own.
func TestSides(t *testing.T) {
	c := parse(t, "clang", "/tmp/b", "-I/home/u/p/inc", "-I/opt/x", "-c", "/home/u/p/src/x.c", "-o", "x.o")
	l := newLayout(t, &Request{
		Compile: c, Beside: []string{"/home/u/p"},
		Inputs: inputsOf("/home/u/p/src/x.c", "/home/u/p/inc/k.h", "/opt/x/o.h"),
	})
	want := []string{".rexwrap-outside/0/inc/k.h", ".rexwrap-outside/0/src/x.c", ".rexwrap-outside/root/opt/x/o.h"}
	if diff := cmp.Diff(want, entryPaths(l)); diff != "" || l.Unproven != nil {
		t.Errorf("%v\n%s", l.Unproven, diff)
	}
	if !slices.Contains(l.Arguments, "/proc/self/cwd/.rexwrap-outside/0/src/x.c") {
		t.Errorf("arguments %q", l.Arguments)
	}
}

// TestLinks: symbolic links are kept, and made relative where they lead to
// another part of the InputRoot.
func TestLinks(t *testing.T) {
	c := parse(t, "gcc", "/p", "-c", "x.c")
	in := inputsOf("x.c", "near/a.h", "far/b.h", "gone/c.h")
	in.Files[1].Real, in.Files[2].Real, in.Files[3].Real = "/p/inc/a.h", "/p/inc/b.h", "/q/c.h"
	in.Symlinks = []depscan.Symlink{{Path: "/p/near", Target: "inc"}, {Path: "/p/far", Target: "/p/inc"}, {Path: "/p/gone", Target: "../q"}}
	l := newLayout(t, &Request{Compile: c, Inputs: in})
	want := []string{
		".rexwrap-outside/root/q/c.h", "far -> inc", "gone -> .rexwrap-outside/root/q",
		"inc/a.h", "inc/b.h", "near -> inc", "x.c",
	}
	if diff := cmp.Diff(want, entryPaths(l)); diff != "" || l.Unproven != nil {
		t.Errorf("%v\n%s", l.Unproven, diff)
	}
}

// TestDirectories: a directory without a file in it is there if the search needs
// it, and so is one that an output goes to.
func TestDirectories(t *testing.T) {
	c := parse(t, "gcc", "/p/b", "-I../none", "-Igen/../inc", "-c", "x.c", "-o", "out/x.o")
	in := inputsOf("x.c", "gen/../inc/k.h")
	in.Dirs = []string{"../empty"}
	l := newLayout(t, &Request{Compile: c, Root: "/p", Inputs: in})
	want := []string{"b/", "b/gen/", "b/inc/k.h", "b/out/", "b/x.c", "empty/"}
	if diff := cmp.Diff(want, entryPaths(l)); diff != "" {
		t.Error(diff)
	}
}

func TestUnproven(t *testing.T) {
	for _, tt := range []struct {
		name, cc, args, want string
		change               func(*Request)
	}{
		{name: "another version", cc: "gcc", args: "-g -c x.c", want: "-g", change: func(r *Request) { r.Compile.Toolchain.Version = "4.8.5" }},
		{name: "nothing carried, another version", cc: "gcc", args: "-c x.c", change: func(r *Request) { r.Compile.Toolchain.Version = "4.8.5" }},
		{name: "native", cc: "gcc", args: "-march=native -c x.c", want: "-march=native"},
		{name: "lto", cc: "gcc", args: "-flto -c x.c", want: "nondeterministic"},
		{name: "recorded", cc: "gcc", args: "-frecord-gcc-switches -c x.c", want: "recorded"},
		{name: "stabs", cc: "gcc", args: "-gstabs -c x.c", want: "-gstabs"},
		{name: "specs", cc: "clang", args: "-B/elsewhere -c x.c", want: "-B"},
		{name: "coverage", cc: "clang", args: "-g --coverage -c x.c", want: "--coverage"},
		{name: "date", cc: "gcc", args: "-c x.c", want: "__DATE__", change: func(r *Request) { r.Inputs.Identifiers = depscan.IdentDate }},
		{name: "signature", cc: "clang", args: "-x c++ -c /home/me/src/x.c", want: "__PRETTY_FUNCTION__", change: func(r *Request) { r.Inputs.Identifiers = depscan.IdentSignature }},
		{name: "signature in C", cc: "clang", args: "-c /home/me/src/x.c", change: func(r *Request) { r.Inputs.Identifiers = depscan.IdentSignature }},
		{name: "relative signature", cc: "clang", args: "-x c++ -c x.c", change: func(r *Request) { r.Inputs.Identifiers = depscan.IdentSignature }},
		{name: "gcc's signature", cc: "gcc", args: "-x c++ -c /home/me/src/x.c", change: func(r *Request) { r.Inputs.Identifiers = depscan.IdentSignature }},
		{name: "timestamp", cc: "gcc", args: "-c x.c", want: "__TIMESTAMP__", change: func(r *Request) { r.Inputs.Identifiers = depscan.IdentTimestamp }},
		{name: "absolute name in the text", cc: "gcc", args: "-c x.c", want: "/p/k.h", change: func(r *Request) { r.Inputs = inputsOf("x.c", "/p/k.h") }},
		{name: "absolute name looked for", cc: "gcc", args: "-c x.c", want: "/etc/k.h", change: func(r *Request) { r.Inputs.Absent = []string{"/etc/k.h"} }},
		{name: "above the root", cc: "gcc", args: "-I../../../x -c x.c", want: "../../../x"},
		{name: "times", cc: "clang", args: "-c x.c", want: "x.c", change: func(r *Request) { r.Inputs.Files[0].ModTime = 1 }},
		{name: "climbing system header", cc: "gcc", args: "-isystem /p/sys -c x.c", want: "-isystem", change: func(r *Request) {
			r.Inputs = inputsOf("x.c", "</p/sys/k.h")
			r.Text = func(string) ([]byte, error) { return []byte(`#include "../y.h"`), nil }
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := &Request{Compile: parse(t, tt.cc, "/p", strings.Fields(tt.args)...), Root: "/p", Inputs: inputsOf("x.c")}
			r.HostFile = systemPath
			r.Text = func(string) ([]byte, error) { return nil, nil }
			if tt.change != nil {
				tt.change(r)
			}
			l, err := New(r)
			if err != nil {
				t.Fatal(err)
			}
			reason, arg, _ := toolchains.ReasonOf(l.Unproven)
			if (l.Unproven == nil) != (tt.want == "") || l.Unproven != nil && (reason != ReasonUnproven || arg != tt.want) {
				t.Errorf("unproven: %v, want %q", l.Unproven, tt.want)
			}
			encoded(t, l)
		})
	}
}

// TestClimbing: two dots of a directive count, three do not.
func TestClimbing(t *testing.T) {
	for text, want := range map[string]bool{
		"": false, "int f(int, ...);": false, "// [0..9]": false, "#define F(...) f(__VA_ARGS__)": false, "#error ....": false,
		"#include <../x.h>": true, "#define H \"../x.h\"": true, "#define H \\\n \"../x.h\"": true, "%:include <../x.h>": true,
		"#include \"../beside.h\"": false, "# include \t\"../beside.h\" // ../x.h": true, "#include \"../x.h\"": true,
		"#include_next \"../beside.h\"": true, "a ... #include \"../x\"": true,
	} {
		if got := climbsInText([]byte(text), func(name string) bool { return name == "../beside.h" }); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}
