//go:build linux

package wine

import (
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"testing"
)

// Compiles that share a program database, with objects as cl.exe makes them: nobody
// waits for anybody's lock, the database has the types of all, and what is linked
// finds them, from the compiler and from the cache. Where another process holds the
// database, an object keeps one of its own.
func TestSession(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.set = append(s.set, "WINEPATH="+windows(s.in.dir+"/msvc"), "FAKECL_DRIVE_C="+s.in.dir+"/prefix/drive_c")
	const units = 4
	s.write("src/shared.h", "struct Shared { int first; Shared *next; };\n")
	for i := range units {
		s.write(fmt.Sprintf("src/u%d.cpp", i), fmt.Sprintf(
			"#include \"shared.h\"\nstruct Own%d { Shared shared; int more[%d]; };\nOwn%d own%d;\nint f%d(Shared *s) { return s->first; }\n", i, i+1, i, i, i))
	}
	s.write("src/u0.cpp", s.read("src/u0.cpp")+"int entry() { return 0; }\n")
	build := func() {
		var all sync.WaitGroup
		for i := range units {
			all.Go(func() {
				got := s.finish(s.command(s.rexwrap(), windows(s.in.dir+"/msvc/cl.exe"), "/nologo", "/c", "/GS-", "/Zi", "/Fdall.pdb", fmt.Sprintf("u%d.cpp", i)))
				if want := (outcome{Stdout: fmt.Sprintf("u%d.cpp\n", i)}); got != want {
					t.Errorf("%+v, want %+v", got, want)
				}
			})
		}
		all.Wait()
		s.link(units)
	}
	build()
	before := s.stats()
	s.remove("src/u0.obj", "src/u1.obj", "src/u2.obj", "src/u3.obj", "src/all.pdb")
	build()
	if got := s.stats(); got.HitsLocal == 0 || got.Errors != 0 { // a slow machine has calls that go without the server
		t.Errorf("%+v after %+v", got, before)
	}
	if got := s.verb("session", "verify", windows(s.dir+"/src/all.pdb")); got.Status != 0 {
		t.Errorf("verify: %+v", got)
	}
	s.noLitter()
}

// link links the objects by lld-link, which warns where it does not find their types.
func (s *site) link(units int) {
	s.Helper()
	cmd := exec.Command("lld-link", "-nodefaultlib", "-entry:entry", "-subsystem:console", "-debug", "-out:t.exe", "-pdb:t.pdb")
	for i := range units {
		cmd.Args = append(cmd.Args, fmt.Sprintf("u%d.obj", i))
	}
	cmd.Dir = s.dir + "/src"
	out, err := cmd.CombinedOutput()
	if err != nil || len(out) > 0 {
		s.Fatalf("link: %v\n%s", err, out)
	}
	types, err := exec.Command("llvm-pdbutil", "dump", "-types", s.dir+"/src/t.pdb").Output()
	if err != nil {
		s.Fatal(err)
	}
	for i := range units {
		if name := fmt.Sprintf("Own%d", i); !strings.Contains(string(types), name) {
			s.Errorf("%s is not in the debug information", name)
		}
	}
}
