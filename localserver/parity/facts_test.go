package parity

import (
	"encoding/hex"
	"errors"
	"fmt"
	"os/exec"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/rexwrap/rexwrap/client/digest"
)

// stamped is a fact about f, and what a report says of it.
func stamped(f File, stamp string, at time.Time) *facts {
	out := newFacts()
	out.files[f.Path] = fileFact{sum: hex.EncodeToString(f.Digest.Hash[:]), stamp: stamp, at: at}
	return out
}

func hostOf(t *testing.T, files ...File) *Host {
	t.Helper()
	h, err := NewHost(files, nil)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestExpiry(t *testing.T) {
	now := time.Now()
	f := File{"/usr/include/a.h", digest.OfString("a")}
	h := hostOf(t, f)
	w := workers{}
	w.learn("w1", stamped(f, "1 x", now))
	for _, tt := range []struct {
		after           time.Duration
		proven, accepts bool
	}{{0, true, true}, {validity, true, true}, {validity + time.Second, false, true}, {validity + grace + time.Second, false, false}} {
		at := now.Add(tt.after)
		n, err := w.lacks(h, at)
		if err != nil || n.empty() != tt.proven {
			t.Errorf("after %v: lacks %v, %v", tt.after, n, err)
		}
		if err := w.accepts(h, "w1", &report{stamps: []string{"1 x"}}, at); (err == nil) != tt.accepts {
			t.Errorf("after %v: %v", tt.after, err)
		}
	}
	if w.trim(now.Add(2 * time.Hour)); len(w) != 0 {
		t.Errorf("facts of %d workers are kept", len(w))
	}
}

// A scheduler may choose any worker of a platform.
func TestManyWorkers(t *testing.T) {
	now := time.Now()
	a, b := File{"/a.h", digest.OfString("a")}, File{"/b.h", digest.OfString("b")}
	h := hostOf(t, a, b)
	w := workers{}
	w.learn("w1", stamped(a, "1 x", now))
	w.learn("w2", stamped(b, "1 y", now))
	if n, err := w.lacks(h, now); err != nil || !n.empty() {
		t.Fatalf("lacks %v, %v", n, err)
	}
	for _, tt := range []struct {
		worker, a, b string
		want         bool
	}{
		{"w1", "1 x", "1 y", true},
		{"w2", "1 x", "1 y", true},
		{"w3", "1 x", "1 y", true}, // of the same image
		{"w3", "1 x", "1 z", false},
		{"w1", "1 z", "1 y", false},
	} {
		if err := w.accepts(h, tt.worker, &report{stamps: []string{tt.a, tt.b}}, now); (err == nil) != tt.want {
			t.Errorf("%+v: %v", tt, err)
		}
	}
	// A fact about the worker itself outweighs one about another.
	w.learn("w3", stamped(a, "1 z", now))
	if err := w.accepts(h, "w3", &report{stamps: []string{"1 x", "1 y"}}, now); err == nil {
		t.Error("w3 has changed, and is taken for w1")
	}
	w.learn("w4", stamped(File{"/a.h", digest.OfString("other")}, "1 x", now))
	var different *DifferentError
	if _, err := w.lacks(h, now); !errors.As(err, &different) || different.Worker != "w4" {
		t.Errorf("a worker that differs: %v", err)
	}
}

func TestUnspellable(t *testing.T) {
	for _, name := range []string{"a.h", "/a b.h", "/a'.h", "/$a", "/a*", "/a\n.h", "/~a", "/a;b"} {
		if _, err := NewHost([]File{{Path: name}}, nil); !errors.Is(err, ErrUnspellable) {
			t.Errorf("file %q: %v", name, err)
		}
		if _, err := NewHost(nil, []string{name}); !errors.Is(err, ErrUnspellable) {
			t.Errorf("absent %q: %v", name, err)
		}
	}
	var files []File
	for i := range 20_000 {
		files = append(files, File{Path: fmt.Sprintf("/usr/include/boost/header%d.hpp", i)})
	}
	if _, err := NewHost(files, nil); !errors.Is(err, ErrUnspellable) {
		t.Errorf("%d files: %v", len(files), err)
	}
	if h, err := NewHost(files[:3000], nil); err != nil || len(h.script) > 70_000 {
		t.Errorf("3000 files: %v", err)
	}
	if _, err := NewHost([]File{{Path: "/a", Digest: digest.OfString("1")}, {Path: "/a", Digest: digest.OfString("2")}}, nil); err == nil {
		t.Error("a file with two contents")
	}
}

// TestLine runs the line by every shell at hand: arguments, environment, status
// and streams are the compiler's own.
func TestLine(t *testing.T) {
	h, err := NewHost([]File{{Path: "/bin/sh"}, {Path: "/bin/cat"}, {Path: "/etc/passwd"}}, []string{"/nonexistent/a.h", "/etc/nonexistent.h"})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"dash", "bash", "busybox"} {
		sh, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		words := h.Arguments([]string{"/bin/sh", "-c", `printf '%s|' "$0" "$@"; echo "$PWD"; echo e >&2; cat ` + Output + `; exit 7`, "a b", "c'd", "", "$e"})
		cmd := exec.Command(sh, words[1:]...)
		if name == "busybox" {
			cmd.Args = append([]string{"sh"}, words[1:]...)
		}
		cmd.Dir = t.TempDir()
		cmd.Env = []string{"PWD=/proc/self/cwd"}
		var stderr strings.Builder
		cmd.Stderr = &stderr
		out, _ := cmd.Output()
		said, reported, _ := strings.Cut(string(out), "\n")
		if said != "a b|c'd||$e|/proc/self/cwd" || stderr.String() != "e\n" || cmd.ProcessState.ExitCode() != 7 {
			t.Errorf("%s: %q, %q, status %d", name, said, stderr.String(), cmd.ProcessState.ExitCode())
		}
		r, err := h.parse([]byte(reported))
		if err != nil || len(r.there) != 2 || !r.there[0] || r.there[1] {
			t.Errorf("%s: report %q", name, reported)
		}
	}
}

func FuzzParse(f *testing.F) {
	h, err := NewHost([]File{{Path: "/a"}, {Path: "/b"}}, []string{"/c/x", "/d/y"})
	if err != nil {
		f.Fatal(err)
	}
	f.Add("=+-\n1 a\n2 b\n3 c\n")
	f.Add("=--\n1 a\n2 b\n")
	f.Fuzz(func(t *testing.T, text string) {
		r, err := h.parse([]byte(text))
		if err != nil {
			return
		}
		stamps := r.dirStamps(h)
		if len(r.stamps) != 2+len(stamps) {
			t.Errorf("%q: %d stamps, %d directories", text, len(r.stamps), len(stamps))
		}
	})
}

// Names of a set in different orders make one Action.
func TestCanonical(t *testing.T) {
	a, b := File{"/x/a", digest.OfString("a")}, File{"/x/b", digest.OfString("b")}
	one, err := NewHost([]File{a, b, a}, []string{"/p/x", "/q/"})
	if err != nil {
		t.Fatal(err)
	}
	two, err := NewHost([]File{b, a}, []string{"/q", "/p/x", "/p/x"})
	if err != nil {
		t.Fatal(err)
	}
	if one.script != two.script {
		t.Errorf("%q and %q", one.script, two.script)
	}
	if !strings.Contains(one.script, path.Base(Output)) {
		t.Errorf("script %q", one.script)
	}
}
