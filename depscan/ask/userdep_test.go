package ask

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/rexwrap/rexwrap/toolchains"
)

// A forest makes random trees of headers in user and system directories that
// include each other.
type forest struct {
	rnd *rand.Rand
	// odd adds what makes a flat list ambiguous.
	odd bool
}

// headerNames are found in several directories at once.
var headerNames = []string{"a.h", "b.h", "c.h", "d e.h", "sub/a.h", "sub/f.h", "g.h", "errno.h", "k.h"}

var headerDirs = []string{"", "inc/", "inc2/", "quote/", "sys/", "sys2/"}

func (f *forest) plant(b *bed) {
	for _, dir := range headerDirs {
		for _, name := range headerNames {
			if f.rnd.IntN(3) > 0 {
				b.write(dir+name, f.header(dir+name))
			}
		}
	}
	// What is included anywhere is found, if nowhere else, in the last place.
	for _, name := range headerNames {
		b.write("last/"+name, f.header("last/"+name))
	}
	b.write("x.c", f.body(4)+"int main(void) { return 0; }\n")
}

func (f *forest) header(path string) string {
	guard := "H_" + strings.NewReplacer("/", "_", ".", "_", " ", "_").Replace(path)
	if f.rnd.IntN(4) == 0 {
		return "#pragma once\n" + f.body(2)
	}
	return fmt.Sprintf("#ifndef %s\n#define %s\n%s#endif\n", guard, guard, f.body(2))
}

func (f *forest) body(includes int) string {
	var s strings.Builder
	for range f.rnd.IntN(includes + 1) {
		name := headerNames[f.rnd.IntN(len(headerNames))]
		switch n := f.rnd.IntN(13); {
		case n == 12:
			fmt.Fprintf(&s, "#if __has_include(\"%s\")\n#include <%s>\n#endif\n", name, name)
		case n == 0:
			fmt.Fprintf(&s, "#if %d\n#include <%s>\n#endif\n", f.rnd.IntN(2), name)
		case n == 1 && f.odd:
			fmt.Fprintf(&s, "#include <errno.h>\n")
		case n == 2 && f.odd:
			fmt.Fprintf(&s, "#define M <%s>\n#include M\n#undef M\n", name)
		case n == 3 && f.odd:
			fmt.Fprintf(&s, "#pragma GCC system_header\n")
		case n < 8:
			fmt.Fprintf(&s, "#include \"%s\"\n", name)
		default:
			fmt.Fprintf(&s, "#include <%s>\n", name)
		}
	}
	return s.String()
}

// runner runs commands, and counts them.
func runner(n *int) toolchains.Runner {
	return func(ctx context.Context, cmd toolchains.Command) (*toolchains.CommandResult, error) {
		*n++
		c := exec.CommandContext(ctx, cmd.Argv[0], cmd.Argv[1:]...)
		c.Dir, c.Env = cmd.Dir, cmd.Env
		var stdout, stderr bytes.Buffer
		c.Stdout, c.Stderr = &stdout, &stderr
		if err := c.Run(); err != nil && c.ProcessState == nil {
			return nil, err
		}
		return &toolchains.CommandResult{Status: c.ProcessState.ExitCode(), Stdout: stdout.Bytes(), Stderr: stderr.Bytes()}, nil
	}
}

// TestUserDep compares the dep-file that is made of a full list with what the
// compiler writes for -MMD.
func TestUserDep(t *testing.T) {
	for _, cc := range compilers(t) {
		for _, odd := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/odd=%v", cc, odd), func(t *testing.T) {
				asked, cases := 0, 0
				f := &forest{rand.New(rand.NewPCG(3, 4)), odd}
				for range 4 {
					b := newBed(t)
					b.asker = New(Options{Run: runner(&asked), ModTimes: true})
					f.plant(b)
					for range 3 {
						cases++
						checkUserDep(t, b, f.command(cc)...)
					}
				}
				t.Logf("the compiler was asked for %d of %d", asked, cases)
				if !odd && asked > cases/2 {
					t.Errorf("the compiler was asked for %d of %d", asked, cases)
				}
			})
		}
	}
}

// command returns a random command line.
func (f *forest) command(cc string) []string {
	argv := []string{cc, "-c", "-g", "-w", "-iquote", "quote", "-Iinc", "-isystem", "sys", "-isystem", "sys2", "-idirafter", "last"}
	for _, extra := range [][]string{{"-Iinc2"}, {"-Isys2"}, {"-MP"}, {"-include", "a.h"}, {"-imacros", "sub/f.h"}, {"-I."}, {"-O2"}} {
		if f.rnd.IntN(3) == 0 {
			argv = append(argv, extra...)
		}
	}
	return append(argv, "-MMD", "-o", []string{"x.o", "out put.o"}[f.rnd.IntN(2)])
}

func checkUserDep(t *testing.T, b *bed, argv ...string) {
	t.Helper()
	argv = append(argv, "x.c")
	c := compileOf(t, b.dir, argv...)
	c.Dep.Targets = []string{strings.ReplaceAll(c.Dep.Targets[0], " ", `\ `)}
	if stderr, err := b.exec(nil, argv...); err != nil {
		t.Fatalf("%q: %v\n%s", argv, err, stderr)
	}
	want, object := b.read(c.Dep.Path), b.read(c.Outputs[0].Path)
	if err := os.Remove(b.dir + "/" + c.Dep.Path); err != nil {
		t.Fatal(err)
	}
	res, err := b.run(c)
	if err != nil {
		t.Fatalf("%q: %v", argv, err)
	}
	if got := string(res.UserDep); got != want {
		t.Errorf("%q in %s:\n%s\nwant:\n%s", argv, b.dir, got, want)
	}
	if b.read(c.Outputs[0].Path) != object {
		t.Errorf("%q: another object", argv)
	}
	if _, err := os.Stat(b.dir + "/" + c.Dep.Path); err == nil {
		t.Errorf("%q: the run wrote %s", argv, c.Dep.Path)
	}
}

// TestUserDepOfRealHeaders does the same for sources that include what is
// installed.
func TestUserDepOfRealHeaders(t *testing.T) {
	asked := 0
	b := newBed(t)
	b.asker = New(Options{Run: runner(&asked)})
	b.write(
		"x.c", "#include \"u.h\"\n#include <stdio.h>\n#include <pthread.h>\n", "u.h", "#include <stdlib.h>\n#include \"v.h\"\n", "v.h", "#include <math.h>\n",
		"x.cc", "#include \"u.h\"\n#include <iostream>\n#include <map>\n#include <algorithm>\n#include <thread>\n",
	)
	for _, argv := range [][]string{
		{"gcc", "x.c"}, {"g++", "x.cc"}, {"gcc", "-I/usr/include", "x.c"}, {"g++", "-std=c++20", "-I.", "x.cc"}, {"clang", "x.c"}, {"clang++", "x.cc"},
	} {
		argv = slices.Concat(argv[:1], []string{"-c", "-g", "-MMD", "-o", "x.o"}, argv[1:len(argv)-1], argv[len(argv)-1:])
		source := argv[len(argv)-1]
		if stderr, err := b.exec(nil, argv...); err != nil {
			t.Fatalf("%v\n%s", err, stderr)
		}
		want := b.read("x.d")
		if got := string(b.collect(argv...).UserDep); got != want {
			t.Errorf("%s: %s\nwant:\n%s", source, got, want)
		}
	}
	if asked > 0 {
		t.Errorf("the compiler was asked %d times", asked)
	}
}
