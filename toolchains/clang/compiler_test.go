package clang

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/argtable"
	"github.com/rexwrap/rexwrap/toolchains/gnu/gnutest"
)

func toolchain() *toolchains.Toolchain {
	return &toolchains.Toolchain{Family: "clang", Version: "14.0.6", Target: "x86_64-pc-linux-gnu"}
}

func plusPlus() *toolchains.Toolchain {
	tc := toolchain()
	tc.CPlusPlus = true
	return tc
}

// TestAllOptions asks the installed clang for all its options and fails on one
// that no row classifies. --autocomplete lists those of clang-cl, too, so of it
// only what starts like a flag of gcc's language counts.
func TestAllOptions(t *testing.T) {
	program := gnutest.Find(t, "clang")
	table := New().Table()
	count := 0
	for _, c := range []struct {
		args []string
		name *regexp.Regexp
	}{
		{[]string{"--help"}, regexp.MustCompile(`(?m)^  (-[^\s<]+)`)},
		{[]string{"--help-hidden"}, regexp.MustCompile(`(?m)^  (-[^\s<]+)`)},
		{[]string{"--autocomplete=-"}, regexp.MustCompile(`(?m)^(-(?:f|m|W|g|i|std|no|print|save|seria|stat|share|X|M|emit|include|rtlib)[^\s]*)`)},
	} {
		text, err := exec.Command(program, c.args...).Output()
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range c.name.FindAllStringSubmatch(string(text), -1) {
			count++
			if _, ok := table.Lookup(m[1]); !ok && !isMicrosoft(m[1]) {
				t.Errorf("%s lists %s, which no row classifies", c.args[0], m[1])
			}
		}
	}
	if count < 3000 {
		t.Errorf("only %d options seen", count)
	}
}

// isMicrosoft reports whether name is an option of clang-cl only.
func isMicrosoft(name string) bool {
	return slices.Contains([]string{"-fastcp", "-fastf", "-fast", "-favor", "-nologo", "-imsvc", "-MDd", "-std:"}, name) ||
		strings.HasPrefix(name, "-fp:")
}

// TestPredefined checks that no flag outside class Preprocessor changes what
// clang predefines, by giving it all of them that it knows, and then all
// negated.
func TestPredefined(t *testing.T) {
	program := gnutest.Find(t, "clang")
	for _, lang := range []string{"c", "c++"} {
		for _, prefix := range []string{"-f", "-fno-"} {
			flags := accepted(t, program, lang, prefix)
			if len(flags) < 80 {
				t.Errorf("%s: only %d flags", prefix, len(flags))
			}
			base, got := predefined(t, program, lang, nil), predefined(t, program, lang, flags)
			for _, line := range append(base, got...) {
				if slices.Contains(base, line) != slices.Contains(got, line) {
					t.Errorf("%s, %s flags: predefined macros differ: %s", lang, prefix, line)
				}
			}
		}
	}
}

// accepted returns the flags outside class Preprocessor that the compiler takes
// together.
func accepted(t *testing.T, program, lang, prefix string) []string {
	alone := []string{"syntax-only", "profile-use", "profile-instr-use"} // or need a file
	var flags []string
	for _, o := range options() {
		rest, ok := strings.CutPrefix(o.Name, "-f")
		if ok && o.Forms == argtable.AsFlag && !o.Class.Has(argtable.Preprocessor|argtable.Aside) && !slices.Contains(alone, rest) {
			flags = append(flags, prefix+rest)
		}
	}
	unknown := regexp.MustCompile(`'(-f[^']+)'`)
	var last []byte
	for range 20 {
		cmd := exec.Command(program, append(slices.Clone(flags), "-x", lang, "-O2", "-fsyntax-only", os.DevNull)...)
		cmd.Env = append(os.Environ(), "LC_ALL=C")
		cmd.Dir = t.TempDir()
		out, err := cmd.CombinedOutput()
		if err == nil {
			return flags
		}
		last = out
		for line := range strings.SplitSeq(string(out), "\n") {
			if !strings.Contains(line, "error:") && !strings.Contains(line, "sorry") {
				continue
			}
			for _, m := range unknown.FindAllStringSubmatch(line, -1) {
				flags = slices.DeleteFunc(flags, func(f string) bool { return f == m[1] })
			}
		}
	}
	t.Fatalf("%s refuses the flags with prefix %s:\n%s", program, prefix, last)
	return nil
}

func predefined(t *testing.T, program, lang string, flags []string) []string {
	t.Helper()
	cmd := exec.Command(program, append(flags, "-x", lang, "-O2", "-E", "-dM", os.DevNull)...)
	cmd.Dir = t.TempDir()
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(string(out), "\n")
}

