//go:build linux

package msvc

import (
	"bytes"
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"

	"github.com/rexwrap/rexwrap/client/clienttest"
	"github.com/rexwrap/rexwrap/integration/rig"
	"github.com/rexwrap/rexwrap/localserver/pdb/pdbtest"
)

// remoteCompiles is how many files the build on workers has: few in the ordinary run.
func remoteCompiles() int64 {
	if rig.Long() {
		return compiles
	}
	return 10
}

// Workers that go by the rules of Windows compile, each with a database of its own: cold, warm, with a header touched and
// changed. Another machine takes their results. The types of all are in the database of the
// build and in the link, and ninja knows the headers by their names here, although those
// that the compiler prints are a worker's. Nothing in the link names a folder of a worker's.
func testWorkers(t *testing.T, bin string) {
	n := remoteCompiles()
	s, want := newFaults(t, bin, int(n))
	server := clienttest.New(t, clienttest.Options{Quirks: clienttest.Quirks{Windows: true, Platform: []string{"OSFamily=windows"}}})
	s.Set = append(
		s.Set, "REXWRAP_REMOTE="+server.Address, "REXWRAP_STRATEGY=remote", "REXWRAP_TOOLCHAIN=host", "REXWRAP_PLATFORM=OSFamily=windows",
	)
	// One of 200 is compiled here as well.
	if d := s.build("cold"); d.Remotely < n-1-n/100 || d.Remotely+d.Executed != n || d.SteppedAside+d.Errors+d.FellBack != 0 {
		t.Errorf("cold: %+v", d)
	}
	s.sameAs("cold", want, s.link())
	s.headersAreHere(server.Root())
	s.clean()
	if d := s.build("warm"); d.HitsLocal != n {
		t.Errorf("warm: %+v", d)
	}
	s.sameAs("warm", want, s.link())
	other := s.elsewhere(bin)
	if d := other.build("another machine"); d.HitsRemote < n-1-n/100 || d.HitsRemote+d.Remotely != n {
		t.Errorf("another machine: %+v", d)
	}
	other.sameAs("another machine", want, other.link())
	other.headersAreHere(server.Root())
	other.touchRemotely(want)
	if text, err := os.ReadFile(s.log); err == nil {
		t.Errorf("servers were started:\n%s", text)
	}
}

// Compiles without a database of their own are no worker's, but what one machine makes of
// them another has, at another place too where nothing of the place is in the object.
func testRemoteCache(t *testing.T, bin string) {
	s, _ := newSmall(t, bin)
	server := clienttest.New(t, clienttest.Options{})
	s.Set = append(s.Set, "REXWRAP_REMOTE="+server.Address, "REXWRAP_STRATEGY=local")
	moved := filepath.Join(t.TempDir(), "moved")
	if err := os.CopyFS(moved, os.DirFS(s.dir)); err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		args  string
		moves bool
	}{
		{"clang-cl-14 /Brepro /O1", true},
		{"clang-cl-14 /Brepro /showIncludes /I" + s.dir, true},
		{"clang-cl-14 /Brepro /Z7 /showIncludes", false},
		{"cl /Brepro /O1", true},
		{"cl /Brepro /showIncludes", true},
		{"cl /Brepro /Z7", false},
	}
	line := func(args, dir string) []string {
		return strings.Fields("rexwrap " + strings.ReplaceAll(args, s.dir, dir) + " /nologo /c /Foout.obj b.cpp")
	}
	for _, c := range cases {
		if res, d := s.run(line(c.args, s.dir)...); res.Status != 0 || d.Executed != 1 {
			t.Errorf("%s: %s, %+v", c.args, res.Ended(), d)
		}
	}
	other := s.elsewhere(bin)
	for _, c := range cases {
		if other.dir = s.dir; c.moves {
			other.dir = moved
		}
		res, d := other.run(line(c.args, other.dir)...)
		if res.Status != 0 || d.HitsRemote != 1 {
			t.Errorf("%s: %s, %+v", c.args, res.Ended(), d)
		}
		object := pdbtest.Read(t, other.dir, "out.obj")
		bare, _ := other.run(line(c.args, other.dir)[1:]...)
		if string(bare.Stdout) != string(res.Stdout) || !bytes.Equal(object, pdbtest.Read(t, other.dir, "out.obj")) {
			t.Errorf("%s: said\n%s, the compiler says\n%s", c.args, res.Stdout, bare.Stdout)
		}
	}
	if n := server.Executions(); n != 0 {
		t.Errorf("%d executions", n)
	}
}

