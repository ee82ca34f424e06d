//go:build linux

package remote

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/grpc/codes"

	"github.com/rexwrap/rexwrap/client/clienttest"
	"github.com/rexwrap/rexwrap/client/merkle"
	"github.com/rexwrap/rexwrap/integration/rig"
)

const remotely = "REXWRAP_STRATEGY=remote"

// Workers make what the plain compiler makes, in an empty directory at a random
// path, and no compiler runs here.
func TestExecuted(t *testing.T) {
	for name, list := range map[string][]compile{
		"relative": compiles("-O2"), "absolute": absolute("-O2"), "debug": compiles("-g"), "absolute debug": absolute("-g"),
	} {
		if !rig.Long() && (name == "absolute" || name == "debug") { // both at once is in
			continue
		}
		t.Run(name, func(t *testing.T) {
			s := newSite(t, clienttest.Options{}, remotely)
			dir := s.checkout("one")
			n := int64(len(list))
			if got := s.build(s.warm(s.machine(), dir), dir, list); got.Remotely != n || got.Executed != 0 {
				t.Errorf("the first machine: %+v", got)
			}
			fresh := s.machine()
			if got := s.build(fresh, dir, list); got.HitsRemote != n {
				t.Errorf("a fresh machine: %+v", got)
			}
			if got := s.build(fresh, dir, list); got.HitsLocal != n {
				t.Errorf("again: %+v", got)
			}
		})
	}
}

// The calls of a miss: the Action and the candidates are asked for at once; then
// the few inputs that are not known to be there are sent, the Action is run, its
// outputs are read.
func TestCallsOfMisses(t *testing.T) {
	s := newSite(t, clienttest.Options{}, remotely)
	dir := s.checkout("one")
	r := s.warm(s.machine(), dir) // capabilities and probes are once
	calls := s.calls("GetCapabilities", "GetActionResult", "FindMissingBlobs", "BatchUpdateBlobs", "Execute", "BatchReadBlobs", "WaitExecution")
	list := compiles("-O1")[:1]
	before := s.stats(r)
	for _, c := range list {
		s.do(dir, c, r.Env(), "rexwrap")
	}
	if got := s.stats(r).Sub(before); got.Remotely != 1 {
		t.Fatalf("%+v", got)
	}
	s.flush(r)
	got := calls()
	// The upload of the candidate, behind the build's back, makes one call
	// of each kind.
	got["GetActionResult"]--
	got["BatchUpdateBlobs"]--
	want := map[string]int{"GetActionResult": 2, "BatchUpdateBlobs": 1, "Execute": 1, "BatchReadBlobs": 1}
	if !maps.Equal(got, want) {
		t.Errorf("a miss made %v, want %v", got, want)
	}
}

// A compile that fails on a worker fails here again, with the compiler's own
// messages.
func TestFailingCompile(t *testing.T) {
	s := newSite(t, clienttest.Options{}, remotely)
	dir := s.checkout("one")
	write(t, filepath.Join(dir, "src/bad.c"), "int bad(void) { return nothing; }\n")
	r := s.machine()
	list := []compile{{"bad", []string{"gcc", "-c", "../src/bad.c", "-o", "bad.o"}}}
	for range 2 {
		if got := s.build(r, dir, list); got.FellBack != 1 || got.Reasons["remote-bad-result"] != 1 {
			t.Errorf("%+v", got)
		}
	}
}

// What this machine compiles after a worker failed at it is not shared: the
// Action may lack something.
func TestSuspectActionIsNotShared(t *testing.T) {
	s := newSite(t, clienttest.Options{}, remotely)
	dir := s.checkout("one")
	r := s.warm(s.machine(), dir)
	s.server.Lie(func(res *repb.ActionResult) { res.ExitCode, res.OutputFiles = 1, nil })
	calls := s.calls("UpdateActionResult")
	if got := s.build(r, dir, compiles("-O1")); got.FellBack != 4 {
		t.Errorf("%+v", got)
	}
	if got := calls(); len(got) > 0 {
		t.Errorf("results were shared: %v", got)
	}
}

// Whatever becomes of workers, the build ends with the plain compiler's objects.
func TestWorkersFail(t *testing.T) {
	faults := map[string]*clienttest.Fault{
		"unavailable":  {Method: "Execute", Code: codes.Unavailable},
		"exhausted":    {Method: "Execute", Code: codes.ResourceExhausted, To: 2},
		"internal":     {Method: "Execute", Code: codes.Internal},
		"refused":      {Method: "Execute", Code: codes.InvalidArgument},
		"lost inputs":  {Method: "Execute", Code: codes.FailedPrecondition},
		"cut stream":   {Method: "Execute", Code: codes.Unavailable, After: 1, To: 2},
		"no uploads":   {Method: "BatchUpdateBlobs", Code: codes.Unavailable},
		"no questions": {Method: "FindMissingBlobs", Code: codes.Internal},
		"no downloads": {Method: "BatchReadBlobs", Code: codes.Internal},
	}
	s := newSite(t, clienttest.Options{}, remotely)
	dir := s.checkout("one")
	r := s.warm(s.machine(), dir)
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			s.server.Heal()
			list := compiles("-O1", "-DFAULT=\""+name+"\"")[:2]
			s.server.Fault(fault)
			if got := s.build(r, dir, list); got.Errors != 0 || got.Remotely+got.FellBack != int64(len(list)) {
				t.Errorf("%+v", got)
			}
		})
	}
}

