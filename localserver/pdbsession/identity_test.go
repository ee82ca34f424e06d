package pdbsession

import (
	"os"
	"path/filepath"
	"testing"
)

// The forms of /Fd, and spellings of one folder.
func TestIdentify(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, sub := range []string{"out", "other"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(filepath.Join(dir, "out"), filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	join := func(path string) string { return filepath.Join(dir, filepath.FromSlash(path)) }
	for fd, want := range map[string]string{
		"":                       join("vc140.pdb"),
		"x":                      join("x.pdb"),
		"x.pdb":                  join("x.pdb"),
		"x.dat":                  join("x.dat"),
		"out/":                   join("out/vc140.pdb"),
		"out/x":                  join("out/x.pdb"),
		"link/x":                 join("out/x.pdb"),
		"other/../out/./x":       join("out/x.pdb"),
		join("out") + "/":        join("out/vc140.pdb"),
		"new/folder/x.pdb":       join("new/folder/x.pdb"),
		"link/../other/nowhere/": join("other/nowhere/vc140.pdb"),
	} {
		id, err := Identify(dir, fd, "vc140.pdb")
		if err != nil || id.Path != want {
			t.Errorf("%q: %s, %v, want %s", fd, id.Path, err, want)
		}
		same, err := Identify(join("other"), want, "vc142.pdb")
		if err != nil || same != id || len(id.Key) != 16 {
			t.Errorf("%q: %+v, %v, and by its path %+v", fd, id, err, same)
		}
	}
	a, errA := Identify(join("out"), "", "vc140.pdb")
	b, errB := Identify(join("other"), "", "vc140.pdb")
	if errA != nil || errB != nil || a.Key == b.Key {
		t.Errorf("%+v, %v and %+v, %v", a, errA, b, errB)
	}
}

// Objects of one name in different folders, and different contents, never share the name or
// the GUID of a private PDB.
func TestPrivateName(t *testing.T) {
	seen := map[string]string{}
	for _, object := range []string{"/a/x.obj", "/b/x.obj", "/a/x.o", "/a/y.obj"} {
		for _, content := range []string{"one", "two"} {
			path, sum := privateName(object, []byte(content))
			for _, name := range []string{filepath.Base(path), string(sum[:16])} {
				if other, ok := seen[name]; ok && other != object {
					t.Errorf("%s and %s share %q", other, object, name)
				}
				seen[name] = object
			}
		}
	}
	if path, _ := privateName("/a/x.obj", nil); filepath.Dir(path) != "/a" || len(filepath.Base(path)) != len("x.01234567.pdb") {
		t.Error(path)
	}
}
