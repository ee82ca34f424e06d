//go:build unix

package listen

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/rexwrap/rexwrap/wrapper/endpoint"
)

func left(t *testing.T, l *Listener) string {
	t.Helper()
	text, err := l.Left()
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestTray leaves messages before, during and after a server's life.
func TestTray(t *testing.T) {
	p := place(t)
	if err := p.MakeDir(); err != nil {
		t.Fatal(err)
	}
	if err := p.Leave([]byte("x")); err != endpoint.ErrUnsupported {
		t.Errorf("without a server: %v", err)
	}
	l := listen(t, p)
	if text := left(t, l); text != "" {
		t.Errorf("new tray holds %q", text)
	}
	for _, message := range []string{"a", "b"} {
		if err := p.Leave([]byte(message)); err != nil {
			t.Fatal(err)
		}
	}
	if text := left(t, l); text != "ab" {
		t.Errorf("left %q, want ab", text)
	}
	if text := left(t, l); text != "" {
		t.Errorf("left again: %q", text)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(p.TrayFile()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the tray is still there: %v", err)
	}
	if text := left(t, l); text != "" {
		t.Errorf("after the end: %q", text)
	}
}

// TestTrayOfDeadServer: what was left when nobody could take it is there for the
// next server, and does not grow for ever.
func TestTrayOfDeadServer(t *testing.T) {
	p := place(t)
	if err := p.MakeDir(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p.TrayFile(), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	message := bytes.Repeat([]byte{'m'}, 64<<10)
	n := 0
	for n < 1000 && p.Leave(message) == nil {
		n++
	}
	if n < 10 || n > 20 {
		t.Errorf("the tray took %d messages of 64 KiB", n)
	}
	if text := left(t, listen(t, p)); len(text) != n*len(message) {
		t.Errorf("%d bytes are left of %d", len(text), n*len(message))
	}
}

// TestStoppedWriter: a wrapper that was stopped while it was writing holds nobody up,
// and nothing is lost by it.
func TestStoppedWriter(t *testing.T) {
	p := place(t)
	l := listen(t, p)
	if err := p.Leave([]byte("before")); err != nil {
		t.Fatal(err)
	}
	stopped, err := os.OpenFile(p.TrayFile(), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Flock(int(stopped.Fd()), syscall.LOCK_SH); err != nil {
		t.Fatal(err)
	}
	if err := p.Leave([]byte(", beside")); err != nil {
		t.Fatal(err)
	}
	if text := left(t, l); text != "" {
		t.Errorf("taken from under the writer: %q", text)
	}
	if err := stopped.Close(); err != nil {
		t.Fatal(err)
	}
	if text := left(t, l); text != "before, beside" {
		t.Errorf("left %q", text)
	}
}

func TestTrayOfOthers(t *testing.T) {
	p := place(t)
	if err := p.MakeDir(); err != nil {
		t.Fatal(err)
	}
	target := p.Dir + "/target"
	if err := os.WriteFile(target, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, p.TrayFile()); err != nil {
		t.Fatal(err)
	}
	if err := p.Leave([]byte("x")); err == nil {
		t.Error("a symbolic link is followed")
	}
	if err := (endpoint.Place{Socket: p.Socket}).Leave([]byte("x")); err != endpoint.ErrUnsupported {
		t.Errorf("in a directory of others: %v", err)
	}
	if err := os.Chmod(p.Dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := p.Leave([]byte("x")); err != endpoint.ErrUnsafe {
		t.Errorf("in an open directory: %v", err)
	}
}

// TestTrayLosesNothing has wrappers write while the server empties the tray: what
// cannot be left is told to be sent.
func TestTrayLosesNothing(t *testing.T) {
	p := place(t)
	l := listen(t, p)
	const writers, each = 8, 500
	var wg sync.WaitGroup
	var mu sync.Mutex
	sent := 0
	for range writers {
		wg.Go(func() {
			for range each {
				switch err := p.Leave([]byte("message\n")); err {
				case nil:
				case endpoint.ErrUnsupported:
					mu.Lock()
					sent++
					mu.Unlock()
				default:
					t.Error(err)
				}
			}
		})
	}
	done := make(chan struct{})
	go func() {
		wg.Wait()
		close(done)
	}()
	var all strings.Builder
	for ended := false; !ended; {
		select {
		case <-done:
			ended = true
		default:
		}
		all.WriteString(left(t, l))
	}
	if got := strings.Count(all.String(), "message\n"); got+sent != writers*each || len(all.String()) != got*len("message\n") {
		t.Errorf("%d messages were found and %d were to be sent, of %d", got, sent, writers*each)
	}
}
