//go:build linux

package msvc

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rexwrap/rexwrap/integration/rig"
	"github.com/rexwrap/rexwrap/localserver/pdb/pdbtest"
)

// newSmall returns a site with the smallest program, its debug information with /Z7.
func newSmall(t *testing.T, bin string) (*site, []byte) {
	t.Helper()
	return newFaults(t, bin, len(pdbtest.Units()))
}

// run runs a command of the site and returns what was counted meanwhile.
func (s *site) run(args ...string) (*rig.Result, rig.Stats) {
	s.Helper()
	before, err := s.Stats()
	if err != nil {
		s.Fatal(err)
	}
	if err := rig.Settle(); err != nil {
		s.Fatal(err)
	}
	res, err := rig.Command{Argv: args, Dir: s.dir, Env: s.Env()}.Run()
	if err != nil {
		s.Fatal(err)
	}
	after, err := s.Stats()
	if err != nil {
		s.Fatal(err)
	}
	return res, after.Sub(before)
}

// twice runs a command that must miss and then hit, nothing of what it makes left between,
// and returns what it said.
func (s *site) twice(args ...string) string {
	s.Helper()
	first, d := s.run(args...)
	if first.Status != 0 || d.Executed != d.Calls || d.Calls == 0 {
		s.Fatalf("%q: %s, %+v\n%s%s", args, first.Ended(), d, first.Stdout, first.Stderr)
	}
	s.clean()
	second, again := s.run(args...)
	if second.Status != 0 || again.HitsLocal != d.Calls {
		s.Errorf("%q: %s, %+v, want %d hits", args, second.Ended(), again, d.Calls)
	}
	if string(first.Stdout) != string(second.Stdout) || string(first.Stderr) != string(second.Stderr) {
		s.Errorf("%q: said\n%s%s\nand then\n%s%s", args, first.Stdout, first.Stderr, second.Stdout, second.Stderr)
	}
	return string(second.Stdout)
}

func all(args ...string) []string {
	line := append([]string{"rexwrap", "cl"}, strings.Fields(flags)...)
	return append(append(line, "/Fox/"), args...)
}

// Each way to treat /Zi gives a link with all types.
func testModes(t *testing.T, bin string) {
	s, want := newSmall(t, bin)
	for _, c := range []struct {
		mode              string
		database, private bool
	}{{"session", true, false}, {"private", false, true}, {"embed", false, false}} {
		t.Run(c.mode, func(t *testing.T) {
			s := &site{T: t, Rig: s.Rig, tools: s.tools, dir: s.dir}
			s.Set = append(s.Set, "REXWRAP_MSVC_PDB="+c.mode)
			s.clean()
			for _, want := range []int64{-1, 1} {
				s.clean()
				for _, unit := range pdbtest.Units() {
					if res, d := s.run(all("/Zi", "/Fdx/vc140.pdb", unit)...); res.Status != 0 || want >= 0 && d.HitsLocal != want {
						t.Errorf("%s: %s, %+v", unit, res.Ended(), d)
					}
				}
			}
			s.sameAs(c.mode, want, s.link())
			if _, err := os.Stat(filepath.Join(s.dir, "x", "vc140.pdb")); (err == nil) != c.database {
				t.Errorf("shared database: %v", err)
			}
			if kept, _ := filepath.Glob(filepath.Join(s.dir, "x", "*.*.pdb")); (len(kept) > 0) != c.private {
				t.Errorf("private databases: %v", kept)
			}
		})
	}
	s.Set = append(s.Set, "REXWRAP_MSVC_PDB=local")
	if res, d := s.run(all("/Zi", "/Fdx/vc140.pdb", "d.c")...); res.Status != 0 || d.Reasons["shared-database"] != 1 {
		t.Errorf("local: %s, %+v", res.Ended(), d)
	}
}

// Several sources in one call: each is an object, a hit by itself, and its types are in
// the database; the names are said in the order of the call.
func testSeveralSources(t *testing.T, bin string) {
	s, _ := newSmall(t, bin)
	flags := []string{"/nologo", "/c", "/GS-", "/GR-", "/Brepro", "/Zc:threadSafeInit-", "/Zi", "/Fdx/vc140.pdb", "/Fox/"}
	for _, extra := range [][]string{{"/O1"}, {"/MP", "/Od"}, {"/FS", "/O2"}} {
		s.clean()
		embedded := slices.Concat([]string{"cl"}, flags, extra, []string{"/Z7"}, pdbtest.Units())
		if res, _ := s.run(embedded...); res.Status != 0 {
			t.Fatalf("%q: %s\n%s", embedded, res.Ended(), res.Stdout)
		}
		want := s.link()
		args := slices.Concat([]string{"rexwrap", "cl"}, flags, extra)
		s.clean()
		if said := s.twice(append(args, pdbtest.Units()...)...); said != strings.Join(pdbtest.Units(), "\n")+"\n" {
			t.Errorf("%q: said %q", extra, said)
		}
		s.sameAs(strings.Join(extra, " "), want, s.link())
		if _, d := s.run(append(args, "b.cpp")...); d.HitsLocal != 1 {
			t.Errorf("%q: one of them: %+v", extra, d)
		}
	}
	pdbtest.Write(t, s.dir, "bad.cpp", []byte("int f( {\n"))
	s.clean()
	res, _ := s.run(append(append([]string{"rexwrap", "cl"}, flags...), "b.cpp", "bad.cpp", "c.cpp", "/DOTHER")...)
	if res.Status != 2 {
		t.Errorf("one fails: %s", res.Ended())
	}
	for name, there := range map[string]bool{"b.obj": true, "bad.obj": false, "c.obj": true} {
		if _, err := os.Stat(filepath.Join(s.dir, "x", name)); (err == nil) != there {
			t.Errorf("one fails: %s: %v", name, err)
		}
	}
}

