//go:build linux

package interop

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/rexwrap/rexwrap/integration/rig"
)

// TestBareWorkers has real servers compile whose workers have no headers and only
// the driver of a compiler: the toolchain is sent, as the setting "auto" finds out
// by itself.
func TestBareWorkers(t *testing.T) {
	root := open(t)
	for _, cc := range []string{"gcc", "clang"} {
		s := newSite(t, project{name: "zlib", cc: cc, configure: `CFLAGS="-O1 -g" ./configure --static`, script: "make -j4 libz.a"})
		s.plain()
		for _, k := range kinds() {
			k.bare = true
			t.Run(cc+"/"+k.name, func(t *testing.T) {
				s := *s
				s.t, s.server, s.address = t, k, k.run(t, root)
				s.ship()
			})
		}
	}
}

// TestBareRust is TestBareWorkers for a workspace of crates, with what links.
func TestBareRust(t *testing.T) {
	root := open(t)
	for _, k := range kinds() {
		k.bare = true
		t.Run(k.name, func(t *testing.T) {
			s := newCrateSite(t)
			s.rig.Set = []string{
				"REXWRAP_REMOTE=" + k.run(t, root), "REXWRAP_STRATEGY=remote", "REXWRAP_TOOLCHAIN=auto", "LC_ALL=C",
				"REXWRAP_RUST_REMOTE_PROC_MACROS=1",
			}
			s.deliver()
			got := s.measure("shipped")
			t.Logf("%d executed there, %d here, %d fell back: %v", got.Remotely, got.Executed, got.FellBack, got.Reasons)
			if got.Remotely < 6 || got.Errors > 0 || got.Reasons["remote-parity"] > 0 {
				t.Errorf("%+v", got)
			}
		})
	}
}

// deliver compiles until workers have made a library and a program: what they need
// is then known, and there.
func (s *crateSite) deliver() {
	s.t.Helper()
	dir := filepath.Join(s.rig.Dir, "deliver")
	for kind, text := range map[string]string{"lib": "pub fn f%d() {}\n", "bin": "fn main() { let _ = %d; }\n"} {
		const most = 60
		for i, done := 0, s.remotely(); s.remotely() == done; i++ {
			if i == most {
				s.t.Fatalf("%d compiles of a %s and no worker", most, kind)
			}
			if err := rig.Write(dir, &txtar.Archive{Files: []txtar.File{{Name: "x.rs", Data: fmt.Appendf(nil, text, i)}}}); err != nil {
				s.t.Fatal(err)
			}
			argv := []string{
				filepath.Join(s.rig.Bin, "rexwrap"), "/usr/bin/rustc", "--crate-name=x", "--crate-type=" + kind, "--emit=dep-info,link", "x.rs",
			}
			if res, err := (rig.Command{Argv: argv, Dir: dir, Env: s.rig.Env("PATH=/usr/bin:/bin")}).Run(); err != nil || res.Status != 0 {
				s.t.Fatalf("%v: %s\n%s", err, res.Ended(), res.Stderr)
			}
		}
	}
}

// remotely is how much workers have compiled, once all is uploaded.
func (s *crateSite) remotely() int64 {
	s.t.Helper()
	if out, err := s.rig.Verb("cache", "flush"); err != nil {
		s.t.Fatalf("flush: %v: %s", err, out)
	}
	st, err := s.rig.Stats()
	if err != nil {
		s.t.Fatal(err)
	}
	return st.Remotely
}

// ship builds on two machines: the first sends the toolchain.
func (s *site) ship() {
	s.t.Helper()
	var counted [2]struct{ remotely, here, errors int64 }
	for i, name := range []string{"sends", "finds"} {
		r := s.machine(name)
		r.Set = append(r.Set, "REXWRAP_TOOLCHAIN=auto", "LC_ALL=C", "REXWRAP_RECACHE=1")
		_, got := s.measure(r)
		s.compare(name)
		s.flush(r)
		counted[i].remotely, counted[i].here, counted[i].errors = got.Remotely, got.FellBack+got.Executed, got.Errors
		if i == 1 && (got.Remotely == 0 || got.Reasons["remote-parity"] > 0) {
			s.t.Errorf("nothing is compiled by workers: %+v\n%s", got, s.explain(r))
		}
	}
	s.t.Logf("by workers, here, failed: while it is sent %v, by another machine %v", counted[0], counted[1])
}
