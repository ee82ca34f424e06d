//go:build unix

package parity

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/rexwrap/rexwrap/client"
	"github.com/rexwrap/rexwrap/client/action"
	"github.com/rexwrap/rexwrap/client/cas"
	"github.com/rexwrap/rexwrap/client/clienttest"
	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/client/execute"
)

// A site is a remote whose worker sees a directory of system headers at the
// client's path.
type site struct {
	*testing.T
	server   *clienttest.Server
	store    cas.Store
	executor execute.Executor
	parity   *Parity
	dir      string // of the headers
}

func newSite(t *testing.T, q clienttest.Quirks) *site {
	t.Helper()
	server := clienttest.New(t, clienttest.Options{Quirks: q})
	conn := server.Dial(t, client.Options{})
	s := &site{T: t, server: server, store: cas.NewRemote(conn, digest.SHA256), executor: execute.NewRemote(conn, digest.SHA256, time.Minute)}
	s.dir = t.TempDir()
	s.parity = New(Options{Executor: s.executor, Store: s.store, Function: digest.SHA256})
	t.Cleanup(s.parity.Close)
	s.write("include/a.h", "int a;\n")
	s.write("include/b.h", "int b;\n")
	s.write("local/c.h", "int c;\n")
	return s
}

func (s *site) write(name, text string) {
	s.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		s.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		s.Fatal(err)
	}
}

// host is what a compile needs that read the three headers, looked for a.h in
// two directories before, and knows the headers by what they hold now.
func (s *site) host() *Host {
	s.Helper()
	var files []File
	for _, name := range []string{"include/b.h", "include/a.h", "local/c.h"} {
		path := filepath.Join(s.dir, name)
		text, err := os.ReadFile(path)
		if err != nil {
			s.Fatal(err)
		}
		files = append(files, File{path, digest.Of(text)})
	}
	return s.hostOf(files, s.dir+"/local/a.h", s.dir+"/nowhere/a.h", s.dir+"/gone/")
}

func (s *site) hostOf(files []File, absent ...string) *Host {
	s.Helper()
	h, err := NewHost(files, absent)
	if err != nil {
		s.Fatal(err)
	}
	return h
}

func (s *site) prove(h *Host) error { return s.parity.Prove(s.Context(), nil, h) }

// compile runs an Action in host mode, and returns what Accept says of it.
func (s *site) compile(h *Host) error {
	s.Helper()
	a := clienttest.Shell("")
	a.Arguments = h.Arguments([]string{"/bin/cat", s.dir + "/include/a.h"})
	a.OutputFiles = []string{Output}
	r, err := s.executor.Execute(s.Context(), a.Uploaded(s, s.store))
	if err != nil {
		s.Fatal(err)
	}
	content, err := cas.Read(s.Context(), s.store, r.Files[Output].Digest)
	if err != nil {
		s.Fatal(err)
	}
	return s.parity.Accept(nil, h, r.Metadata.GetWorker(), content)
}

func TestProven(t *testing.T) {
	for name, quirks := range map[string]clienttest.Quirks{
		"Buildbarn": {},
		"casd":      {StrictInstance: true, ReadsCache: true, CachesFailures: true, NoMetadata: true, EmptyStreamDigests: true, NeedsFolders: true},
		"just":      {ReadsCache: true, IgnoresSkip: true, NoWorkerMetadata: true, ReadOnly: true},
		"mettle":    {RootOutputs: true, ZeroTimeout: true, ReadsCache: true, EmptyStreamDigests: true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, quirks)
			h := s.host()
			for range 3 {
				if err := s.prove(h); err != nil {
					t.Fatal(err)
				}
				if err := s.compile(h); err != nil {
					t.Error(err)
				}
			}
			// A compile that needs less needs no probe of its own.
			if err := s.prove(s.hostOf(h.files[:1])); err != nil {
				t.Error(err)
			}
			if n := s.server.Executions(); n != 1+3 && n != 1+1 { // compiles may be cached
				t.Errorf("%d executions, want 1 probe and 3 compiles", n)
			}
			// What is new is probed when it is needed.
			s.write("include/new.h", "int new;\n")
			more := s.hostOf(append(h.files, File{s.dir + "/include/new.h", digest.OfString("int new;\n")}))
			if err := s.prove(more); err != nil {
				t.Error(err)
			}
		})
	}
}

// The compiler and everything that it starts is as here.
func TestCompiler(t *testing.T) {
	s := newSite(t, clienttest.Quirks{})
	var files []File
	for _, tool := range []string{"sh", "cat", "stat"} {
		path, err := exec.LookPath(tool)
		if err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, File{path, digest.Of(text)})
	}
	h := s.hostOf(files)
	if err := s.prove(h); err != nil {
		t.Error(err)
	}
	if err := s.compile(h); err != nil {
		t.Error(err)
	}
}

