//go:build unix

package checkup_test

import (
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/rexwrap/rexwrap/client"
	"github.com/rexwrap/rexwrap/client/checkup"
	"github.com/rexwrap/rexwrap/client/clienttest"
)

// examine returns the findings about s by name.
func examine(t *testing.T, s *clienttest.Server, change func(*checkup.Remote)) map[string]checkup.Finding {
	t.Helper()
	conn := s.Dial(t, client.Options{Tries: 1})
	r := checkup.Remote{CAS: conn, ActionCache: conn, Execution: conn, Now: time.Now}
	if change != nil {
		change(&r)
	}
	found := make(map[string]checkup.Finding)
	checkup.Examine(t.Context(), r, func(f checkup.Finding) { found[f.Name] = f })
	return found
}

func wantAll(t *testing.T, found map[string]checkup.Finding, status checkup.Status, names ...string) {
	t.Helper()
	for _, name := range names {
		f, ok := found[name]
		if !ok || f.Status != status {
			t.Errorf("%s: %q (%s), want %s", name, f.Text, f.Status, status)
		}
		if f.Status != checkup.OK && f.Advice == "" {
			t.Errorf("%s: no advice for %q", name, f.Text)
		}
	}
}

func TestSound(t *testing.T) {
	found := examine(t, clienttest.New(t, clienttest.Options{Quirks: clienttest.Quirks{Zstd: true}}), nil)
	wantAll(t, found, checkup.OK, "remote", "capabilities", "latency", "blobs", "action cache", "execution", "clock")
	if len(found) != checkup.Steps {
		t.Errorf("%d findings", len(found))
	}
	if text := found["capabilities"].Text; !strings.Contains(text, "SHA256") || !strings.Contains(text, "zstd") {
		t.Errorf("capabilities: %q", text)
	}
}

func TestCacheOnly(t *testing.T) {
	s := clienttest.New(t, clienttest.Options{Quirks: clienttest.Quirks{NoExecution: true}})
	found := examine(t, s, nil)
	wantAll(t, found, checkup.OK, "remote", "blobs", "action cache", "execution")
	if !strings.Contains(found["execution"].Text, "cache") {
		t.Errorf("execution: %q", found["execution"].Text)
	}
	if n := s.Calls("Execute"); n != 0 {
		t.Errorf("%d Actions were sent to a cache", n)
	}
}

func TestReadOnlySetting(t *testing.T) {
	s := clienttest.New(t, clienttest.Options{})
	found := examine(t, s, func(r *checkup.Remote) { r.ReadOnly, r.Execution = true, nil })
	wantAll(t, found, checkup.OK, "remote", "blobs", "action cache")
	for _, method := range []string{"BatchUpdateBlobs", "Write", "UpdateActionResult"} {
		if n := s.Calls(method); n != 0 {
			t.Errorf("%s was called %d times", method, n)
		}
	}
}

func TestReadOnlyServer(t *testing.T) {
	found := examine(t, clienttest.New(t, clienttest.Options{Quirks: clienttest.Quirks{ReadOnly: true}}), nil)
	wantAll(t, found, checkup.Warning, "action cache")
	wantAll(t, found, checkup.OK, "execution")
}

func TestStranger(t *testing.T) {
	s := clienttest.New(t, clienttest.Options{Authorization: "Bearer right"})
	found := examine(t, s, nil)
	wantAll(t, found, checkup.Failed, "remote")
	if _, ok := found["blobs"]; ok {
		t.Error("went on after a refusal")
	}
}

func TestExpired(t *testing.T) {
	s := clienttest.New(t, clienttest.Options{TLS: true, Expired: true})
	found := examine(t, s, nil)
	wantAll(t, found, checkup.Failed, "remote")
	if text := found["remote"].Text; !strings.Contains(text, "expired") {
		t.Errorf("text does not name the cause: %q", text)
	}
}

func TestFaults(t *testing.T) {
	for name, c := range map[string]struct{ method, finding string }{
		"find":  {"FindMissingBlobs", "latency"},
		"up":    {"BatchUpdateBlobs", "blobs"},
		"down":  {"BatchReadBlobs", "blobs"},
		"get":   {"GetActionResult", "action cache"},
		"put":   {"UpdateActionResult", "action cache"},
		"execs": {"Execute", "execution"},
	} {
		t.Run(name, func(t *testing.T) {
			s := clienttest.New(t, clienttest.Options{})
			s.Fault(&clienttest.Fault{Method: c.method, Code: codes.Internal})
			wantAll(t, examine(t, s, nil), checkup.Failed, c.finding)
		})
	}
}

func TestClock(t *testing.T) {
	found := examine(t, clienttest.New(t, clienttest.Options{}), func(r *checkup.Remote) {
		r.Now = func() time.Time { return time.Now().Add(time.Hour) }
	})
	wantAll(t, found, checkup.Warning, "clock")
}
