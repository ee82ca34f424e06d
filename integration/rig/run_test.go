//go:build linux

package rig

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"
)

func TestRun(t *testing.T) {
	run := func(script string, terminal bool) *Result {
		t.Helper()
		res, err := Command{
			Argv: []string{"sh", "-c", script}, Dir: t.TempDir(), Env: []string{"PATH=" + os.Getenv("PATH")}, Terminal: terminal,
		}.Run()
		if err != nil {
			t.Fatal(err)
		}
		return res
	}
	if r := run("echo out; echo err >&2; exit 3", false); string(r.Stdout) != "out\n" || string(r.Stderr) != "err\n" || r.Status != 3 {
		t.Errorf("got %q, %q, %s", r.Stdout, r.Stderr, r.Ended())
	}
	if r := run("kill -TERM $$", false); r.Signal != syscall.SIGTERM {
		t.Errorf("got %s, want a signal", r.Ended())
	}
	if r := run("test -t 0 && test -t 1 && test -t 2 && echo out; echo err >&2", true); string(r.Stdout) != "out\nerr\n" {
		t.Errorf("terminal: got %q, %s", r.Stdout, r.Ended())
	}
}

// A command that takes too long is killed with all that it has started.
func TestRunLimit(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Command{
		Argv: []string{"sh", "-c", "sleep 1000 >" + fifo + " & wait"}, Dir: t.TempDir(),
		Env: []string{"PATH=" + os.Getenv("PATH")}, Limit: 100 * time.Millisecond,
	}.Run()
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the deadline", err)
	}
	f, err := os.OpenFile(fifo, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if n, err := f.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("%d bytes, %v: somebody still has the other end", n, err)
	}
}

func TestEnviron(t *testing.T) {
	got := Environ{"A=1", "B=2", "AB=3"}.Set("A=9", "B", "C=4")
	if want := []string{"AB=3", "A=9", "C=4"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestStatsSub(t *testing.T) {
	a := Stats{Calls: 5, HitsLocal: 3, Reasons: map[string]int64{"link": 2, "query": 1}}
	b := Stats{Calls: 7, HitsLocal: 3, Reasons: map[string]int64{"link": 4, "query": 1}}
	d := b.Sub(a)
	if d.Calls != 2 || d.HitsLocal != 0 || len(d.Reasons) != 1 || d.Reasons["link"] != 2 {
		t.Errorf("got %+v", d)
	}
}