// Servers differ; none of what they do changes an object.
func TestQuirksOfWorkers(t *testing.T) {
	for name, test := range map[string]struct {
		quirks clienttest.Quirks
		fall   bool // nothing can be executed there
	}{
		"reads cache":    {quirks: clienttest.Quirks{ReadsCache: true, CachesFailures: true}},
		"no metadata":    {quirks: clienttest.Quirks{NoMetadata: true, NoWorkerMetadata: true, ForgetsOperations: true}},
		"stream digests": {quirks: clienttest.Quirks{EmptyStreamDigests: true, ShellSignals: true}},
		"zero timeout":   {quirks: clienttest.Quirks{ZeroTimeout: true}},
		"strict":         {quirks: clienttest.Quirks{StrictInstance: true, BatchFailsWhole: true}},
		"read-only":      {quirks: clienttest.Quirks{ReadOnly: true}},
		"root outputs":   {quirks: clienttest.Quirks{RootOutputs: true}, fall: true},
		"cache only":     {quirks: clienttest.Quirks{NoExecution: true}, fall: true},
		"platform":       {quirks: clienttest.Quirks{Platform: []string{"os=linux"}}, fall: true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, clienttest.Options{Quirks: test.quirks}, remotely)
			dir := s.checkout("one")
			list := compiles("-O2")[:2]
			got := s.build(s.warm(s.machine(), dir), dir, list)
			if n := int64(len(list)); test.fall && got.FellBack != n || !test.fall && got.Remotely != n {
				t.Errorf("%+v", got)
			}
		})
	}
}

// Of the results of workers the first, and then few, are compiled here as well.
func TestRecheck(t *testing.T) {
	s := newSite(t, clienttest.Options{}, remotely)
	if got := s.build(s.machine(), s.checkout("one"), compiles("-O2")); got.Executed != 1 || got.Remotely != 3 {
		t.Errorf("%+v", got)
	}
}

// A worker whose results are not this machine's gets nothing more to do, and
// nothing of it is kept.
func TestWorkerDiffers(t *testing.T) {
	s := newSite(t, clienttest.Options{}, remotely)
	dir := s.checkout("one")
	object := s.server.Put([]byte("not the compiler's"))
	s.server.Lie(func(r *repb.ActionResult) {
		for _, f := range r.OutputFiles {
			if strings.HasSuffix(f.Path, ".o") {
				f.Digest, f.Contents = merkle.Proto(object), nil
			}
		}
	})
	r := s.machine()
	list := compiles("-O2")
	if got := s.build(r, dir, list); got.Remotely != 0 || got.Reasons["remote-parity"] != int64(len(list)-1) {
		t.Errorf("%+v", got)
	}
}

// The settings of execution reach the worker.
func TestPlatform(t *testing.T) {
	s := newSite(t, clienttest.Options{Quirks: clienttest.Quirks{Platform: []string{"os=linux", "pool=big"}}}, remotely, "REXWRAP_PLATFORM=pool=big,os=linux")
	dir := s.checkout("one")
	if got := s.build(s.warm(s.machine(), dir), dir, compiles("-O2")); got.Remotely != 4 {
		t.Errorf("%+v", got)
	}
}

// A cache without workers is one for which nothing falls back, whatever would not
// have been executed.
func TestAutoWithoutWorkers(t *testing.T) {
	s := newSite(t, clienttest.Options{Quirks: clienttest.Quirks{NoExecution: true}}, "REXWRAP_STRATEGY=auto")
	dir := s.checkout("one")
	list := slices.Concat(compiles("-O2")[:1], compiles("-O2", "-fstack-usage")[:1])
	if got := s.build(s.machine(), dir, list); got.Executed != 2 || got.FellBack != 0 {
		t.Errorf("%+v", got)
	}
}

// By default misses go where there is room, and all answers are the compiler's.
func TestAuto(t *testing.T) {
	s := newSite(t, clienttest.Options{}, "REXWRAP_STRATEGY=auto")
	dir := s.checkout("one")
	got := s.build(s.warm(s.machine(), dir), dir, compiles("-O2"))
	if got.Remotely+got.Executed != 4 || got.Errors != 0 {
		t.Errorf("%+v", got)
	}
}

// Both legs of a race make the same, and what wins leaves no trace of the other.
func TestRace(t *testing.T) {
	s := newSite(t, clienttest.Options{}, "REXWRAP_STRATEGY=race")
	dir := s.checkout("one")
	list := compiles("-O2")
	got := s.build(s.machine(), dir, list)
	if got.Remotely+got.Executed+got.FellBack != int64(len(list)) || got.Errors != 0 {
		t.Errorf("%+v", got)
	}
}

// A wrapper that dies takes its action with it.
func TestWrapperDies(t *testing.T) {
	s := newSite(t, clienttest.Options{}, remotely)
	dir := s.checkout("one")
	r := s.warm(s.machine(), dir)
	s.server.Fault(&clienttest.Fault{Method: "Execute", Hang: true})
	calls := s.calls("Execute")
	done := make(chan outcome, 1)
	go func() { done <- s.do(dir, compiles("-O1")[0], r.Env(), "rexwrap") }()
	s.eventually("the action is under way", func() bool { return calls()["Execute"] == 1 })
	for _, p := range r.Processes() {
		if strings.HasPrefix(p.Command, "rexwrap gcc") {
			_ = syscall.Kill(p.Pid, syscall.SIGKILL)
		}
	}
	if got := <-done; got.ended != "signal: killed" {
		t.Errorf("the wrapper ended with %s", got.ended)
	}
	before := s.stats(r).Errors
	s.eventually("the call has ended", func() bool { return s.stats(r).Errors > 0 || before > 0 })
}

// eventually fails the test where what does not become true in time.
func (s *site) eventually(what string, is func() bool) {
	s.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !is(); {
		if time.Now().After(deadline) {
			s.t.Fatalf("it is not so that %s", what)
		}
		if err := rig.Settle(); err != nil {
			s.t.Fatal(err)
		}
	}
}
