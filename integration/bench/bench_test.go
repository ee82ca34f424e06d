//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rexwrap/rexwrap/integration/rig"
)

// All rows are there with figures that can be true; how fast anything is, no
// test can say on a machine that others use.
func TestRows(t *testing.T) {
	for _, program := range []string{"gcc", "g++", "make", cargo} {
		if _, err := exec.LookPath(program); err != nil && os.Getenv("REXWRAP_TEST_ALL_TOOLS") == "" {
			t.Skip(err)
		}
	}
	if err := rig.TrackSources("../.."); err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	if err := rig.Build("../..", bin); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", t.TempDir())
	var out bytes.Buffer
	o := options{bin: bin, sources: t.TempDir(), project: "sample", workspace: "../rust/testdata/workspace.txtar", json: true, counts: chooseCounts(true, false)}
	names := []string{
		"thin binary start", "stepping aside (a link)", "stepping aside (server asked)", "hit, small C (", "hit, small C, -MD",
		"hit, C++", "hit, heavy", "hits at -j8", "first build", "server's memory after a sample", "server's memory, idle", "server's memory after 4 units",
	}
	if o.only = "start,hits,tail,build,memory"; rig.Long() {
		o.only = ""
		names = append(names, "cold cargo build", "warm cargo build", "hit, rustc")
	}
	if err := run(t.Context(), o, &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	var rows []Row
	if err := json.Unmarshal(out.Bytes(), &rows); err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if !slices.ContainsFunc(rows, func(r Row) bool { return strings.HasPrefix(r.Name, name) }) {
			t.Errorf("no row %q", name)
		}
	}
	for _, r := range rows {
		checkRow(t, r)
	}
	left, err := os.ReadDir(os.Getenv("TMPDIR"))
	if err != nil {
		t.Fatal(err)
	}
	if left = slices.DeleteFunc(left, func(e os.DirEntry) bool { return strings.HasPrefix(e.Name(), "go-build") }); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func checkRow(t *testing.T, r Row) {
	t.Helper()
	const difference = ", over a stub" // of two builds that take as long, as far as a quick run can tell
	if r.Ours.Runs == 0 || r.Ours.Wall <= 0 && !strings.HasSuffix(r.Name, difference) || r.Base != nil && (r.Base.Wall <= 0 || r.Base.CPU <= 0) {
		t.Errorf("%s: %+v, base %+v", r.Name, r.Ours, r.Base)
	}
	for _, v := range r.Verdicts {
		if v.OK != (v.Target == 0 || v.Value <= v.Target) {
			t.Errorf("%s: %v", r.Name, v)
		}
	}
}

func TestQuantile(t *testing.T) {
	var d []time.Duration
	for i := range 200 {
		d = append(d, time.Duration(200-i)*time.Millisecond)
	}
	if median, p99 := quantile(d, 0.5), quantile(d, 0.99); median != 101 || p99 != 199 {
		t.Errorf("median %v, p99 %v, want 101 and 199", median, p99)
	}
}

func TestTable(t *testing.T) {
	rows := []Row{
		ratio("hit", "ccache", Figures{Wall: 1, CPU: 2}, Figures{Wall: 2, CPU: 2}, 0.6),
		difference("start", "empty", Figures{Wall: 1, CPU: 1}, Figures{Wall: 1.5, CPU: 0.5}, 0.3),
	}
	var out strings.Builder
	if err := printTable(&out, rows, "quiet"); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"cpu ×1.00 > 0.6 MISS; wall ×0.50 ≤ 0.6 ok", "cpu +0.50 > 0.3 MISS; wall -0.50 ≤ 0.3 ok", "quiet"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, &out)
		}
	}
}
