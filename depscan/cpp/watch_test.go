//go:build linux

package cpp

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/rexwrap/rexwrap/depscan/cpp/cpptest"
	"github.com/rexwrap/rexwrap/toolchains"
)

// A watched compile is one whose scanner has come to rest: nothing is looked at
// any more.
type watched struct {
	s   *Scanner
	dir string
	c   *toolchains.Compile
}

func newWatched(t *testing.T) *watched {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	w := &watched{s: New(Options{Compiler: &cpptest.Compiler{}, Watch: true}), dir: dir}
	t.Cleanup(w.s.Close)
	if w.s.m.Load().fs.watch == nil {
		t.Fatal("nothing can be watched")
	}
	w.write(t, "x.c", "#include \"a.h\"\n")
	w.write(t, "i/a.h", "#include \"b.h\"\n")
	w.write(t, "i/b.h", "")
	w.write(t, "i/c.h", "")
	w.c = cpptest.Compile(dir, nil, "/usr/bin/gcc", "-nostdinc", "-Ii", "-c", "x.c")
	return w
}

func (w *watched) write(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join(w.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

// scan returns the files beside the source.
func (w *watched) scan(t *testing.T) []string {
	t.Helper()
	in, err := w.s.Scan(context.Background(), w.c)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, f := range in.Files {
		if !filepath.IsAbs(f.Path) && f.Path != "x.c" {
			out = append(out, f.Path)
		}
	}
	return out
}

// rests reports whether another scan looks at no file.
func (w *watched) rests(t *testing.T) bool {
	t.Helper()
	n := w.s.m.Load().fs.node(filepath.Join(w.dir, "i/a.h"))
	before := n.checked.Load()
	w.scan(t)
	return n.checked.Load() == before
}

// settle scans until nothing is looked at.
func (w *watched) settle(t *testing.T) {
	t.Helper()
	for begin := time.Now(); !w.rests(t); {
		if time.Since(begin) > 10*time.Second {
			t.Fatal("files are looked at again and again")
		}
	}
}

func (w *watched) expect(t *testing.T, want ...string) {
	t.Helper()
	if got := w.scan(t); !slices.Equal(got, want) {
		t.Errorf("files %q, want %q", got, want)
	}
}

// TestRest checks that a settled scan looks at nothing, also when files that
// nobody asked for come and go beside the sources.
func TestRest(t *testing.T) {
	w := newWatched(t)
	w.expect(t, "i/a.h", "i/b.h")
	w.settle(t)
	for i := range 10 {
		w.write(t, fmt.Sprintf("out%d.o", i), "object")
		if !w.rests(t) {
			t.Error("an object made the scanner look again")
		}
	}
	w.write(t, "i/a.h", "#include \"c.h\"\n")
	w.expect(t, "i/a.h", "i/c.h")
	w.settle(t)
	w.write(t, "a.h", "")
	w.expect(t, "a.h")
}

// isQuiet reports whether the answer is known to hold without a look at what it
// rests on.
func (w *watched) isQuiet() bool {
	m := w.s.m.Load()
	now := m.fs.begin()
	for _, f := range m.compiles.known {
		if f.quiet.Load() != now.events+1 {
			return false
		}
	}
	return true
}

// TestMissingBelowMissing checks that a directory of the chain whose parent is
// missing too needs no look, until one of both appears.
func TestMissingBelowMissing(t *testing.T) {
	w := newWatched(t)
	w.c = cpptest.Compile(w.dir, nil, "/usr/bin/gcc", "-nostdinc", "-Inone/deep/er", "-Ii", "-c", "x.c")
	w.expect(t, "i/a.h", "i/b.h")
	w.settle(t)
	w.scan(t)
	if !w.isQuiet() {
		t.Error("what is below a missing directory is looked for again and again")
	}
	w.write(t, "none/other.h", "")
	if w.isQuiet() {
		t.Error("a directory above one that was looked for has appeared unheard")
	}
	w.expect(t, "i/a.h", "i/b.h")
	w.write(t, "none/deep/er/a.h", "#include \"c.h\"\n")
	w.expect(t, "none/deep/er/a.h", "i/c.h")
	if err := os.RemoveAll(filepath.Join(w.dir, "none")); err != nil {
		t.Fatal(err)
	}
	w.expect(t, "i/a.h", "i/b.h")
}

// TestDirectoryReplacedTwice checks that what takes the place of a watched
// directory is watched as well.
func TestDirectoryReplacedTwice(t *testing.T) {
	w := newWatched(t)
	w.write(t, "j/a.h", "#include \"c.h\"\n")
	w.write(t, "j/c.h", "")
	w.settle(t)
	for _, r := range [][2]string{{"i", "old"}, {"j", "i"}} {
		if err := os.Rename(filepath.Join(w.dir, r[0]), filepath.Join(w.dir, r[1])); err != nil {
			t.Fatal(err)
		}
	}
	w.expect(t, "i/a.h", "i/c.h")
	w.settle(t)
	w.write(t, "i/a.h", "")
	w.expect(t, "i/a.h")
	if err := os.RemoveAll(filepath.Join(w.dir, "i")); err != nil {
		t.Fatal(err)
	}
	if _, err := w.s.Scan(context.Background(), w.c); Reason(err) != "missing-include" {
		t.Errorf("error %v without the directory", err)
	}
	w.write(t, "i/a.h", "")
	w.expect(t, "i/a.h")
	w.settle(t)
	w.write(t, "i/a.h", "#include \"d.h\"\n")
	w.write(t, "i/d.h", "")
	w.expect(t, "i/a.h", "i/d.h")
}

// TestQueueOverflow lets the kernel lose events.
func TestQueueOverflow(t *testing.T) {
	w := newWatched(t)
	w.settle(t)
	w.write(t, "i/a.h", "#include \"c.h\"\n")
	for i := range 1 << 15 { // the usual queue holds half of that
		now := time.Unix(int64(i), 0)
		if err := os.Chtimes(filepath.Join(w.dir, "i", []string{"b.h", "c.h"}[i%2]), now, now); err != nil {
			t.Fatal(err)
		}
	}
	w.write(t, "i/c.h", "#include \"b.h\"\n")
	w.expect(t, "i/a.h", "i/c.h", "i/b.h")
	w.settle(t)
	w.write(t, "i/a.h", "")
	w.expect(t, "i/a.h")
}

// TestNoMoreWatches checks that directories that cannot be watched are looked at.
func TestNoMoreWatches(t *testing.T) {
	w := newWatched(t)
	w.s.m.Load().fs.watch.queue.Limit(2)
	for range 3 {
		w.expect(t, "i/a.h", "i/b.h")
	}
	if w.rests(t) {
		t.Error("a directory is believed that is not watched")
	}
	w.write(t, "i/a.h", "")
	w.expect(t, "i/a.h")
}

// TestWatchingEnds checks that a scanner without its watches is right.
func TestWatchingEnds(t *testing.T) {
	w := newWatched(t)
	w.settle(t)
	w.s.m.Load().fs.watch.close(w.s.m.Load().fs)
	w.write(t, "i/a.h", "#include \"c.h\"\n")
	w.expect(t, "i/a.h", "i/c.h")
	w.write(t, "i/a.h", "")
	w.expect(t, "i/a.h")
	if w.rests(t) {
		t.Error("a directory is believed that is not watched")
	}
}

// TestMemoryIsBounded checks that a scanner that knows too many names begins anew,
// also while others scan.
func TestMemoryIsBounded(t *testing.T) {
	w := newWatched(t)
	w.settle(t)
	before := w.s.m.Load()
	before.fs.count.Add(maxNodes)
	w.expect(t, "i/a.h", "i/b.h")
	if w.s.m.Load() == before {
		t.Error("all is kept")
	}
	w.write(t, "i/a.h", "")
	if _, err := before.scan(context.Background(), w.c); err != nil {
		t.Error(err)
	}
	w.expect(t, "i/a.h")
}

// changing is a Compiler whose answer changes.
type changing struct {
	cpptest.Compiler
	dirs []string
}

func (c *changing) Facts(ctx context.Context, compile *toolchains.Compile) (*toolchains.Facts, error) {
	f, err := c.Compiler.Facts(ctx, compile)
	if err != nil {
		return nil, err
	}
	g := *f
	g.AngleDirs = c.dirs
	return &g, nil
}

// TestFactsAreAskedFor checks that each scan goes by what the compiler says then:
// a directory of its own may appear.
func TestFactsAreAskedFor(t *testing.T) {
	w := newWatched(t)
	c := &changing{}
	s := New(Options{Compiler: c, Watch: true})
	t.Cleanup(s.Close)
	w.s, w.c = s, cpptest.Compile(w.dir, nil, "/usr/bin/gcc", "-nostdinc", "-c", "x.c")
	if _, err := s.Scan(context.Background(), w.c); Reason(err) != "missing-include" {
		t.Errorf("error %v without the directory", err)
	}
	c.dirs = []string{filepath.Join(w.dir, "i")}
	in, err := s.Scan(context.Background(), w.c)
	if err != nil {
		t.Fatal(err)
	}
	if last := in.Files[len(in.Files)-1].Path; last != filepath.Join(w.dir, "i/b.h") {
		t.Errorf("last file %s", last)
	}
}
