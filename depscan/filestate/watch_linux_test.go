package filestate

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/rexwrap/rexwrap/client/digest"
)

// A countedSource counts the looks at files.
type countedSource struct {
	source
	looks atomic.Int64
}

func (c *countedSource) stat(path string, fresh bool, st *info) {
	c.looks.Add(1)
	c.source.stat(path, fresh, st)
}

// watchableDir returns a directory whose changes the kernel tells.
func watchableDir(t *testing.T) string {
	t.Helper()
	for _, parent := range []string{t.TempDir(), "/dev/shm"} {
		dir, err := os.MkdirTemp(parent, "watch")
		if err != nil {
			continue
		}
		t.Cleanup(func() { os.RemoveAll(dir) })
		w := newWatcher()
		if w == nil {
			break
		}
		defer w.close()
		if w.guard(dir+"\x00", false) != nil {
			return dir
		}
	}
	if os.Getenv("REXWRAP_TEST_ALL_TOOLS") != "" {
		t.Fatal("no file system here tells of all changes")
	}
	t.Skip("no file system here tells of all changes")
	return ""
}

// A watchedTree is a small tree with all that a path can lead through.
type watchedTree struct {
	t   *testing.T
	dir string
	s   *State
	src *countedSource
	set *Set
}

func newWatchedTree(t *testing.T) *watchedTree {
	t.Helper()
	w := &watchedTree{t: t, dir: watchableDir(t)}
	w.src = &countedSource{source: newSource()}
	w.s = newState(Options{Watch: true}, w.src)
	t.Cleanup(w.s.Close)
	w.must(os.MkdirAll(w.path("real/inc/sub"), 0o755))
	w.must(os.Mkdir(w.path("other"), 0o755))
	w.must(os.Symlink("real/inc", w.path("link")))
	w.must(os.Symlink("a.h", w.path("real/inc/alias.h")))
	for _, name := range []string{"real/inc/a.h", "real/inc/sub/b.h", "other/a.h"} {
		w.write(name, "old "+name)
	}
	w.must(os.Link(w.path("real/inc/sub/b.h"), w.path("other/hard.h")))
	w.set = w.s.Prepare(w.dir, Expect{
		Files: []Want{
			{"link/a.h", digest.Of([]byte("old real/inc/a.h"))},
			{"real/inc/alias.h", digest.Of([]byte("old real/inc/a.h"))},
			{"link/sub/../sub/b.h", digest.Of([]byte("old real/inc/sub/b.h"))},
		},
		Absent: []string{"real/inc/sub/a.h", "other/b.h", "none/a.h"},
	})
	w.rest()
	return w
}

func (w *watchedTree) path(name string) string { return filepath.Join(w.dir, name) }

func (w *watchedTree) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *watchedTree) write(name, text string) {
	w.t.Helper()
	w.must(os.WriteFile(w.path(name), []byte(text), 0o644))
}

// rest checks the set until it holds without a look at anything.
func (w *watchedTree) rest() {
	w.t.Helper()
	for range 1_000_000 {
		before := w.src.looks.Load()
		if d, ok := w.s.CheckAll(w.set); !ok {
			w.t.Fatalf("%+v", d)
		}
		if w.src.looks.Load() == before {
			return
		}
	}
	w.t.Fatal("files are looked at again and again")
}

// Each change makes the set fail at once, although nothing was looked at before.
func TestWatchedChangesAreNoticed(t *testing.T) {
	for name, change := range map[string]func(w *watchedTree) error{
		"write in place": func(w *watchedTree) error { w.write("real/inc/a.h", "new"); return nil },
		"truncate":       func(w *watchedTree) error { return os.Truncate(w.path("real/inc/a.h"), 3) },
		"rename over": func(w *watchedTree) error {
			w.write("tmp", "new")
			return os.Rename(w.path("tmp"), w.path("real/inc/a.h"))
		},
		"remove":                    func(w *watchedTree) error { return os.Remove(w.path("real/inc/a.h")) },
		"write by another link":     func(w *watchedTree) error { w.write("other/hard.h", "new"); return nil },
		"write by a later link":     writeByLaterLink,
		"write through a mapping":   writeMapped,
		"directory moved away":      func(w *watchedTree) error { return os.Rename(w.path("real"), w.path("moved")) },
		"directory exchanged":       exchange,
		"link leads elsewhere":      func(w *watchedTree) error { return relink(w, "other", "link") },
		"file link leads elsewhere": func(w *watchedTree) error { return relink(w, "../../other/a.h", "real/inc/alias.h") },
		"name appears":              func(w *watchedTree) error { w.write("other/b.h", "new"); return nil },
		"name appears by a link":    func(w *watchedTree) error { return os.Symlink("a.h", w.path("real/inc/sub/a.h")) },
		"name appears by a rename":  func(w *watchedTree) error { return os.Rename(w.path("other/a.h"), w.path("other/b.h")) },
		"directory appears": func(w *watchedTree) error {
			w.must(os.Mkdir(w.path("none"), 0o755))
			w.write("none/a.h", "new")
			return nil
		},
		"directory made anew while it is open": remakeOpened,
	} {
		t.Run(name, func(t *testing.T) {
			w := newWatchedTree(t)
			w.must(change(w))
			if _, ok := w.s.CheckAll(w.set); ok {
				t.Error("the change was not noticed")
			}
		})
	}
}

func writeByLaterLink(w *watchedTree) error {
	if err := os.Link(w.path("real/inc/a.h"), w.path("other/later.h")); err != nil {
		return err
	}
	w.rest()
	w.write("other/later.h", "new")
	return nil
}

