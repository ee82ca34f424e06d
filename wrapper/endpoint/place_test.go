//go:build unix

package endpoint

import (
	"os"
	"strings"
	"testing"
)

func env(settings ...string) func(string) string {
	return func(name string) string {
		for _, kv := range settings {
			if n, v, _ := strings.Cut(kv, "="); n == name {
				return v
			}
		}
		return ""
	}
}

func TestLocate(t *testing.T) {
	run := t.TempDir()
	shared := t.TempDir()
	for dir, mode := range map[string]os.FileMode{run: 0o700, shared: 0o755} {
		if err := os.Chmod(dir, mode); err != nil {
			t.Fatal(err)
		}
	}
	uid := os.Geteuid()
	fallback := fallbackDir(uid)
	for _, tt := range []struct {
		name          string
		env           []string
		dir, cacheDir string
	}{
		{"run dir", []string{"XDG_RUNTIME_DIR=" + run, "HOME=/h"}, run + "/rexwrap", "/h/.cache/rexwrap"},
		{"run dir of another", []string{"XDG_RUNTIME_DIR=" + shared, "HOME=/h"}, fallback, "/h/.cache/rexwrap"},
		{"no run dir there", []string{"XDG_RUNTIME_DIR=/nonexistent", "HOME=/h"}, fallback, "/h/.cache/rexwrap"},
		{"XDG cache", []string{"XDG_CACHE_HOME=/x", "HOME=/h"}, fallback, "/x/rexwrap"},
		{"relative XDG cache", []string{"XDG_CACHE_HOME=x", "HOME=/h"}, fallback, "/h/.cache/rexwrap"},
		{"own cache", []string{"REXWRAP_CACHE_DIR=/c/", "XDG_CACHE_HOME=/x"}, fallback, "/c"},
		{"own relative cache", []string{"REXWRAP_CACHE_DIR=c", "HOME=/h"}, fallback, "/wd/c"},
		{"nothing", nil, fallback, fallback + "/cache"},
		{"relative home", []string{"HOME=h"}, fallback, fallback + "/cache"},
	} {
		p := Locate(env(tt.env...), View{UID: uid, Dir: "/wd"})
		if p.Dir != tt.dir || p.CacheDir != tt.cacheDir || !strings.HasPrefix(p.Socket, tt.dir+"/") {
			t.Errorf("%s: %+v, want %s and %s", tt.name, p, tt.dir, tt.cacheDir)
		}
	}
}

// Root makes no cache in the home directory that sudo has left in the environment.
func TestLocateAsRoot(t *testing.T) {
	theirs := t.TempDir()
	if os.Geteuid() == 0 {
		if err := os.Chown(theirs, 65534, 65534); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		home string
		uid  int
		want string
	}{
		{"/usr", 0, "/usr/.cache/rexwrap"},
		{theirs, 0, fallbackDir(0) + "/cache"},
		{theirs, 12345, theirs + "/.cache/rexwrap"},
		{theirs + "/missing", 0, theirs + "/missing/.cache/rexwrap"},
	} {
		env := func(name string) string { return map[string]string{"HOME": test.home}[name] }
		if dir := Locate(env, View{UID: test.uid}).CacheDir; dir != test.want {
			t.Errorf("user %d with HOME=%s: %s, want %s", test.uid, test.home, dir, test.want)
		}
	}
}

func TestLocateSocket(t *testing.T) {
	p := Locate(env("REXWRAP_SOCKET=s", "HOME=/h"), View{Dir: "/wd"})
	if p.Socket != "/wd/s" || p.Dir != "" {
		t.Errorf("relative socket: %+v", p)
	}
	long := "/" + strings.Repeat("x", maxSocketPath-1)
	if p := Locate(env("REXWRAP_SOCKET="+long), View{}); p.Socket != long {
		t.Errorf("a path that just fits became %s", p.Socket)
	}
	p = Locate(env("REXWRAP_SOCKET="+long+"x"), View{UID: 7})
	q := Locate(env("REXWRAP_SOCKET="+long+"y"), View{UID: 7})
	if len(p.Socket) > maxSocketPath || p.Dir != "/tmp/rexwrap-7" || p.Socket == q.Socket {
		t.Errorf("paths that are too long: %+v, %+v", p, q)
	}
}

// TestViews checks that each part of the view makes another place.
func TestViews(t *testing.T) {
	seen := map[string]string{}
	for name, place := range map[string]Place{
		"base":      Locate(env("HOME=/h"), View{UID: 1, GID: 2, Namespace: "mnt:[3]"}),
		"gid":       Locate(env("HOME=/h"), View{UID: 1, GID: 3, Namespace: "mnt:[3]"}),
		"swapped":   Locate(env("HOME=/h"), View{UID: 2, GID: 1, Namespace: "mnt:[3]"}),
		"namespace": Locate(env("HOME=/h"), View{UID: 1, GID: 2, Namespace: "mnt:[4]"}),
		"cache dir": Locate(env("HOME=/h", "REXWRAP_CACHE_DIR=/c"), View{UID: 1, GID: 2, Namespace: "mnt:[3]"}),
		"moved":     Locate(env("HOME=/h", "REXWRAP_CACHE_DIR=/h/.cache"), View{UID: 1, GID: 2, Namespace: "mnt:[3]"}),
	} {
		if other, ok := seen[place.Socket]; ok {
			t.Errorf("%s and %s meet at %s", name, other, place.Socket)
		}
		seen[place.Socket] = name
	}
}

func TestStalled(t *testing.T) {
	p := Place{Socket: t.TempDir() + "/s"}
	if err := p.ClearStalled(); err != nil {
		t.Errorf("ClearStalled of nothing: %v", err)
	}
	if err := p.MarkStalled(); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(p.Socket + ".stalled")
	if err != nil {
		t.Fatal(err)
	}
	marked := info.ModTime().UnixNano()
	for after, want := range map[int64]bool{0: true, 9_999: true, 10_000: false, -1: false} {
		if got := p.Stalled(marked+after*1e6, 10_000); got != want {
			t.Errorf("%d ms after: %v", after, got)
		}
	}
	if err := p.ClearStalled(); err != nil || p.Stalled(marked, 10_000) {
		t.Errorf("ClearStalled: %v, still marked: %v", err, p.Stalled(marked, 10_000))
	}
}

func TestMakeDir(t *testing.T) {
	dir := t.TempDir()
	p := Place{Dir: dir + "/rexwrap"}
	for range 2 {
		if err := p.MakeDir(); err != nil {
			t.Fatal(err)
		}
	}
	if info, err := os.Stat(p.Dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("made %v, %v", info, err)
	}
	if err := os.Symlink(p.Dir, dir+"/link"); err != nil {
		t.Fatal(err)
	}
	if err := (Place{Dir: dir + "/link"}).MakeDir(); err != ErrUnsafe {
		t.Errorf("symbolic link: %v, want ErrUnsafe", err)
	}
	if err := os.Chmod(p.Dir, 0o750); err != nil {
		t.Fatal(err)
	}
	if err := p.MakeDir(); err != ErrUnsafe {
		t.Errorf("open to a group: %v, want ErrUnsafe", err)
	}
	if _, err := (Place{Dir: p.Dir, Socket: p.Dir + "/s"}).Dial(1000); err != ErrUnsafe {
		t.Errorf("dial there: %v, want ErrUnsafe", err)
	}
}
