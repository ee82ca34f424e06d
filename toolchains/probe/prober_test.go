//go:build linux

package probe

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/localserver/localexec"
	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/argtable"
)

type readingFiles struct{}

func (readingFiles) Digest(path string) (digest.Digest, error) {
	data, err := os.ReadFile(path)
	return digest.Of(data), err
}

type mapMemory struct {
	mu     sync.Mutex
	values map[digest.Digest][]byte
}

func (m *mapMemory) Load(key digest.Digest) ([]byte, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	value, ok := m.values[key]
	return value, ok
}

func (m *mapMemory) Store(key digest.Digest, value []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.values[key] = value
}

type fixture struct {
	*Prober
	memory    *mapMemory
	processes atomic.Int64
}

func newFixture() *fixture {
	f := &fixture{memory: &mapMemory{values: map[digest.Digest][]byte{}}}
	f.restart()
	return f
}

func (f *fixture) restart() {
	run := localexec.Runner(localexec.Limits{})
	f.Prober = New(readingFiles{}, func(ctx context.Context, c toolchains.Command) (*toolchains.CommandResult, error) {
		f.processes.Add(1)
		return run(ctx, c)
	}, f.memory)
}

// compile is a Compile as far as a Prober looks at it.
func compile(program, language string, flags ...string) *toolchains.Compile {
	c := &toolchains.Compile{
		Call: &toolchains.Call{
			Program: program, Argv: append([]string{filepath.Base(program)}, flags...),
			Dir: "/", Env: toolchains.Environ{"PATH=/usr/bin:/bin"},
		},
		Toolchain: &toolchains.Toolchain{Program: program, Digest: digest.OfString(program)},
		Language:  language,
	}
	for _, flag := range flags {
		arg := toolchains.Arg{Option: flag, Form: argtable.Flag}
		if flag[0] != '-' {
			arg = toolchains.Arg{Value: flag, Form: argtable.Joined}
		}
		c.Args = append(c.Args, arg)
	}
	return c
}

func (f *fixture) facts(t testing.TB, c *toolchains.Compile) *toolchains.Facts {
	t.Helper()
	facts, err := f.Facts(t.Context(), c)
	if err != nil {
		t.Fatalf("facts of %v: %v", c.Call.Argv, err)
	}
	return facts
}

// flagSets are the flags with which real projects compile, their -I and -D left
// out.
func flagSets() map[string][]string {
	return map[string][]string{
		"none":      nil,
		"lua":       strings.Fields("-std=gnu99 -O2 -Wall -Wextra -fPIC"),
		"zlib":      strings.Fields("-O3 -fPIC"),
		"redis":     strings.Fields("-pedantic -std=c11 -Wall -W -Wno-missing-field-initializers -O3 -g -ggdb -fno-omit-frame-pointer -MMD"),
		"git":       strings.Fields("-std=gnu99 -g -O2 -Wall -MQ x.o -MD -MP"),
		"fmt":       strings.Fields("-std=c++20 -O3 -fvisibility=hidden -fvisibility-inlines-hidden -Wall -pedantic -Werror"),
		"protobuf":  strings.Fields("-std=c++11 -pthread -O3 -fdiagnostics-color=always -fstack-protector-strong -Wformat -Werror=format-security"),
		"debian":    strings.Fields("-g -O2 -ffile-prefix-map=/a=. -fstack-protector-strong -Wformat -fcf-protection"),
		"kernel":    strings.Fields("-nostdinc -std=gnu11 -fshort-wchar -funsigned-char -fno-common -fno-PIE -fno-strict-aliasing -mno-sse -mno-mmx -m64 -mno-red-zone -mcmodel=kernel -fno-asynchronous-unwind-tables -O2"),
		"embedded":  strings.Fields("-ffreestanding -fno-builtin -Os -ffunction-sections -fdata-sections"),
		"sanitized": strings.Fields("-fsanitize=address,undefined -fno-omit-frame-pointer -O1 -g"),
		"fast":      strings.Fields("-Ofast -march=haswell -ffast-math -fopenmp"),
		"profiled":  strings.Fields("-O2 --coverage -fstack-usage -fno-exceptions"),
		"cfi":       strings.Fields("-fno-asynchronous-unwind-tables -g3 -gsplit-dwarf"),
		"ansi":      strings.Fields("-ansi -pedantic -Wall -O"),
		"sysroot":   strings.Fields("--sysroot=/nonexistent -O2"),
		"no-std":    strings.Fields("-nostdinc++ -undef -O0"),
		"32 bit":    strings.Fields("-m32 -O2"),
		"lto":       strings.Fields("-flto -O2 -fno-fat-lto-objects"),
		"warnings":  strings.Fields("-Wvla -Wno-deprecated -Wpedantic"),
		"errors":    strings.Fields("-Werror -Werror=vla -Wa,--noexecstack"),
		"-fpic":     strings.Fields("-fpic -fno-rtti -Wdouble-promotion"),
	}
}

