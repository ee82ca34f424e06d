//go:build linux

package remote

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/grpc/codes"

	"github.com/rexwrap/rexwrap/client/clienttest"
	"github.com/rexwrap/rexwrap/integration/rig"
)

// A machine with an empty cache has every result from the remote, and runs no
// compiler.
func TestFreshMachine(t *testing.T) {
	for name, list := range map[string][]compile{
		"relative": compiles("-O2"), "absolute": absolute("-O2"), "debug": compiles("-g"), "absolute debug": absolute("-g"),
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, clienttest.Options{})
			dir := s.checkout("one")
			n := int64(len(list))
			if got := s.build(s.machine(), dir, list); got.Misses != n {
				t.Fatalf("the first machine: %+v", got)
			}
			fresh := s.machine()
			if got := s.build(fresh, dir, list); got.HitsRemote != n {
				t.Errorf("a fresh machine: %+v", got)
			}
			calls := s.calls("GetActionResult", "BatchReadBlobs", "GetCapabilities")
			if got := s.build(fresh, dir, list); got.HitsLocal != n {
				t.Errorf("the fresh machine again: %+v", got)
			}
			if got := calls(); len(got) > 0 {
				t.Errorf("local hits made calls: %v", got)
			}
		})
	}
}

// Another checkout has all results whose bytes do not hold their place.
func TestSecondCheckout(t *testing.T) {
	for name, test := range map[string]struct {
		list []compile
		hits int64
	}{
		"relative":       {compiles("-O2"), 4},
		"absolute":       {absolute("-O2"), 2}, // the others print or hold their paths
		"relative debug": {compiles("-g"), 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, clienttest.Options{})
			s.build(s.machine(), s.checkout("one"), test.list)
			if got := s.build(s.machine(), s.checkout("some/other"), test.list); got.HitsRemote != test.hits {
				t.Errorf("the second checkout: %+v, want %d hits", got, test.hits)
			}
		})
	}
}

// With paths = relocatable checkouts share debug information too.
func TestRelocatable(t *testing.T) {
	for name, list := range map[string][]compile{"relative": compiles("-g")[:2], "absolute": absolute("-g")[:2]} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, clienttest.Options{}, "REXWRAP_PATHS=relocatable")
			s.flags = func(dir string) []string { return []string{"-ffile-prefix-map=" + dir + "=/proc/self/cwd"} }
			s.build(s.machine(), s.checkout("one"), list)
			if got := s.build(s.machine(), s.checkout("some/other"), list); got.HitsRemote != int64(len(list)) {
				t.Errorf("%+v", got)
			}
		})
	}
}

// A call that names its outputs otherwise finds the result by the candidates
// that the first one shared.
func TestOtherOutputNames(t *testing.T) {
	s := newSite(t, clienttest.Options{})
	dir := s.checkout("one")
	list := compiles("-O2")
	s.build(s.machine(), dir, list)
	for i := range list {
		for j, arg := range list[i].argv {
			if name, ok := strings.CutPrefix(arg, list[i].output+"."); ok {
				list[i].argv[j] = "other-" + list[i].output + "." + name
			}
		}
		list[i].output = "other-" + list[i].output
	}
	if got := s.build(s.machine(), dir, list); got.HitsRemote != int64(len(list)) {
		t.Errorf("other names: %+v", got)
	}
}

// What a hit costs: the Action is asked for, then come the blobs, unless the server
// sends them along.
func TestCallsOfHits(t *testing.T) {
	for name, test := range map[string]struct {
		quirks clienttest.Quirks
		reads  int
	}{
		"plain":    {reads: 1},
		"inlining": {quirks: clienttest.Quirks{Inlines: true}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, clienttest.Options{Quirks: test.quirks})
			dir := s.checkout("one")
			list := compiles("-O2")
			s.build(s.machine(), dir, list)
			calls := s.calls("GetActionResult", "BatchReadBlobs", "FindMissingBlobs", "Read", "BatchUpdateBlobs", "UpdateActionResult", "Execute")
			s.build(s.machine(), dir, list)
			want := map[string]int{"GetActionResult": len(list)}
			if test.reads > 0 {
				want["BatchReadBlobs"] = test.reads * len(list)
			}
			if got := calls(); !maps.Equal(got, want) {
				t.Errorf("%d hits made %v, want %v", len(list), got, want)
			}
		})
	}
}

