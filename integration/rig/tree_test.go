//go:build linux

package rig

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// Every way in which two trees can differ is reported, once.
func TestDiff(t *testing.T) {
	base := txtar.Parse([]byte("-- a --\none\n-- d/b --\ntwo\n-- c --\nthree\n"))
	for _, test := range []struct {
		name   string
		change func(dir string) error
		want   []string // a prefix each
	}{
		{"nothing", func(string) error { return nil }, nil},
		{"content", func(dir string) error { return os.WriteFile(dir+"/a", []byte("owe\n"), 0o644) }, []string{"a: written", "a: content"}},
		{"mode", func(dir string) error { return os.Chmod(dir+"/d/b", 0o600) }, []string{"d/b: mode"}},
		{"time", func(dir string) error { return os.Chtimes(dir+"/a", Epoch(), Epoch().AddDate(0, 0, 1)) }, []string{"a: written"}},
		{"gone", func(dir string) error { return os.Remove(dir + "/c") }, []string{"c: missing"}},
		{"new", func(dir string) error { return os.Mkdir(dir+"/e", 0o755) }, []string{"e: should not exist"}},
		{"link", func(dir string) error { return os.Link(dir+"/a", dir+"/z") }, []string{"a: link count", "z: should not exist"}},
		{
			"symlink",
			func(dir string) error {
				if err := os.Remove(dir + "/a"); err != nil {
					return err
				}
				return os.Symlink("c", dir+"/a")
			},
			[]string{"a: mode", "a: content"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "w")
			before := written(t, dir, base)
			if err := test.change(dir); err != nil {
				t.Fatal(err)
			}
			diffs := before.Diff(read(t, dir))
			if len(diffs) != len(test.want) {
				t.Fatalf("differences %q, want %q", diffs, test.want)
			}
			for i, d := range diffs {
				if !strings.HasPrefix(d, test.want[i]) {
					t.Errorf("difference %q, want %q", d, test.want[i])
				}
			}
		})
	}
}

// What two runs do not agree on is not compared, and all else is.
func TestMask(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "w")
	once := written(t, dir, txtar.Parse([]byte("-- same --\n1\n-- stamp --\n12:00\n-- temp1 --\n")))
	twice := written(t, dir, txtar.Parse([]byte("-- same --\n1\n-- stamp --\n12:01\n-- temp2 --\n")))
	third := written(t, dir, txtar.Parse([]byte("-- same --\n2\n-- stamp --\n12:02\n-- temp3 --\n")))
	mask := NewMask(once, twice)
	if diffs := mask.Apply(once).Diff(mask.Apply(twice)); len(diffs) != 0 {
		t.Errorf("masked trees differ: %q", diffs)
	}
	diffs := strings.Join(mask.Apply(once).Diff(mask.Apply(third)), "\n")
	if !strings.Contains(diffs, "same: content") || strings.Contains(diffs, "stamp") {
		t.Errorf("differences %q, want those of %q and not of %q", diffs, "same", "stamp")
	}
}

func written(t *testing.T, dir string, a *txtar.Archive) Tree {
	t.Helper()
	if err := Write(dir, a); err != nil {
		t.Fatal(err)
	}
	return read(t, dir)
}

func read(t *testing.T, dir string) Tree {
	t.Helper()
	tree, err := ReadTree(dir)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}
