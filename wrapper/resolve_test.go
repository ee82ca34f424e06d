//go:build unix

package wrapper

import (
	"io"
	"os"
	"slices"
	"strings"
	"testing"
)

func TestDispatch(t *testing.T) {
	for _, tt := range []struct {
		line  string
		means meaning
		words string
	}{
		{"rexwrap gcc -c x.c", meansCompile, "gcc -c x.c"},
		{"/usr/bin/rexwrap /usr/bin/gcc", meansCompile, "/usr/bin/gcc"},
		{"rexwrap.exe cl /c x.c", meansCompile, "cl /c x.c"},
		{"rexwrap rexwrap gcc -c x.c", meansCompile, "gcc -c x.c"},
		{"rexwrap /opt/bin/rexwrap rexwrap gcc", meansCompile, "gcc"},
		{"rexwrap", meansUsage, ""},
		{"rexwrap rexwrap", meansUsage, ""},
		{"rexwrap stats --json", meansManage, "stats --json"},
		{"rexwrap exec -- make", meansManage, "exec -- make"},
		{"rexwrap ./stats x", meansCompile, "./stats x"},
		{"rexwrap --version", meansManage, "--version"},
		{"rexwrap -s", meansManage, "-s"},
		{"rexwrap -C", meansManage, "-C"},
		{"rexwrap --stop-server", meansManage, "--stop-server"},
		{"rexwrap --version -c", meansPlain, "--version -c"},
		{"rexwrap -s x.c", meansPlain, "-s x.c"},
		{"rexwrap -c x.c", meansPlain, "-c x.c"},
		{"rexwrap -v", meansPlain, "-v"},
		{"rexwrap rexwrap -c x.c", meansPlain, "-c x.c"},
		{"rexwrap @args", meansPlain, "@args"},
		{"rexwrap x.c -o x", meansPlain, "x.c -o x"},
		{"rexwrap dir/x.cpp", meansPlain, "dir/x.cpp"},
		{"rexwrap x.o", meansPlain, "x.o"},
		{"rexwrap gcc-12.2 x.o", meansCompile, "gcc-12.2 x.o"},
		{"gcc -c x.c", meansDisguise, "gcc -c x.c"},
		{"/links/g++ stats", meansDisguise, "/links/g++ stats"},
		{"gcc", meansDisguise, "gcc"},
	} {
		means, words := dispatch(strings.Fields(tt.line))
		if means != tt.means || strings.Join(words, " ") != tt.words {
			t.Errorf("%s: got %d %q, want %d %q", tt.line, means, words, tt.means, tt.words)
		}
	}
}

func TestPlainCompiler(t *testing.T) {
	env := environ{"REXWRAP_CC=gcc -m32", "REXWRAP_CXX="}
	for args, want := range map[string]string{
		"-c x.c": "gcc -m32", "-c x.cc": "c++", "-c x.C": "c++", "-c dir.cc/x.c": "gcc -m32",
		"-x c++ -c x.c": "c++", "-xc++-header x.h": "c++", "-xc x.cc": "gcc -m32", "-std=c++20 -c -": "c++",
		"-std=gnu99 -c x.cc": "gcc -m32", "-stdlib=libc++ x.o": "c++", "-o x x.o": "gcc -m32", "-c x.mm": "c++",
	} {
		if got := strings.Join(plainCompiler(strings.Fields(args), env), " "); got != want {
			t.Errorf("%s: got %q, want %q", args, got, want)
		}
	}
}

