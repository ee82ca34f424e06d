//go:build linux

package remote

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rexwrap/rexwrap/client/clienttest"
)

// explain says where a compile ran, how long its steps took and where the
// remote's pages show it; action shows what the worker was given.
func TestExplain(t *testing.T) {
	s := newSite(t, clienttest.Options{}, remotely, "REXWRAP_BROWSER_URL=https://pages.example/", "REXWRAP_HEADERS=x-secret=hunter2")
	dir := s.checkout("one")
	r := s.warm(s.machine(), dir)
	s.build(r, dir, compiles("-O2")[:1])
	output := filepath.Join(dir, "out/a.o")
	text, err := r.Verb("explain", "--json", output)
	if err != nil {
		t.Fatal(err)
	}
	var x struct {
		Record struct {
			Outcome, Action, Worker, Page string
			Steps                         map[string]int64 `json:"steps_us"`
		}
	}
	if err := json.Unmarshal(text, &x); err != nil {
		t.Fatal(err)
	}
	hash, _, _ := strings.Cut(x.Record.Action, "/")
	if x.Record.Outcome != "executed_remote" || x.Record.Worker == "" || !strings.Contains(x.Record.Page, "https://pages.example/blobs/sha256/action/"+hash) {
		t.Errorf("explain says %s", text)
	}
	for _, step := range []string{"lookup", "upload", "execute", "download"} {
		if x.Record.Steps[step] == 0 {
			t.Errorf("no time is known of step %s: %v", step, x.Record.Steps)
		}
	}
	action, err := r.Verb("action", output)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"../src/a.c", "include/k.h", "PWD=/proc/self/cwd", "a.o", "directory  out"} {
		if !strings.Contains(string(action), want) {
			t.Errorf("action does not show %q:\n%s", want, action)
		}
	}
	for _, shown := range []string{string(text), string(action)} {
		if strings.Contains(shown, "hunter2") {
			t.Error("a header's value is shown")
		}
	}
}