// TestFactsAgreeWithCompiler runs the compiler with all flags of real projects and
// wants the same search, macros and headers.
func TestFactsAgreeWithCompiler(t *testing.T) {
	f := newFixture()
	for _, program := range []string{"/usr/bin/gcc", "/usr/bin/g++", "/usr/bin/clang"} {
		for name, flags := range flagSets() {
			for _, language := range []string{"c", "c++", "assembler-with-cpp"} {
				if !suits(language, flags) || program == "/usr/bin/g++" && language != "c++" {
					continue
				}
				t.Run(filepath.Base(program)+"/"+name+"/"+language, func(t *testing.T) {
					compareWithCompiler(t, f, program, language, flags)
				})
			}
		}
	}
}

// suits reports whether -std among flags is one of language.
func suits(language string, flags []string) bool {
	i := slices.IndexFunc(flags, func(flag string) bool { return strings.HasPrefix(flag, "-std=") })
	return i < 0 || language == "assembler-with-cpp" || strings.Contains(flags[i], "++") == (language == "c++")
}

func compareWithCompiler(t *testing.T, f *fixture, program, language string, flags []string) {
	dir := t.TempDir()
	run := func(args ...string) (stdout, stderr string) {
		t.Helper()
		cmd := exec.Command(program, slices.Concat(flags, []string{"-x", language}, args, []string{"/dev/null"})...)
		cmd.Dir, cmd.Env = dir, []string{"PATH=/usr/bin:/bin", "LC_ALL=C"}
		var out, diagnostics bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &diagnostics
		if err := cmd.Run(); err != nil {
			t.Fatalf("%v: %s", err, diagnostics.String())
		}
		return out.String(), diagnostics.String()
	}
	facts := f.facts(t, compile(program, language, flags...))

	_, verbose := run("-E", "-v")
	var search []string
	if _, after, ok := strings.Cut(verbose, "#include <...> search starts here:\n"); ok {
		list, _, _ := strings.Cut(after, "End of search list.")
		search = strings.Fields(list)
	}
	if !slices.Equal(facts.AngleDirs, search) {
		t.Errorf("search %v, compiler says %v", facts.AngleDirs, search)
	}
	macros, _ := run("-E", "-dM")
	if got, want := sortedLines(string(facts.Predefined)), sortedLines(macros); !slices.Equal(got, want) {
		t.Errorf("macros differ: only in facts %v, only in -dM %v", without(got, want), without(want, got))
	}
	deps, _ := run("-M", "-MF", "-")
	_, list, _ := strings.Cut(strings.ReplaceAll(deps, "\\\n", ""), ":")
	headers := strings.Fields(list)
	headers = slices.DeleteFunc(headers, func(h string) bool { return h == "/dev/null" || strings.HasSuffix(h, ":") })
	if got := slices.Concat(facts.Implicit, facts.ReadFiles); !slices.Equal(got, headers) {
		t.Errorf("implicit headers %v, -M says %v", got, headers)
	}
}

func sortedLines(text string) []string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	slices.Sort(lines)
	return lines
}

func without(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(s string) bool { return slices.Contains(b, s) })
}

