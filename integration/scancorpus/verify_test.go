//go:build linux

package scancorpus

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/rexwrap/rexwrap/integration/rig"
)

// verifyReport is what the test reads of `toolchain verify --commands --json`.
type verifyReport struct {
	Compiles, Passed, Lookups int
	Local                     map[string]int
	Failed                    []struct {
		File, Error, Stderr string
		Status              int
		Missed              []struct{ Path, By string }
	}
}

// sample is which units a plain run takes: some for each compiler and language.
const sample = rig.Part(35)

// TestVerify compiles the units where nothing is but the compiler and the files that
// the scanner has found: no file of this machine may be missed there. What the
// compiler rejects here is left out.
func TestVerify(t *testing.T) {
	dir, bin := t.TempDir(), t.TempDir()
	if err := rig.Build("../..", bin); err != nil {
		t.Fatal(err)
	}
	var units []unit
	for i, u := range system(t, dir) {
		if sample.Takes(i) && compiles(u) {
			units = append(units, u)
		}
	}
	r := verify(t, bin, dir, units)
	t.Logf("%d compiles looked for %d names", r.Compiles, r.Lookups)
	for _, f := range r.Failed {
		t.Errorf("%s: %s status %d, missed %v: %s", f.File, f.Error, f.Status, f.Missed, f.Stderr)
	}
	delete(r.Local, "remote-unproven: __PRETTY_FUNCTION__") // clang spells files there
	if r.Passed != len(units) || len(r.Local) > 0 || r.Lookups < len(units) {
		t.Errorf("%d of %d compiles passed, here only %v", r.Passed, len(units), r.Local)
	}
}

// compiles reports whether the compiler takes a unit here.
func compiles(u unit) bool {
	cmd := exec.Command(u.argv[0], append(u.argv[1:], "-fsyntax-only")...)
	cmd.Dir = u.dir
	return cmd.Run() == nil
}

// verify runs the verb over a compilation database of units.
func verify(t *testing.T, bin, dir string, units []unit) *verifyReport {
	t.Helper()
	type command struct {
		Directory string   `json:"directory"`
		File      string   `json:"file"`
		Arguments []string `json:"arguments"`
	}
	var commands []command
	for _, u := range units {
		commands = append(commands, command{u.dir, u.argv[len(u.argv)-1], u.argv})
	}
	text, err := json.Marshal(commands)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "compile_commands.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	m, err := rig.New(bin, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	out, err := m.Verb("toolchain", "verify", "--json", "--commands", file)
	if len(out) == 0 {
		t.Fatal(err)
	}
	r := &verifyReport{}
	if err := json.Unmarshal(out, r); err != nil {
		t.Fatal(err)
	}
	return r
}