// A header that is precompiled and force-included is read as text; others are used by the
// compiler alone, which then finds the database that fits.
func testPrecompiledHeader(t *testing.T, bin string) {
	s, _ := newSmall(t, bin)
	pdbtest.Write(t, s.dir, "pch.cpp", []byte("#include \"shapes.h\"\n"))
	for _, args := range [][]string{
		{"/Zi", "/Fdx/vc140.pdb", "/Ycshapes.h", "/FIshapes.h", "/Fpx/a.pch", "pch.cpp"},
		{"/Zi", "/Fdx/vc140.pdb", "/Yushapes.h", "/Fpx/a.pch", "b.cpp"},
	} {
		if res, d := s.run(all(args...)...); res.Status != 0 || d.Reasons["precompiled-header"] != 1 {
			t.Errorf("%q: %s, %+v\n%s", args, res.Ended(), d, res.Stdout)
		}
	}
	use := all("/Zi", "/Fdx/vc140.pdb", "/Yushapes.h", "/FIshapes.h", "/Fpx/a.pch", "c.cpp")
	s.twice(use...)
	s.Set = append(s.Set, "REXWRAP_MSVC_PCH=local")
	if res, d := s.run(use...); res.Status != 2 || d.Reasons["precompiled-header"] != 1 || !strings.Contains(string(res.Stdout), "C1083") {
		t.Errorf("local, the header gone: %s, %+v\n%s", res.Ended(), d, res.Stdout)
	}
}

// Hits under another name of the object, and with another database, are what the compiler
// would have made there.
func testOtherOutput(t *testing.T, bin string) {
	s, _ := newSmall(t, bin)
	build := func(cc, debug, prefix string) (hits int64) {
		s.clean()
		for _, unit := range pdbtest.Units() {
			args := strings.Fields(strings.Join([]string{cc, flags, debug, "/Fox/" + prefix + filepath.Base(object(unit)), unit}, " "))
			res, d := s.run(args...)
			if res.Status != 0 {
				t.Fatalf("%q: %s\n%s", args, res.Ended(), res.Stdout)
			}
			hits += d.HitsLocal
		}
		return hits
	}
	build("cl", "/Z7", "a-much-longer-name-of-")
	want := s.link()
	build("rexwrap cl", "/Zi /Fdx/vc140.pdb", "")
	if hits := build("rexwrap cl", "/Zi /Fdx/other.pdb", "a-much-longer-name-of-"); hits != int64(len(pdbtest.Units())) {
		t.Errorf("%d hits", hits)
	}
	s.sameAs("other names", want, s.link())
}

// Variables, response files and lists of dependencies work as without rexwrap.
func testCalls(t *testing.T, bin string) {
	s, _ := newSmall(t, bin)
	pdbtest.Write(t, s.dir, "b.rsp", []byte("/Zi /Fdx/vc140.pdb\n/DFROM=1 b.cpp\n"))
	s.twice(all("@b.rsp")...)
	pdbtest.Write(t, s.dir, "b.rsp", []byte("/Zi /Fdx/vc140.pdb\n/DFROM=2 b.cpp\n"))
	if _, d := s.run(all("@b.rsp")...); d.Executed != 1 {
		t.Errorf("other content of a response file: %+v", d)
	}
	s.Set = append(s.Set, "CL=/Zi /Fdx/vc140.pdb /DA#1", "_CL_=/O2")
	s.twice(all("b.cpp")...)
	s.Set = append(s.Set, "_CL_=/O1")
	if _, d := s.run(all("b.cpp")...); d.Executed != 1 {
		t.Errorf("other _CL_: %+v", d)
	}
	s.twice(all("/sourceDependencies", "x/b.json", "/DDEPS", "b.cpp")...)
	var file struct{ Data struct{ Includes []string } }
	if err := json.Unmarshal(pdbtest.Read(t, s.dir, "x/b.json"), &file); err != nil {
		t.Fatal(err)
	}
	if list := file.Data.Includes; len(list) != 1 || list[0] != filepath.Join(s.dir, "shapes.h") {
		t.Errorf("includes %q", list)
	}
}

// A report on fakecl and lld-link finds nothing wrong.
func testDoctor(t *testing.T, bin string) {
	s, _ := newSmall(t, bin)
	out, err := s.Verb("doctor", "--msvc", "--json")
	if err != nil {
		t.Errorf("%v", err)
	}
	var d struct {
		Checks []struct{ Name, Status, Text string }
	}
	if err := json.Unmarshal(out, &d); err != nil {
		t.Fatal(err)
	}
	if len(d.Checks) != 7 {
		t.Errorf("%d checks", len(d.Checks))
	}
	for _, c := range d.Checks {
		if c.Status != "ok" {
			t.Errorf("%+v", c)
		}
	}
	out, err = s.Verb("session", "list")
	if err != nil || !strings.Contains(string(out), "no program database is open") {
		t.Errorf("%s%v", out, err)
	}
	s.compile("b.cpp")
	if out, err = s.Verb("session", "list"); err != nil || !strings.Contains(string(out), "vc140.pdb") {
		t.Errorf("%s%v", out, err)
	}
	if out, err = s.Verb("session", "seal", filepath.Join(s.dir, "x")); err != nil || !strings.Contains(string(out), "1 database closed") {
		t.Errorf("%s%v", out, err)
	}
	if out, err = s.Verb("session", "verify", filepath.Join(s.dir, "x", "vc140.pdb")); err != nil || !strings.Contains(string(out), "types") {
		t.Errorf("%s%v", out, err)
	}
}
