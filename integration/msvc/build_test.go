//go:build linux

package msvc

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rexwrap/rexwrap/integration/rig"
	"github.com/rexwrap/rexwrap/localserver/pdb/pdbtest"
	"github.com/rexwrap/rexwrap/localserver/pdbsession"
)

// compiles is how many files of a build; half of them include half.h.
const compiles = 200

// localCompiles is how many are made here in an ordinary run, or a long one.
func localCompiles() int64 {
	if rig.Long() {
		return compiles
	}
	return compiles / 5
}

// A site is a folder that ninja builds with fakecl, and an installation of rexwrap.
type site struct {
	*testing.T
	*rig.Rig
	tools *pdbtest.Tools
	dir   string
	log   string // where fakecl notes the servers that it starts
}

// TestProduct tests rexwrap as it is released, on fakecl.
func TestProduct(t *testing.T) {
	if err := rig.TrackSources("../.."); err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	if err := rig.Build("../..", bin); err != nil {
		t.Fatal(err)
	}
	build := exec.Command("go", "build", "-trimpath", "-o", filepath.Join(bin, "cl"), "./fakecl")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build fakecl: %v\n%s", err, out)
	}
	tests := map[string]func(*testing.T, string){
		"Build": testBuild, "KilledServer": testKilledServer, "DatabaseTrouble": testDatabaseTrouble, "WrongPairs": testWrongPairs,
		"SeveralSources": testSeveralSources, "PrecompiledHeader": testPrecompiledHeader, "Calls": testCalls, "Workers": testWorkers,
	}
	if rig.Long() {
		maps.Copy(tests, map[string]func(*testing.T, string){
			"NoServer": testNoServer, "Modes": testModes, "Doctor": testDoctor, "OtherOutput": testOtherOutput,
			"RemoteCache": testRemoteCache, "RemoteMembers": testRemoteMembers,
		})
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { test(t, bin) })
	}
}

