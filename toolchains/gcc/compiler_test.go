package gcc

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
	return &toolchains.Toolchain{Family: "gcc", Version: "12.2.0", Target: "x86_64-linux-gnu"}
}

func installed(t testing.TB) (string, *toolchains.Toolchain) {
	t.Helper()
	program := gnutest.Find(t, "gcc")
	version, err := exec.Command(program, "-dumpfullversion").Output()
	if err != nil {
		t.Fatal(err)
	}
	tc := toolchain()
	tc.Version = strings.TrimSpace(string(version))
	return program, tc
}

// TestAllOptions asks the installed gcc for all its options and fails on one
// that no row classifies.
func TestAllOptions(t *testing.T) {
	program, _ := installed(t)
	name := regexp.MustCompile(`(?m)^  (-[^\s<\[]+)`)
	table := New().Table()
	count := 0
	for _, class := range []string{
		"common", "target", "warnings", "optimizers", "params", "c", "c++", "objc", "objc++",
		"joined", "separate", "undocumented",
	} {
		for _, args := range [][]string{{"--help=" + class}, {"-Q", "--help=" + class}} {
			text, err := exec.Command(program, args...).Output()
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range name.FindAllStringSubmatch(string(text), -1) {
				count++
				if _, ok := table.Lookup(strings.TrimRight(m[1], ",")); !ok && m[1] != "-gno-" {
					t.Errorf("%s lists %s, which no row classifies", class, m[1])
				}
			}
		}
	}
	if count < 3000 {
		t.Errorf("only %d options seen", count)
	}
}

