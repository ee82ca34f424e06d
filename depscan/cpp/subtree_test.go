package cpp

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rexwrap/rexwrap/depscan"
	"github.com/rexwrap/rexwrap/depscan/cpp/cpptest"
	"github.com/rexwrap/rexwrap/toolchains"
)

// A forest is a folder of random headers that include each other, and of sources
// that include them.
type forest struct {
	r    *rand.Rand
	dir  string
	cc   string
	once bool // there are #imports
}

const (
	forestHeaders = 12
	forestSources = 5
	forestNames   = 8
)

func forestDirs() []string { return []string{".", "i1", "i2", "sys"} }

func (f *forest) one(n int) bool { return f.r.IntN(n) == 0 }

func (f *forest) name() string { return fmt.Sprintf("N%d", f.r.IntN(forestNames)) }

// header returns the name of a header after number n, so that files without
// guards do not include each other for ever.
func (f *forest) header(n int) string {
	return fmt.Sprintf("h%d.h", n+1+f.r.IntN(forestHeaders-n))
}

func (f *forest) include(n int) string {
	h := f.header(n)
	if f.cc == clangCL && f.one(5) {
		return fmt.Sprintf("#include \"last%s%s\"\n", []string{"/", `\`}[f.r.IntN(2)], h)
	}
	switch f.r.IntN(9) {
	case 0:
		return fmt.Sprintf("#define HEADER <%s>\n#include HEADER\n", h)
	case 1:
		return fmt.Sprintf("#include_next <%s>\n", h)
	case 2:
		return fmt.Sprintf("#if __has_include(%q)\n#define %s 1\n#endif\n", h, f.name())
	case 3, 4, 5:
		return fmt.Sprintf("#include <%s>\n", h)
	case 6:
		if f.once && f.one(4) {
			return fmt.Sprintf("#import %q\n", h)
		}
	}
	return fmt.Sprintf("#include %q\n", h)
}

func (f *forest) condition() string {
	switch f.r.IntN(7) {
	case 0:
		return "#ifdef " + f.name()
	case 1:
		return "#ifndef " + f.name()
	case 2:
		return "#if " + f.name() + " == 1"
	case 3:
		return fmt.Sprintf("#if defined %s && %s + 1 > %s", f.name(), f.name(), f.name())
	case 4:
		return fmt.Sprintf("#if __LINE__ < 9 || __INCLUDE_LEVEL__ > %d", f.r.IntN(4))
	case 5:
		return "#if __has_attribute(noreturn)"
	}
	return fmt.Sprintf("#if F(%s)", f.name())
}

// lines returns n random lines of the header number i.
func (f *forest) lines(i, n int) string {
	var b strings.Builder
	for range n {
		x := f.name()
		switch f.r.IntN(14) {
		case 0, 1, 2:
			if i < forestHeaders {
				b.WriteString(f.include(i))
			}
		case 3, 4:
			fmt.Fprintf(&b, "#undef %s\n#define %s %s\n", x, x, []string{"1", "2", "0", "(0)"}[f.r.IntN(4)])
		case 5:
			fmt.Fprintf(&b, "#undef %s\n", x)
		case 6, 7, 8:
			fmt.Fprintf(&b, "%s\n%s#else\n%s#endif\n", f.condition(), f.lines(i, n/2), f.lines(i, n/3))
		case 9:
			if f.one(3) {
				continue
			}
			fmt.Fprintf(&b, "#pragma push_macro(%q)\n", x)
		case 10:
			fmt.Fprintf(&b, "#pragma pop_macro(%q)\n", x)
		case 11:
			b.WriteString([]string{"int a; // text\n", "const char *f = __FILE__;\n", "#undef F\n#define F(x) (x + 1)\n", "int c = __COUNTER__;\n"}[f.r.IntN(4)])
		case 12:
			b.WriteString([]string{"#pragma GCC system_header\n", "#pragma GCC push_options\n#pragma GCC pop_options\n", "#pragma GCC pop_options\n"}[f.r.IntN(3)])
		case 13:
			if f.one(40) {
				b.WriteString("#if __COUNTER__ == 0\n#define N0 0\n#endif\n")
			}
		}
	}
	return b.String()
}

func (f *forest) text(i int) string {
	body := f.lines(i, 2+f.r.IntN(8))
	switch f.r.IntN(4) {
	case 0:
		return "#pragma once\n" + body
	case 1, 2:
		return fmt.Sprintf("#ifndef G%d\n#define G%d\n%s#endif\n", i, i, body)
	}
	return body
}

// edit changes, adds, replaces or removes one header, or moves a directory.
func (f *forest) edit(t *testing.T) {
	i := 1 + f.r.IntN(forestHeaders)
	dir := forestDirs()[f.r.IntN(4)]
	path := filepath.Join(f.dir, dir, fmt.Sprintf("h%d.h", i))
	other := filepath.Join(f.dir, "new.h")
	do := func(err error) {
		if err != nil && !errors.Is(err, os.ErrNotExist) && !errors.Is(err, os.ErrExist) {
			t.Fatal(err)
		}
	}
	switch f.r.IntN(9) {
	case 0, 1:
		do(os.Remove(path))
	case 2:
		f.put(t, other, f.text(i))
		do(os.Rename(other, path))
	case 3:
		do(os.Remove(path))
		do(os.Symlink(fmt.Sprintf("h%d.h", forestHeaders), path))
	case 4:
		do(os.Link(filepath.Join(f.dir, "last", fmt.Sprintf("h%d.h", i)), path))
	case 5:
		f.move(dir, do)
	default:
		do(os.Remove(path)) // it may be a link
		f.put(t, path, f.text(i))
	}
}

// move makes a symbolic link of a directory, or gives a directory that was one
// its place back.
func (f *forest) move(dir string, do func(error)) {
	if dir == "." {
		return
	}
	path := filepath.Join(f.dir, dir)
	if target, err := os.Readlink(path); err == nil {
		do(os.Remove(path))
		do(os.Rename(filepath.Join(f.dir, target), path))
		return
	}
	do(os.Rename(path, path+".real"))
	do(os.Symlink(dir+".real", path))
}

func (f *forest) put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

func (f *forest) plant(t *testing.T) {
	for i := 1; i <= forestHeaders; i++ {
		f.put(t, filepath.Join(f.dir, "last", fmt.Sprintf("h%d.h", i)), "#define L 1\n")
		for range 1 + f.r.IntN(2) {
			f.put(t, filepath.Join(f.dir, forestDirs()[f.r.IntN(4)], fmt.Sprintf("h%d.h", i)), f.text(i))
		}
	}
	for i := range forestSources {
		f.put(t, filepath.Join(f.dir, fmt.Sprintf("s%d.c", i)), "#define F(x) x\n"+f.include(0)+f.lines(0, 4)+f.include(0)+f.include(1))
	}
}

func (f *forest) compile() *toolchains.Compile {
	if f.cc == clangCL {
		return f.microsoft()
	}
	argv := []string{"/usr/bin/" + f.cc, "-nostdinc", "-idirafter", "last"}
	argv = append(argv, [][]string{{"-Ii1", "-Ii2"}, {"-Ii2", "-isystem", "sys"}, {"-iquote", "i1", "-Isys", "-Ii2"}}[f.r.IntN(3)]...)
	if f.one(3) {
		argv = append(argv, "-D"+f.name()+"=2")
	}
	return cpptest.Compile(f.dir, nil, append(argv, "-c", fmt.Sprintf("s%d.c", f.r.IntN(forestSources)))...)
}

const clangCL = "clang-cl-14"

func (f *forest) microsoft() *toolchains.Compile {
	argv := []string{"/usr/bin/" + f.cc, "/X", "-imsvclast"}
	argv = append(argv, [][]string{{"-Ii1", "-Ii2"}, {"-Ii2", "/external:Isys"}, {"-I", f.dir + "/i2", "/Isys", "/Ii1"}}[f.r.IntN(3)]...)
	if f.one(3) {
		argv = append(argv, "/D"+f.name()+"=2")
	}
	if f.one(3) {
		argv = append(argv, "/w")
	}
	argv = append(argv, []string{"/showIncludes", "/showIncludes:user"}[f.r.IntN(2)])
	return cpptest.Compile(f.dir, nil, append(argv, "/c", fmt.Sprintf("s%d.c", f.r.IntN(forestSources)))...)
}

// TestMicrosoftForest compares scans of random sources with what clang-cl reads.
func TestMicrosoftForest(t *testing.T) {
	seeds := 30
	if os.Getenv("REXWRAP_TEST_LONG") != "" {
		seeds = 200
	}
	compiler := &cpptest.Compiler{}
	compared := 0
	dir := t.TempDir()
	for seed := range seeds {
		f := &forest{r: rand.New(rand.NewPCG(uint64(seed), 2)), dir: filepath.Join(dir, fmt.Sprint(seed)), cc: clangCL}
		f.plant(t)
		c := f.compile()
		in, err := New(Options{Compiler: compiler}).Scan(context.Background(), c)
		if errors.Is(err, depscan.ErrFallback) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		read, err := cpptest.ReadByMicrosoft(context.Background(), c)
		if err != nil {
			t.Errorf("%v: %v", c.Call.Argv, err)
			continue
		}
		compared++
		var got []string
		for _, file := range in.Files {
			got = append(got, file.Path)
		}
		if d := cmp.Diff(read.Listed, got); d != "" {
			t.Errorf("cd %s && %v: (-compiler +scan)\n%s", f.dir, c.Call.Argv, d)
		}
		names := read.Headers(c.Source)
		if d := cmp.Diff(names, entered(c, in, names)); d != "" {
			t.Errorf("cd %s && %v: (-compiler +scan) of the notes\n%s", f.dir, c.Call.Argv, d)
		}
	}
	if compared < seeds/4 {
		t.Errorf("%d of %d were compared", compared, seeds)
	}
}

// entered are those of in that clang-cl should name, of those that it may name the ones that
// it has named.
func entered(c *toolchains.Compile, in *depscan.Inputs, noted []string) (names []string) {
	for _, f := range in.Files[1:] {
		if !f.Unread && !c.Microsoft.UserIncludes || slices.Contains(noted, f.Path) {
			names = append(names, f.Path)
		}
	}
	slices.Sort(names)
	return names
}

// TestVariants scans random sources in random order, with edits in between, and
// compares scanners that have memos of all they saw before with one that knows
// nothing.
func TestVariants(t *testing.T) {
	seeds, steps := 2, 60
	if os.Getenv("REXWRAP_TEST_LONG") != "" {
		seeds, steps = 60, 300
	}
	compiler := &cpptest.Compiler{}
	for seed := range seeds {
		for _, cc := range []string{"gcc", "clang", clangCL} {
			t.Run(fmt.Sprintf("%s/%d", cc, seed), func(t *testing.T) {
				t.Parallel()
				f := &forest{r: rand.New(rand.NewPCG(uint64(seed), 1)), dir: t.TempDir(), cc: cc, once: seed%3 == 0 && cc != clangCL}
				f.plant(t)
				f.compare(t, compiler, steps)
			})
		}
	}
}

func (f *forest) compare(t *testing.T, compiler Compiler, steps int) {
	var warm []*Scanner
	for _, watch := range []bool{false, true} {
		s := New(Options{Compiler: compiler, Watch: watch})
		defer s.Close()
		s.m.Load().subtrees.least = 0
		warm = append(warm, s)
	}
	replayed, fell := 0, 0
	for step := range steps {
		if f.one(6) {
			f.edit(t)
		}
		c := f.compile()
		want, wrong := New(Options{Compiler: compiler}).Scan(context.Background(), c)
		for i, s := range warm {
			if f.one(2) {
				s.Forget(c)
			}
			before := s.m.Load().replays()
			var others sync.WaitGroup
			for range 2 {
				other := f.compile()
				others.Go(func() { _, _ = s.Scan(context.Background(), other) })
			}
			got, err := s.Scan(context.Background(), c)
			others.Wait()
			replayed += s.m.Load().replays() - before
			if Reason(err) != Reason(wrong) {
				t.Fatalf("step %d, scanner %d, %v: error %v, want %v", step, i, c.Call.Argv, err, wrong)
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Fatalf("step %d, scanner %d, %v: (-fresh +warm)\n%s", step, i, c.Call.Argv, d)
			}
		}
		if wrong != nil {
			if !errors.Is(wrong, depscan.ErrFallback) {
				t.Fatal(wrong)
			}
			fell++
		}
	}
	if replayed == 0 {
		t.Errorf("no memo was of use")
	}
	t.Logf("%d replayed, %d of %d fell back", replayed, fell, steps)
}

// replays returns how often a variant was replayed.
func (s *memory) replays() int {
	n := int32(0)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.chains {
		for _, r := range c.refs {
			if list := r.subtrees.Load(); list != nil {
				for _, sub := range *list {
					n += sub.hits.Load()
				}
			}
		}
	}
	return int(n)
}
