package depfile

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// oddNames are header names that test the quoting. Backslashes are left to gcc:
// clang writes them as slashes.
var oddNames = []string{
	"a b.h", "d$x.h", "h#x.h", " lead.h", "a:b.h", "a=b;c.h", "a'b.h", "é.h", "two  spaces.h", "$$.h", "#.h", "a%b*?.h",
}

// compilers returns those of gcc and clang that are installed.
func compilers(t *testing.T) []string {
	t.Helper()
	var out []string
	for _, name := range []string{"gcc", "clang"} {
		if _, err := exec.LookPath(name); err == nil {
			out = append(out, name)
		} else if os.Getenv("REXWRAP_TEST_ALL_TOOLS") != "" {
			t.Fatalf("%s is not installed", name)
		}
	}
	return out
}

// tree writes a source that includes headers of all lengths and odd names.
func tree(t *testing.T, rnd *rand.Rand) (dir string) {
	t.Helper()
	dir = t.TempDir()
	var source strings.Builder
	header := func(name string) {
		write(t, filepath.Join(dir, name), "int x;\n")
		fmt.Fprintf(&source, "#include <%s>\n", name)
	}
	for range 1 + rnd.IntN(40) {
		switch rnd.IntN(4) {
		case 0:
			header(oddNames[rnd.IntN(len(oddNames))])
		case 1:
			fmt.Fprintln(&source, "#include <stddef.h>")
		default:
			header(strings.Repeat("n", 1+rnd.IntN(60)) + ".h")
		}
	}
	write(t, filepath.Join(dir, "x.c"), source.String())
	return dir
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

// TestCompilers takes dep-files of the installed compilers through Match and
// Rewrite, and compares with what the compiler writes for other targets.
func TestCompilers(t *testing.T) {
	for _, cc := range compilers(t) {
		t.Run(cc, func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(1, 2))
			for range 40 {
				dir := tree(t, rnd)
				style := []string{"-MD", "-MMD"}[rnd.IntN(2)]
				var phony []string
				if rnd.IntN(2) == 0 {
					phony = []string{"-MP"}
				}
				one, two := randomTargets(rnd), randomTargets(rnd)
				text := depfileOf(t, dir, cc, one, append(phony, style)...)
				other := depfileOf(t, dir, cc, two, append(phony, style)...)
				checkSame(t, cc, text, other, one, two)
				checkSame(t, cc, text, text, one, one)
			}
		})
	}
}

func checkSame(t *testing.T, cc string, text, want []byte, from, to []string) {
	t.Helper()
	got, ok := Rewrite(cc, text, from, to, nil)
	if !ok {
		t.Errorf("refused for %q:\n%s", from, text)
	} else if !bytes.Equal(got, want) {
		t.Errorf("from %q to %q:\n%s\nwant:\n%s", from, to, got, want)
	}
}

// randomTargets returns targets that -MT passes on as they are.
func randomTargets(rnd *rand.Rand) []string {
	var out []string
	for range 1 + rnd.IntN(4) {
		out = append(out, strings.Repeat("t", 1+rnd.IntN(50))+[]string{"", " x", "$(y)", ": z"}[rnd.IntN(4)])
	}
	return out
}

// depfileOf returns what cc writes for dir/x.c and the given targets.
func depfileOf(t *testing.T, dir, cc string, targets []string, flags ...string) []byte {
	t.Helper()
	args := []string{"-I.", "-c", "x.c", "-o", "x.o", "-MF", "x.d"}
	for _, target := range targets {
		args = append(args, "-MT", target)
	}
	cmd := exec.Command(cc, append(args, flags...)...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", cc, err, out)
	}
	text, err := os.ReadFile(filepath.Join(dir, "x.d"))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestQuote compares Quote with -MQ, whose target both compilers quote by one
// rule, and gcc's prerequisites.
func TestQuote(t *testing.T) {
	names := append([]string{`a\b.h`, `a\ b.h`, `a\\ b.h`, `a\#b.h`, `a\$b.h`, "a\tb.h", `a\`}, oddNames...)
	for _, cc := range compilers(t) {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "x.c"), "int x;\n")
		for _, name := range names {
			cmd := exec.Command(cc, "-MM", "-MQ", name, "x.c")
			cmd.Dir = dir
			out, err := cmd.Output()
			if err != nil {
				t.Fatal(err)
			}
			if want := GCC.Quote(name) + ": x.c\n"; string(out) != want {
				t.Errorf("%s -MQ %q: %q, want %q", cc, name, out, want)
			}
		}
	}
}