func TestObvious(t *testing.T) {
	for _, tt := range []struct{ line, want string }{
		{"gcc -c x.c", ""},
		{"gcc -S x.c", ""},
		{"gcc -fsyntax-only x.c", ""},
		{"clang --analyze x.c", ""},
		{"gcc --compile x.c", ""},
		{"gcc x.h", ""},
		{"g++ -o x.gch dir/x.hpp", ""},
		{"gcc -x c-header x", ""},
		{"gcc -xc++-header x", ""},
		{"gcc @args", ""},
		{"gcc -E @args", reasonPreprocess},
		{"gcc x.o -o x", reasonLink},
		{"gcc x.c -o x", reasonLink},
		{"gcc -x", reasonLink},
		{"gcc", reasonLink},
		{"gcc -o -c.h", reasonLink},
		{"gcc -E x.c", reasonPreprocess},
		{"gcc -M x.c", reasonPreprocess},
		{"gcc -MM -c x.c", reasonPreprocess},
		{"gcc -MD -c x.c", ""},
		{"gcc -MMD -MF x.d -c x.c", ""},
		{"gcc --version", reasonQuery},
		{"gcc -### -c x.c", reasonQuery},
		{"gcc -dumpmachine", reasonQuery},
		{"gcc -print-search-dirs", reasonQuery},
		{"clang --print-supported-cpus -c x.c", reasonQuery},
		{"gcc --help=target -c x.c", reasonQuery},
		{"x86_64-linux-gnu-gcc-12 x.o", reasonLink},
		{"arm-none-eabi-g++ x.o", reasonLink},
		{"clang++-14 x.o", reasonLink},
		{"/opt/gcc-12.2/bin/c99 x.o", reasonLink},
		{"rustc --version", reasonQuery},
		{"rustc -vV", reasonQuery},
		{"/tc/bin/clippy-driver /tc/bin/rustc -vV", reasonQuery},
		{"rustc - --crate-name ___ --print=file-names --crate-type bin", reasonQuery},
		{"rustc --print cfg", reasonQuery},
		{"rustc -C help", reasonQuery},
		{"rustc --explain E0001", reasonQuery},
		{"rustc --crate-name x x.rs -C opt-level=3 -W unused", ""},
		{"clang-cl x.obj", ""},
		{"gcc-ar x.o", ""},
		{"nvcc x.o", ""},
		{"tcc x.o", ""},
		{"cl /c x.c", ""},
	} {
		words := strings.Fields(tt.line)
		if got := obvious(words[0], words[1:]); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.line, got, tt.want)
		}
	}
}

func TestEnviron(t *testing.T) {
	env := environ{"A=1", "AB=2", "A=3", "odd", "E="}
	for name, want := range map[string]string{"A": "1", "AB": "2", "B": "", "E": "", "": ""} {
		if got := env.get(name); got != want {
			t.Errorf("get(%s) = %q, want %q", name, got, want)
		}
	}
	if got := env.with("A=4", "N=5"); !slices.Equal(got, environ{"AB=2", "odd", "E=", "A=4", "N=5"}) {
		t.Errorf("with: %q", got)
	}
	for value, want := range map[string]bool{"1": true, "true": true, "x": true, "": false, "0": false, "false": false, "no": false, "off": false, "FALSE": false} {
		if truth(value) != want {
			t.Errorf("truth(%q) = %v", value, !want)
		}
	}
}

// TestFind looks for compilers among everything that may lie on PATH.
func TestFind(t *testing.T) {
	f := newFixture(t)
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.MkdirAll(f.dir+"/links/sub", 0o755))
	must(os.Symlink(exe, f.dir+"/links/gcc"))                  // a link
	must(os.Symlink("gcc", f.dir+"/links/g++"))                // a link to a link
	must(os.Symlink("/nonexistent/rexwrap", f.dir+"/links/x")) // dangling
	must(os.Mkdir(f.dir+"/links/clang", 0o755))                // a directory
	f.compiler("gcc", "")
	f.compiler("g++", "")
	f.compiler("clang", "")
	f.compiler("rexwrap", "") // another version
	must(os.Symlink("../bin/rexwrap", f.dir+"/links/tcc"))
	f.compiler("tcc", "")
	f.write("links/plain", "")
	f.write("bin/noexec", "")
	must(copyFile(exe, f.dir+"/links/cc"))
	self := newSelf()
	for _, tt := range []struct{ path, name, want string }{
		{"links:bin", "gcc", "bin/gcc passed"},
		{"links:bin", "g++", "bin/g++ passed"},
		{"links:bin", "cc", "bin/cc passed"},
		{"links:bin", "tcc", "bin/tcc passed"},
		{"links:bin", "clang", "bin/clang"},
		{"bin:links", "gcc", "bin/gcc"},
		{"nowhere::bin", "gcc", "bin/gcc"},
		{"links", "gcc", "gcc: command not found"},
		{"links:bin", "x", "x: command not found"},
		{"bin", "noexec", "noexec: permission denied"},
		{"bin", "", ": command not found"},
		{"", "no-such-program", "no-such-program: command not found"},
		{"links:bin", "links/gcc", "bin/gcc passed"},
		{"links:bin", "bin/gcc", "bin/gcc"},
		{"links:bin", "./bin/../bin/gcc", "./bin/../bin/gcc"},
		{"bin", "bin/none", "bin/none: no such file or directory"},
		{"bin", "links/clang", "links/clang: is a directory"},
		{"bin", "bin/noexec", "bin/noexec: permission denied"},
	} {
		finder := finder{path: absoluteList(f.dir, tt.path), dir: f.dir, self: self}
		program, passed, err := finder.find(tt.name)
		got := strings.TrimPrefix(program, f.dir+"/")
		if passed && err == nil {
			got += " passed"
		}
		if err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("PATH=%s: %q is %q, want %q", tt.path, tt.name, got, tt.want)
		}
	}
}