func TestFactsAreSharedAndKept(t *testing.T) {
	f := newFixture()
	first := f.facts(t, compile("/usr/bin/gcc", "c", "-O2", "-DX=1", "-Iinclude", "-g"))
	again := f.facts(t, compile("/usr/bin/gcc", "c", "-O2", "-DY=1", "-MMD", "-g", "-fdiagnostics-color"))
	if first != again {
		t.Error("one class, two facts")
	}
	if n := f.processes.Load(); n != 1 {
		t.Errorf("%d processes", n)
	}
	f.restart()
	kept := f.facts(t, compile("/usr/bin/gcc", "c", "-O2", "-g"))
	if n := f.processes.Load(); n != 1 {
		t.Errorf("%d processes after a restart", n)
	}
	if !bytes.Equal(kept.Predefined, first.Predefined) || !slices.Equal(kept.AngleDirs, first.AngleDirs) ||
		!slices.Equal(kept.Implicit, first.Implicit) || !slices.Equal(kept.AbsentDirs, first.AbsentDirs) {
		t.Error("what was kept differs")
	}
}

func TestClasses(t *testing.T) {
	f := newFixture()
	base := []string{"-std=gnu11", "-O2", "-g"}
	key := func(language string, flags ...string) digest.Digest {
		return f.FactsKey(compile("/usr/bin/gcc", language, flags...))
	}
	want := key("c", base...)
	for _, same := range []string{"-Werror", "-Wno-error=vla", "-DX", "-UX", "-Iy", "-MD", "-fdiagnostics-color=always", "-ffile-prefix-map=a=b", "-frandom-seed=1", "-pipe", "-save-temps"} {
		if key("c", append(base, same)...) != want {
			t.Errorf("%s makes another class", same)
		}
	}
	for _, other := range []string{"-O0", "-Wvla", "-Werror=vla", "-pedantic", "-Wno-deprecated", "-std=c11", "-m32", "-mavx2", "-fPIC", "-fsanitize=address", "-pthread", "-ansi", "-undef", "-nostdinc", "--sysroot=/x", "-fopenmp", "-ffast-math"} {
		if key("c", append(base, other)...) == want {
			t.Errorf("%s is in the same class", other)
		}
	}
	if key("c++", base...) == want {
		t.Error("C++ is in C's class")
	}
	if key("c-header", base...) != want {
		t.Error("a header is not in its language's class")
	}
	c := compile("/usr/bin/gcc", "c", base...)
	c.Toolchain = &toolchains.Toolchain{Program: c.Toolchain.Program, Digest: digest.OfString("another")}
	if f.FactsKey(c) == want {
		t.Error("another toolchain is in the same class")
	}
	c = compile("/usr/bin/gcc", "c", base...)
	c.Call.Env = c.Call.Env.With("PATH=/other", "CPATH=/x", "C_INCLUDE_PATH=/y")
	if f.FactsKey(c) != want {
		t.Error("PATH or CPATH makes another class")
	}
	c.Call.Env = c.Call.Env.With("COMPILER_PATH=/x")
	if f.FactsKey(c) == want {
		t.Error("COMPILER_PATH does not make another class")
	}
}

func TestScannersVariablesAreLeftOut(t *testing.T) {
	f := newFixture()
	c := compile("/usr/bin/gcc", "c")
	c.Call.Env = c.Call.Env.With("CPATH=/usr/lib", "C_INCLUDE_PATH=/usr/share")
	if facts := f.facts(t, c); slices.Contains(facts.AngleDirs, "/usr/lib") || slices.Contains(facts.AngleDirs, "/usr/share") {
		t.Errorf("search %v", facts.AngleDirs)
	}
}

