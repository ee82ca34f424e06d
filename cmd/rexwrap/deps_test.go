package main

import (
	"flag"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite testdata")

// TestDeps pins every package linked into the thin binary, the standard
// library included: each one costs start-up time on every compile of a build.
// It lives here, not with the other import rules, because this test binary
// links package main and so is rebuilt whenever a dependency changes.
func TestDeps(t *testing.T) {
	for _, goos := range []string{"linux", "darwin", "windows"} {
		t.Run(goos, func(t *testing.T) {
			got := dependencies(t, goos)
			golden := "testdata/deps_" + goos + ".txt"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("linked packages differ from %s; if that is meant, measure BenchmarkStart and rerun with -update", golden)
			}
		})
	}
}

// TestForbiddenDeps names what must not come back with an -update.
func TestForbiddenDeps(t *testing.T) {
	for goos, forbidden := range map[string][]string{
		"linux":  {"fmt", "net", "os", "os/signal", "time", "encoding/json", "reflect", "context", "crypto", "math/rand"},
		"darwin": {"fmt", "net", "encoding/json", "reflect", "crypto"},
		// Nor golang.org/x/sys: its package windows holds thousands of names.
		"windows": {"fmt", "net", "encoding/json", "reflect", "crypto", "golang.org/x/sys/windows"},
	} {
		linked := strings.Fields(dependencies(t, goos))
		for _, pkg := range forbidden {
			if slices.Contains(linked, pkg) {
				t.Errorf("%s: %s is linked", goos, pkg)
			}
		}
	}
}

func dependencies(t *testing.T, goos string) string {
	t.Helper()
	cmd := exec.Command("go", "list", "-deps", ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+goos, "GOARCH=amd64", "GOFLAGS=")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// build returns the path of a package's binary, built as it is released.
func build(tb testing.TB, pkg string) string {
	tb.Helper()
	exe := tb.TempDir() + "/rexwrap"
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", exe, pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		tb.Fatalf("%v\n%s", err, out)
	}
	return exe
}

// buildSource returns the path of a program of one file.
func buildSource(tb testing.TB, source string) string {
	tb.Helper()
	file := tb.TempDir() + "/main.go"
	if err := os.WriteFile(file, []byte(source), 0o666); err != nil {
		tb.Fatal(err)
	}
	return build(tb, file)
}

// maxInits leaves a little room over the 8 of Go 1.26.
const maxInits = 10

// TestInits counts package initialisers with work to do: unlike a time limit,
// the count does not depend on how busy the machine is. Other systems link os,
// and their count is not kept.
func TestInits(t *testing.T) {
	if runtime.GOOS != "linux" {
		return
	}
	cmd := exec.Command(build(t, "."))
	cmd.Env = append(os.Environ(), "GODEBUG=inittrace=1")
	out, _ := cmd.CombinedOutput() // usage, status 2
	n := 0
	for line := range strings.Lines(string(out)) {
		name, ok := strings.CutPrefix(line, "init ")
		if !ok {
			continue
		}
		n++
		name, _, _ = strings.Cut(name, " ")
		if strings.Contains(name, ".") {
			t.Errorf("%s does work before main", name)
		}
	}
	if n == 0 || n > maxInits {
		t.Errorf("%d packages do work before main, want 1 to %d", n, maxInits)
	}
}
