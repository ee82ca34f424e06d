package msvc

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/gnu/gnutest"
)

func clangCL(t testing.TB) string {
	t.Helper()
	if path, err := exec.LookPath("clang-cl"); err == nil {
		return path
	}
	return gnutest.Find(t, "clang-cl-14")
}

func utf16Text(order binary.AppendByteOrder, text string) string {
	var out []byte
	for _, unit := range utf16.Encode([]rune("\uFEFF" + text)) {
		out = order.AppendUint16(out, unit)
	}
	return string(out)
}

// tree makes what the calls of testdata name.
func tree(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	const code = "int f(int x) { return x + 1; }\n"
	const warns = "static int unused(int x) { int y; return x; }\nint g(unsigned a, int b) { return a == b; }\n"
	for name, text := range map[string]string{
		"x.c": code, "x.cpp": code, "x.cxx": code, "x.cc": code, "x.CPP": code, "noext": code, "noext2": code, "sub/y.cpp": code,
		"warn.cpp": warns, "bad.cpp": "int f( {\n", "h.h": "int h;\n", "inc/i.h": "int i;\n", "out/.keep": "",
		"größe.cpp": code, "a b.cpp": code,
		"plain.rsp": "/O2 /DA=1 x.cpp\r\n/W3", "lines.rsp": "/c\n/O1\n\n\t/DX=1",
		"utf16le.rsp": utf16Text(binary.LittleEndian, "/O2 \"größe.cpp\"\r\n"),
		"utf16be.rsp": utf16Text(binary.BigEndian, "/DA x.cpp"),
		"utf8bom.rsp": "\uFEFF/DA größe.cpp", "utf8.rsp": "größe.cpp /Od",
		"quotes.rsp": `"/DA=\"q\"" /DB=a\\b "/DC=x y" /DD="x ""y"" z" "/Foout\\"`,
	} {
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

// A testCall is one line of testdata/calls.txt.
type testCall struct {
	line      string
	env, args []string
}

func readCalls(t testing.TB) []testCall {
	t.Helper()
	text, err := os.ReadFile("testdata/calls.txt")
	if err != nil {
		t.Fatal(err)
	}
	word := regexp.MustCompile(`'[^']*'|\S+`)
	variable := regexp.MustCompile(`^[A-Z_]+=`)
	var calls []testCall
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		c := testCall{line: line}
		for _, w := range word.FindAllString(line, -1) {
			w = strings.Trim(w, "'")
			if variable.MatchString(w) && len(c.args) == 0 {
				c.env = append(c.env, w)
			} else {
				c.args = append(c.args, w)
			}
		}
		calls = append(calls, c)
	}
	return calls
}

// A result is what a run of the compiler leaves.
type result struct {
	status         int
	stdout, stderr string
	files          map[string]string
}

func run(t testing.TB, call *toolchains.Call, args ...string) result {
	t.Helper()
	cmd := exec.Command(call.Program, append(slices.Clone(args), call.Argv[1:]...)...)
	cmd.Dir, cmd.Env = call.Dir, call.Env
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	before := files(t, call.Dir)
	r := result{files: map[string]string{}}
	if err := cmd.Run(); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			t.Fatal(err)
		}
		r.status = exit.ExitCode()
	}
	r.stdout, r.stderr = stdout.String(), stderr.String()
	for name, content := range files(t, call.Dir) {
		if _, old := before[name]; !old {
			r.files[name] = content
		}
	}
	return r
}

