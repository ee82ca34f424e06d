//go:build linux

package msvc

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/rexwrap/rexwrap/integration/rig"
	"github.com/rexwrap/rexwrap/localserver/pdb/pdbtest"
)

// faultCompiles is how many files the builds of this file have.
const faultCompiles = 48

// newFaults returns a site of n files and the debug information of its build with /Z7.
func newFaults(t *testing.T, bin string, n int) (*site, []byte) {
	t.Helper()
	s := newSite(t, bin)
	s.write(n)
	if res := s.ninja("cl", "/Z7"); res.Status != 0 {
		t.Fatalf("/Z7: %s\n%s", res.Ended(), res.Stdout)
	}
	want := s.link()
	s.clean()
	return s, want
}

// A server that is killed again and again while a build goes on: no compile fails, and the
// link has all types, whoever of rexwrap and the compilers wrote the database last.
func testKilledServer(t *testing.T, bin string) {
	s, want := newFaults(t, bin, faultCompiles)
	built := make(chan *rig.Result, 1)
	go func() { built <- s.ninja("rexwrap cl", "/Zi /Fdx/vc140.pdb") }()
	kills, path := 0, filepath.Join(s.dir, "x", "vc140.pdb")
	var res *rig.Result
	for last := int64(-1); res == nil; {
		select {
		case res = <-built:
			continue
		default:
		}
		info, err := os.Stat(path)
		if err != nil || info.ModTime().UnixNano() == last {
			continue // the database is not changing
		}
		last = info.ModTime().UnixNano()
		if kills < 12 && s.Signal(syscall.SIGKILL) == nil {
			kills++
		}
	}
	if kills < 3 {
		t.Errorf("the server was killed %d times only", kills)
	}
	if res.Status != 0 {
		t.Fatalf("%s\n%s", res.Ended(), res.Stdout)
	}
	s.sameAs("killed", want, s.link())
	s.clean()
	if res := s.ninja("rexwrap cl", "/Zi /Fdx/vc140.pdb"); res.Status != 0 {
		t.Fatalf("%s\n%s", res.Ended(), res.Stdout)
	}
	s.sameAs("afterwards", want, s.link())
}

// Without a server cl.exe runs with /FS: none of the compiles that go on at once finds the
// database locked.
func testNoServer(t *testing.T, bin string) {
	s, want := newFaults(t, bin, 16)
	s.Set = append(s.Set, "REXWRAP_SOCKET=/dev/null/socket") // where nobody can listen
	if res := s.ninja("rexwrap cl", "/Zi /Fdx/vc140.pdb"); res.Status != 0 {
		t.Fatalf("%s\n%s", res.Ended(), res.Stdout)
	}
	s.sameAs("without a server", want, s.link())
	if servers, err := os.ReadFile(s.log); err != nil || bytes.Count(servers, []byte("\n")) != 1 {
		t.Errorf("servers for databases: %q, %v", servers, err)
	}
}

// compile compiles one unit with a database through rexwrap.
func (s *site) compile(unit string, args ...string) *rig.Result {
	s.Helper()
	line := append([]string{"rexwrap", "cl"}, strings.Fields(flags)...)
	line = append(append(line, "/Zi", "/Fdx/vc140.pdb", "/Fo"+object(unit)), args...)
	res, err := rig.Command{Argv: append(line, unit), Dir: s.dir, Env: s.Env()}.Run()
	if err != nil {
		s.Fatal(err)
	}
	if res.Status != 0 {
		s.Fatalf("%s: %s\n%s%s", unit, res.Ended(), res.Stdout, res.Stderr)
	}
	return res
}

// Whatever stands at the place of the database, every compile succeeds and what it makes
// can be linked with all its types.
func testDatabaseTrouble(t *testing.T, bin string) {
	units := pdbtest.Units()
	s, want := newFaults(t, bin, len(units))
	database := filepath.Join(s.dir, "x", "vc140.pdb")
	for _, c := range []struct {
		name    string
		trouble func(s *site)
		private bool // the objects keep databases of their own
	}{
		{"deleted", func(s *site) { s.do(os.Remove(database)) }, false},
		{"a folder", func(s *site) { s.do(os.Remove(database)); s.do(os.Mkdir(database, 0o777)) }, true},
		{"something else", func(s *site) { pdbtest.Write(s, s.dir, "x/vc140.pdb", []byte("no database, but somebody's")) }, true},
		{"empty", func(s *site) { pdbtest.Write(s, s.dir, "x/vc140.pdb", nil) }, false},
		{"damaged", func(s *site) {
			data := pdbtest.Read(s, s.dir, "x/vc140.pdb")
			pdbtest.Write(s, s.dir, "x/vc140.pdb", data[:len(data)/2])
		}, true},
		{"written by a compiler", func(s *site) {
			s.do(os.Remove(database))
			res, err := rig.Command{Argv: append([]string{"cl", "/Zi", "/Fdx/vc140.pdb", "/Fox/other.obj", "b.cpp"}, strings.Fields(flags)...), Dir: s.dir, Env: s.Env()}.Run()
			if err != nil || res.Status != 0 {
				s.Fatalf("%v, %v", res, err)
			}
		}, true},
		{"server stopped", func(s *site) { s.do(s.Stop()) }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &site{T: t, Rig: s.Rig, tools: s.tools, dir: s.dir}
			s.clean()
			s.compile(units[0])
			c.trouble(s)
			for _, unit := range units {
				s.compile(unit)
			}
			s.do(os.RemoveAll(filepath.Join(s.dir, "x", "other.obj")))
			got := s.link()
			if kept, _ := filepath.Glob(filepath.Join(s.dir, "x", "*.*.pdb")); (len(kept) > 0) != c.private {
				t.Errorf("private databases: %v", kept)
			}
			s.sameAs(c.name, want, got)
			if err := s.Stop(); err != nil {
				t.Fatal(err)
			}
			s.do(os.RemoveAll(database))
		})
	}
}

func (s *site) do(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}
