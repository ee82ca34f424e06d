//go:build linux

package rust

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/rexwrap/rexwrap/integration/rig"
)

// A checkout is the workspace at a place, with a cargo home and a target directory
// of its own.
type checkout struct {
	*site
	cargo, target string // absolute
}

// checkouts returns two of them that share a server.
func checkouts(t *testing.T, set ...string) (one, two *checkout) {
	t.Helper()
	files, err := txtar.ParseFile("testdata/workspace.txtar")
	if err != nil {
		t.Fatal(err)
	}
	s := newSite(t, files)
	s.rig.Set = append([]string{"REXWRAP_PATHS=relocatable"}, set...)
	base := filepath.Dir(s.dir)
	one = &checkout{s, filepath.Join(base, "cargo"), filepath.Join(s.dir, "target")}
	other := s.beside(t, "some/where/else", files)
	two = &checkout{other, filepath.Join(base, "another/home"), filepath.Join(base, "elsewhere")}
	for _, c := range []*checkout{one, two} {
		if err := os.MkdirAll(c.cargo, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	return one, two
}

func (c *checkout) env() []string {
	env := []string{"CARGO_HOME=" + c.cargo}
	if c.target != filepath.Join(c.dir, "target") {
		env = append(env, "CARGO_TARGET_DIR="+c.target)
	}
	return env
}

// canonical is a wrapper that adds the options which relocation makes necessary.
func (c *checkout) canonical() string {
	c.t.Helper()
	path := filepath.Join(filepath.Dir(c.cargo), "canonical-"+filepath.Base(c.dir))
	text := fmt.Sprintf("#!/bin/sh\ncase \"$*\" in *--crate-name\\ ___*|*-vV*) exec \"$@\";; esac\nexec \"$@\" --remap-path-prefix=/=/"+
		" --remap-path-prefix=%s=/proc/self/cwd/. --remap-path-prefix=%s=/rexwrap/cargo --remap-path-prefix=%s=/rexwrap/target\n", c.dir, c.cargo, c.target)
	if err := os.WriteFile(path, []byte(text), 0o777); err != nil {
		c.t.Fatal(err)
	}
	return path
}

// build builds from nothing and returns what cargo said.
func (c *checkout) build(env []string, argv ...string) *rig.Result {
	c.t.Helper()
	if err := os.RemoveAll(c.target); err != nil {
		c.t.Fatal(err)
	}
	r := c.run(env, argv...)
	if r.Status != 0 {
		c.t.Fatalf("%q: %s\n%s", argv, r.Ended(), r.Stderr)
	}
	return r
}

// made returns what stands in the target directory.
func (c *checkout) made() []string {
	rel, err := filepath.Rel(c.dir, c.target)
	if err != nil {
		c.t.Fatal(err)
	}
	return c.artefacts(rel)
}

// names reports an error for each file of the target directory that holds a text.
func (c *checkout) names(text string) {
	c.t.Helper()
	err := filepath.WalkDir(c.target, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if bytes.Contains(data, []byte(text)) {
			c.t.Errorf("%s names %s", path, text)
		}
		return err
	})
	if err != nil {
		c.t.Fatal(err)
	}
}

// TestSecondCheckout builds at another place, with another cargo home and target
// directory: all is found, and is what the compiler makes there.
func TestSecondCheckout(t *testing.T) {
	argv := []string{cargo, "build", "--all-targets"}
	one, two := checkouts(t)
	one.build(one.wrapped(one.env()...), argv...)
	plain := two.build(two.bare(append(two.env(), "RUSTC_WRAPPER="+two.canonical())...), argv...)
	want, before := two.made(), two.stats()
	got := two.build(two.wrapped(two.env()...), argv...)
	for _, line := range differences(want, two.made()) {
		t.Error(line)
	}
	if now := two.stats().Sub(before); now.Executed != 1 || now.Errors != 0 || now.HitsLocal == 0 {
		t.Errorf("%+v", now)
	}
	if a, b := warnings(plain), warnings(got); a != b {
		t.Errorf("cargo said %s, want %s", b, a)
	}
	for _, foreign := range []string{one.dir, one.cargo} {
		two.names(foreign)
		if strings.Contains(string(got.Stderr), foreign) {
			t.Errorf("cargo named %s:\n%s", foreign, got.Stderr)
		}
	}
}

// warnings are the lines that cargo has from the compiler.
func warnings(r *rig.Result) string {
	var out []string
	for line := range strings.Lines(string(r.Stderr)) {
		if word := strings.TrimSpace(line); !strings.HasPrefix(word, "Compiling") && !strings.HasPrefix(word, "Finished") {
			out = append(out, line)
		}
	}
	return strings.Join(out, "")
}
