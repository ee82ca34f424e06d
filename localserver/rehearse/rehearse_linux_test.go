//go:build amd64 || arm64

package rehearse_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/client/merkle"
	"github.com/rexwrap/rexwrap/localserver/layout"
	"github.com/rexwrap/rexwrap/localserver/rehearse"
)

// The test's own program is what calls Confine.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "confine" {
		os.Exit(rehearse.Confine(os.Args[2:]))
	}
	os.Exit(m.Run())
}

// look builds testdata/look, which needs no loader.
func look(t *testing.T) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "look")
	cmd := exec.Command("go", "build", "-o", out, "./testdata/look")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return out
}

// rehearsed runs look in an InputRoot that holds present.h and a link to it.
func rehearsed(t *testing.T, dir string, words ...string) *rehearse.Report {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	tool, text := digest.OfString("tool"), digest.OfString("text")
	here := filepath.Join(dir, "present.h")
	if err := os.WriteFile(here, []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	l := &layout.Layout{
		Arguments: append([]string{"../tool"}, words...), WorkingDir: "src",
		Entries: []merkle.Entry{
			{Path: "tool", Digest: tool, Executable: true}, {Path: "src/present.h", Digest: text}, {Path: "src/link.h", Target: "present.h"},
		},
		Sources: map[digest.Digest]string{tool: look(t), text: here},
		Outputs: []layout.Output{{Path: "out"}},
	}
	r, err := rehearse.NewStage(t.TempDir(), program, "confine").Rehearse(context.Background(), l)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestMissed(t *testing.T) {
	dir := t.TempDir()
	secret := filepath.Join(dir, "secret.h")
	if err := os.WriteFile(secret, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	asked := filepath.Join(dir, "asked.h")
	if err := os.WriteFile(asked, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	r := rehearsed(t, dir, "present.h", "link.h", "/proc/self/cwd/../src/present.h", secret, "stat:"+asked, "/nowhere/at/all", "/dev/null", "/proc/self/status")
	if r.Status != 0 {
		t.Fatalf("status %d: %s", r.Status, r.Stderr)
	}
	var got []string
	for _, m := range r.Missed {
		got = append(got, m.Path)
		if m.By != "tool" {
			t.Errorf("%s was looked for by %q", m.Path, m.By)
		}
	}
	if want := []string{asked, secret}; !slices.Equal(got, want) {
		t.Errorf("missed %q, want %q", got, want)
	}
	want := "present.h\nlink.h\n/proc/self/cwd/../src/present.h\n/dev/null\n/proc/self/status\n"
	if string(r.Outputs["out"]) != want {
		t.Errorf("found %q, want %q", r.Outputs["out"], want)
	}
	if r.Lookups == 0 {
		t.Error("no lookup was seen")
	}
}

func TestNothingMissed(t *testing.T) {
	r := rehearsed(t, t.TempDir(), "present.h", "absent.h", "stat:/absent/too")
	if len(r.Missed) != 0 || r.Status != 0 {
		t.Errorf("status %d, missed %v", r.Status, r.Missed)
	}
}

func TestCannotStart(t *testing.T) {
	dir := t.TempDir()
	l := &layout.Layout{Arguments: []string{"./not-there"}}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	r, err := rehearse.NewStage(dir, program, "confine").Rehearse(context.Background(), l)
	if err != nil || r.Status != 126 || !strings.Contains(string(r.Stderr), "not-there") {
		t.Errorf("%+v, %v", r, err)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 0 {
		t.Errorf("%v is left, %v", left, err)
	}
}