// TestSearchChanges makes search folders appear, go away and become one.
func TestSearchChanges(t *testing.T) {
	root := t.TempDir()
	include, local := root+"/usr/include", root+"/usr/local/include"
	if err := os.MkdirAll(include, 0o755); err != nil {
		t.Fatal(err)
	}
	predef := include + "/stdc-predef.h"
	if err := os.WriteFile(predef, []byte("#define ONE 1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, program := range []string{"/usr/bin/gcc", "/usr/bin/clang"} {
		f := newFixture()
		c := compile(program, "c", "--sysroot="+root)
		expect := func(step string, dir string, there bool) {
			t.Helper()
			f.facts(t, c)
			f.restart()
			facts := f.facts(t, c)
			if slices.Contains(facts.AngleDirs, dir) != there {
				t.Errorf("%s: %s: search %v", program, step, facts.AngleDirs)
			}
		}
		expect("at first", local, false)
		if facts := f.facts(t, c); !slices.Contains(facts.AbsentDirs, local) {
			t.Errorf("%s: absent %v", program, facts.AbsentDirs)
		}
		if err := os.MkdirAll(local, 0o755); err != nil {
			t.Fatal(err)
		}
		expect("appeared", local, true)
		if err := os.Remove(local); err != nil {
			t.Fatal(err)
		}
		expect("gone", local, false)
		if err := os.Symlink(include, local); err != nil {
			t.Fatal(err)
		}
		expect("another name of one folder", local, program == "/usr/bin/clang") // gcc keeps the other
		if err := os.RemoveAll(root + "/usr/local"); err != nil {
			t.Fatal(err)
		}
	}
}

func TestImplicitHeaderChanges(t *testing.T) {
	root := t.TempDir()
	include := root + "/usr/include"
	if err := os.MkdirAll(include, 0o755); err != nil {
		t.Fatal(err)
	}
	f := newFixture()
	for _, value := range []string{"1", "2", "3"} {
		if err := os.WriteFile(include+"/stdc-predef.h", []byte("#define EDITED "+value+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		facts := f.facts(t, compile("/usr/bin/gcc", "c", "--sysroot="+root))
		if !bytes.Contains(facts.Predefined, []byte("#define EDITED "+value+"\n")) {
			t.Errorf("edit %s is not seen", value)
		}
	}
}

func TestRefusedFlagsAreAskedOnce(t *testing.T) {
	f := newFixture()
	for range 3 {
		if _, err := f.Facts(t.Context(), compile("/usr/bin/gcc", "c", "-fno-such-flag")); !errors.Is(err, ErrRefused) {
			t.Errorf("err = %v, want ErrRefused", err)
		}
	}
	if n := f.processes.Load(); n != 1 {
		t.Errorf("%d processes", n)
	}
}

func TestNativeIsNotKept(t *testing.T) {
	f := newFixture()
	for _, arg := range []toolchains.Arg{
		{Option: "-march=", Value: "native", Form: argtable.Joined},
		{Option: "-mtune=native", Form: argtable.Flag},
	} {
		c := compile("/usr/bin/gcc", "c")
		c.Args = append(c.Args, arg)
		f.facts(t, c)
		if _, err := f.Answers(t.Context(), c, []string{"__has_builtin(__builtin_trap)"}); err != nil {
			t.Fatal(err)
		}
	}
	if len(f.memory.values) != 0 {
		t.Error("facts of this processor were kept")
	}
}

func TestDamagedMemory(t *testing.T) {
	f := newFixture()
	c := compile("/usr/bin/gcc", "c")
	want := f.facts(t, c)
	questions := []string{"__has_attribute(noreturn)"}
	if _, err := f.Answers(t.Context(), c, questions); err != nil {
		t.Fatal(err)
	}
	for _, damage := range []string{"", "{", "{}", `{"Facts":{}}`, "null", "[]", `{"Facts":{},"Implicit":[{}]}`, "\x00"} {
		for key := range f.memory.values {
			f.memory.values[key] = []byte(damage)
		}
		f.restart()
		if got := f.facts(t, c); !bytes.Equal(got.Predefined, want.Predefined) {
			t.Errorf("%q: other macros", damage)
		}
		answers, err := f.Answers(t.Context(), c, questions)
		if err != nil || answers[questions[0]] == 0 {
			t.Errorf("%q: %v, %v", damage, answers, err)
		}
	}
}

func TestConcurrentProbesAreMerged(t *testing.T) {
	f := newFixture()
	var group sync.WaitGroup
	for range 16 {
		group.Go(func() {
			if _, err := f.Facts(t.Context(), compile("/usr/bin/clang", "c++", "-std=c++17")); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if n := f.processes.Load(); n != 1 {
		t.Errorf("%d processes", n)
	}
}

func TestAnswers(t *testing.T) {
	questions := []string{
		"__has_attribute(noreturn)", "__has_attribute(no_such_attribute)", "__has_attribute(__packed__)",
		"__has_builtin(__builtin_trap)", "__has_builtin(__builtin_no_such)",
		"__has_cpp_attribute(nodiscard)", "__has_cpp_attribute(gnu::unused)", "__has_cpp_attribute(no_such)",
		"__has_feature(cxx_rtti)", "__has_extension(c_alignas)", `__has_warning("-Wall")`,
		"defined(__has_feature)", "defined(__has_builtin)", "defined(NO_SUCH_MACRO)", "defined(__COUNTER__)",
		"__has_attribute()", "__has_builtin(1 + 2)", "__is_identifier(abc)",
		"__has_include(<stdio.h>)", "__has_attribute(a) || system", "not a question", "__has_attribute((a)",
	}
	for _, program := range []string{"/usr/bin/gcc", "/usr/bin/clang"} {
		f := newFixture()
		c := compile(program, "c++", "-std=c++17")
		got, err := f.Answers(t.Context(), c, questions)
		if err != nil {
			t.Fatal(err)
		}
		for _, q := range questions {
			want, answered := oneAnswer(t, program, q)
			value, ok := got[q]
			if ok && (!answered || value != want) {
				t.Errorf("%s: %s is %d, the compiler says %d (%v)", program, q, value, want, answered)
			}
			if !ok && answered && isQuestion(q) {
				t.Errorf("%s: %s has no answer, the compiler says %d", program, q, want)
			}
		}
		for _, q := range []string{"__has_attribute(noreturn)", "__has_cpp_attribute(nodiscard)", "defined(__has_builtin)"} {
			if got[q] == 0 {
				t.Errorf("%s: %s is %d", program, q, got[q])
			}
		}
		if n := f.processes.Load(); n != 1 {
			t.Errorf("%s: %d processes for %d questions", program, n, len(questions))
		}
		f.restart()
		again, err := f.Answers(t.Context(), c, questions[:5])
		if err != nil || f.processes.Load() != 1 {
			t.Errorf("%s: asked again after a restart: %v", program, err)
		}
		for q, value := range again {
			if got[q] != value {
				t.Errorf("%s: %s was %d, is %d", program, q, got[q], value)
			}
		}
	}
}

// oneAnswer bisects nothing: it asks the compiler for one question in an #if, for
// each value that occurs.
func oneAnswer(t *testing.T, program, question string) (int64, bool) {
	t.Helper()
	for _, value := range []string{"0", "1", "200809", "201603", "201907"} {
		cmd := exec.Command(program, "-E", "-P", "-x", "c++", "-std=c++17", "-")
		cmd.Stdin = strings.NewReader("#if (" + question + ") == " + value + "\nyes\n#endif\n")
		out, err := cmd.Output()
		if err != nil {
			return 0, false
		}
		if strings.Contains(string(out), "yes") {
			return *number(value), true
		}
	}
	t.Errorf("%s: %s has a value that the test does not know", program, question)
	return 0, false
}

func TestManyQuestionsOneProcess(t *testing.T) {
	f := newFixture()
	var questions []string
	for i := range 2000 {
		questions = append(questions, "__has_attribute(a"+strings.Repeat("b", i%50)+string(rune('a'+i%26))+")")
	}
	got, err := f.Answers(t.Context(), compile("/usr/bin/clang", "c"), questions)
	if err != nil {
		t.Fatal(err)
	}
	if f.processes.Load() != 1 || len(got) != len(maps.Collect(unique(questions))) {
		t.Errorf("%d processes, %d answers", f.processes.Load(), len(got))
	}
}

func unique(list []string) func(func(string, bool) bool) {
	return func(yield func(string, bool) bool) {
		for _, s := range list {
			if !yield(s, true) {
				return
			}
		}
	}
}

func TestEndOfContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	f := newFixture()
	if _, err := f.Facts(ctx, compile("/usr/bin/gcc", "c")); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("err = %v", err)
	}
}

func BenchmarkFacts(b *testing.B) {
	f := newFixture()
	c := compile("/usr/bin/gcc", "c", "-std=gnu11", "-O2", "-g", "-fPIC", "-Wall", "-Wextra", "-Iinclude", "-DNDEBUG")
	f.facts(b, c)
	b.ReportAllocs()
	for b.Loop() {
		f.facts(b, c)
	}
}

// gcc lists directories without a name where GCC_EXEC_PREFIX is set.
func TestSearchWithoutName(t *testing.T) {
	f := newFixture()
	c := compile("/usr/bin/gcc", "c")
	c.Call.Env = c.Call.Env.With("GCC_EXEC_PREFIX=/usr/lib/gcc/")
	if facts := f.facts(t, c); slices.Contains(facts.AbsentDirs, "") || len(facts.AngleDirs) == 0 {
		t.Errorf("absent %q, search %q", facts.AbsentDirs, facts.AngleDirs)
	}
}