func TestDifferent(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(s *site) // of what the worker has
		want   DifferentError
	}{
		"other content": {func(s *site) { s.write("include/a.h", "int x;\n") }, DifferentError{Path: "/include/a.h"}},
		"no file": {func(s *site) {
			if err := os.Remove(s.dir + "/local/c.h"); err != nil {
				s.Fatal(err)
			}
		}, DifferentError{Path: "/local/c.h", Missing: true}},
		"shadowing header":  {func(s *site) { s.write("local/a.h", "") }, DifferentError{Path: "/local/a.h", Absent: true}},
		"in a new place":    {func(s *site) { s.write("nowhere/a.h", "") }, DifferentError{Path: "/nowhere/a.h", Absent: true}},
		"another directory": {func(s *site) { s.write("gone/x.h", "") }, DifferentError{Path: "/gone", Absent: true}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, clienttest.Quirks{})
			h := s.host()
			tt.change(s)
			for range 2 {
				var got *DifferentError
				if err := s.prove(h); !errors.As(err, &got) {
					t.Fatalf("Prove: %v", err)
				}
				tt.want.Worker = "clienttest"
				if got.Path = strings.TrimPrefix(got.Path, s.dir); *got != tt.want {
					t.Errorf("got %+v, want %+v", *got, tt.want)
				}
			}
			if n := s.server.Executions(); n != 1 {
				t.Errorf("%d probes", n)
			}
		})
	}
}

// The worker changes after it was probed, under the same properties: the next
// result says so, and the next probe says what it is.
func TestChangedLater(t *testing.T) {
	for name, change := range map[string]func(s *site){
		"edited":   func(s *site) { s.write("include/a.h", "int x;\n") },
		"longer":   func(s *site) { s.write("include/b.h", "int b; int more;\n") },
		"shadowed": func(s *site) { s.write("local/a.h", "int a;\n") },
		"new place": func(s *site) {
			s.write("nowhere/a.h", "int a;\n")
		},
		"removed": func(s *site) {
			if err := os.Remove(s.dir + "/local/c.h"); err != nil {
				s.Fatal(err)
			}
		},
	} {
		for _, quirks := range []clienttest.Quirks{{}, {NoWorkerMetadata: true}} {
			t.Run(name, func(t *testing.T) {
				s := newSite(t, quirks)
				h := s.host()
				if err := s.prove(h); err != nil {
					t.Fatal(err)
				}
				change(s)
				var different *DifferentError
				if err := s.compile(h); !errors.As(err, &different) {
					t.Fatalf("Accept: %v", err)
				}
				if err := s.prove(h); !errors.As(err, &different) {
					t.Errorf("Prove: %v", err)
				}
			})
		}
	}
}

// A worker is updated and this machine with it: proven again, by content.
func TestUpdated(t *testing.T) {
	s := newSite(t, clienttest.Quirks{})
	if err := s.prove(s.host()); err != nil {
		t.Fatal(err)
	}
	s.write("include/a.h", "int a, aa;\n")
	h := s.host()
	if err := s.prove(h); err == nil {
		t.Error("proven by a fact about the old header")
	}
	s.parity.pool(nil).workers["clienttest"].files[s.dir+"/include/a.h"] = fileFact{at: time.Now().Add(-badValidity - time.Second)}
	if err := s.prove(h); err != nil {
		t.Error(err)
	}
	if err := s.compile(h); err != nil {
		t.Error(err)
	}
}

func TestNoShell(t *testing.T) {
	s := newSite(t, clienttest.Quirks{})
	s.server.Fault(&clienttest.Fault{Method: "Execute", Code: codes.InvalidArgument, Message: "no such file: /bin/sh"})
	h := s.host()
	for range 2 {
		if err := s.prove(h); !errors.Is(err, ErrNoShell) {
			t.Errorf("Prove: %v", err)
		}
	}
	if n := s.server.Calls("Execute"); n != 1 {
		t.Errorf("%d probes of a worker without a shell", n)
	}
	if s := s.parity.State(nil); !errors.Is(s.Trouble, ErrNoShell) {
		t.Errorf("state %+v", s)
	}
}

// A worker without the tools: nothing is reported, nothing is accepted.
func TestNoTools(t *testing.T) {
	s := newSite(t, clienttest.Quirks{})
	h := s.host()
	for _, content := range []string{"", "=\n", "=+-+\n", "=+-+", "= +-\n1\n2\n3\n4\n", "remote\n"} {
		if err := s.parity.Accept(nil, h, "", []byte(content)); err == nil {
			t.Errorf("%q is accepted", content)
		}
	}
	if err := s.parity.Accept(nil, h, "", []byte(Local)); err != nil {
		t.Errorf("a local result: %v", err)
	}
}

