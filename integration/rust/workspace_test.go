//go:build linux

package rust

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/rexwrap/rexwrap/integration/rig"
)

// TestWorkspace builds the workspace plain, cold and warm: the artefacts are the
// same to the byte, and warm every compile is a hit.
func TestWorkspace(t *testing.T) {
	s := workspace(t)
	verbs := []string{"check", "test --no-run"}
	if rig.Long() {
		verbs = append(verbs, "build", "build --release", "clippy", "build -p mycore --target wasm32-unknown-unknown")
	}
	for _, verb := range verbs {
		s.thrice(cargo, verb)
	}
	if rig.Long() {
		t.Run("new-compiler", newCompiler)
	}
}

// newCompiler does so with a newer compiler, and with cargo's own choice of what is
// incremental where no code is made.
func newCompiler(t *testing.T) {
	home, err := os.UserHomeDir()
	if err != nil {
		t.Fatal(err)
	}
	newer := filepath.Join(home, ".rustup/toolchains/stable-x86_64-unknown-linux-gnu/bin")
	switch _, err := os.Stat(filepath.Join(newer, "cargo-clippy")); {
	case err == nil:
	case os.Getenv("REXWRAP_TEST_ALL_TOOLS") != "":
		t.Fatal(err)
	default:
		t.Skip(err)
	}
	s := workspace(t)
	path := "PATH=" + newer + ":/usr/bin:/bin"
	for _, verb := range []string{"check", "clippy", "check --tests"} {
		s.thrice(filepath.Join(newer, "cargo"), verb, path, "CARGO_INCREMENTAL")
	}
	for _, verb := range []string{"build", "check", "clippy", "test --no-run", "build --release"} {
		s.thrice(filepath.Join(newer, "cargo"), verb, path)
	}
}

func workspace(t *testing.T) *site {
	t.Helper()
	files, err := txtar.ParseFile("testdata/workspace.txtar")
	if err != nil {
		t.Fatal(err)
	}
	return newSite(t, files)
}

// thrice builds plain, cold and warm. In a long run a trace shows that warm no
// compiler compiles, but for what is code and incremental: that is left to the compiler,
// which makes other bytes of it each time.
func (s *site) thrice(program, verb string, env ...string) {
	s.t.Helper()
	words := append([]string{program}, strings.Fields(verb)...)
	name := strings.Join(append(words, env...), " ")
	incremental := slices.Contains(env, "CARGO_INCREMENTAL") // which is unset then
	plain := func() []string {
		s.remove("target")
		if r := s.run(s.bare(env...), words...); r.Status != 0 {
			s.t.Fatalf("plain %s: %s\n%s", name, r.Ended(), r.Stderr)
		}
		return s.artefacts("target")
	}
	want := plain()
	if incremental {
		again := plain()
		want = slices.DeleteFunc(want, func(line string) bool { return !slices.Contains(again, line) })
	}
	trace := filepath.Join(s.rig.Temp(), "trace")
	for _, pass := range []string{"cold", "warm"} {
		if err := s.rig.Stop(); err != nil { // the last pass is counted then
			s.t.Fatal(err)
		}
		before := s.stats()
		s.remove("target")
		traced := pass == "warm" && rig.Long()
		if traced {
			words = slices.Concat([]string{"strace", "-f", "-qq", "-e", "trace=execve", "-s", "4096", "-v", "-o", trace}, words)
		}
		if r := s.run(s.wrapped(env...), words...); r.Status != 0 {
			s.t.Fatalf("%s %s: %s\n%s", pass, name, r.Ended(), r.Stderr)
		}
		got := s.artefacts("target")
		if incremental {
			got = slices.DeleteFunc(got, func(line string) bool { return !slices.ContainsFunc(want, sameFile(line)) })
		}
		for _, line := range differences(want, got) {
			s.t.Errorf("%s %s: %s", pass, name, line)
		}
		now := s.stats().Sub(before)
		if now.Errors+now.FellBack != 0 {
			s.t.Errorf("%s %s: %+v", pass, name, now)
		}
		// One compile is a probe that has to fail.
		if hits := now.HitsLocal + now.Merged; pass == "warm" && (now.Executed != 1 || hits == 0) {
			s.t.Errorf("%s %s: %d hits, %d compiles run: %v, %v", pass, name, hits, now.Executed, now.Reasons, now.NotStored)
		}
		if traced {
			s.checkTrace(name, trace, now.Reasons["rust-incremental"])
		}
	}
}

// sameFile returns what tells the lines of one artefact.
func sameFile(line string) func(other string) bool {
	name, _, _ := strings.Cut(line, " ")
	return func(other string) bool { return strings.HasPrefix(other, name+" ") }
}

// checkTrace checks that a warm build's compilers are those that make incremental code,
// as many as stepped aside for that.
func (s *site) checkTrace(name, trace string, aside int64) {
	s.t.Helper()
	n := int64(0)
	for _, call := range compilers(s.t, trace) {
		if strings.Contains(call, "\"incremental=") && strings.Contains(call, ",link\"") {
			n++
		} else {
			s.t.Errorf("warm %s: a compiler runs: %s", name, call)
		}
	}
	if n != aside {
		s.t.Errorf("warm %s: %d compiles of incremental code, %d stepped aside for it", name, n, aside)
	}
}

// TestWorkspaceTests runs the workspace's tests warm, and its program.
func TestWorkspaceTests(t *testing.T) {
	t.Parallel()
	s := workspace(t)
	for range 2 {
		s.remove("target")
		r := s.run(s.wrapped(), cargo, "test")
		if r.Status != 0 || strings.Count(string(r.Stdout), "test result: ok. 1 passed") != 3 {
			t.Fatalf("%s\n%s%s", r.Ended(), r.Stdout, r.Stderr)
		}
		// cargo shows warnings that it reads from the compiler's stderr.
		if !strings.Contains(string(r.Stderr), "`unused` is never used") && !strings.Contains(string(r.Stderr), "function is never used: `unused`") {
			t.Errorf("the warning is lost:\n%s", r.Stderr)
		}
	}
	program := s.run(s.bare(), filepath.Join(s.dir, "target/debug/app"))
	if got := string(program.Stdout); got != "built-0.1.0 unset file 42\n" {
		t.Errorf("%q", got)
	}
}