// newSite returns a site whose programs are in bin.
func newSite(t *testing.T, bin string) *site {
	t.Helper()
	s := &site{T: t, tools: pdbtest.FindTools(t), dir: filepath.Join(t.TempDir(), "w")}
	var err error
	if s.Rig, err = rig.New(bin, t.TempDir()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	s.log = filepath.Join(s.Dir, "servers")
	s.Set = append(s.Set, "FAKECL_LOG="+s.log)
	return s
}

// flags are those of all compiles; FS and the place of the types come on top.
const flags = "/nologo /c /showIncludes /GS- /GR- /Brepro /Zc:threadSafeInit-"

// write makes the sources and a build.ninja whose compiles are done by cl with debug.
func (s *site) write(n int) {
	s.Helper()
	sources, units := manyUnits(n - len(pdbtest.Units()))
	sources["half.h"] = "#pragma once\nstruct Half { int first; Half *next; };\n"
	for i, unit := range units {
		if i%2 == 0 && strings.HasSuffix(unit, ".cpp") {
			sources[unit] = "#include \"half.h\"\n" + sources[unit] + "Half half_" + strings.TrimSuffix(unit, ".cpp") + ";\n"
		}
	}
	for name, text := range sources {
		pdbtest.Write(s, s.dir, name, []byte(text))
	}
	var edges strings.Builder
	for _, unit := range units {
		fmt.Fprintf(&edges, "build %s: cl %s\n", object(unit), unit)
	}
	pdbtest.Write(s, s.dir, "build.ninja", []byte(`msvc_deps_prefix = Note: including file:
rule cl
  command = $$CC `+flags+` $$DEBUG /Fo$out $in
  deps = msvc
  description = $in
`+edges.String()))
	pdbtest.Write(s, s.dir, "x/.keep", nil)
}

// ninja builds with a compiler and its options for debug information.
func (s *site) ninja(cc, debug string, args ...string) *rig.Result {
	s.Helper()
	if err := rig.Settle(); err != nil {
		s.Fatal(err)
	}
	res, err := rig.Command{
		Argv: append([]string{"ninja", "-j8", "-v"}, args...), Dir: s.dir, Env: s.Env("CC="+cc, "DEBUG="+debug),
	}.Run()
	if err != nil {
		s.Fatal(err)
	}
	return res
}

// build builds through rexwrap and returns what was counted.
func (s *site) build(when string) rig.Stats {
	s.Helper()
	before, err := s.Stats()
	if err != nil {
		s.Fatal(err)
	}
	if res := s.ninja("rexwrap cl", "/Zi /Fdx/vc140.pdb"); res.Status != 0 {
		s.Fatalf("%s: %s\n%s", when, res.Ended(), res.Stdout)
	}
	after, err := s.Stats()
	if err != nil {
		s.Fatal(err)
	}
	return after.Sub(before)
}

// clean removes what a build has made.
func (s *site) clean() {
	s.Helper()
	for _, name := range []string{"x", ".ninja_deps", ".ninja_log"} {
		if err := os.RemoveAll(filepath.Join(s.dir, name)); err != nil {
			s.Fatal(err)
		}
	}
	pdbtest.Write(s, s.dir, "x/.keep", nil)
}

// link links all objects and returns the debug information.
func (s *site) link() []byte {
	s.Helper()
	objects, err := filepath.Glob(filepath.Join(s.dir, "x", "*.obj"))
	if err != nil || len(objects) == 0 {
		s.Fatalf("%d objects, %v", len(objects), err)
	}
	args := []string{"-debug:ghash"}
	for _, o := range objects {
		args = append(args, "x/"+filepath.Base(o))
	}
	_, debug := s.tools.Link(s, s.dir, args...)
	return debug
}

// sameAs compares debug information with that of objects that hold their types: the same
// types and items, in whatever order, and streams of the same lengths.
func (s *site) sameAs(when string, want, got []byte) {
	s.Helper()
	a, b := pdbtest.ShapesOf(s, want), pdbtest.ShapesOf(s, got)
	if !slices.Equal(a.Sorted(), b.Sorted()) {
		s.Errorf("%s: the link has %d types and items, that of /Z7 %d, or others", when, len(b.Sorted()), len(a.Sorted()))
	}
	if a, b := lengths(s.T, want), lengths(s.T, got); !slices.Equal(a, b) {
		s.Errorf("%s: streams have %v bytes, with /Z7 %v", when, b, a)
	}
}

// A build of files that share one program database, through rexwrap: nobody waits for
// it or starts a server for it, it holds all types, and what is linked is what is linked
// of objects that hold theirs.
func testBuild(t *testing.T, bin string) {
	s := newSite(t, bin)
	n := localCompiles()
	s.write(int(n))
	if res := s.ninja("cl", "/Zi /Fdx/vc140.pdb", "-k0"); res.Status == 0 || !strings.Contains(string(res.Stdout), "C1041") {
		t.Errorf("fakecl alone: %s, without C1041", res.Ended())
	}
	s.clean()
	if res := s.ninja("cl", "/Z7"); res.Status != 0 {
		t.Fatalf("/Z7: %s\n%s", res.Ended(), res.Stdout)
	}
	want := s.link()
	s.clean()
	if d := s.build("cold"); d.Executed != n || d.SteppedAside != 0 || len(d.NotStored) > 0 {
		t.Errorf("cold: %+v", d)
	}
	s.sameAs("cold", want, s.link())
	s.clean()
	if d := s.build("warm"); d.HitsLocal != n {
		t.Errorf("warm: %+v", d)
	}
	s.sameAs("warm", want, s.link())
	if d := s.build("nothing to do"); d.Calls != 0 {
		t.Errorf("nothing to do: %+v", d)
	}
	s.touchHeader(want)
	s.checkDatabase()
	if text, err := os.ReadFile(s.log); err == nil {
		t.Errorf("servers were started:\n%s", text)
	}
}

// touchHeader builds after the time of a header has changed, and after its content has.
func (s *site) touchHeader(want []byte) {
	s.Helper()
	header := filepath.Join(s.dir, "half.h")
	text := pdbtest.Read(s, s.dir, "half.h")
	pdbtest.Write(s, s.dir, "half.h", text)
	if d := s.build("header touched"); d.HitsLocal == 0 || d.HitsLocal != d.Calls || d.Calls > localCompiles()/2+2 {
		s.Errorf("header touched: %+v", d)
	}
	s.sameAs("header touched", want, s.link())
	changed := strings.Replace(string(text), "int first;", "int first; long second;", 1)
	if err := os.WriteFile(header, []byte(changed), 0o666); err != nil {
		s.Fatal(err)
	}
	d := s.build("header changed")
	if d.Executed == 0 || d.Executed != d.Calls || d.Calls > localCompiles()/2+2 {
		s.Errorf("header changed: %+v", d)
	}
	got := s.link()
	if slices.Equal(lengths(s.T, want), lengths(s.T, got)) {
		s.Error("header changed: nothing of it in the link")
	}
	if res := s.ninja("cl", "/Z7", "-t", "clean"); res.Status != 0 {
		s.Fatalf("clean: %s", res.Stdout)
	}
}

// checkDatabase looks at the database that all objects share.
func (s *site) checkDatabase() {
	s.Helper()
	path := filepath.Join(s.dir, "x", "vc140.pdb")
	if err := s.Stop(); err != nil {
		s.Fatal(err)
	}
	status, err := pdbsession.Verify(path)
	if err != nil || status.Types < int(localCompiles()) {
		s.Errorf("%+v, %v", status, err)
	}
	if out := s.tools.Check(s, path); strings.Contains(out, "our hash") {
		s.Error("llvm-pdbutil has other hashes")
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o044 == 0 {
		s.Errorf("%v, %v: others cannot read it", info, err)
	}
}