// absoluteList makes all entries of a PATH absolute but the empty ones.
func absoluteList(dir, path string) string {
	entries := strings.Split(path, ":")
	for i, e := range entries {
		if e != "" {
			entries[i] = dir + "/" + e
		}
	}
	return strings.Join(entries, ":")
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		return err
	}
	return out.Close()
}

func TestNotFound(t *testing.T) {
	f := newFixture(t)
	f.write("bin/noexec", "")
	f.want(f.wrap("rexwrap", "nosuchcc", "-c"), result{status: 127, stderr: "rexwrap: nosuchcc: command not found\n"})
	f.want(f.wrap("rexwrap", "noexec", "-c"), result{status: 126, stderr: "rexwrap: noexec: permission denied\n"})
	f.want(f.wrap("rexwrap", "./nosuchcc"), result{status: 127, stderr: "rexwrap: ./nosuchcc: no such file or directory\n"})
	f.want(f.wrap("rexwrap", "./bin"), result{status: 126, stderr: "rexwrap: ./bin: is a directory\n"})
}

// TestDisguise runs the wrapper as the compiler, which sees its own path.
func TestDisguise(t *testing.T) {
	f := newFixture(t)
	f.compiler("cc", `echo "$0 $@"`)
	f.compiler("bare", "")
	f.want(f.wrap("cc", "stats"), result{stdout: f.dir + "/bin/cc stats\n"})
	f.want(f.wrap("/links/cc", "-c"), result{stdout: f.dir + "/bin/cc -c\n"})
}

// TestNoHashBang runs a script that the kernel does not know how to run.
func TestNoHashBang(t *testing.T) {
	f := newFixture(t)
	f.write("bin/cc", `echo "script $@"; exit 4`)
	if err := os.Chmod(f.dir+"/bin/cc", 0o755); err != nil {
		t.Fatal(err)
	}
	f.want(f.wrap("rexwrap", "cc", "-c", "x"), result{status: 4, stdout: "script -c x\n"})
}

// TestRound has a script on PATH that wraps the compiler of its own name in
// rexwrap, as people write them: the calls end at the real one.
func TestRound(t *testing.T) {
	f := newFixture(t)
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(exe, f.dir+"/rexwrap"); err != nil {
		t.Fatal(err)
	}
	f.write("first/cc", "#!/bin/sh\nexec "+f.dir+"/rexwrap cc \"$@\"\n")
	if err := os.Chmod(f.dir+"/first/cc", 0o755); err != nil {
		t.Fatal(err)
	}
	f.env = environ(f.env).with("PATH=" + f.dir + "/first:" + f.dir + "/bin:/usr/bin:/bin")
	f.want(f.wrap("rexwrap", "cc", "-c", "x.c"), result{})
	if f.runs() != 1 {
		t.Errorf("the compiler ran %d times, want once", f.runs())
	}
	f.write("bin/cc", "#!/bin/sh\nexec "+f.dir+"/rexwrap "+f.dir+"/bin/cc\n")
	got := f.wrap("rexwrap", f.dir+"/bin/cc")
	if got.status != 126 || !strings.Contains(got.stderr, "calls itself") {
		t.Errorf("a script that calls itself by its path: %+v", got)
	}
}
