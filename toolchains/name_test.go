package toolchains

import (
	"slices"
	"strings"
	"testing"
)

func TestNameOf(t *testing.T) {
	for base, want := range map[string]naming{
		"gcc":                           {kind: compilerName},
		"g++":                           {kind: compilerName, cPlusPlus: true},
		"cc":                            {kind: compilerName},
		"c++":                           {kind: compilerName, cPlusPlus: true},
		"c89":                           {kind: compilerName},
		"c99-gcc":                       {kind: compilerName},
		"gcc-12":                        {kind: compilerName},
		"gcc-12.2.0":                    {kind: compilerName},
		"gcc12":                         {kind: compilerName},
		"g++-13":                        {kind: compilerName, cPlusPlus: true},
		"clang":                         {kind: compilerName},
		"clang++":                       {kind: compilerName, cPlusPlus: true},
		"clang-14":                      {kind: compilerName},
		"clang++-14":                    {kind: compilerName, cPlusPlus: true},
		"clang++15":                     {kind: compilerName, cPlusPlus: true},
		"x86_64-linux-gnu-gcc-12":       {kind: compilerName},
		"x86_64-linux-gnu-g++":          {kind: compilerName, cPlusPlus: true},
		"arm-none-eabi-c++":             {kind: compilerName, cPlusPlus: true},
		"aarch64-linux-android21-clang": {kind: compilerName},
		"x86_64-w64-mingw32-gcc-posix":  {kind: compilerName},
		"x86_64-w64-mingw32-g++-12-win32": {
			kind: compilerName, cPlusPlus: true,
		},
		"gcc.exe":                      {kind: compilerName},
		"x86_64-w64-mingw32-clang.exe": {kind: compilerName},
		"nvcc":                         {kind: refusedName, reason: "nvcc"},
		"x86_64-linux-gnu-gfortran-12": {kind: refusedName, reason: "fortran"},
		"clang-cl":                     {kind: compilerName, microsoft: FamilyClangCL},
		"clang-cl-14.exe":              {kind: compilerName, microsoft: FamilyClangCL},
		"cl":                           {kind: compilerName, microsoft: FamilyMSVC},
		"CL.EXE":                       {kind: compilerName, microsoft: FamilyMSVC},
		"x-cl":                         {},
		"clang-cpp-14":                 {kind: refusedName, reason: "not-a-compiler"},
		"x86_64-linux-gnu-cpp":         {kind: refusedName, reason: "not-a-compiler"},
		"ccache":                       {kind: refusedName, reason: "other-wrapper"},
		"afl-clang-fast":               {kind: refusedName, reason: "other-wrapper"},
		"gcc-ar":                       {},
		"gcc-ar-12":                    {},
		"gcc-nm":                       {},
		"clang-tidy":                   {},
		"clang-format-14":              {},
		"zigcc":                        {},
		"icx":                          {},
		"make":                         {},
		"":                             {},
		"-":                            {},
		"12":                           {},
	} {
		if got := nameOf(base); got != want {
			t.Errorf("nameOf(%q) = %+v, want %+v", base, got, want)
		}
	}
}

func TestJudge(t *testing.T) {
	for _, c := range []struct {
		program, real string
		want          naming
	}{
		{"/usr/bin/g++", "/usr/bin/x86_64-linux-gnu-g++-12", naming{kind: compilerName, cPlusPlus: true}},
		{"/usr/lib/ccache/gcc", "/usr/bin/ccache", naming{kind: refusedName, reason: "other-wrapper"}},
		{"/opt/vendor", "/opt/bin/clang-17", naming{kind: compilerName}},
		{"/usr/bin/clang++", "/usr/lib/llvm-14/bin/clang", naming{kind: compilerName, cPlusPlus: true}},
		{"/usr/bin/f77", "/usr/bin/gcc", naming{kind: refusedName, reason: "fortran"}},
		{"/opt/a", "/opt/b", naming{}},
	} {
		if got := judge(c.program, c.real); got != c.want {
			t.Errorf("judge(%q, %q) = %+v, want %+v", c.program, c.real, got, c.want)
		}
	}
}

