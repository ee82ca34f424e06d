//go:build linux

package rust

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/rexwrap/rexwrap/integration/rig"
)

// TestWorkspace builds the workspace plain, cold and warm: the artefacts are the
// same to the byte, and warm every compile is a hit.
func TestWorkspace(t *testing.T) {
	t.Parallel()
	files, err := txtar.ParseFile("testdata/workspace.txtar")
	if err != nil {
		t.Fatal(err)
	}
	s := newSite(t, files)
	verbs := []string{"build", "check", "test --no-run", "build -p mycore --target wasm32-unknown-unknown"}
	if rig.Long() {
		verbs = append(verbs, "build --release")
	}
	for _, verb := range verbs {
		words := append([]string{cargo}, strings.Fields(verb)...)
		s.remove("target")
		if r := s.run(s.bare(), words...); r.Status != 0 {
			t.Fatalf("plain %s: %s\n%s", verb, r.Ended(), r.Stderr)
		}
		want := s.artefacts("target")
		for _, pass := range []string{"cold", "warm"} {
			if err := s.rig.Stop(); err != nil { // the last pass is counted then
				t.Fatal(err)
			}
			before := s.stats()
			s.remove("target")
			if r := s.run(s.wrapped(), words...); r.Status != 0 {
				t.Fatalf("%s %s: %s\n%s", pass, verb, r.Ended(), r.Stderr)
			}
			for _, line := range differences(want, s.artefacts("target")) {
				t.Errorf("%s %s: %s", pass, verb, line)
			}
			now := s.stats().Sub(before)
			if now.Errors+now.FellBack != 0 {
				t.Errorf("%s %s: %+v", pass, verb, now)
			}
			// One compile is a probe that has to fail.
			if hits := now.HitsLocal + now.Merged; pass == "warm" && (now.Executed != 1 || hits == 0) {
				why, _ := s.rig.Verb("explain", "--build") // says itself what it cannot
				t.Errorf("%s %s: %d hits, %d compiles run: %v, %v\n%s", pass, verb, hits, now.Executed, now.Reasons, now.NotStored, why)
			}
		}
	}
}

// TestWorkspaceTests runs the workspace's tests warm, and its program.
func TestWorkspaceTests(t *testing.T) {
	t.Parallel()
	files, err := txtar.ParseFile("testdata/workspace.txtar")
	if err != nil {
		t.Fatal(err)
	}
	s := newSite(t, files)
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
