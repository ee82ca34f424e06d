//go:build linux

package interop

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/rexwrap/rexwrap/integration/rig"
)

// A crateSite is the workspace of integration/rust, built through a server.
type crateSite struct {
	t    *testing.T
	rig  *rig.Rig
	dir  string
	want rig.Tree // what the compiler makes with the map that a remote needs
}

// Workers make of a Rust workspace what the compiler makes here; from an empty cache
// all that may be shared is found in the remote.
func TestRust(t *testing.T) {
	eachServer(t, func(t *testing.T, k kind, start func(*testing.T) string) {
		s := newCrateSite(t)
		s.rig.Set = []string{"REXWRAP_REMOTE=" + start(t), "REXWRAP_STRATEGY=remote", "REXWRAP_RUST_REMOTE_PROC_MACROS=1"}

		first := s.measure("executed")
		t.Logf("%d executed there, %d here, %d fell back: %v", first.Remotely, first.Executed, first.FellBack, first.Reasons)
		if first.Remotely < 6 || first.Errors > 0 {
			t.Errorf("%+v", first)
		}
		if err := s.rig.Stop(); err != nil {
			t.Fatal(err)
		}
		if err := os.RemoveAll(s.rig.Cache()); err != nil {
			t.Fatal(err)
		}
		fresh := s.measure("fresh")
		t.Logf("%d of %d found: %v", fresh.HitsRemote, fresh.Calls-fresh.SteppedAside, fresh.Reasons)
		// The probe fails, and what a worker failed at is not shared: a macro
		// that reads the environment. A server that takes no results has none
		// for a machine that does not know the inputs yet.
		if !k.readOnly && fresh.HitsRemote != fresh.Calls-fresh.SteppedAside-fresh.FellBack || fresh.FellBack > 2 {
			t.Errorf("%+v", fresh)
		}
	})
}

// newCrateSite is a machine with an empty cache and the workspace, built once by the
// compiler.
func newCrateSite(t *testing.T) *crateSite {
	t.Helper()
	files, err := txtar.ParseFile("../rust/testdata/workspace.txtar")
	if err != nil {
		t.Fatal(err)
	}
	bin, err := released()
	if err != nil {
		t.Fatal(err)
	}
	base := t.TempDir()
	s := &crateSite{t: t, dir: filepath.Join(base, "checkout")}
	if s.rig, err = rig.New(bin, base); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.rig.Close)
	if err := rig.Write(s.dir, files); err != nil {
		t.Fatal(err)
	}
	s.build("RUSTC_WRAPPER=" + s.identity(base))
	s.want = s.tree()
	return s
}

// identity is a wrapper that adds the map.
func (s *crateSite) identity(dir string) string {
	s.t.Helper()
	path := filepath.Join(dir, "identity")
	text := "#!/bin/sh\ncase \"$*\" in *--crate-name\\ ___*|*-vV*) exec \"$@\";; esac\nexec \"$@\" --remap-path-prefix=/=/\n"
	if err := os.WriteFile(path, []byte(text), 0o777); err != nil {
		s.t.Fatal(err)
	}
	return path
}

// build builds from nothing with Debian's cargo.
func (s *crateSite) build(set ...string) {
	s.t.Helper()
	if err := os.RemoveAll(filepath.Join(s.dir, "target")); err != nil {
		s.t.Fatal(err)
	}
	env := s.rig.Env(append([]string{"PATH=/usr/bin:/bin", "CARGO_INCREMENTAL=0", "CARGO_NET_OFFLINE=true"}, set...)...)
	r, err := rig.Command{Argv: []string{"/usr/bin/cargo", "build"}, Dir: s.dir, Env: env}.Run()
	if err != nil {
		s.t.Fatal(err)
	}
	if r.Status != 0 {
		s.t.Fatalf("%s\n%s", r.Ended(), r.Stderr)
	}
}

// measure builds through rexwrap, compares, and returns what was counted.
func (s *crateSite) measure(name string) rig.Stats {
	s.t.Helper()
	before := s.warm()
	s.build("RUSTC_WRAPPER=" + filepath.Join(s.rig.Bin, "rexwrap"))
	for _, d := range s.want.Diff(s.tree()) {
		s.t.Errorf("%s: %s", name, d)
	}
	if out, err := s.rig.Verb("cache", "flush"); err != nil {
		s.t.Errorf("flush: %v: %s", err, out)
	}
	st, err := s.rig.Stats()
	if err != nil {
		s.t.Fatal(err)
	}
	return st.Sub(before)
}

// warm has the server know the compiler, and what links read: the first link is
// made here, and the first call of all may not wait that long.
func (s *crateSite) warm() rig.Stats {
	s.t.Helper()
	dir := filepath.Join(s.rig.Dir, "warm")
	if err := rig.Write(dir, txtar.Parse([]byte("-- warm.rs --\nfn main() {}\n"))); err != nil {
		s.t.Fatal(err)
	}
	const tries = 10
	argv := []string{filepath.Join(s.rig.Bin, "rexwrap"), "/usr/bin/rustc", "--crate-name=warm", "--crate-type=bin", "--emit=dep-info,link", "warm.rs"}
	for range tries {
		if _, err := (rig.Command{Argv: argv, Dir: dir, Env: s.rig.Env("PATH=/usr/bin:/bin")}).Run(); err != nil {
			s.t.Fatal(err)
		}
		if st, err := s.rig.Stats(); err == nil && st.Calls > st.SteppedAside+st.Errors {
			return st
		}
	}
	s.t.Fatal("no compile is understood")
	return rig.Stats{}
}

// tree is what stands in the target directory but for cargo's own book-keeping.
func (s *crateSite) tree() rig.Tree {
	s.t.Helper()
	tree, err := rig.ReadTree(filepath.Join(s.dir, "target"))
	if err != nil {
		s.t.Fatal(err)
	}
	for name, e := range tree {
		e.Written = false
		tree[name] = e
		base := filepath.Base(name)
		if strings.Contains(name, ".fingerprint") || strings.HasPrefix(base, ".") || base == "invoked.timestamp" {
			delete(tree, name)
		}
	}
	return tree
}
