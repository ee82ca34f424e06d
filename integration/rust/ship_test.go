//go:build linux

package rust

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/rexwrap/rexwrap/client/clienttest"
	"github.com/rexwrap/rexwrap/integration/rig"
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
// namespace that holds its InputRoot, at a place of its own or as its root. That they
// have no compiler is found out. What they make is what the compiler makes here.
func TestShipped(t *testing.T) {
	kinds := map[string]clienttest.Quirks{"none": {Confined: true}}
	argv := []string{cargo, "build"}
	if rig.Long() {
		kinds["chroot"] = clienttest.Quirks{Chroot: true}
		argv = append(argv, "--all-targets")
	}
	for root, quirks := range kinds {
		t.Run(root, func(t *testing.T) {
			s, server := farSite(t, clienttest.Options{Quirks: quirks}, "REXWRAP_STRATEGY=remote", "REXWRAP_TOOLCHAIN=auto",
				"REXWRAP_TOOLCHAIN_ROOT="+root, "REXWRAP_RUST_REMOTE_PROC_MACROS=1")
			want := s.plain(argv...)
			s.deliver()
			t.Logf("%d MB were received for the toolchain", server.Received()>>20)
			s.checkShipped(s.through(want, argv...))
			if r := s.run(s.bare(), filepath.Join(s.dir, "target/debug/app")); string(r.Stdout) != "built-0.1.0 unset file 42\n" {
				t.Errorf("the program: %s, %q", r.Ended(), r.Stdout)
			}
		})
	}
}

// checkShipped checks what was counted.
func (s *site) checkShipped(got rig.Stats) {
	s.t.Helper()
	// The probe fails here too, C begins to be sent with its compiler, as does a rustc
	// that finds its libraries elsewhere, and what the macro that reads the environment makes of none is seen to be wrong: by the crate
	// and its test.
	allowed := map[string]int64{"query": got.Reasons["query"], "dep-info": 1, "ship-uploading": 2, "remote-bad-result": 2, "modified-during-compile": 2}
	for reason, n := range got.Reasons {
		if n > allowed[reason] {
			s.t.Errorf("%d fell back: %s", n, reason)
		}
	}
	if got.Remotely < 8 || got.FellBack > 4 || got.Errors+got.Executed != 0 {
		s.t.Errorf("%+v", got)
	}
}
