//go:build linux

package probe

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/msvc"
)

const clangCL = "/usr/bin/clang-cl-14"

// microsoftCompile is a compile of clang-cl in dir; words like NAME=VALUE are its
// environment.
func microsoftCompile(t *testing.T, dir string, words ...string) *toolchains.Compile {
	t.Helper()
	call := &toolchains.Call{Program: clangCL, Argv: []string{clangCL, "/c"}, Dir: dir, Env: toolchains.Environ{"PATH=/usr/bin:/bin"}}
	for _, w := range words {
		if strings.Contains(w, "=") && w[0] != '-' && w[0] != '/' {
			call.Env = append(call.Env, w)
		} else {
			call.Argv = append(call.Argv, w)
		}
	}
	tc := &toolchains.Toolchain{Family: toolchains.FamilyClangCL, Program: clangCL, Digest: digest.OfString(clangCL)}
	c, err := msvc.NewClang().Parse(call, tc)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestMicrosoftClasses(t *testing.T) {
	f, dir := newFixture(), t.TempDir()
	key := func(words ...string) digest.Digest { return f.FactsKey(microsoftCompile(t, dir, words...)) }
	want := key("x.c", "/O2", "INCLUDE=/i;/j")
	for _, same := range []string{"/Iy", "/external:Iy", "/DX", "/UX", "/FIh.h", "/W4", "/w", "/WX", "/showIncludes", "/Z7", "/Fox.obj", "-Wno-error=vla"} {
		if key("x.c", "/O2", "INCLUDE=/i;/j", same) != want {
			t.Errorf("%s makes another class", same)
		}
	}
	for _, other := range []string{"/Od", "/MDd", "/TP", "/std:c11", "-imsvcy", "/X", "/Zc:wchar_t-", "/J", "/arch:AVX2", "-m32", "-Wno-deprecated"} {
		if key("x.c", "/O2", "INCLUDE=/i;/j", other) == want {
			t.Errorf("%s is in the same class", other)
		}
	}
	if key("x.c", "/O2", "INCLUDE=/i;/j", "CPATH=/x", "C_INCLUDE_PATH=y") != want {
		t.Error("CPATH makes another class")
	}
	if key("x.c", "/O2", "INCLUDE=/j") == want || key("x.c", "/O2", "INCLUDE=/i;/j", "EXTERNAL_INCLUDE=/k") == want {
		t.Error("INCLUDE makes no other class")
	}
	elsewhere := f.FactsKey(microsoftCompile(t, "/", "x.c", "/O2", "INCLUDE=/i;/j"))
	if elsewhere != want {
		t.Error("the directory makes another class")
	}
	if f.FactsKey(microsoftCompile(t, "/", "x.c", "INCLUDE=i")) == key("x.c", "INCLUDE=i") {
		t.Error("with a relative INCLUDE the directory makes no other class")
	}
}

// TestMicrosoftFacts wants the macros and system directories that clang-cl says.
func TestMicrosoftFacts(t *testing.T) {
	f, dir := newFixture(), t.TempDir()
	for _, name := range []string{"im", "one", "two", "ext"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	c := microsoftCompile(t, dir, "x.cpp", "/std:c++17", "/MDd", "/I", "one", "/external:Itwo", "-imsvcim", "/external:env:EXT", "/DX=1",
		"EXT="+dir+"/ext", "INCLUDE=two;"+dir+"/gone")
	facts := f.facts(t, c)
	if dirs := facts.AngleDirs[1:]; !slices.Equal(dirs, []string{"im", dir + "/ext", "two"}) {
		t.Errorf("directories %q", facts.AngleDirs)
	}
	if !slices.Equal(facts.AbsentDirs, []string{dir + "/gone"}) {
		t.Errorf("absent directories %q", facts.AbsentDirs)
	}
	for _, want := range []string{"#define _MSC_VER ", "#define _DLL 1\n", "#define _DEBUG 1\n", "#define _MSVC_LANG 201703L\n"} {
		if !strings.Contains(string(facts.Predefined), want) {
			t.Errorf("no %q", want)
		}
	}
	if strings.Contains(string(facts.Predefined), "#define X") {
		t.Error("the call's own definition is among them")
	}
	f.facts(t, microsoftCompile(t, dir, "y.cpp", "/std:c++17", "/MDd", "/Iother", "-imsvcim", "/external:env:EXT", "EXT="+dir+"/ext", "INCLUDE=two;"+dir+"/gone"))
	if n := f.processes.Load(); n != 1 {
		t.Errorf("%d processes", n)
	}
}

func TestMicrosoftAnswers(t *testing.T) {
	questions := []string{
		"__has_attribute(noreturn)", "__has_attribute(no_such)", "__has_builtin(__builtin_trap)", "__has_cpp_attribute(nodiscard)",
		"__has_declspec_attribute(dllexport)", "__has_feature(cxx_rtti)", "defined(__has_builtin)", "defined(_MSC_VER)", "__is_target_os(windows)",
		"__has_attribute()", "__has_builtin(1 + 2)", "__has_no_such(x)",
	}
	f := newFixture()
	got, err := f.Answers(t.Context(), microsoftCompile(t, t.TempDir(), "x.cpp", "/std:c++17"), questions)
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range questions {
		want, answered := microsoftAnswer(q)
		if value, ok := got[q]; ok != answered || value != want {
			t.Errorf("%s is %d (%v), the compiler says %d (%v)", q, value, ok, want, answered)
		}
	}
	if len(got) != len(questions)-3 || f.processes.Load() != 1 {
		t.Errorf("%d answers by %d processes", len(got), f.processes.Load())
	}
}

func microsoftAnswer(question string) (int64, bool) {
	for _, value := range []string{"0", "1", "201603", "201907"} {
		cmd := exec.Command(clangCL, "/EP", "/TP", "/std:c++17", "-")
		cmd.Stdin = strings.NewReader("#if (" + question + ") == " + value + "\nyes\n#endif\n")
		out, err := cmd.Output()
		if err != nil {
			return 0, false
		}
		if strings.Contains(string(out), "yes") {
			return *number(value), true
		}
	}
	return 0, false
}