// A change that nobody has compiled yet is a miss, and its result the next hit.
func TestEditIsMiss(t *testing.T) {
	s := newSite(t, clienttest.Options{})
	one, two := s.checkout("one"), s.checkout("two")
	list := compiles("-O2")
	s.build(s.machine(), one, list)
	write(t, filepath.Join(two, "include/k.h"), "#pragma once\n#define K 8\n#include \"deep/d.h\"\n")
	if err := rig.Settle(); err != nil {
		t.Fatal(err)
	}
	second := s.machine()
	if got := s.build(second, two, list); got.Misses != int64(len(list)) {
		t.Errorf("after the edit: %+v", got)
	}
	if got := s.build(s.machine(), two, list); got.HitsRemote != int64(len(list)) {
		t.Errorf("a third machine: %+v", got)
	}
}

// Whatever results say that cannot be the compiler's answer is a miss, and
// nothing is written but outputs.
func TestLyingResults(t *testing.T) {
	lies := map[string]func(*repb.ActionResult){
		"no outputs":    func(r *repb.ActionResult) { r.OutputFiles = nil },
		"no object":     func(r *repb.ActionResult) { r.OutputFiles = r.OutputFiles[1:] },
		"failure":       func(r *repb.ActionResult) { r.ExitCode = 1 },
		"killed":        func(r *repb.ActionResult) { r.ExitCode = -1 },
		"climbing path": func(r *repb.ActionResult) { addFile(r, "../../escaped") },
		"absolute path": func(r *repb.ActionResult) { addFile(r, "/tmp/escaped") },
		"link": func(r *repb.ActionResult) {
			path := r.OutputFiles[0].Path
			r.OutputFiles = r.OutputFiles[1:]
			r.OutputSymlinks = append(r.OutputSymlinks, &repb.OutputSymlink{Path: path, Target: "/etc/passwd"})
		},
		"undeclared link": func(r *repb.ActionResult) {
			r.OutputSymlinks = append(r.OutputSymlinks, &repb.OutputSymlink{Path: "escaped", Target: "/etc"})
		},
		"no such blob": func(r *repb.ActionResult) { r.OutputFiles[0].Digest.Hash = strings.Repeat("ab", 32) },
		"other size":   func(r *repb.ActionResult) { r.OutputFiles[0].Digest.SizeBytes++ },
		"no hash":      func(r *repb.ActionResult) { r.OutputFiles[0].Digest.Hash = "x" },
		"no stderr": func(r *repb.ActionResult) {
			r.StderrDigest = &repb.Digest{Hash: strings.Repeat("cd", 32), SizeBytes: 7}
		},
	}
	s := newSite(t, clienttest.Options{Quirks: clienttest.Quirks{Unchecked: true}})
	dir, r := s.checkout("one"), s.machine()
	for _, name := range slices.Sorted(maps.Keys(lies)) {
		t.Run(name, func(t *testing.T) {
			s.server.Lie(nil)
			list := compiles("-O2", "-DLIE=\""+name+"\"")[:1]
			s.build(r, dir, list)
			s.server.Lie(func(r *repb.ActionResult) {
				if len(r.OutputFiles) > 0 && r.OutputFiles[0].Path != "candidates" {
					for _, f := range r.OutputFiles {
						f.Contents = nil
					}
					lies[name](r)
				}
			})
			if got := s.build(s.emptied(r), dir, list); got.Misses != int64(len(list)) {
				t.Errorf("%+v", got)
			}
			if found, _ := filepath.Glob(filepath.Join(s.base, "*", "escaped")); len(found) > 0 {
				t.Errorf("%v was written", found)
			}
			if _, err := os.Lstat("/tmp/escaped"); err == nil {
				t.Error("/tmp/escaped was written")
			}
		})
	}
}

func addFile(r *repb.ActionResult, path string) {
	r.OutputFiles = append(r.OutputFiles, &repb.OutputFile{Path: path, Digest: r.OutputFiles[0].Digest})
}

// Blobs that are gone, cut or changed between the answer and their download
// make a miss, which stores them again.
func TestLostBlobs(t *testing.T) {
	for name, fault := range map[string]*clienttest.Fault{
		"gone":        {Method: "BatchReadBlobs", Code: codes.NotFound},
		"unavailable": {Method: "BatchReadBlobs", Code: codes.Unavailable},
		"internal":    {Method: "BatchReadBlobs", Code: codes.Internal},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, clienttest.Options{})
			dir := s.checkout("one")
			list := compiles("-O2")[:2]
			r := s.machine()
			s.build(r, dir, list)
			s.server.Fault(fault)
			if got := s.build(s.emptied(r), dir, list); got.Misses != int64(len(list)) {
				t.Errorf("%+v", got)
			}
			s.server.Heal()
			if got := s.build(s.machine(), dir, list); got.HitsRemote != int64(len(list)) {
				t.Errorf("after that: %+v", got)
			}
		})
	}
}

