//go:build unix

package execute_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/grpc/codes"

	"github.com/rexwrap/rexwrap/client"
	"github.com/rexwrap/rexwrap/client/action"
	"github.com/rexwrap/rexwrap/client/cas"
	"github.com/rexwrap/rexwrap/client/clienttest"
	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/client/execute"
)

func remote(t *testing.T, q clienttest.Quirks) (*clienttest.Server, *execute.Remote, cas.Store) {
	s := clienttest.New(t, clienttest.Options{Quirks: q})
	conn := s.Dial(t, client.Options{CallTimeout: time.Minute})
	return s, execute.NewRemote(conn, digest.SHA256, time.Minute), cas.NewRemote(conn, digest.SHA256)
}

func TestServers(t *testing.T) {
	for name, quirks := range map[string]clienttest.Quirks{
		"Buildbarn": {},
		"casd": {
			StrictInstance: true, ReadsCache: true, CachesFailures: true, ShellSignals: true, NoMetadata: true,
			MissingInput: codes.Internal, MissingInResponse: true, EmptyStreamDigests: true, NeedsFolders: true, TreesOnly: true,
		},
		"just": {
			ReadsCache: true, IgnoresSkip: true, OldOutputs: true, ShellSignals: true, MissingInput: codes.Internal,
			NoWorkerMetadata: true, ReadOnly: true, NeedsTargets: true, NoCancel: true, TreesOnly: true,
		},
		"mettle": {ZeroTimeout: true, ReadsCache: true, EmptyStreamDigests: true, MissingInput: codes.Unknown, MissingInResponse: true},
	} {
		t.Run(name, func(t *testing.T) {
			clienttest.TestExecutor(t, func(t *testing.T) (execute.Executor, cas.Store) {
				_, e, s := remote(t, quirks)
				return e, s
			})
		})
	}
}

func TestDecorators(t *testing.T) {
	for name, decorate := range map[string]func(execute.Executor) execute.Executor{
		"Deduplicated": func(e execute.Executor) execute.Executor { return execute.NewDeduplicated(e) },
		"Limited":      func(e execute.Executor) execute.Executor { return execute.NewLimited(e, 2) },
		"Repairing":    func(e execute.Executor) execute.Executor { return execute.Repairing{Executor: e} },
		"FallingBack": func(e execute.Executor) execute.Executor {
			return execute.NewFallingBack(broken{}, e, func(error) {})
		},
	} {
		t.Run(name, func(t *testing.T) {
			clienttest.TestExecutor(t, func(t *testing.T) (execute.Executor, cas.Store) {
				_, e, s := remote(t, clienttest.Quirks{})
				return decorate(e), s
			})
		})
	}
}

var errBroken = errors.New("broken")

type broken struct{}

func (broken) Execute(context.Context, *execute.Request) (*execute.Response, error) {
	return nil, errBroken
}

func TestFallingBackTells(t *testing.T) {
	var told []error
	e := execute.NewFallingBack(broken{}, broken{}, func(err error) { told = append(told, err) })
	if _, err := e.Execute(t.Context(), &execute.Request{}); !errors.Is(err, errBroken) || len(told) != 1 {
		t.Errorf("%v, told %v", err, told)
	}
}

func TestBrokenStreamIsWaitedFor(t *testing.T) {
	for name, quirks := range map[string]clienttest.Quirks{"knows": {}, "forgets": {ForgetsOperations: true}} {
		t.Run(name, func(t *testing.T) {
			s, e, store := remote(t, quirks)
			req := clienttest.Shell("echo x >out", "out").Uploaded(t, store)
			s.Fault(&clienttest.Fault{Method: "Execute", To: 1, After: 2, Code: codes.Unavailable}) // the request and the name
			if _, err := e.Execute(t.Context(), req); err != nil {
				t.Fatal(err)
			}
			if s.Calls("WaitExecution") != 1 {
				t.Errorf("%d WaitExecution", s.Calls("WaitExecution"))
			}
			if !quirks.ForgetsOperations && s.Executions() != 1 {
				t.Errorf("%d executions", s.Executions())
			}
		})
	}
}