func TestSteeringArgs(t *testing.T) {
	for args, want := range map[string]string{
		"-O2 -c x.c -o x.o":                     "",
		"-B/opt/b -c x.c":                       "-B/opt/b",
		"-B /opt/b x.c":                         "-B /opt/b",
		"-B":                                    "-B",
		"--sysroot=/s -isysroot /t -isysroot/u": "--sysroot=/s -isysroot /t -isysroot/u",
		"--sysroot /s -Wall":                    "--sysroot /s",
		"-target arm --target=x86":              "-target arm --target=x86",
		"--gcc-toolchain=/g -no-canonical-prefixes -isystem x -include y": "--gcc-toolchain=/g -no-canonical-prefixes",
		"- x -": "",
	} {
		if got := strings.Join(steeringArgs(strings.Fields(args)), " "); got != want {
			t.Errorf("steeringArgs(%q) = %q, want %q", args, got, want)
		}
	}
}

func TestSurroundingsAreRelative(t *testing.T) {
	for _, c := range []struct {
		env, args string
		want      bool
	}{
		{"PATH=/a:/b", "", false},
		{"", "", false},
		{"PATH=", "", true},
		{"PATH=/a:", "", true},
		{"PATH=/a::/b", "", true},
		{"PATH=/a:b", "", true},
		{"LD_LIBRARY_PATH=", "", false},
		{"LD_LIBRARY_PATH=/a:", "", true},
		{"COMPILER_PATH=b", "", true},
		{"LD_PRELOAD=libx.so /y.so", "", false},
		{"LD_PRELOAD=./libx.so", "", true},
		{"", "-B/b --sysroot=/s -isysroot /t --target=arm", false},
		{"", "-Bb", true},
		{"", "-B b", true},
		{"", "--sysroot=s", true},
		{"", "-isysroot s", true},
	} {
		call := &Call{Dir: "/work", Env: Environ{"HOME=x"}}
		if c.env != "" {
			call.Env = append(call.Env, c.env)
		}
		s := surroundingsOf(call, strings.Fields(c.args))
		if got := s.dir != ""; got != c.want {
			t.Errorf("%s %s: relative %v, want %v", c.env, c.args, got, c.want)
		}
	}
}

func TestFirstOfTwoVariablesCounts(t *testing.T) {
	s := surroundingsOf(&Call{Env: Environ{"PATH=/one", "PATH=/two"}}, nil)
	if got := s.elements(s.values[envPath]); !slices.Equal(got, []string{"/one"}) {
		t.Errorf("PATH is %v", got)
	}
}

func TestCommandWords(t *testing.T) {
	for line, want := range map[string][]string{
		` "/usr/bin/clang" "-cc1" "a b" "q\"uote" "back\\slash" ""`: {"/usr/bin/clang", "-cc1", "a b", `q"uote`, `back\slash`, ""},
		" /usr/lib/cc1 -E \"-march=x\" --param \"l1=48\"\n":         {"/usr/lib/cc1", "-E", "-march=x", "--param", "l1=48"},
		"":        nil,
		`"open`:   {"open"},
		`end\`:    {`end\`},
		"  \n \r": nil,
	} {
		if got := commandWords(line); !slices.Equal(got, want) {
			t.Errorf("commandWords(%q) = %q, want %q", line, got, want)
		}
	}
}

func TestContainsAny(t *testing.T) {
	for size := range 600 {
		text := strings.Repeat("x", 256<<10-300+size) + "fsyntax-only" + strings.Repeat("y", 300)
		if found, err := containsAny(strings.NewReader(text), needles()); !found || err != nil {
			t.Fatalf("not found after %d bytes: %v", 256<<10-300+size, err)
		}
		if size%100 != 0 {
			continue
		}
		if found, _ := containsAny(strings.NewReader(strings.ReplaceAll(text, "only", "")), needles()); found {
			t.Fatal("found what is not there")
		}
	}
}
