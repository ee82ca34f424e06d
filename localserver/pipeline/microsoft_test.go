package pipeline

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rexwrap/rexwrap/localserver/journal"
)

// A compile of clang-cl whose flags are known costs no process but the compiler's own, with
// debug information and notes too, and whatever it has changed.
func TestMissStartsNothingElse(t *testing.T) {
	r := newRig(t)
	dir := t.TempDir()
	write(
		t, dir, "x.c", hello, "y.c", hello, "a/z.c", "#include \"i.h\"\n#include \"h.h\"\n", "a/i.h", "#include \"../b/j.h\"\n",
		"b/j.h", "#include \"k.h\"\n#include <l.h>\n", "a/k.h", "", "inc/l.h", "", "h.h", "#define H 3\n", "p.c", hello, "a/q.c", hello,
	)
	for _, flags := range []string{"/O1", "/Z7", "/showIncludes", "/Z7 /showIncludes:user", "/Zi /MDd /std:c17 /W4"} {
		argv := slices.Concat([]string{"clang-cl-14", "/nologo", "/c", "/I."}, strings.Fields(flags))
		r.outcome(journal.ExecutedLocal, dir, append(argv, "x.c")...)
		before := r.started.Load()
		r.outcome(journal.ExecutedLocal, dir, append(argv, "y.c")...)
		z := append(argv, "/Iinc", "a/z.c")
		r.outcome(journal.ExecutedLocal, dir, z...)
		if rec := r.last(); rec.Reason != "" {
			t.Errorf("%s: not stored: %s %s", flags, rec.Reason, rec.Arg)
		}
		r.outcome(journal.HitLocal, dir, z...)
		for _, text := range []string{"", "#include <l.h>\n"} { // nearer than a/k.h
			write(t, dir, "b/k.h", text)
			r.outcome(journal.ExecutedLocal, dir, z...)
			r.outcome(journal.HitLocal, dir, z...)
		}
		several := append(argv, "p.c", "a/q.c")
		r.outcome(journal.ExecutedLocal, dir, several...)
		if !strings.Contains(flags, "showIncludes") { // which does not tell whose header it is
			r.outcome(journal.HitLocal, dir, several...)
		}
		if n := r.started.Load() - before; n != 0 {
			t.Errorf("%s: %d processes", flags, n)
		}
		remove(t, filepath.Join(dir, "b/k.h"))
	}
}

// Where the scanner gives up clang-cl is asked, and names that appear nearer are seen as well.
func TestAskedCompiles(t *testing.T) {
	r := newAskingRig(t)
	dir := t.TempDir()
	write(
		t, dir, "a/z.c", "#include \"i.h\"\n#include <l.h>\n#include <m.h>\n", "a/i.h", "#include \"../b/j.h\"\n",
		"b/j.h", "#include \"k.h\"\n", "a/k.h", "", "one/n.h", "", "two/l.h", "", "ext/m.h", "",
	)
	for _, flags := range []string{"/O1", "/O1 /Z7", "/O1 /showIncludes", "/O1 /Z7 /showIncludes", "/O1 /Z7 /showIncludes:user"} {
		argv := append([]string{"clang-cl-14", "/nologo", "/c", "/Ione", "/I", "two", "/external:Iext", "/FIone/n.h", "a/z.c"}, strings.Fields(flags)...)
		r.outcome(journal.ExecutedLocal, dir, argv...)
		r.outcome(journal.HitLocal, dir, argv...)
		before, asks := r.started.Load(), strings.Contains(flags, "/Z7") && !strings.HasSuffix(flags, "/showIncludes")
		for _, name := range []string{"b/k.h", "one/l.h", "two/m.h"} {
			write(t, dir, name, "")
			r.outcome(journal.ExecutedLocal, dir, argv...)
			r.outcome(journal.HitLocal, dir, argv...)
			remove(t, filepath.Join(dir, name))
		}
		if n := r.started.Load() - before; (n > 0) != asks {
			t.Errorf("%s: %d processes", flags, n)
		}
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

// What the scanner finds is held against the notes of /showIncludes.
func TestWrongScanIsFoundByNotes(t *testing.T) {
	r := newRig(t)
	r.o.Scanner = blindScanner{r.o.Scanner}
	dir := t.TempDir()
	write(t, dir, "x.c", hello, "h.h", "#define H 3\n")
	argv := []string{"clang-cl-14", "/c", "/showIncludes", "x.c"}
	r.outcome(journal.ExecutedLocal, dir, argv...)
	if rec := r.last(); rec.Reason != "scan-difference" || rec.Arg != "h.h" {
		t.Errorf("record %+v", rec)
	}
	r.outcome(journal.ExecutedLocal, dir, argv...)
	if rec := r.last(); rec.Reason != "" {
		t.Errorf("the second call was not stored: %s %s", rec.Reason, rec.Arg)
	}
	r.outcome(journal.HitLocal, dir, argv...)
}