func TestMissingInputsAreRepaired(t *testing.T) {
	for name, test := range map[string]struct {
		quirks clienttest.Quirks
		named  int
	}{
		"named":    {clienttest.Quirks{}, 1},
		"unknown":  {clienttest.Quirks{MissingInput: codes.Unknown, MissingInResponse: true}, 0},
		"internal": {clienttest.Quirks{MissingInput: codes.Internal}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s, e, store := remote(t, test.quirks)
			a := clienttest.Shell("cat in >out", "out")
			a.Files = map[string]string{"in": "input"}
			req, blobs := a.Request(t)
			if err := store.Upload(t.Context(), blobs...); err != nil {
				t.Fatal(err)
			}
			s.Drop(digest.OfString("input"))
			var asked [][]digest.Digest
			req.Repair = func(ctx context.Context, missing []digest.Digest) error {
				asked = append(asked, missing)
				return store.Upload(ctx, blobs...)
			}
			if _, err := (execute.Repairing{Executor: e}).Execute(t.Context(), req); err != nil {
				t.Fatal(err)
			}
			if len(asked) != 1 || len(asked[0]) != test.named {
				t.Errorf("repairs %v", asked)
			}
		})
	}
}

func TestRepairGivesUp(t *testing.T) {
	s, e, store := remote(t, clienttest.Quirks{})
	a := clienttest.Shell("cat in >out", "out")
	a.Files = map[string]string{"in": "input"}
	req := a.Uploaded(t, store)
	s.Drop(digest.OfString("input"))
	repairs := 0
	req.Repair = func(context.Context, []digest.Digest) error { repairs++; return nil }
	if _, err := (execute.Repairing{Executor: e}).Execute(t.Context(), req); !errors.Is(err, execute.ErrInputs) || repairs != 1 {
		t.Errorf("%v after %d repairs", err, repairs)
	}
}

func TestNoWorkersIsNotRetried(t *testing.T) {
	s, e, store := remote(t, clienttest.Quirks{Platform: []string{"os=linux"}})
	a := clienttest.Shell("exit 0")
	if _, err := e.Execute(t.Context(), a.Uploaded(t, store)); !errors.Is(err, client.ErrNoWorkers) || s.Calls("Execute") != 1 {
		t.Errorf("%v after %d calls", err, s.Calls("Execute"))
	}
	a.Platform = []action.Property{{Name: "os", Value: "linux"}}
	if _, err := e.Execute(t.Context(), a.Uploaded(t, store)); err != nil {
		t.Error(err)
	}
}

func TestCancellationReachesTheServer(t *testing.T) {
	s, e, store := remote(t, clienttest.Quirks{})
	req := clienttest.Shell("exec sleep 60").Uploaded(t, store)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := e.Execute(ctx, req); err == nil || s.Calls("CancelOperation") != 1 {
		t.Errorf("%v, %d CancelOperation", err, s.Calls("CancelOperation"))
	}
}

// The remote is not to blame for an Action without end.
func TestServersWithoutTimeout(t *testing.T) {
	s := clienttest.New(t, clienttest.Options{Quirks: clienttest.Quirks{IgnoresTimeout: true, NoCancel: true}})
	var told []string
	conn := s.Dial(t, client.Options{Notify: func(text string) { told = append(told, text) }})
	e, store := execute.NewRemote(conn, digest.SHA256, 100*time.Millisecond), cas.NewRemote(conn, digest.SHA256)
	a := clienttest.Shell("exec sleep 60")
	a.Timeout = 100 * time.Millisecond
	if r, err := e.Execute(t.Context(), a.Uploaded(t, store)); !errors.Is(err, execute.ErrTimedOut) {
		t.Errorf("%+v, %v", r, err)
	}
	if _, err := e.Execute(t.Context(), clienttest.Shell("exit 0").Uploaded(t, store)); err != nil || len(told) > 0 {
		t.Errorf("another action: %v, told %q", err, told)
	}
}

func TestProbe(t *testing.T) {
	for name, test := range map[string]struct {
		quirks   clienttest.Quirks
		platform []action.Property
		want     error
	}{
		"Buildbarn": {},
		"mettle":    {quirks: clienttest.Quirks{RootOutputs: true}, want: execute.ErrOutputRoot},
		"cache":     {quirks: clienttest.Quirks{NoExecution: true}, want: client.ErrUnimplemented},
		"platform":  {quirks: clienttest.Quirks{Platform: []string{"os=linux"}}, want: client.ErrNoWorkers},
		"ours":      {quirks: clienttest.Quirks{Platform: []string{"os=linux"}}, platform: []action.Property{{Name: "os", Value: "linux"}}},
	} {
		t.Run(name, func(t *testing.T) {
			_, e, store := remote(t, test.quirks)
			if err := execute.Probe(t.Context(), e, store, test.platform); !errors.Is(err, test.want) {
				t.Errorf("Probe: %v, want %v", err, test.want)
			}
		})
	}
}

