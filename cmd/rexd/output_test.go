package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rexwrap/rexwrap/localserver/admin"
	"github.com/rexwrap/rexwrap/localserver/journal"
)

func someStats() *journal.Stats {
	return &journal.Stats{
		SchemaVersion: 1, Calls: 1300, HitsLocal: 980, HitsRemote: 15, Merged: 5, Misses: 230, ExecutedLocal: 200,
		ExecutedRemote: 30, SteppedAside: 60, FellBack: 7, Errors: 3, BytesStored: 3 << 30,
		Reasons:     map[string]int64{"link": 40, "preprocess": 20, "unavailable": 7, "config": 3},
		NotStored:   map[string]int64{"failed": 2, "modified-during-compile": 1},
		TimeAvoided: 5025, TimeSpent: 731.5,
		MissCauses: []journal.CauseCount{
			{Cause: journal.CauseInputs, Count: 120, Seconds: 421.2},
			{Cause: journal.CauseFirst, Count: 100, Seconds: 35.24},
			{Cause: journal.CauseEnvironment, Count: 10, Seconds: 0.31},
		},
		VerifyRuns: 12, VerifyDifferences: 1, Dropped: 4, CacheSize: 3 << 30, CacheLimit: 10 << 30, Entries: 1234,
		Warnings: []string{"/src/.rexwrap.toml: remote ignored; read the file, then: rexwrap config trust /src"},
	}
}

func TestStatsOutput(t *testing.T) {
	b := newBench(t, &fake{stats: someStats()})
	if code := b.try(t, "stats"); code != 0 {
		t.Fatalf("exit code %d, %s", code, &b.err)
	}
	text := b.out.String()
	_, table, _ := strings.Cut(text, "\n") // a warning is as long as its paths
	golden(t, "stats.golden", table)
	if !strings.HasPrefix(text, "warning: /src/.rexwrap.toml") {
		t.Errorf("the warning does not come first:\n%s", text)
	}
	b = newBench(t, &fake{stats: &journal.Stats{}})
	b.try(t, "stats")
	golden(t, "stats_empty.golden", b.out.String())
}

func TestStatsHeadWithSettings(t *testing.T) {
	b := newBench(t, &fake{stats: someStats()})
	b.env = b.env.With("REXWRAP_VERIFY=much", "REXWRAP_VERIFI=1")
	b.try(t, "stats")
	want := "warning: REXWRAP_VERIFY: must be a percentage from 0% to 100%\n" +
		"warning: /src/.rexwrap.toml: remote ignored; read the file, then: rexwrap config trust /src\n" +
		"warning: REXWRAP_VERIFI means nothing; did you mean REXWRAP_VERIFY?\nCompiles:"
	if !strings.HasPrefix(b.out.String(), want) {
		t.Errorf("stats begin with\n%s", &b.out)
	}
}