// Pairs of object and database that do not belong together, that lack the database, or of
// which it is damaged, are no results: the compiler runs here, and the types of all are in
// the database.
func testWrongPairs(t *testing.T, bin string) {
	s, want := newSmall(t, bin)
	server := clienttest.New(t, clienttest.Options{})
	s.Set = append(s.Set, "REXWRAP_REMOTE="+server.Address, "REXWRAP_STRATEGY=remote", "REXWRAP_TOOLCHAIN=host")
	rubbish := server.Put([]byte("no program database"))
	database := func(r *repb.ActionResult) *repb.OutputFile {
		i := slices.IndexFunc(r.OutputFiles, func(f *repb.OutputFile) bool { return strings.HasSuffix(f.Path, ".pdb") })
		if i < 0 {
			return &repb.OutputFile{}
		}
		return r.OutputFiles[i]
	}
	var first *repb.Digest
	for name, lie := range map[string]func(*repb.ActionResult){
		"of another": func(r *repb.ActionResult) {
			f := database(r)
			first = cmp.Or(first, f.Digest)
			f.Digest = first
		},
		"missing": func(r *repb.ActionResult) {
			gone := database(r)
			r.OutputFiles = slices.DeleteFunc(r.OutputFiles, func(f *repb.OutputFile) bool { return f == gone })
		},
		"damaged": func(r *repb.ActionResult) {
			if f := database(r); f.Digest != nil {
				f.Digest = &repb.Digest{Hash: rubbish.Hex(), SizeBytes: rubbish.Size}
			}
		},
	} {
		server.Lie(lie)
		if d := s.build(name); d.Executed+d.FellBack < int64(len(pdbtest.Units()))-1 || d.Errors != 0 {
			t.Errorf("%s: %+v", name, d)
		}
		s.sameAs(name, want, s.link())
		if _, err := s.Verb("cache", "clear"); err != nil {
			t.Fatal(err)
		}
		s.clean()
	}
	server.Lie(nil)
	if d := s.build("healed"); d.Errors != 0 {
		t.Errorf("%+v", d)
	}
	s.sameAs("healed", want, s.link())
}

// Of a call with several sources another machine finds each result, and all their types.
func testRemoteMembers(t *testing.T, bin string) {
	s, want := newSmall(t, bin)
	server := clienttest.New(t, clienttest.Options{})
	s.Set = append(s.Set, "REXWRAP_REMOTE="+server.Address, "REXWRAP_STRATEGY=remote")
	units := pdbtest.Units()
	args := append(strings.Fields("rexwrap cl "+flags+" /Zi /Fdx/vc140.pdb /Fox/"), units...)
	for i, a := range args {
		if a == "/showIncludes" { // then it is not known of which source the compiler speaks
			args = slices.Delete(args, i, i+1)
			break
		}
	}
	if res, d := s.run(args...); res.Status != 0 || d.Executed != int64(len(units)) {
		t.Errorf("%s, %+v\n%s", res.Ended(), d, res.Stdout)
	}
	other := s.elsewhere(bin)
	res, d := other.run(args...)
	if res.Status != 0 || d.HitsRemote != int64(len(units)) || string(res.Stdout) != strings.Join(units, "\n")+"\n" {
		t.Errorf("%s, %+v\n%s", res.Ended(), d, res.Stdout)
	}
	a, b := pdbtest.ShapesOf(t, want), pdbtest.ShapesOf(t, other.link())
	if a[1], b[1] = nil, nil; !slices.Equal(a.Sorted(), b.Sorted()) { // items name the command line
		t.Errorf("the link has %d types, that of /Z7 %d, or others", len(b[0]), len(a[0]))
	}
	if n := server.Executions(); n != 0 {
		t.Errorf("%d executions", n)
	}
}

// elsewhere is s with another installation of rexwrap that has made nothing yet.
func (s *site) elsewhere(bin string) *site {
	s.Helper()
	if _, err := s.Verb("cache", "flush"); err != nil {
		s.Error(err)
	}
	other, err := rig.New(bin, s.TempDir())
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(other.Close)
	other.Set = s.Set
	o := &site{T: s.T, Rig: other, tools: s.tools, dir: s.dir, log: s.log}
	o.clean()
	return o
}

// touchRemotely builds after the time of a header has changed, and after its content has.
func (s *site) touchRemotely(want []byte) {
	s.Helper()
	text := pdbtest.Read(s, s.dir, "half.h")
	pdbtest.Write(s, s.dir, "half.h", text)
	if d := s.build("header touched"); d.HitsLocal == 0 || d.HitsLocal != d.Calls {
		s.Errorf("header touched: %+v", d)
	}
	s.sameAs("header touched", want, s.link())
	changed := strings.Replace(string(text), "int first;", "int first; long second;", 1)
	pdbtest.Write(s, s.dir, "half.h", []byte(changed))
	d := s.build("header changed")
	if d.Remotely == 0 || d.Remotely+d.Executed != d.Calls || d.Calls > remoteCompiles()/2+2 {
		s.Errorf("header changed: %+v", d)
	}
	if slices.Equal(lengths(s.T, want), lengths(s.T, s.link())) {
		s.Error("header changed: nothing of it in the link")
	}
}

// headersAreHere checks the headers that ninja has noted.
func (s *site) headersAreHere(workers string) {
	s.Helper()
	noted := string(s.ninja("", "", "-t", "deps").Stdout)
	if own := filepath.Join(s.dir, "shapes.h"); strings.Contains(noted, workers) || !strings.Contains(noted, own) {
		s.Errorf("ninja has noted\n%s", noted)
	}
}