func TestLiesAreNotBelieved(t *testing.T) {
	for name, test := range map[string]struct {
		lie  func(*repb.ActionResult)
		want error
	}{
		"no outputs": {func(r *repb.ActionResult) { r.OutputFiles = nil }, execute.ErrIncomplete},
		"escape":     {func(r *repb.ActionResult) { r.OutputFiles[0].Path = "../../x" }, action.ErrResult},
		"more": {func(r *repb.ActionResult) {
			r.OutputSymlinks = append(r.OutputSymlinks, &repb.OutputSymlink{Path: "y", Target: "/"})
		}, action.ErrResult},
		"killed": {func(r *repb.ActionResult) { r.ExitCode = -1 }, execute.ErrSuspect},
	} {
		t.Run(name, func(t *testing.T) {
			s, e, store := remote(t, clienttest.Quirks{})
			s.Lie(test.lie)
			if r, err := e.Execute(t.Context(), clienttest.Shell("echo x >out", "out").Uploaded(t, store)); !errors.Is(err, test.want) {
				t.Errorf("%+v, %v, want %v", r, err, test.want)
			}
		})
	}
}

// counting counts calls and lets none end before release is closed.
type counting struct {
	mu      sync.Mutex
	calls   int
	most    int
	active  int
	entered chan struct{}
	release chan struct{}
	answer  func(call int) (*execute.Response, error)
}

func (c *counting) Execute(ctx context.Context, _ *execute.Request) (*execute.Response, error) {
	c.mu.Lock()
	c.calls++
	call := c.calls
	c.active++
	c.most = max(c.most, c.active)
	c.mu.Unlock()
	c.entered <- struct{}{}
	defer func() {
		c.mu.Lock()
		c.active--
		c.mu.Unlock()
	}()
	select {
	case <-c.release:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return c.answer(call)
}

func newCounting(answer func(call int) (*execute.Response, error)) *counting {
	return &counting{entered: make(chan struct{}, 100), release: make(chan struct{}), answer: answer}
}

func success(int) (*execute.Response, error) {
	return &execute.Response{Result: new(action.Result)}, nil
}

func TestLimited(t *testing.T) {
	c := newCounting(success)
	l := execute.NewLimited(c, 3)
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			if _, err := l.Execute(t.Context(), &execute.Request{}); err != nil {
				t.Error(err)
			}
		})
	}
	for range 3 {
		<-c.entered
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.Execute(ctx, &execute.Request{}); !errors.Is(err, context.Canceled) {
		t.Errorf("no slot, cancelled: %v", err)
	}
	if l.Busy() != 3 {
		t.Errorf("%d busy", l.Busy())
	}
	close(c.release)
	all.Wait()
	if c.calls != 10 || c.most != 3 {
		t.Errorf("%d calls, %d at once", c.calls, c.most)
	}
}

func TestFollowersOfAFailureRunThemselves(t *testing.T) {
	c := newCounting(func(call int) (*execute.Response, error) {
		if call == 1 {
			return nil, errBroken
		}
		return success(call)
	})
	d := execute.NewDeduplicated(c)
	results := make(chan error, 1)
	go func() {
		_, err := d.Execute(t.Context(), &execute.Request{})
		results <- err
	}()
	<-c.entered
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			if _, err := d.Execute(t.Context(), &execute.Request{}); err != nil {
				t.Errorf("a follower fails of %v", err)
			}
		})
	}
	close(c.release)
	if err := <-results; !errors.Is(err, errBroken) {
		t.Errorf("the leader: %v", err)
	}
	all.Wait()
}

func TestEqualActionsRunOnce(t *testing.T) {
	s, e, store := remote(t, clienttest.Quirks{})
	d := execute.NewDeduplicated(e)
	req := clienttest.Shell("sleep 0.3; echo x >out", "out").Uploaded(t, store)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if _, err := d.Execute(t.Context(), req); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := s.Calls("Execute"); n > 2 { // a goroutine may start late
		t.Errorf("%d Execute", n)
	}
}

func TestWorkersDirectoryHasARandomName(t *testing.T) {
	_, e, store := remote(t, clienttest.Quirks{})
	var seen []string
	for _, a := range []*clienttest.Action{clienttest.Shell("pwd -P"), clienttest.Shell("pwd -P; :")} {
		r, err := e.Execute(t.Context(), a.Uploaded(t, store))
		if err != nil {
			t.Fatal(err)
		}
		out := string(r.Stdout.Raw)
		if !r.Stdout.Inline() {
			blob, err := cas.Read(t.Context(), store, r.Stdout.Digest)
			if err != nil {
				t.Fatal(err)
			}
			out = string(blob)
		}
		seen = append(seen, strings.TrimSpace(out))
	}
	if slices.Contains(seen, "") || seen[0] == seen[1] {
		t.Errorf("directories %q", seen)
	}
}