func files(t testing.TB, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		found[name] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// The compiler makes what the parsed call announces, and the parsed call, written out again
// without response files and variables, means the same: status, messages, files.
func TestCalls(t *testing.T) {
	program := clangCL(t)
	calls := readCalls(t)
	if len(calls) < 150 {
		t.Fatalf("only %d calls", len(calls))
	}
	family := NewClang()
	fixed := []string{"--target=x86_64-pc-windows-msvc", "/Brepro"}
	for _, c := range calls {
		t.Run(c.line, func(t *testing.T) {
			t.Parallel()
			dir := tree(t)
			call := gnutest.Call(dir, program, c.args, c.env...)
			parsed, err := family.Parse(call, &toolchains.Toolchain{Family: "msvc"})
			if err != nil {
				t.Fatal(err)
			}
			want := run(t, call, fixed...)
			checkFiles(t, parsed, want)
			again := gnutest.Call(dir, program, gnutest.Words(parsed), c.env...)
			again.Env = withoutVariables(again.Env)
			for name := range want.files {
				if err := os.Remove(filepath.Join(dir, name)); err != nil {
					t.Fatal(err)
				}
			}
			if got := run(t, again, fixed...); !same(got, want) {
				t.Errorf("%q gives\n%d %s %s %v\nnot\n%d %s %s %v", again.Argv, got.status, got.stdout, got.stderr, names(got), want.status, want.stdout, want.stderr, names(want))
			}
		})
	}
}

func same(a, b result) bool {
	if a.status != b.status || a.stdout != b.stdout || a.stderr != b.stderr || len(a.files) != len(b.files) {
		return false
	}
	for name, content := range a.files {
		if b.files[name] != content {
			return false
		}
	}
	return true
}

func names(r result) []string {
	var list []string
	for name := range r.files {
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}

func checkFiles(t *testing.T, c *toolchains.Compile, r result) {
	t.Helper()
	var announced []string
	for _, o := range c.Outputs {
		announced = append(announced, filepath.Clean(o.Path))
	}
	slices.Sort(announced)
	if made := names(r); r.status == 0 && !slices.Equal(made, announced) {
		t.Errorf("makes %q, announced are %q", made, announced)
	} else if r.status != 0 && len(made) != 0 {
		t.Errorf("fails and leaves %q: %s", made, r.stderr)
	}
}

// Every option of cl.exe's kind that clang-cl lists has a row.
func TestAllOptions(t *testing.T) {
	text, err := exec.Command(clangCL(t), "/help").Output()
	if err != nil {
		t.Fatal(err)
	}
	own, _, found := strings.Cut(string(text), "\nOPTIONS:")
	if !found {
		t.Fatal("/help has another form")
	}
	family, count := NewClang(), 0
	for _, m := range regexp.MustCompile(`(?m)^  (/[^\s<]+)(?:\[?<| <)?`).FindAllStringSubmatch(own, -1) {
		count++
		match, ok := family.lookup(m[1])
		if !ok {
			t.Errorf("no row for %s", m[1])
			continue
		}
		if match.Form == 0 && !strings.EqualFold(match.Name[1:], m[1][1:]) {
			t.Errorf("%s is taken for %s", m[1], match.Name)
		}
	}
	if count < 120 {
		t.Errorf("only %d options seen", count)
	}
}

// Options that are left out of the key make no difference.
func TestNoKey(t *testing.T) {
	program := clangCL(t)
	dir := tree(t)
	compile := func(args ...string) result {
		fixed := []string{"--target=x86_64-pc-windows-msvc", "/Brepro", "/c", "/W4", "/Foout.obj", "warn.cpp"}
		r := run(t, gnutest.Call(dir, program, append(args, fixed...)))
		if r.status != 0 {
			t.Errorf("%q: %s", args, r.stderr)
			return r
		}
		if err := os.Remove(filepath.Join(dir, "out.obj")); err != nil {
			t.Fatal(err)
		}
		return r
	}
	want := compile()
	for _, row := range NewClang().Table().Rows() {
		if !row.Class.Has(noKey) {
			continue
		}
		flag := row.Name
		switch {
		case !row.Forms.Has(joined):
		case row.Name == "-errorReport:":
			flag += "queue"
		default:
			flag += "2"
		}
		if got := compile("/" + flag[1:]); !same(got, want) {
			t.Errorf("%s makes a difference: %s", flag, fmt.Sprint(got.stderr))
		}
	}
}