// TestOutputNames compares the outputs that Parse derives with what clang
// makes.
func TestOutputNames(t *testing.T) {
	program := gnutest.Find(t, "clang")
	for _, side := range []string{
		"", "-MD", "-MMD -MF k.d", "-MD -MFd/k", "-Wp,-MD,k.d", "-Wp,-MMD,k.d -MMD", "--coverage", "--coverage -fno-test-coverage",
		"-ftest-coverage", "-ftest-coverage -fno-test-coverage", "-fprofile-arcs", "-fprofile-generate", "-fstack-usage",
		"-ftime-trace", "-fsave-optimization-record -O2", "-fsave-optimization-record -fno-save-optimization-record",
		"-foptimization-record-file=k.yaml", "--serialize-diagnostics k.dia", "-fprofile-instr-generate -fcoverage-mapping",
		"-flto --coverage -fstack-usage -ftime-trace -fsave-optimization-record", "-flto=thin", "-emit-llvm --coverage -fstack-usage",
		"-fno-integrated-as -fstack-usage", "-Wa,--noexecstack", "-fembed-bitcode",
	} {
		for _, call := range []string{"-c sub/y.c -o d/z.o", "-S sub/y.c", "-c empty.c"} {
			check(t, program, call+" "+side)
		}
	}
	for _, name := range []string{"", "-o d/z", "-o d/z.", "-o d/z.x.o", "-o d/.foo", "-o d/.foo.bar", "-o./d/z.o", "--output=z.obj"} {
		check(t, program, "-c sub/y.c -MD --coverage -fstack-usage -ftime-trace -fsave-optimization-record -g -gsplit-dwarf "+name)
		check(t, program, "-S sub/y.c -MD --coverage -fstack-usage -ftime-trace -fsave-optimization-record "+name)
	}
	for _, split := range []string{"-g -gsplit-dwarf", "-gsplit-dwarf", "-g -gsplit-dwarf=single", "-g1 -gsplit-dwarf=split", "-g -gsplit-dwarf -flto", "-g -gsplit-dwarf -g0"} {
		check(t, program, "-c sub/y.c "+split)
		check(t, program, "-c empty.c "+split)
		check(t, program, "-c p.S "+split)
	}
}

func TestOutputNamesOfKinds(t *testing.T) {
	program := gnutest.Find(t, "clang")
	for _, args := range []string{
		"-c foo.c.c -MD --coverage", "-c .hid.c -MD --coverage", "-c -x c noext -MD -fstack-usage", "-c -x c foo. -MD --coverage",
		"-c x.cpp -MD -ftime-trace", "-c i.i -MD --coverage -fstack-usage", "-c i.ii", "-c s.s -MD --coverage -fstack-usage",
		"-c p.S -MD --coverage -ftime-trace", "-c s.s -gsplit-dwarf -o d/s", "-c p.S -Wp,-MMD,k.d",
		"-fsyntax-only x.c", "-fsyntax-only sub/y.c -MD", "-fsyntax-only sub/y.c -MD -o d/q.o --coverage -fstack-usage",
		"-c -fsyntax-only x.c --serialize-diagnostics k.dia", "--analyze sub/y.c", "--analyze sub/y.c -o d/q.plist -MD", "--analyze -c x.c",
		"sub/h.h", "-c sub/h.h", "sub/h.h -MD", "sub/h.h -o d/pre -MD", "sub/h.h -o d/pre.gch -MD -MF k.d --coverage",
		"-x c-header sub/y.c", "-c -x c++-header sub/h.h -o q.pch", "-x c-header h.h -o q.pch -Xclang -fno-pch-timestamp",
		"-x c++-header -c x.cpp -Xclang -emit-pch -o x.pch -MD -MT x.pch -MF k.d", "-c x.cpp -Xclang -emit-pch -o x.pch",
		"-S -c x.c", "-c x.c -o /dev/null", "-S x.c -o /dev/null", "-c x.c -o /dev/null -MD -MF k.d", "-c x.c -MD -MF /dev/null",
		"-c -pipe x.c", "-c -emit-llvm x.c", "-S -emit-llvm x.c", "-c -emit-llvm x.c -o z.bc", "-c -flto x.c", "-c x.c --", "-c -- x.c",
		"-c x.c -lm -Ld -Wl,-s -Xlinker -s -z now -u f -T bar -s -rdynamic -e f -shared", "-c x.c -fcrash-diagnostics-dir=d",
		"-c x.m", "-c x.c -target x86_64-pc-windows-msvc", "-c x.c --target=x86_64-apple-macosx -g -arch x86_64",
	} {
		check(t, program, args)
	}
}

