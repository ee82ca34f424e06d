//go:build unix

package client

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// script makes a program of the shell's; the tests that need it do not run
// where there is none.
func script(t *testing.T, body string) (path, log string) {
	t.Helper()
	dir := t.TempDir()
	path, log = filepath.Join(dir, "helper"), filepath.Join(dir, "log")
	text := "#!/bin/sh\necho \"$1 $(cat)\" >>'" + log + "'\n" + body + "\n"
	if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	return path, log
}

func lines(t *testing.T, path string) []string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(data)), "\n")
}

func TestHelperIsKept(t *testing.T) {
	path, log := script(t, `echo '{"headers":{"Authorization":["Bearer secret"]},"expires":"2100-01-01T00:00:00Z"}'`)
	h := NewHelper(path)
	for range 3 {
		headers, err := h.GetRequestMetadata(t.Context(), "https://host/Service")
		if err != nil || headers["authorization"] != "Bearer secret" {
			t.Fatalf("headers of %d names, %v", len(headers), err)
		}
	}
	if got := lines(t, log); len(got) != 1 || got[0] != `get {"uri":"https://host/Service"}` {
		t.Errorf("it was asked %q", got)
	}
	for _, began := range []time.Time{time.Now(), h.fetched, h.fetched} { // the others met the same refusal
		h.forget(began)
		if _, err := h.GetRequestMetadata(t.Context(), "https://host/Service"); err != nil {
			t.Fatal(err)
		}
	}
	if got := lines(t, log); len(got) != 2 {
		t.Errorf("after forget it was asked %d times in all", len(got))
	}
}

func TestNobodyMustWaitForAHelper(t *testing.T) {
	path, _ := script(t, `sleep 60`)
	h := NewHelper(path)
	running, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := h.GetRequestMetadata(running, "u")
		done <- err
	}()
	for len(h.running) == 0 {
		runtime.Gosched()
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.GetRequestMetadata(ctx, "u"); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	stop()
	if err := <-done; err == nil {
		t.Error("a helper that was stopped gave headers")
	}
}

func TestHelperExpires(t *testing.T) {
	soon := time.Now().Add(helperEarly / 2).UTC().Format(time.RFC3339)
	path, log := script(t, `echo '{"headers":{},"expires":"`+soon+`"}'`)
	h := NewHelper(path)
	for range 2 {
		if _, err := h.GetRequestMetadata(t.Context(), "u"); err != nil {
			t.Fatal(err)
		}
	}
	if got := lines(t, log); len(got) != 2 {
		t.Errorf("expiring credentials were asked for %d times, want 2", len(got))
	}
}

func TestHelperFailsOnceAndQuietly(t *testing.T) {
	for name, body := range map[string]string{
		"exit":       `echo secret >&2; echo secret; exit 3`,
		"no JSON":    `echo secret`,
		"wrong type": `echo '{"headers":"secret"}'`,
		"wrong time": `echo '{"headers":{},"expires":"secret"}'`,
	} {
		t.Run(name, func(t *testing.T) {
			path, log := script(t, body)
			h := NewHelper(path)
			for range 3 {
				if _, err := h.GetRequestMetadata(t.Context(), "u"); err == nil || strings.Contains(err.Error(), "secret") {
					t.Errorf("error %v", err)
				}
			}
			if got := lines(t, log); len(got) != 1 {
				t.Errorf("it was run %d times", len(got))
			}
		})
	}
}