func TestStrictInstance(t *testing.T) {
	s := newSite(t, clienttest.Quirks{StrictInstance: true})
	conn := s.server.Dial(t, client.Options{Instance: "mine"})
	p := New(Options{Executor: execute.NewRemote(conn, digest.SHA256, time.Minute), Store: cas.NewRemote(conn, digest.SHA256), Function: digest.SHA256})
	defer p.Close()
	err := p.Prove(t.Context(), nil, s.host())
	if err == nil || !strings.Contains(err.Error(), "mine") {
		t.Errorf("Prove: %v", err)
	}
}

// What must be sent for a platform is sent, and each platform has facts of its
// own.
func TestPlatforms(t *testing.T) {
	s := newSite(t, clienttest.Quirks{Platform: []string{"OS=linux", "image=a"}})
	h := s.host()
	platform := []action.Property{{Name: "image", Value: "a"}, {Name: "OS", Value: "linux"}}
	if err := s.prove(h); !errors.Is(err, client.ErrNoWorkers) {
		t.Errorf("without properties: %v", err)
	}
	if err := s.parity.Prove(t.Context(), platform, h); err != nil {
		t.Error(err)
	}
	slices.Reverse(platform)
	if err := s.parity.Prove(t.Context(), platform, h); err != nil || s.server.Executions() != 1 {
		t.Errorf("in another order: %v, %d probes", err, s.server.Executions())
	}
}

// Callers that come while a probe is under way share the next one.
func TestMerged(t *testing.T) {
	s := newSite(t, clienttest.Quirks{})
	s.server.Fault(&clienttest.Fault{Method: "Execute", Delay: 50 * time.Millisecond})
	h := s.host()
	var all sync.WaitGroup
	for i := range 30 {
		all.Go(func() {
			one := s.hostOf(h.files[i%3 : i%3+1])
			if err := s.prove(one); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := s.server.Executions(); n > 3 { // each file once
		t.Errorf("%d probes for 30 callers", n)
	}
}

// A probe that takes long goes on without those who wait for it.
func TestPending(t *testing.T) {
	s := newSite(t, clienttest.Quirks{})
	s.parity.patience = 20 * time.Millisecond
	s.server.Fault(&clienttest.Fault{Method: "Execute", To: 1, Delay: 300 * time.Millisecond})
	h := s.host()
	for range 3 { // the later ones do not wait at all
		if err := s.prove(h); !errors.Is(err, ErrPending) {
			t.Fatalf("Prove: %v", err)
		}
	}
	s.parity.patience = time.Minute
	if err := s.prove(h); err != nil || s.server.Executions() != 1 {
		t.Errorf("Prove: %v, %d probes", err, s.server.Executions())
	}
}

// A caller that gives up leaves the probe to the others.
func TestCancelled(t *testing.T) {
	s := newSite(t, clienttest.Quirks{})
	s.server.Fault(&clienttest.Fault{Method: "Execute", To: 1, Delay: 50 * time.Millisecond})
	h := s.host()
	gone := errors.New("gone")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(gone)
	if err := s.parity.Prove(ctx, nil, h); !errors.Is(err, gone) {
		t.Errorf("Prove: %v", err)
	}
	if err := s.prove(h); err != nil || s.server.Executions() != 1 {
		t.Errorf("Prove: %v, %d probes", err, s.server.Executions())
	}
}

func TestBatches(t *testing.T) {
	n := newNeed()
	for name := range strings.FieldsSeq("a b c d e") {
		n.files["/"+name], n.absent["/x"+name] = struct{}{}, struct{}{}
	}
	parts := n.split(4)
	total := 0
	for _, part := range parts {
		total += len(part.files) + len(part.absent)
	}
	if len(parts) != 3 || total != 10 {
		t.Errorf("%d parts of %d names", len(parts), total)
	}
}

func TestRecheck(t *testing.T) {
	s := newSite(t, clienttest.Quirks{})
	h := s.host()
	if err := s.prove(h); err != nil {
		t.Fatal(err)
	}
	actionOf := func(i int) digest.Digest { return digest.OfString(strings.Repeat("x", i)) }
	checks := 0
	for i := range 2*RecheckEvery + 5 {
		check := s.parity.Executed(nil, actionOf(i))
		if check != (i%RecheckEvery == 0) {
			t.Errorf("result %d: check %v", i, check)
		}
		if check {
			checks++
		}
		if i == RecheckEvery+3 {
			s.parity.Agreed(nil, actionOf(RecheckEvery))
		}
	}
	dropped := s.parity.Differed(nil)
	if len(dropped) != RecheckEvery+4 || dropped[0] != actionOf(RecheckEvery+1) || checks != 3 {
		t.Errorf("%d dropped, %d checks", len(dropped), checks)
	}
	if err := s.prove(h); !errors.Is(err, ErrClosed) {
		t.Errorf("Prove: %v", err)
	}
	if !s.parity.State(nil).Closed {
		t.Error("not closed")
	}
	s.parity.pool(nil).closed = time.Now().Add(-validity - time.Second)
	if err := s.prove(h); err != nil {
		t.Errorf("an hour later: %v", err)
	}
}