// check parses and runs one call in a fresh tree.
func check(t *testing.T, program, args string) {
	t.Helper()
	words := strings.Fields(args)
	c, err := New().Parse(gnutest.Call(gnutest.Tree(t), program, words), toolchain())
	if err != nil {
		t.Errorf("%s: %v", args, err)
		return
	}
	if !slices.Equal(gnutest.Words(c), words) {
		t.Errorf("%s became %q", args, gnutest.Words(c))
	}
	gnutest.CheckOutputs(t, c)
}

// TestPlusPlus checks the drivers' own idea of languages.
func TestPlusPlus(t *testing.T) {
	program := gnutest.Find(t, "clang++")
	for args, want := range map[string]string{"-c x.c": "c++", "h.h": "c++-header", "-c i.i": "c++-cpp-output", "-c -x c x.c": "c"} {
		c, err := New().Parse(gnutest.Call(gnutest.Tree(t), program, strings.Fields(args)), plusPlus())
		if err != nil || c.Language != want {
			t.Errorf("%s: %+v, %v, want language %s", args, c, err, want)
			continue
		}
		gnutest.CheckOutputs(t, c)
	}
}

// TestDepFiles compares the dep-files that Parse describes with clang's.
func TestDepFiles(t *testing.T) {
	program := gnutest.Find(t, "clang")
	for _, words := range [][]string{
		{"-c", "sys.c", "-MD"},
		{"-c", "sys.c", "-MD", "-o", "./d/z.o"},
		{"-S", "sys.c", "-MD"},
		{"-S", "sys.c", "-MMD", "-o", "d/q.s"},
		{"-fsyntax-only", "sys.c", "-MD"},
		{"-fsyntax-only", "sys.c", "-MD", "-o", "d/q.o"},
		{"-x", "c-header", "sys.c", "-MD"},
		{"--analyze", "sys.c", "-MD"},
		{"-c", "-emit-llvm", "sys.c", "-MD"},
		{"-c", "a$b#c d.c", "-MMD", "-MF", "k.d"},
		{"-c", "sys.c", "-MD", "-MFk.d", "-o", "d/a$b#c d\\ e:f\tg%.o"},
		{"-c", "sys.c", "-MD", "-MFk.d", "-MT", "d/a$b#c d\\ e:f\tg.o"},
		{"-c", "sys.c", "-MD", "-MFk.d", "-MQ", "d/a$b#c d\\ e:f\tg.o"},
		{"-c", "sys.c", "-MD", "-MFk.d", "-MQ", `a\\ b`, "-MT", "q  r", "-MQ", "z", "-MT", "./s", "-MQtt"},
		{"-c", "sys.c", "-MD", "-MMD", "-MFk.d"},
		{"-c", "sys.c", "-MMD", "-MD", "-MFk.d"},
		{"-c", "sys.c", "-MD", "-MF", "k.d", "-MF", "l.d"},
		{"-c", "sys.c", "-MD", "-MP", "-o", "/dev/null", "-MF", "k.d"},
		{"-c", "sys.c", "-Wp,-MD,k.d"},
		{"-c", "sys.c", "-Wp,-MMD,k.d", "-o", "d/z.o"},
		{"-c", "sys.c", "-Wp,-MD,k.d", "-Wp,-MMD,l.d", "-o", "d/z.o"},
		{"-c", "sys.c", "-Wp,-MMD,k.d", "-o", "d/z.o", "-MT", "t t"},
		{"-c", "sys.c", "-Wp,-MMD,k.d", "-o", "d/z.o", "-MQ", "t$t"},
		{"-c", "sys.c", "-Wp,-MMD,k.d", "-o", "d/z.o", "-MMD", "-MP"},
		{"-c", "sys.c", "-Wp,-MD,k.d", "-MMD"},
		{"-c", "sys.c", "-Wp,-MMD,k.d", "-MD"},
		{"-S", "sys.c", "-Wp,-MD,k.d", "-o", "d/q.s"},
	} {
		c, err := New().Parse(gnutest.Call(gnutest.Tree(t), program, words), toolchain())
		if err != nil {
			t.Errorf("%q: %v", words, err)
			continue
		}
		gnutest.CheckDep(t, c, "stddef.h")
	}
}

func TestNoKey(t *testing.T) {
	gnutest.NoKey(t, New(), toolchain(), gnutest.Find(t, "clang"), "-pipe", "--pipe")
}

func TestPassThrough(t *testing.T) { gnutest.PassThrough(t, gnutest.Find(t, "clang")) }