func writeMapped(w *watchedTree) error {
	f, err := os.OpenFile(w.path("real/inc/a.h"), os.O_RDWR, 0)
	if err != nil {
		return err
	}
	text, err := unix.Mmap(int(f.Fd()), 0, 3, unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return err
	}
	w.must(f.Close()) // before the write
	w.rest()
	copy(text, "new")
	return unix.Munmap(text)
}

func exchange(w *watchedTree) error {
	w.must(os.MkdirAll(w.path("new/inc/sub"), 0o755))
	w.write("new/inc/a.h", "new")
	return unix.Renameat2(unix.AT_FDCWD, w.path("real"), unix.AT_FDCWD, w.path("new"), unix.RENAME_EXCHANGE)
}

func relink(w *watchedTree, target, name string) error {
	w.must(os.Symlink(target, w.path("tmp")))
	return os.Rename(w.path("tmp"), w.path(name))
}

// remakeOpened replaces the directory whose state shows that a name is absent, and
// which is not gone for good while it is open.
func remakeOpened(w *watchedTree) error {
	held, err := os.Open(w.path("other"))
	if err != nil {
		return err
	}
	w.t.Cleanup(func() { held.Close() })
	w.must(os.RemoveAll(w.path("other")))
	w.must(os.Mkdir(w.path("other"), 0o755))
	w.write("other/b.h", "new")
	return nil
}

// A directory that was open when another took its name is not taken for that.
func TestReplacedDirectoryIsWatched(t *testing.T) {
	w := newWatchedTree(t)
	w.must(os.Mkdir(w.path("empty"), 0o755))
	w.must(os.Mkdir(w.path("full"), 0o755))
	w.write("full/a.h", "text")
	absent := w.s.Prepare(w.dir, Expect{Absent: []string{"empty/a.h"}})
	w.set = absent
	w.rest()

	held, err := os.Open(w.path("empty"))
	w.must(err)
	defer held.Close()
	w.must(unix.Rename(w.path("full"), w.path("empty"))) // which os.Rename refuses
	if _, ok := w.s.CheckAll(absent); ok {
		t.Error("the replaced directory was not noticed")
	}
	w.set = w.s.Prepare(w.dir, Expect{Files: []Want{{"empty/a.h", digest.Of([]byte("text"))}}})
	w.rest()
	w.must(os.Rename(w.path("empty"), w.path("gone")))
	if _, ok := w.s.CheckAll(w.set); ok {
		t.Error("the directory that was moved away was not noticed")
	}
}

// What concerns no file of the set costs no look.
func TestOtherChangesCostNothing(t *testing.T) {
	w := newWatchedTree(t)
	w.write("note", "1")
	w.must(os.Mkdir(w.path("other/deep"), 0o755)) // makes a name where one is absent
	w.rest()
	for i := range 100 {
		w.write("real/note", fmt.Sprint(i))
	}
	before := w.src.looks.Load()
	if _, ok := w.s.CheckAll(w.set); !ok || w.src.looks.Load() != before {
		t.Errorf("ok %v, %d looks", ok, w.src.looks.Load()-before)
	}
}

// TestWatchedAgrees makes random changes and asks two States, of which one looks
// at everything each time.
func TestWatchedAgrees(t *testing.T) {
	w := newWatchedTree(t)
	looking := newState(Options{}, newSource())
	r := rand.New(rand.NewPCG(3, 4))
	dirs := []string{"real/inc", "real/inc/sub", "other", "link", "none", "real"}
	names := []string{"a.h", "b.h", "alias.h", "hard.h", "sub", "x"}
	pick := func() string { return w.path(filepath.Join(dirs[r.IntN(len(dirs))], names[r.IntN(len(names))])) }
	for step := range 6_000 {
		switch p := pick(); r.IntN(12) {
		case 0, 1, 2:
			_ = os.WriteFile(p, fmt.Append(nil, r.IntN(3)), 0o644)
		case 3:
			_ = os.Rename(p, pick())
		case 4:
			_ = os.Link(p, pick())
		case 5:
			_ = os.Remove(p)
		case 6:
			_ = os.Symlink(pick(), p)
		case 7:
			_ = os.Mkdir(p, 0o755)
		case 8:
			_ = os.Chmod(p, 0o600+os.FileMode(r.IntN(2)))
		case 9:
			_ = os.Mkdir(w.path(dirs[r.IntN(len(dirs))]), 0o755)
		case 10:
			_ = os.Rename(w.path(dirs[r.IntN(len(dirs))]), w.path(dirs[r.IntN(len(dirs))]))
		}
		for range 4 {
			p := pick()
			got, gotErr := w.s.Digest(p)
			want, wantErr := looking.Digest(p)
			if got != want || (gotErr == nil) != (wantErr == nil) {
				t.Fatalf("step %d, %s: %v, %v, want %v, %v", step, p, got, gotErr, want, wantErr)
			}
			absent := Expect{Absent: []string{p}}
			_, got1 := w.s.CheckAll(w.s.Prepare("/", absent))
			_, want1 := looking.CheckAll(looking.Prepare("/", absent))
			if got1 != want1 {
				t.Fatalf("step %d, %s: absent %v, want %v", step, p, got1, want1)
			}
		}
	}
}

// Without watches, all is looked at.
func TestNoWatchLeft(t *testing.T) {
	w := newWatchedTree(t)
	w.s.watch.close()
	for i := range 10 {
		if d, ok := w.s.CheckAll(w.set); !ok {
			t.Fatalf("%+v", d)
		}
		w.write("real/inc/a.h", fmt.Sprint(i))
		if _, ok := w.s.CheckAll(w.set); ok {
			t.Fatal("the change was not noticed")
		}
		w.write("real/inc/a.h", "old real/inc/a.h")
	}
}
