package materialize

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/rexwrap/rexwrap/toolchains"
)

func TestLook(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	for _, name := range []string{"plain", "one", "target"} {
		if err := os.WriteFile(path(name), nil, 0o640); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(os.Link(path("one"), path("two")), os.Symlink("target", path("link")), os.Mkdir(path("dir"), 0o700)); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]Target{
		path("nothing"): Absent, path("plain"): Plain, path("one"): Special, path("two"): Special,
		path("link"): Special, path("dir"): Special,
	} {
		got, mode, err := Look(name)
		if err != nil || got != want {
			t.Errorf("Look(%s) = %v, %v, want %v", name, got, err, want)
		}
		if got == Plain && mode != 0o640 {
			t.Errorf("mode %v, want 640", mode)
		}
	}
	if got, _, err := Look(os.DevNull); runtime.GOOS != "windows" && (got != Sink || err != nil) {
		t.Errorf("Look(%s) = %v, %v, want Sink", os.DevNull, got, err)
	}
	if got, _, err := Look(path("plain/x")); got != Special || err == nil {
		t.Errorf("below a file: %v, %v, want Special and an error", got, err)
	}
}

func TestMode(t *testing.T) {
	for _, c := range []struct {
		family string
		role   toolchains.Role
		target Target
		old    fs.FileMode
		want   fs.FileMode
	}{
		{"gcc", toolchains.RoleObject, Absent, 0, 0o640},
		{"gcc", toolchains.RoleObject, Plain, 0o600, 0o640},
		{"gcc", toolchains.RoleDep, Plain, 0o600, 0o600},
		{"gcc", toolchains.RoleAssembly, Plain, 0o604, 0o604},
		{"gcc", toolchains.RoleDep, Absent, 0, 0o640},
		{"clang", toolchains.RoleAssembly, Plain, 0o600, 0o640},
		{"clang", toolchains.RoleDep, Plain, 0o600, 0o600},
	} {
		if got := Mode(KeepsInode(c.family, c.role), c.target, c.old, 0o027, false); got != c.want {
			t.Errorf("%s: Mode(%s, %v, %v) = %v, want %v", c.family, c.role, c.target, c.old, got, c.want)
		}
	}
}

func TestTemp(t *testing.T) {
	temp := filepath.Join(t.TempDir(), ".t")
	err := Temp(temp, 0o664, func(f *os.File) error {
		_, err := f.WriteString("x")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(temp); err != nil || runtime.GOOS != "windows" && info.Mode() != 0o664 {
		t.Errorf("stat: %v, %v, want mode 664", info, err)
	}
	if err := Temp(temp, 0o600, func(*os.File) error { return nil }); !errors.Is(err, fs.ErrExist) {
		t.Errorf("over an existing file: %v, want ErrExist", err)
	}
}

func TestTempLeavesNothing(t *testing.T) {
	temp := filepath.Join(t.TempDir(), ".t")
	boom := errors.New("boom")
	if err := Temp(temp, 0o600, func(*os.File) error { return boom }); !errors.Is(err, boom) {
		t.Errorf("got %v, want the error of fill", err)
	}
	if _, err := os.Lstat(temp); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after an error the file is there: %v", err)
	}
}
