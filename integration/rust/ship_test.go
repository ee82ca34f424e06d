//go:build linux

package rust

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/rexwrap/rexwrap/client/clienttest"
)

// deliver compiles small crates until workers have made one of each kind: what
// they need for it, the files that a link reads among it, is then known and there.
func (s *site) deliver() {
	s.t.Helper()
	kinds := map[string]string{"lib": "pub fn f%d() {}\n", "bin": "fn main() { let _ = %d; }\n"}
	const most = 60 // a server that has no time is not waited for by compiles
	for kind, text := range kinds {
		for i, done := 0, s.stats().Remotely; s.stats().Remotely == done; i++ {
			if i == most {
				s.t.Fatalf("%d compiles of a %s, and no worker: %v", most, kind, s.stats().Reasons)
			}
			s.write("deliver/x.rs", fmt.Sprintf(text, i))
			r := s.run(s.wrapped(), filepath.Join(bin, "rexwrap"), rustc, "--crate-name=x", "--crate-type="+kind,
				"--emit=dep-info,link", "--out-dir=deliver", "deliver/x.rs")
			if r.Status != 0 {
				s.t.Fatalf("%s\n%s", r.Ended(), r.Stderr)
			}
			if _, err := s.rig.Verb("cache", "flush"); err != nil {
				s.t.Fatal(err)
			}
		}
	}
	s.remove("deliver")
}

// TestShipped builds with workers that have nothing: each Action runs in a mount
// namespace that holds its InputRoot, at a place of its own. What they make is what
// the compiler makes here.
func TestShipped(t *testing.T) {
	s, server := farSite(t, clienttest.Options{Quirks: clienttest.Quirks{Confined: true}},
		"REXWRAP_STRATEGY=remote", "REXWRAP_TOOLCHAIN=ship", "REXWRAP_RUST_REMOTE_PROC_MACROS=1")
	argv := []string{cargo, "build"}
	if long() {
		argv = append(argv, "--all-targets")
	}
	want := s.plain(argv...)
	s.deliver()
	t.Logf("%d MB were received for the toolchain", server.Received()>>20)
	got := s.through(want, argv...)
	// The probe fails here too, C begins to be sent with its compiler, and what the
	// macro that reads the environment makes of none is seen to be wrong.
	allowed := map[string]int64{"query": got.Reasons["query"], "dep-info": 1, "ship-uploading": 1, "remote-bad-result": 1, "modified-during-compile": 1}
	for reason, n := range got.Reasons {
		if n > allowed[reason] {
			t.Errorf("%d fell back: %s", n, reason)
		}
	}
	if got.Remotely < 8 || got.FellBack > 3 || got.Errors+got.Executed != 0 {
		t.Errorf("%+v", got)
	}
	if r := s.run(s.bare(), filepath.Join(s.dir, "target/debug/app")); string(r.Stdout) != "built-0.1.0 unset file 42\n" {
		t.Errorf("the program: %s, %q", r.Ended(), r.Stdout)
	}
}