// TestStatsJSON holds the keys that programs read.
func TestStatsJSON(t *testing.T) {
	b := newBench(t, &fake{stats: someStats()})
	b.try(t, "stats", "--json")
	var got map[string]any
	if err := json.Unmarshal(b.out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{
		"schema_version", "calls", "hits_local", "hits_remote", "merged", "misses", "executed_local", "executed_remote",
		"stepped_aside", "fell_back", "errors", "bytes_stored", "reasons", "time_avoided_seconds", "cache_size", "cache_limit",
		"miss_causes",
	} {
		if _, ok := got[key]; !ok {
			t.Errorf("no key %s in %s", key, &b.out)
		}
	}
}

func entry() *journal.Entry {
	return &journal.Entry{
		ID: 1042, Time: "2026-03-01T10:20:30.456Z", Outcome: journal.ExecutedLocal, Cause: "input-changed",
		Family: "gcc", Language: "c++", Compiler: "/usr/bin/g++", Dir: "/home/u/src/build", Source: "../lib/x.cc",
		Output: "/home/u/src/build/x.o", Action: strings.Repeat("ab", 32) + "/142",
		Steps: map[string]int64{"total": 153210, "run": 150000, "capture": 2100, "parse": 100, "manifest": 900},
		Spent: 0.15, MaxRSS: 80 << 20,
	}
}

func TestExplainOutput(t *testing.T) {
	hash := strings.Repeat("0123456789abcdef", 4)
	x := &journal.Explanation{
		Record:  entry(),
		Earlier: &journal.Entry{ID: 977, Outcome: journal.HitLocal, Time: "2026-03-01T09:00:00.000Z"},
		Summary: "miss: other input files since r977 (2)", Cause: "input-changed",
		Changes: []journal.Change{
			{Kind: journal.ChangeProgram, Name: "/usr/bin/as", Old: hash + "/10", New: hash + "/12"},
			{Kind: journal.ChangeCompiler, Name: "/usr/bin/g++-13", Old: "/usr/bin/g++", New: "/usr/bin/g++-13"},
			{Kind: journal.ChangeArg, Name: "-O3", Old: "-O2", New: "-O3"},
			{Kind: journal.ChangeArgAdded, Name: "-g", New: "-g"},
			{Kind: journal.ChangeArgRemoved, Name: "-DNDEBUG", Old: "-DNDEBUG"},
			{Kind: journal.ChangeArgOrder, Name: "-Ib", Old: "-Ia", New: "-Ib"},
			{Kind: journal.ChangeVariable, Name: "CPATH"},
			{Kind: journal.ChangeVariableSet, Name: "LANG"},
			{Kind: journal.ChangeVariableUnset, Name: "GCC_EXEC_PREFIX"},
			{Kind: journal.ChangeDirectory, Name: "/b", Old: "", New: "/b"},
			{Kind: journal.ChangeSource, Name: "../lib/x.cc", Old: hash + "/7", New: hash + "/8"},
			{Kind: journal.ChangeInput, Name: "../include/common.h", Old: hash + "/100", New: hash + "/101"},
			{Kind: journal.ChangeInputAppeared, Name: "../lib/common.h", New: hash + "/100"},
			{Kind: journal.ChangeInputAdded, Name: "../lib/more.h", New: hash + "/100"},
			{Kind: journal.ChangeInputRemoved, Name: "../lib/less.h", Old: hash + "/100"},
			{Kind: journal.ChangeInputsNotKnown, Name: "../lib/x.cc"},
		},
		Hint:  "failures are not kept",
		Notes: []string{"the list of files that one of the two compiles read is no longer kept, which is sad"},
	}
	b := newBench(t, &fake{explain: x})
	if code := b.try(t, "explain", "x.o"); code != 0 {
		t.Fatalf("exit code %d, %s", code, &b.err)
	}
	golden(t, "explain.golden", strings.ReplaceAll(b.out.String(), x.Record.Action, "DIGEST"))
	var got journal.Explanation
	b.try(t, "explain", "--json", "x.o")
	if err := json.Unmarshal(b.out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(x, &got); diff != "" {
		t.Errorf("JSON (-want +got):\n%s", diff)
	}
}

func TestExplainAsksForItsTarget(t *testing.T) {
	f := &fake{explain: &journal.Explanation{Record: &journal.Entry{ID: 1}}, build: &journal.BuildReport{}}
	b := newBench(t, f)
	for _, tt := range []struct {
		args string
		want any
	}{
		{"explain x.o", &admin.ExplainRequest{Target: "x.o", Dir: b.dir}},
		{"explain --last", &admin.ExplainRequest{Dir: b.dir}},
		{"explain", &admin.ExplainRequest{Dir: b.dir}},
		{"explain --build", &admin.ExplainBuildRequest{}},
		{"explain --build b12", &admin.ExplainBuildRequest{Build: "b12"}},
		{"explain b12 --build", &admin.ExplainBuildRequest{Build: "b12"}},
	} {
		if code := b.try(t, strings.Fields(tt.args)...); code != 0 {
			t.Errorf("%s: exit code %d, %s", tt.args, code, &b.err)
		}
		if diff := cmp.Diff(tt.want, f.request); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.args, diff)
		}
	}
}

func someBuild() *journal.BuildReport {
	long := "/home/somebody/with/a/long/path/to/the/sources/of/a/project/build/CMakeFiles/x.dir/main.cc.o"
	return &journal.BuildReport{
		Build: "b01234567", First: 10, Last: 140, Calls: 130, Hits: 100, Misses: 23, SteppedAside: 6, FellBack: 1,
		TimeAvoided: 83.4, TimeSpent: 44.5, Reasons: map[string]int64{"link": 5, "preprocess": 1, "unavailable": 1},
		Groups: []journal.MissGroup{
			{Cause: "input-changed", Culprit: "include/common.h", Count: 12, Seconds: 30.25, Examples: []string{long, "/b/y.o", "/b/z.o"}},
			{Cause: "compiler-changed", Culprit: long, Count: 10, Seconds: 12.1, Examples: []string{"/b/a.o"}},
			{Cause: "first-compile", Count: 1, Seconds: 2.15, Examples: []string{"/b/new.o"}},
		},
	}
}

