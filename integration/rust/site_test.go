//go:build linux

package rust

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/rexwrap/rexwrap/integration/rig"
)

// bin is where the binaries go, and build what puts them there, once for all
// tests of the package and not before one asks.
var (
	bin   string
	build = sync.OnceValue(func() error { return rig.Build("../..", bin) })
)

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "rexwrap-rust")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	bin = dir
	status := m.Run()
	os.RemoveAll(dir)
	os.Exit(status)
}

// Debian's compiler and build tool.
const (
	rustc = "/usr/bin/rustc"
	cargo = "/usr/bin/cargo"
)

// A site is a folder with a rig beside it.
type site struct {
	t   *testing.T
	rig *rig.Rig
	dir string
}

func newSite(t *testing.T, files *txtar.Archive) *site {
	t.Helper()
	if err := rig.TrackSources("../.."); err != nil {
		t.Fatal(err)
	}
	if err := build(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	r, err := rig.New(bin, filepath.Join(dir, "rig"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	s := &site{t: t, rig: r, dir: filepath.Join(dir, "project")}
	if err := rig.Write(s.dir, files); err != nil {
		t.Fatal(err)
	}
	return s
}

// beside returns a site of the same rig for another project.
func (s *site) beside(t *testing.T, name string, files *txtar.Archive) *site {
	t.Helper()
	other := &site{t: t, rig: s.rig, dir: filepath.Join(filepath.Dir(s.dir), name)}
	if err := rig.Write(other.dir, files); err != nil {
		t.Fatal(err)
	}
	return other
}

// bare is the environment without rexwrap.
func (s *site) bare(extra ...string) []string {
	env := rig.BareEnv(s.rig.Home(), s.rig.Temp())
	env[0] = "PATH=/usr/bin:/bin"
	return rig.Environ(env).Set(append([]string{"CARGO_INCREMENTAL=0", "CARGO_NET_OFFLINE=true"}, extra...)...)
}

// wrapped is the environment with it.
func (s *site) wrapped(extra ...string) []string {
	wrapper := filepath.Join(bin, "rexwrap")
	env := s.rig.Env("PATH=/usr/bin:/bin", "CARGO_INCREMENTAL=0", "CARGO_NET_OFFLINE=true", "RUSTC_WRAPPER="+wrapper, "CC="+wrapper+" cc")
	return rig.Environ(env).Set(extra...)
}

// run runs a command in the project.
func (s *site) run(env []string, argv ...string) *rig.Result {
	s.t.Helper()
	r, err := rig.Command{Argv: argv, Dir: s.dir, Env: env}.Run()
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}

func (s *site) write(name, text string) {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) remove(name string) {
	s.t.Helper()
	if err := os.RemoveAll(filepath.Join(s.dir, name)); err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) stats() rig.Stats {
	s.t.Helper()
	st, err := s.rig.Stats()
	if err != nil {
		s.t.Fatal(err)
	}
	return st
}

// hits are the calls since before that no compiler was run for: a result that is
// still being stored is waited for.
func (s *site) hits(before rig.Stats) int64 {
	s.t.Helper()
	now := s.stats().Sub(before)
	return now.HitsLocal + now.Merged
}

// artefacts returns name, mode and content of all files below a folder, but for
// those that are cargo's own book-keeping.
func (s *site) artefacts(dir string) []string {
	s.t.Helper()
	var out []string
	root := filepath.Join(s.dir, dir)
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == ".fingerprint" || d.Name() == "incremental"):
			return filepath.SkipDir
		case d.IsDir() || strings.HasPrefix(d.Name(), ".") || d.Name() == "invoked.timestamp":
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		data, err := os.ReadFile(path)
		rel, _ := filepath.Rel(root, path)
		out = append(out, fmt.Sprintf("%s %v %x", rel, info.Mode(), sha256.Sum256(data)))
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return out
}

// differences are the lines of which only one of two sorted lists has.
func differences(want, got []string) []string {
	var out []string
	for _, line := range want {
		if !slices.Contains(got, line) {
			out = append(out, "- "+line)
		}
	}
	for _, line := range got {
		if !slices.Contains(want, line) {
			out = append(out, "+ "+line)
		}
	}
	return out
}
