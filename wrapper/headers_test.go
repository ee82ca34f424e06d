package wrapper

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// filterAll runs text through a filter in pieces of so many bytes.
func filterAll(text string, piece int) (own, entries string) {
	var f headerFilter
	var out []byte
	for len(text) > 0 {
		n := min(piece, len(text))
		out = append(out, f.take([]byte(text[:n]))...)
		text = text[n:]
	}
	out = append(out, f.rest()...)
	return string(out), string(f.entries)
}

func TestHeaderFilter(t *testing.T) {
	const guards = "Multiple include guards may be useful for:\n"
	for _, tt := range []struct{ name, in, own, entries string }{
		{"empty", "", "", ""},
		{"entries", ". a.h\n.. b c.h\n... /usr/include/x.h\n", "", ". a.h\n.. b c.h\n... /usr/include/x.h\n"},
		{"precompiled header", "! x.h.gch\n.x y.h.gch\n. z.h\n", "", "! x.h.gch\n.x y.h.gch\n. z.h\n"},
		{"source after a precompiled header", "! x.h.gch\n x.c\n y.c\n", " y.c\n", "! x.h.gch\n x.c\n"},
		{"diagnostic after a precompiled header", "! x.h.gch\n    1 | x\n", "    1 | x\n", "! x.h.gch\n"},
		{"source after a refused one", "x x.h.gch\n x.c\n", " x.c\n", "x x.h.gch\n"},
		{"diagnostics between", "a.c:1:2: warning: w\n    1 | . x\n      | ^\n. a.h\na.c: x\n", "a.c:1:2: warning: w\n    1 | . x\n      | ^\na.c: x\n", ". a.h\n"},
		{"guards", ". a.h\n. b.h\n" + guards + "a.h\nb.h\n", "", ". a.h\n. b.h\n"},
		{"guards in another language", ". a.h\nMehrfach-Include-Wächter:\na.h\n", "", ". a.h\n"},
		{"own output after guards", ". a.h\n" + guards + "a.h\nas: a.s:1: Error\n", "as: a.s:1: Error\n", ". a.h\n"},
		{"own output before guards", ". a.h\nx.c:1: error\n" + guards + "a.h\n", "x.c:1: error\n", ". a.h\n"},
		{"path that is no entry's", ". a.h\nwarning\nb.h\n", "warning\nb.h\n", ". a.h\n"},
		{"path with nothing before it", ". a.h\na.h\n", "a.h\n", ". a.h\n"},
		{"no entry without a path", ". \n.\n..x\n...", ". \n.\n..x\n...", ""},
		{"no newline at the end", ". a.h\nerror: x", "error: x", ". a.h\n"},
		{"no newline after an entry", "w\n. a.h", "w\n. a.h", ""},
		{"empty lines", "\n\n. a.h\n\n", "\n\n\n", ". a.h\n"},
		{"carriage return", ". a.h\r\nw\r\n", "w\r\n", ". a.h\r\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, piece := range []int{1, 2, 7, 1 << 20} {
				own, entries := filterAll(tt.in, piece)
				if own != tt.own || entries != tt.entries {
					t.Errorf("in pieces of %d: own %q, want %q; entries %q, want %q", piece, own, tt.own, entries, tt.entries)
				}
			}
		})
	}
}

// TestHeaderFilterLive checks that no more is held back than one line.
func TestHeaderFilterLive(t *testing.T) {
	var f headerFilter
	if got := string(f.take([]byte("one\ntwo\nthr"))); got != "one\n" {
		t.Errorf("got %q, want the first line", got)
	}
}

// FuzzHeaderFilter checks that the pieces in which output arrives make no
// difference, and that every line is either kept or taken out, in order.
func FuzzHeaderFilter(f *testing.F) {
	for _, seed := range []string{". a.h\nw\nMultiple:\na.h\n", "! x\n..x y\nx y\n", "\n. \n", "w"} {
		f.Add(seed, 1)
	}
	f.Fuzz(func(t *testing.T, in string, piece int) {
		own, entries := filterAll(in, max(1, piece))
		if again, entriesAgain := filterAll(in, len(in)+1); own != again || entries != entriesAgain {
			t.Fatalf("in pieces of %d: %q %q, at once %q %q", piece, own, entries, again, entriesAgain)
		}
		rest := in
		for line := range strings.Lines(own) {
			i := strings.Index(rest, line)
			if i < 0 {
				t.Fatalf("line %q of the compiler's own is not in the input, or out of order", line)
			}
			rest = rest[i+len(line):]
		}
		for line := range strings.Lines(entries) {
			_, ok := entryPath(strings.TrimSuffix(line, "\n"))
			if !ok && !strings.HasPrefix(line, " ") || !bytes.Contains([]byte(in), []byte(line)) {
				t.Fatalf("%q was taken for an entry", line)
			}
		}
	})
}

// TestHeaderFilterGCC compares what the filter leaves of a real -H with what
// gcc says without it.
func TestHeaderFilterGCC(t *testing.T) {
	gcc, err := exec.LookPath("gcc")
	if err != nil {
		if os.Getenv("REXWRAP_TEST_ALL_TOOLS") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	dir := t.TempDir()
	for name, text := range map[string]string{
		"bare.h":    "int bare(void);\n",
		"guarded.h": "#ifndef G\n#define G\n#include \"bare.h\"\n#warning in guarded.h\n#endif\n",
		"pre.h":     "int pre(void);\n",
		"x.c":       "#include \"pre.h\"\n#include \"guarded.h\"\n#include <stdio.h>\nint f(void) { int unused; return undeclared; }\n",
	} {
		if err := os.WriteFile(dir+"/"+name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	run := func(args ...string) string {
		t.Helper()
		cmd := exec.Command(gcc, append(args, "-Wall", "-c", "x.c")...)
		cmd.Dir = dir
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		var exit *exec.ExitError
		if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		return stderr.String()
	}
	pch := exec.Command(gcc, "pre.h")
	pch.Dir = dir
	if out, err := pch.CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	want, with := run(), run("-H")
	own, entries := filterAll(with, 5)
	if own != want {
		t.Errorf("left over:\n%s\nwant:\n%s\nof:\n%s", own, want, with)
	}
	for _, entry := range []string{"! pre.h.gch\n", ". guarded.h\n", ".. bare.h\n"} {
		if !strings.Contains(entries, entry) {
			t.Errorf("no %q in %q", entry, entries)
		}
	}
}
