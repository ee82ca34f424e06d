//go:build linux

package shipped

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rexwrap/rexwrap/client/clienttest"
	"github.com/rexwrap/rexwrap/integration/rig"
)

// TestPackFile sends compilers out of files.
func TestPackFile(t *testing.T) {
	require(t, "clang")
	f := newBare(t)
	f.rig.Set = append(f.rig.Set, "REXWRAP_TOOLCHAIN=file:"+f.pack("gcc")+":"+f.pack("clang")+":"+f.pack("clang++"))
	remote := f.rig.Set
	f.compile("gcc", "-c", "warm.c")
	f.compile("clang", "-c", "warm.c")
	f.compile("clang++", "-c", "warm.c")

	if s := f.compile("gcc", "-g", "-c", "x.c"); s.Remotely != 1 {
		t.Errorf("gcc: %+v", s)
	}
	// A compiler of another machine: here one of another path.
	clang, gcc := f.link("clang"), f.link("gcc")
	target := "--target=x86_64-linux-gnu"
	if s := f.compile(clang, target, "-g", "-c", "x.c"); s.Remotely != 1 {
		t.Errorf("another clang of the same version: %+v", s)
	}
	if s := f.compile(f.link("clang++"), target, "-g", "-c", "x.c"); s.Remotely != 1 {
		t.Errorf("another clang++ of the same version: %+v", s)
	}
	if s := f.compile(clang, target, "-g", "-c", "x.c"); s.HitsLocal != 1 {
		t.Errorf("the same again: %+v", s)
	}
	f.rig.Set = []string{"LC_ALL=C"}
	if s := f.compile(clang, target, "-g", "-c", "x.c"); s.Executed != 1 {
		t.Errorf("without the pack its result is another compiler's: %+v", s)
	}
	f.rig.Set = remote
	for name, argv := range map[string][]string{"another gcc": {gcc, "-c", "x.c"}, "no target": {clang, "-c", "x.c"}} {
		if s := f.compile(argv...); s.FellBack != 1 || s.Reasons["pack-other-toolchain"] != 1 {
			t.Errorf("%s: %+v", name, s)
		}
	}
	f.rig.Set = append(slices.Clone(remote), "REXWRAP_TOOLCHAIN=file:"+filepath.Join(f.dir, "x.c"))
	if s := f.compile("gcc", "-O1", "-c", "x.c"); s.FellBack != 1 || s.Reasons["pack-file"] != 1 {
		t.Errorf("what is no pack: %+v", s)
	}
}

// files is a machine whose compiles are for workers, and a folder of sources.
type files struct {
	t   testing.TB
	rig *rig.Rig
	dir string
}

// newFiles is a machine whose workers are server's, with more settings.
func newFiles(t testing.TB, server *clienttest.Server, settings ...string) *files {
	t.Helper()
	bin := t.TempDir()
	if err := rig.Build("../..", bin); err != nil {
		t.Fatal(err)
	}
	f := &files{t: t, dir: t.TempDir()}
	var err error
	if f.rig, err = rig.New(bin, t.TempDir()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.rig.Close)
	f.rig.Set = append([]string{"REXWRAP_REMOTE=" + server.Address, "REXWRAP_STRATEGY=remote", "LC_ALL=C"}, settings...)
	f.write()
	return f
}

// newBare is a machine whose workers have nothing.
func newBare(t *testing.T) *files {
	t.Helper()
	server := clienttest.New(t, clienttest.Options{Quirks: clienttest.Quirks{Confined: true}})
	return newFiles(t, server, "REXWRAP_TOOLCHAIN=ship")
}

func (f *files) write() {
	f.t.Helper()
	for name, text := range map[string]string{"x.c": "#include <stddef.h>\nsize_t x = sizeof __FILE__;\n", "warm.c": "int warm;\n"} {
		if err := os.WriteFile(filepath.Join(f.dir, name), []byte(text), 0o600); err != nil {
			f.t.Fatal(err)
		}
	}
	if err := rig.Settle(); err != nil {
		f.t.Fatal(err)
	}
}

func (f *files) pack(compiler string) string {
	f.t.Helper()
	file := filepath.Join(f.dir, compiler+".tar.zst")
	if _, err := f.rig.Verb("toolchain", "pack", compiler, "-o", file); err != nil {
		f.t.Fatal(err)
	}
	return file
}

// link is a compiler by another path.
func (f *files) link(compiler string) string {
	f.t.Helper()
	program, err := exec.LookPath(compiler)
	if err == nil {
		err = os.Symlink(program, filepath.Join(f.dir, compiler))
	}
	if err != nil {
		f.t.Fatal(err)
	}
	return filepath.Join(f.dir, compiler)
}

// compile runs a compile of C bare and through rexwrap, and returns what was counted.
func (f *files) compile(argv ...string) rig.Stats {
	f.t.Helper()
	return f.both(strings.TrimSuffix(argv[len(argv)-1], ".c")+".o", nil, argv...)
}

// both runs a command that makes a file bare, with more words, and through rexwrap,
// and returns what was counted.
func (f *files) both(name string, more []string, argv ...string) rig.Stats {
	f.t.Helper()
	before := f.stats()
	made := filepath.Join(f.dir, name)
	var texts [2]string
	for i, command := range [][]string{append(slices.Clone(argv), more...), append([]string{"rexwrap"}, argv...)} {
		_ = os.Remove(made) // may not be there
		res, err := rig.Command{Argv: command, Dir: f.dir, Env: f.rig.Env("PWD=" + f.dir)}.Run()
		if err != nil || res.Status != 0 {
			f.t.Fatalf("%v: %s\n%s", err, res.Ended(), res.Stderr)
		}
		text, err := os.ReadFile(made)
		if err != nil {
			f.t.Fatal(err)
		}
		texts[i] = string(text)
	}
	if texts[0] != texts[1] {
		f.t.Errorf("%q makes another file than the plain compiler", argv)
	}
	return f.stats().Sub(before)
}

func (f *files) stats() rig.Stats {
	f.t.Helper()
	if _, err := f.rig.Verb("cache", "flush"); err != nil {
		f.t.Fatal(err)
	}
	s, err := f.rig.Stats()
	if err != nil {
		f.t.Fatal(err)
	}
	return s
}