// TestPredefined checks that no flag outside class Preprocessor changes what
// gcc predefines, by giving it all of them that it knows, and then all negated.
func TestPredefined(t *testing.T) {
	program, _ := installed(t)
	for _, lang := range []string{"c", "c++"} {
		for _, prefix := range []string{"-f", "-fno-"} {
			flags := accepted(t, program, lang, prefix)
			if len(flags) < 200 {
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
	alone := []string{"syntax-only", "live-patching", "auto-profile"} // exclude others, or need a file
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

// TestOutputNames compares the outputs that Parse derives with what gcc makes.
func TestOutputNames(t *testing.T) {
	program, tc := installed(t)
	for _, side := range []string{
		"", "-MD", "-MMD -MF k.d", "-MD -MFd/k", "-Wp,-MD,k.d", "-Wp,-MMD,k.d -MMD", "-g -gsplit-dwarf", "-gsplit-dwarf -g0",
		"-gsplit-dwarf -gno-split-dwarf", "--coverage", "-ftest-coverage -fprofile-note=k.gcno",
		"-fprofile-arcs", "-fprofile-generate", "--coverage -fno-test-coverage", "--coverage -fprofile-dir=pd",
		"-fstack-usage", "-fcallgraph-info", "-fcallgraph-info=su,da",
		"-fdump-ipa-clones -O2", "-fsave-optimization-record -O2", "-fopt-info-vec-all=k.opt -O2", "-fopt-info",
		"-Wa,-a=k.lst", "-Wa,-a,-ad,-alms=k.lst", "-Wa,-alh=k.lst,--noexecstack -g", "-Xassembler -a=k.lst", "-flto -fstack-usage -fcallgraph-info --coverage",
		"-flto -fno-lto -fstack-usage", "-flto -ffat-lto-objects -fstack-usage",
	} {
		for _, call := range []string{"-c sub/y.c -o d/z.o", "-S sub/y.c", "-c empty.c"} {
			check(t, program, tc, call+" "+side)
		}
	}
	for _, name := range []string{"", "-o d/z", "-o d/z.", "-o d/z.x.o", "-o d/.foo", "-o d/.foo.bar", "-o./d/z.o", "--output=z.obj"} {
		const sides = " -MD --coverage -fstack-usage -fcallgraph-info -fdump-ipa-clones -fsave-optimization-record -g -gsplit-dwarf "
		check(t, program, tc, "-c sub/y.c"+sides+name)
		check(t, program, tc, "-S sub/y.c"+sides+name)
	}
}

func TestOutputNamesOfKinds(t *testing.T) {
	program, tc := installed(t)
	for _, args := range []string{
		"-c foo.c.c -MD --coverage", "-c .hid.c -MD --coverage", "-c -x c noext -MD -fstack-usage -fdump-ipa-clones",
		"-c -x c noext -fdump-ipa-clones -o d/q.o", "-c -x c foo. -MD --coverage", "-c x.cpp -MD -fdump-ipa-clones",
		"-c i.i -MD --coverage -fstack-usage", "-c i.ii", "-c s.s -MD --coverage -fstack-usage", "-c p.S -MD --coverage",
		"-c s.s -gsplit-dwarf", "-c s.s -g -gsplit-dwarf -o d/s", "-c p.S -g -gsplit-dwarf", "-c p.S -Wp,-MMD,k.d",
		"-fsyntax-only x.c", "-fsyntax-only sub/y.c -MD", "-fsyntax-only sub/y.c -MD -o d/q.o", "-c -fsyntax-only x.c -MD",
		"-fsyntax-only -S x.c -gsplit-dwarf -MD",
		"sub/h.h", "-c sub/h.h", "-c sub/h.h -MD", "sub/h.h -MD", "sub/h.h -o d/pre -MD", "sub/h.h -o d/pre.gch -MD -MF k.d",
		"-x c-header sub/y.c", "-c -x c++-header sub/h.h -o q.pch", "-x c++-header sub/h.h -MMD", "-c sub/h.h -g -gsplit-dwarf",
		"-S -c x.c", "-c x.c -o /dev/null", "-c x.c -o /dev/null --coverage -fstack-usage", "-S x.c -o /dev/null",
		"-c x.c -o /dev/null -MD -MF k.d", "-c x.c -MD -MF /dev/null", "-c -pipe x.c", "-c x.c -g3 -gz",
		"-c x.c -flto -g -gsplit-dwarf", "-c x.c -emit-llvm", "-c x.c -fprofile-generate=pd",
		"-c x.c -lm -Ld -Wl,-s -Xlinker -s -z now -u f -T bar -s -rdynamic -e f -shared",
	} {
		check(t, program, tc, args)
	}
}

// check parses and runs one call in a fresh tree.
func check(t *testing.T, program string, tc *toolchains.Toolchain, args string) {
	t.Helper()
	words := strings.Fields(args)
	c, err := New().Parse(gnutest.Call(gnutest.Tree(t), program, words), tc)
	if err != nil {
		t.Errorf("%s: %v", args, err)
		return
	}
	if !slices.Equal(gnutest.Words(c), words) {
		t.Errorf("%s became %q", args, gnutest.Words(c))
	}
	gnutest.CheckOutputs(t, c)
}

// TestDepFiles compares the dep-files that Parse describes with gcc's.
func TestDepFiles(t *testing.T) {
	program, tc := installed(t)
	for _, words := range [][]string{
		{"-c", "sub/y.c", "-MD"},
		{"-c", "sub/y.c", "-MD", "-o", "./d/z.o"},
		{"-c", "sub/y.c", "-MD", "-o", ".//./d/z.o"},
		{"-S", "sub/y.c", "-MD"},
		{"-S", "sub/y.c", "-MD", "-o", "d/q.s"},
		{"-fsyntax-only", "sub/y.c", "-MD"},
		{"-fsyntax-only", "sub/y.c", "-MD", "-o", "d/q.o"},
		{"sub/h.h", "-MD"},
		{"-c", "foo.c.c", "-MD"},
		{"-c", ".hid.c", "-MMD"},
		{"-c", "p.S", "-MD", "-o", "d/q.o"},
		{"-c", "a$b#c d.c", "-MD", "-MF", "k.d"},
		{"-c", "x.c", "-MD", "-MFk.d", "-o", "d/a$b#c d\\ e:f\tg%.o"},
		{"-c", "x.c", "-MD", "-MFk.d", "-MT", "d/a$b#c d\\ e:f\tg.o"},
		{"-c", "x.c", "-MD", "-MFk.d", "-MQ", "d/a$b#c d\\ e:f\tg.o"},
		{"-c", "x.c", "-MD", "-MFk.d", "-MQ", `a\\ b`, "-MT", "q  r", "-MQ", "z", "-MT", "./s", "-MQtt"},
		{"-c", "x.c", "-MD", "-MFk.d", "-MT", "a", "-MQ", "b c", "-MT", "d"},
		{"-c", "x.c", "-MD", "-MMD", "-MFk.d"},
		{"-c", "x.c", "-MMD", "-MD", "-MFk.d"},
		{"-c", "x.c", "-MD", "-MF", "k.d", "-MF", "l.d"},
		{"-c", "x.c", "-MD", "-MP", "-o", "/dev/null", "-MF", "k.d"},
		{"-c", "x.c", "-Wp,-MD,k.d"},
		{"-c", "x.c", "-Wp,-MMD,k.d", "-o", "d/z.o"},
		{"-c", "x.c", "-Wp,-MMD,k.d", "-o", "d/z.o", "-MT", "t t"},
		{"-c", "x.c", "-Wp,-MMD,k.d", "-o", "d/z.o", "-MQ", "t$t"},
		{"-c", "x.c", "-Wp,-MMD,k.d", "-o", "d/z.o", "-MMD"},
		{"-c", "x.c", "-Wp,-MMD,k.d", "-Wp,-MT,w", "-o", "d/z.o", "-MMD"},
		{"-c", "x.c", "-Wp,-MMD,k.d", "-Wp,-MQ,w$w", "-Wp,-MP", "-o", "d/z.o"},
		{"-c", "x.c", "-MMD", "-Wp,-MT,w w", "-o", "d/z.o"},
		{"-S", "x.c", "-Wp,-MD,k.d", "-o", "d/q.s"},
		{"-c", "-x", "c", "noext", "-Wp,-MMD,k.d"},
		{"-c", "-x", "c", "foo.", "-Wp,-MMD,k.d"},
	} {
		c, err := New().Parse(gnutest.Call(gnutest.Tree(t), program, words), tc)
		if err != nil {
			t.Errorf("%q: %v", words, err)
			continue
		}
		gnutest.CheckDep(t, c, "stdc-predef.h")
	}
}

func TestNoKey(t *testing.T) {
	program, tc := installed(t)
	gnutest.NoKey(t, New(), tc, program, "-pipe", "--pipe", "-lm", "-Ld", "-L d", "-Wl,-s", "-Xlinker -s", "-z now", "-u f", "-T bar", "-e f", "-s",
		"-rdynamic", "-export-dynamic")
}

func TestPassThrough(t *testing.T) { gnutest.PassThrough(t, gnutest.Find(t, "gcc")) }