// Where results are not taken nothing is uploaded at all, and hits go on.
func TestReadOnly(t *testing.T) {
	for name, test := range map[string]struct {
		quirks clienttest.Quirks
		set    string
	}{
		"server":  {quirks: clienttest.Quirks{ReadOnly: true}, set: "REXWRAP_REMOTE_UPLOAD=1"},
		"setting": {set: "REXWRAP_REMOTE_UPLOAD=0"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, clienttest.Options{Quirks: test.quirks}, test.set)
			dir := s.checkout("one")
			calls := s.calls("UpdateActionResult", "BatchUpdateBlobs", "FindMissingBlobs", "Write")
			if got := s.build(s.machine(), dir, compiles("-O2")); got.Misses != 4 {
				t.Errorf("%+v", got)
			}
			if got := calls(); len(got) > 0 {
				t.Errorf("it was written to: %v", got)
			}
		})
	}
}

// Caches without workers, and those whose capabilities say little, serve.
func TestQuirksOfCaches(t *testing.T) {
	for name, quirks := range map[string]clienttest.Quirks{
		"cache only":      {NoExecution: true},
		"no capabilities": {NoCapabilities: true},
		"stamping":        {Stamps: true, Inlines: true},
		"zstd":            {Zstd: true},
		"small batches":   {MaxBatch: 1 << 12},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, clienttest.Options{Quirks: quirks})
			dir := s.checkout("one")
			list := compiles("-O2")
			r := s.machine()
			s.build(r, dir, list)
			if got := s.build(s.emptied(r), dir, list); got.HitsRemote != int64(len(list)) {
				t.Errorf("%+v", got)
			}
		})
	}
}

// A remote that dies during the build costs its hits, nothing else; results
// that were fetched before stay.
func TestRemoteDies(t *testing.T) {
	s := newSite(t, clienttest.Options{})
	dir := s.checkout("one")
	list := compiles("-O2")
	s.build(s.machine(), dir, list)
	fresh := s.machine()
	if got := s.build(fresh, dir, list[:2]); got.HitsRemote != 2 {
		t.Errorf("before: %+v", got)
	}
	s.server.Stop()
	if got := s.build(fresh, dir, list); got.HitsLocal != 2 || got.Misses != 2 || got.Errors != 0 {
		t.Errorf("after: %+v", got)
	}
	if got := s.build(fresh, dir, list); got.HitsLocal != int64(len(list)) {
		t.Errorf("without a remote: %+v", got)
	}
}

// A remote that never answers holds a build up once, not once a compile.
func TestRemoteHangs(t *testing.T) {
	s := newSite(t, clienttest.Options{})
	dir := s.checkout("one")
	list := slices.Concat(compiles("-O0"), compiles("-O1"), compiles("-O2"))
	s.server.Fault(&clienttest.Fault{Hang: true})
	r := s.machine()
	start := time.Now()
	for _, c := range list {
		s.do(dir, c, r.Env(), "rexwrap")
	}
	if took := time.Since(start); took > 40*time.Second {
		t.Errorf("%d compiles took %v", len(list), took)
	}
	if got := s.stats(r); got.Misses != int64(len(list)) || got.Errors != 0 {
		t.Errorf("%+v", got)
	}
}

// A remote that is dead from the start costs the time to find that out.
func TestDeadRemote(t *testing.T) {
	for _, strategy := range []string{"local", "auto", "remote", "race"} {
		t.Run(strategy, func(t *testing.T) {
			s := newSite(t, clienttest.Options{}, "REXWRAP_STRATEGY="+strategy)
			s.server.Stop()
			dir := s.checkout("one")
			r := s.machine()
			start := time.Now()
			list := compiles("-O2")
			if got := s.build(r, dir, list); got.Errors != 0 || got.Executed+got.FellBack != int64(len(list)) {
				t.Errorf("%+v", got)
			}
			if took := time.Since(start); took > 20*time.Second {
				t.Errorf("it took %v", took)
			}
			if got := s.build(r, dir, list); got.HitsLocal != int64(len(list)) {
				t.Errorf("again: %+v", got)
			}
		})
	}
}