func TestBuildOutput(t *testing.T) {
	b := newBench(t, &fake{build: someBuild()})
	if code := b.try(t, "explain", "--build"); code != 0 {
		t.Fatalf("exit code %d, %s", code, &b.err)
	}
	golden(t, "build.golden", b.out.String())
}

func TestSummaryLines(t *testing.T) {
	tests := []struct {
		b    *journal.BuildReport
		want []string
	}{
		{someBuild(), []string{
			"123 compiles: 100 hits (81 %), 23 misses, 6 stepped aside, 1 fell back",
			"misses: 12 input changed, 10 compiler changed, 1 first compile (common.h)",
			"1 min 23 s of compiling avoided; see rexwrap explain --build b01234567",
		}},
		{&journal.BuildReport{Build: "b1", Hits: 1, TimeAvoided: 0.5}, []string{
			"1 compile: 1 hit (100 %), 0 misses", "no misses",
			"0.50 s of compiling avoided; see rexwrap explain --build b1",
		}},
		{&journal.BuildReport{Build: "b1", SteppedAside: 2, Errors: 1}, []string{
			"0 compiles: 0 hits, 0 misses, 2 stepped aside, 1 failed", "no misses",
			"0.00 s of compiling avoided; see rexwrap explain --build b1",
		}},
	}
	for _, tt := range tests {
		got := summaryLines(tt.b)
		narrow(t, "summary", "rexwrap: "+got[2])
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

func TestLogOutput(t *testing.T) {
	long := entry()
	long.Output = "/home/somebody/with/a/long/path/to/the/sources/of/a/project/build/x.o"
	inside := entry()
	inside.Output, inside.Outcome, inside.Cause = "/src/a/b.o", journal.HitLocal, ""
	aside := &journal.Entry{
		ID: 7, Time: "2026-03-01T10:20:31.000Z", Outcome: journal.SteppedAside, Reason: "unknown-option",
		Arg: "-fsome-vendor-option-that-is-long", Compiler: "/usr/bin/gcc", Source: "a.c",
	}
	link := &journal.Entry{ID: 8, Time: "2026-03-01T10:20:31.000Z", Outcome: journal.SteppedAside, Reason: "link", Compiler: "/usr/bin/gcc"}
	b := newBench(t, nil)
	for _, e := range []*journal.Entry{long, inside, aside, link} {
		b.stdout.logLine(e, "/src", time.UTC)
	}
	golden(t, "log.golden", b.out.String())
}

func TestLogJSON(t *testing.T) {
	b := newBench(t, &fake{entries: []*journal.Entry{entry(), entry()}})
	if code := b.try(t, "log", "-n", "5", "--json"); code != 0 {
		t.Fatalf("exit code %d, %s", code, &b.err)
	}
	lines := strings.Split(strings.TrimSpace(b.out.String()), "\n")
	var got journal.Entry
	if len(lines) != 2 || json.Unmarshal([]byte(lines[1]), &got) != nil || got.ID != 1042 {
		t.Errorf("%d lines: %s", len(lines), &b.out)
	}
}

func TestStatusOutput(t *testing.T) {
	s := &admin.Status{
		PID: 4711, Version: "v1.2.3", Uptime: 3725, RSS: 45 << 20, CacheDir: "/home/u/.cache/rexwrap", CacheSize: 3 << 30,
		CacheLimit: 10 << 30, Socket: "/run/user/1000/rexwrap/0123456789abcdef", Running: 3, IdleExit: 3600, CacheUsable: true,
		CacheProblem: "index was damaged and begun anew", Warnings: []string{"a warning"},
	}
	b := newBench(t, &fake{status: s})
	b.try(t, "server", "status")
	golden(t, "status.golden", b.out.String())
	b.try(t, "server", "status", "--json")
	var got map[string]any
	if err := json.Unmarshal(b.out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"pid", "version", "uptime", "rss", "cache_dir"} {
		if _, ok := got[key]; !ok {
			t.Errorf("no key %s in %s", key, &b.out)
		}
	}
}

func TestCacheOutput(t *testing.T) {
	f := &fake{verified: &admin.CacheVerified{Checked: 5678, Corrupt: 2, Bytes: 3 << 30}}
	b := newBench(t, f)
	for _, tt := range []struct{ args, want string }{
		{"cache clear", "removed 1 result, 1 MiB\n"},
		{"cache evict --older-than 14d", "removed 20 results, 5 GiB\n"},
		{"cache verify", "5678 files checked, 3 GiB, 2 corrupt and dropped\n"},
		{"cache clear --json", "{\n  \"entries\": 1,\n  \"bytes\": 1048576\n}\n"},
	} {
		if code := b.try(t, strings.Fields(tt.args)...); code != 0 || b.out.String() != tt.want {
			t.Errorf("%s: exit code %d, stdout %q, want %q", tt.args, code, &b.out, tt.want)
		}
	}
	b.try(t, "cache", "size")
	golden(t, "cache_size.golden", b.out.String())
	b.try(t, "cache", "evict", "--to", "2GiB")
	if req := f.request.(*admin.EvictRequest); req.ToBytes == nil || *req.ToBytes != 2<<30 {
		t.Errorf("evict request %+v", req)
	}
}

func TestActionOutput(t *testing.T) {
	hash := strings.Repeat("0123456789abcdef", 4)
	r := &admin.ActionReply{
		Digest: hash + "/142", Arguments: []string{"gcc", "-c", "-DX=a b", "it's.c", ""},
		Environment: map[string]string{"LC_ALL": "C"}, WorkingDir: "build", InputRoot: hash + "/80", OutputPaths: []string{"x.o"},
		Result: &admin.ActionResult{Outputs: []admin.OutputFile{{Path: "x.o", Digest: hash + "/1000"}}, Seconds: 1.5, Worker: "w1"},
	}
	f := &fake{action: r, explain: &journal.Explanation{Record: &journal.Entry{ID: 3, Action: hash + "/1"}}}
	b := newBench(t, f)
	b.try(t, "action", hash+"/142")
	golden(t, "action.golden", strings.ReplaceAll(b.out.String(), hash, "HASH"))
	r.Result = nil
	b.try(t, "action", "x")
	if !strings.Contains(b.out.String(), "no result is in the cache") {
		t.Errorf("stdout %q", &b.out)
	}
	if req := f.request.(*admin.ActionRequest); req.Digest != hash+"/1" {
		t.Errorf("asked for %s", req.Digest)
	}
	f.explain.Record.Action = ""
	if code := b.try(t, "action", "r3"); code != exitNotFound {
		t.Errorf("exit code %d for a record without an Action", code)
	}
}

func TestHeadersOutput(t *testing.T) {
	f := &fake{headers: &journal.HeaderReport{Compiles: 7, Headers: []journal.Header{
		{Path: "/p/include/all.h", Compiles: 7, Seconds: 12.34}, {Path: "/p/include/one.h", Compiles: 1, Seconds: 0.5},
	}}}
	b := newBench(t, f)
	b.try(t, "scan", "--headers", "include")
	if want := "     12.3 s      7  /p/include/all.h\n      0.5 s      1  /p/include/one.h\n"; b.out.String() != want {
		t.Errorf("stdout %q, want %q", &b.out, want)
	}
	if req := f.request.(*admin.HeadersRequest); req.Dir != b.dir+"/include" {
		t.Errorf("request %+v", req)
	}
	b.try(t, "scan", "--json", "--headers")
	var got journal.HeaderReport
	if err := json.Unmarshal(b.out.Bytes(), &got); err != nil || !cmp.Equal(f.headers, &got) || *f.request.(*admin.HeadersRequest) != (admin.HeadersRequest{}) {
		t.Errorf("JSON %s, %v, request %+v", &b.out, err, f.request)
	}
}

func TestScanOutput(t *testing.T) {
	f := &fake{scan: &admin.ScanReply{
		Scanner: "cpp", Files: []admin.ScannedFile{{Path: "a.c"}, {Path: "x y.h"}}, Absent: []string{"z.h"}, Fallbacks: []string{"macro-include"},
	}}
	b := newBench(t, f)
	b.try(t, "scan", "--", "sh", "-c", "a.c")
	if b.out.String() != "a.c\nx y.h\n" || b.err.String() != "rexwrap: scan: the compiler was asked, as macro-include\n" {
		t.Errorf("stdout %q, stderr %q", &b.out, &b.err)
	}
	req := f.request.(*admin.CallRequest)
	if len(req.Argv) != 3 || !strings.HasPrefix(req.Argv[0], "/") || req.Dir != b.dir {
		t.Errorf("request %+v", req)
	}
	b.try(t, "scan", "--json", "--", "sh", "-c", "a.c")
	var got admin.ScanReply
	if err := json.Unmarshal(b.out.Bytes(), &got); err != nil || !cmp.Equal(f.scan, &got) {
		t.Errorf("JSON %s, %v", &b.out, err)
	}
}

func TestUnits(t *testing.T) {
	for in, want := range map[float64]string{
		0: "0.00 s", 0.454: "0.45 s", 1: "1.0 s", 59.94: "59.9 s", 59.96: "1 min 0 s", 125: "2 min 5 s", 11520: "3 h 12 min", 187200: "2 d 4 h",
	} {
		if got := duration(in); got != want {
			t.Errorf("duration(%v) = %s, want %s", in, got, want)
		}
	}
	for in, want := range map[int64]string{0: "0 B", 812: "812 B", 1536: "1.5 KiB", 10 << 30: "10 GiB"} {
		if got := size(in); got != want {
			t.Errorf("size(%d) = %s, want %s", in, got, want)
		}
	}
	for in, want := range map[int64]string{0: "0 misses", 1: "1 miss", 2: "2 misses"} {
		if got := plural(in, "miss"); got != want {
			t.Errorf("plural(%d) = %s, want %s", in, got, want)
		}
	}
}

func TestCutting(t *testing.T) {
	if got := cut("/a/b/c/d.o", 6); got != "…/d.o" && got != "…c/d.o" {
		t.Errorf("cut = %q", got)
	}
	if got := cutEnd("abcdef", 4); got != "abc…" {
		t.Errorf("cutEnd = %q", got)
	}
	if got := cut("äöü", 3); got != "äöü" {
		t.Errorf("cut = %q", got)
	}
	if diff := cmp.Diff([]string{"ab cd", "efghijkl", "m"}, wrap("ab cd efghijkl m", 6)); diff != "" {
		t.Errorf("wrap (-want +got):\n%s", diff)
	}
}

func TestColourOnlyOnTerminals(t *testing.T) {
	b := newBench(t, &fake{stats: someStats()})
	b.try(t, "stats")
	if strings.Contains(b.out.String(), "\x1b") {
		t.Error("colour without a terminal")
	}
	b.stdout.colour = true
	b.try(t, "stats")
	if !strings.Contains(b.out.String(), "\x1b[32m") {
		t.Error("no colour on a terminal")
	}
}

func TestProgress(t *testing.T) {
	b := newBench(t, nil)
	now := time.Unix(0, 0)
	bar := &progress{p: b.stderr, what: "verifying", started: now, now: func() time.Time { return now }}
	show := func(after time.Duration, done int64) string {
		b.err.Reset()
		now = now.Add(after)
		if err := bar.report(&admin.Progress{Done: done, Total: 200}); err != nil {
			t.Fatal(err)
		}
		return b.err.String()
	}
	if got := show(2*time.Second, 10); got != "" {
		t.Errorf("a bar without a terminal: %q", got)
	}
	b.stderr.terminal = true
	bar.started = now
	if got := show(500*time.Millisecond, 10); got != "" {
		t.Errorf("a bar in the first second: %q", got)
	}
	if got, want := show(time.Second, 100), "\rverifying [===============               ]  50%\x1b[K"; got != want {
		t.Errorf("bar %q, want %q", got, want)
	}
	if got := show(10*time.Millisecond, 101); got != "" {
		t.Errorf("drawn too often: %q", got)
	}
	b.err.Reset()
	bar.end()
	if got := b.err.String(); got != "\r\x1b[K" {
		t.Errorf("end %q", got)
	}
}

func TestSessionOutput(t *testing.T) {
	f := &fake{sessions: &admin.SessionList{
		Sessions: []admin.Session{{Path: "/b/x/vc140.pdb", GUID: "00", Age: 3, Types: 1000, Items: 200, Bytes: 3 << 20, Members: 17}},
		Objects:  map[string]int64{"merged": 16, "unknown-record": 1},
	}}
	b := newBench(t, f)
	if code := b.try(t, "session", "list"); code != 0 {
		t.Fatalf("exit code %d, %s", code, &b.err)
	}
	for _, want := range []string{"/b/x/vc140.pdb", "3 MiB, 1200 types and items, age 3, 17 compiles", "merged:", "unknown record:"} {
		if !strings.Contains(b.out.String(), want) {
			t.Errorf("no %q in\n%s", want, b.out.String())
		}
	}
	if code := b.try(t, "session", "seal", "x", "/b/y"); code != 0 || !strings.Contains(b.out.String(), "2 databases closed") {
		t.Errorf("exit code %d, %s%s", code, &b.out, &b.err)
	}
	if diff := cmp.Diff(&admin.SealRequest{Paths: []string{filepath.Join(b.dir, "x"), "/b/y"}}, f.request); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if code := b.try(t, "session", "verify", "none.pdb"); code != exitNotFound {
		t.Errorf("exit code %d, %s", code, &b.err)
	}
}
