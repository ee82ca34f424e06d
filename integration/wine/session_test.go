//go:build linux

package wine

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// units is how many sources have types of their own, beside those that all share.
const units = 4

// newSessionSite returns a site whose compiler makes objects as cl.exe does.
func newSessionSite(t *testing.T) *site {
	t.Helper()
	s := newSite(t)
	s.set = append(s.set, "WINEPATH="+windows(s.in.dir+"/msvc"), "FAKECL_DRIVE_C="+s.in.dir+"/prefix/drive_c")
	s.write("src/shared.h", "#pragma once\nstruct Shared { int first; Shared *next; };\n")
	for i := range units {
		s.write(fmt.Sprintf("src/u%d.cpp", i), fmt.Sprintf(
			"#include \"shared.h\"\nstruct Own%d { Shared shared; int more[%d]; };\nOwn%d own%d;\nint f%d(Shared *s) { return s->first; }\n", i, i+1, i, i, i))
	}
	s.write("src/u0.cpp", s.read("src/u0.cpp")+"int entry() { return 0; }\n")
	return s
}

// unit compiles the nth source with a shared database, which must succeed.
func (s *site) unit(n int, options ...string) {
	s.Helper()
	argv := []string{s.rexwrap(), windows(s.in.dir + "/msvc/cl.exe"), "/nologo", "/c", "/GS-", "/Zi", "/Fdall.pdb"}
	argv = append(append(argv, options...), fmt.Sprintf("u%d.cpp", n))
	if got, want := s.finish(s.command(argv...)), (outcome{Stdout: fmt.Sprintf("u%d.cpp\n", n)}); got != want {
		s.Errorf("%+v, want %+v", got, want)
	}
}

// build compiles all sources at once.
func (s *site) build() {
	s.Helper()
	var all sync.WaitGroup
	for i := range units {
		all.Go(func() { s.unit(i) })
	}
	all.Wait()
	s.link()
}

// Compiles that share a program database: nobody waits for anybody's lock, the database
// has the types of all, and what is linked finds them, from the compiler and from the
// cache. The database has changed with each of them, whether there was anything new.
func TestSession(t *testing.T) {
	t.Parallel()
	s := newSessionSite(t)
	s.build()
	before := s.stats()
	s.remove("src/u0.obj", "src/u1.obj", "src/u2.obj", "src/u3.obj", "src/all.pdb")
	s.build()
	if got := s.stats(); got.HitsLocal == 0 || got.Errors != 0 { // a slow machine has calls that go without the server
		t.Errorf("%+v after %+v", got, before)
	}
	long := time.Unix(1e9, 0)
	if err := os.Chtimes(s.dir+"/src/all.pdb", long, long); err != nil {
		t.Fatal(err)
	}
	s.unit(0)
	if info, err := os.Stat(s.dir + "/src/all.pdb"); err != nil || time.Since(info.ModTime()) > time.Hour {
		t.Errorf("the database is not touched: %v, %v", info, err)
	}
	if got := s.verb("session", "verify", windows(s.dir+"/src/all.pdb")); got.Status != 0 {
		t.Errorf("verify: %+v", got)
	}
	s.noLitter()
}

// Where another process holds the database for too long, an object keeps one of its own,
// and is linked with all its types.
func TestDatabaseLocked(t *testing.T) {
	t.Parallel()
	s := newSessionSite(t)
	s.build()
	release := s.hold(windows(s.dir+"/src/all.pdb"), "alone")
	s.unit(0)
	release()
	if own, _ := filepath.Glob(s.dir + "/src/u0.*.pdb"); len(own) != 1 {
		t.Errorf("databases of its own: %q", own)
	}
	s.link()
	s.unit(1)
	s.link()
	s.noLitter()
}

// A precompiled header that is force-included is read as text; what else uses one runs
// unchanged, and finds the database that fits, also when types have been added to it.
func TestPrecompiledHeader(t *testing.T) {
	t.Parallel()
	s := newSessionSite(t)
	use := []string{"/Yushared.h", "/Fpall.pch"}
	s.unit(0, "/Ycshared.h", "/FIshared.h", "/Fpall.pch")
	s.unit(1, use...)
	for range 2 {
		s.unit(2, append(use, "/FIshared.h")...)
	}
	s.unit(3, use...)
	s.link()
	if got := s.stats(); got.Reasons["precompiled-header"] != 3 || got.HitsLocal+unstored(got) != 1 || got.Errors != 0 {
		t.Errorf("%+v", got)
	}
	s.noLitter()
}

// link links the objects by lld-link, which warns where it does not find their types.
func (s *site) link() {
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
