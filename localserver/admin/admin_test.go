package admin

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rexwrap/rexwrap/localserver/journal"
	"github.com/rexwrap/rexwrap/wrapper/wire"
)

// fake is a Service that answers with what it was asked.
type fake struct {
	zeroed, stopped bool
	scanned         *CallRequest
}

var errBroken = errors.New("disk on fire")

func (f *fake) Status(context.Context) (*Status, error) { return &Status{PID: 7, Version: "v1"}, nil }
func (f *fake) Stop(context.Context) error              { f.stopped = true; return nil }
func (f *fake) Flush(context.Context) (*Flushed, error) { return &Flushed{Pending: 2}, nil }
func (f *fake) Zero(context.Context) error              { f.zeroed = true; return nil }
func (f *fake) Stats(context.Context) (*journal.Stats, error) {
	return &journal.Stats{Calls: 3, MissCauses: []journal.CauseCount{{Cause: journal.CauseSource, Count: 1}}}, nil
}

func (f *fake) Explain(_ context.Context, req *ExplainRequest) (*journal.Explanation, error) {
	if req.Target == "none" {
		return nil, Errorf(ErrNotFound, "no %s", req.Target)
	}
	return &journal.Explanation{Summary: req.Dir + "/" + req.Target, Record: &journal.Entry{ID: 9, Outcome: journal.HitLocal}}, nil
}

func (f *fake) ExplainBuild(_ context.Context, req *ExplainBuildRequest) (*journal.BuildReport, error) {
	return &journal.BuildReport{Build: req.Build}, nil
}

func (f *fake) Headers(_ context.Context, req *HeadersRequest) (*journal.HeaderReport, error) {
	return &journal.HeaderReport{Headers: []journal.Header{{Path: req.Dir + "/a.h", Compiles: 2}}}, nil
}

func (f *fake) Log(_ context.Context, req *LogRequest, emit func(*journal.Entry) error) error {
	for i := range req.Count {
		if err := emit(&journal.Entry{ID: journal.ID(i + 1), Outcome: journal.SteppedAside}); err != nil {
			return err
		}
	}
	return nil
}

func (f *fake) CacheSize(context.Context) (*CacheSize, error) { return &CacheSize{Bytes: 5}, nil }
func (f *fake) CacheClear(_ context.Context, report func(Progress) error) (*Removed, error) {
	return &Removed{Entries: 4}, report(Progress{Done: 1, Total: 2})
}

func (f *fake) CacheVerify(_ context.Context, report func(Progress) error) (*CacheVerified, error) {
	return &CacheVerified{Corrupt: 1}, errors.Join(report(Progress{1, 2}), report(Progress{2, 2}))
}

func (f *fake) CacheEvict(_ context.Context, req *EvictRequest, _ func(Progress) error) (*Removed, error) {
	return &Removed{Bytes: *req.ToBytes}, nil
}

func (f *fake) CacheFlush(context.Context, func(Progress) error) (*Flushed, error) {
	return nil, errBroken
}

func (f *fake) SessionList(context.Context) (*SessionList, error) {
	return &SessionList{Sessions: []Session{{Path: "/b/vc140.pdb", Age: 3}}, Objects: map[string]int64{"merged": 4}}, nil
}

func (f *fake) SessionSeal(_ context.Context, req *SealRequest) (*Sealed, error) {
	return &Sealed{Sessions: len(req.Paths)}, nil
}

func (f *fake) Scan(_ context.Context, req *CallRequest) (*ScanReply, error) {
	f.scanned = req
	return &ScanReply{Files: []ScannedFile{{Path: "a.c"}}}, nil
}

func (f *fake) Action(_ context.Context, req *ActionRequest) (*ActionReply, error) {
	return nil, Errorf(ErrUsage, "%s is no digest", req.Digest)
}

// serve returns a Client of h over pipes.
func serve(t *testing.T, h Handler) *Client {
	return NewClient(func(context.Context) (io.ReadWriteCloser, error) {
		near, far := net.Pipe()
		t.Cleanup(func() { _ = far.Close() })
		go func() {
			defer func() { _ = far.Close() }()
			_, payload, err := wire.NewReader(far).Next()
			var req wire.Admin
			if err != nil || wire.Decode(payload, &req) != nil {
				return
			}
			_ = wire.Write(far, &wire.Heartbeat{})
			_ = h.Handle(t.Context(), req.Verb, req.Body, func(r *wire.AdminReply) error { return wire.Write(far, r) })
		}()
		return near, nil
	})
}

func TestVerbs(t *testing.T) {
	f := &fake{}
	c := serve(t, NewHandler(f))
	ctx := t.Context()
	var steps []Progress
	report := func(p *Progress) error { steps = append(steps, *p); return nil }
	size := int64(77)
	tests := []struct {
		verb string
		call func() (any, error)
		want any
	}{
		{VerbStatus, func() (any, error) { return c.Status(ctx) }, &Status{PID: 7, Version: "v1"}},
		{VerbStats, func() (any, error) { return c.Stats(ctx) }, &journal.Stats{Calls: 3, MissCauses: []journal.CauseCount{{Cause: journal.CauseSource, Count: 1}}}},
		{VerbZero, func() (any, error) { return nil, c.Zero(ctx) }, nil},
		{VerbStop, func() (any, error) { return nil, c.Stop(ctx) }, nil},
		{VerbFlush, func() (any, error) { return c.Flush(ctx) }, &Flushed{Pending: 2}},
		{VerbSessionList, func() (any, error) { return c.SessionList(ctx) }, &SessionList{
			Sessions: []Session{{Path: "/b/vc140.pdb", Age: 3}}, Objects: map[string]int64{"merged": 4},
		}},
		{VerbSessionSeal, func() (any, error) { return c.SessionSeal(ctx, &SealRequest{Paths: []string{"/b"}}) }, &Sealed{Sessions: 1}},
		{
			VerbExplain, func() (any, error) { return c.Explain(ctx, &ExplainRequest{Target: "a.o", Dir: "/d"}) },
			&journal.Explanation{Summary: "/d/a.o", Record: &journal.Entry{ID: 9, Outcome: journal.HitLocal}},
		},
		{VerbExplainBuild, func() (any, error) { return c.ExplainBuild(ctx, &ExplainBuildRequest{Build: "b"}) }, &journal.BuildReport{Build: "b"}},
		{VerbCacheSize, func() (any, error) { return c.CacheSize(ctx) }, &CacheSize{Bytes: 5}},
		{VerbCacheClear, func() (any, error) { return c.CacheClear(ctx, report) }, &Removed{Entries: 4}},
		{VerbCacheVerify, func() (any, error) { return c.CacheVerify(ctx, report) }, &CacheVerified{Corrupt: 1}},
		{VerbCacheEvict, func() (any, error) { return c.CacheEvict(ctx, &EvictRequest{ToBytes: &size}, report) }, &Removed{Bytes: 77}},
		{VerbScan, func() (any, error) { return c.Scan(ctx, &CallRequest{Argv: []string{"gcc"}}) }, &ScanReply{Files: []ScannedFile{{Path: "a.c"}}}},
		{
			VerbHeaders, func() (any, error) { return c.Headers(ctx, &HeadersRequest{Dir: "/d"}) },
			&journal.HeaderReport{Headers: []journal.Header{{Path: "/d/a.h", Compiles: 2}}},
		},
	}
	for _, tt := range tests {
		got, err := tt.call()
		if err != nil {
			t.Errorf("%s: %v", tt.verb, err)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.verb, diff)
		}
	}
	if diff := cmp.Diff([]Progress{{1, 2}, {1, 2}, {2, 2}}, steps); diff != "" {
		t.Errorf("progress (-want +got):\n%s", diff)
	}
	if !f.zeroed || !f.stopped || len(f.scanned.Argv) != 1 {
		t.Errorf("%+v", f)
	}
}

func TestLogStreams(t *testing.T) {
	c := serve(t, NewHandler(&fake{}))
	var got []journal.ID
	each := func(e *journal.Entry) error { got = append(got, e.ID); return nil }
	if err := c.Log(t.Context(), &LogRequest{Count: 3}, each); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]journal.ID{1, 2, 3}, got); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
	stop := errors.New("enough")
	if err := c.Log(t.Context(), &LogRequest{Count: 3}, func(*journal.Entry) error { return stop }); err != stop {
		t.Errorf("error %v", err)
	}
}

func TestErrorsKeepTheirKind(t *testing.T) {
	c := serve(t, NewHandler(&fake{}))
	ctx := t.Context()
	_, notFound := c.Explain(ctx, &ExplainRequest{Target: "none"})
	if !errors.Is(notFound, ErrNotFound) || notFound.Error() != "no none" {
		t.Errorf("explain: %v", notFound)
	}
	_, usage := c.Action(ctx, &ActionRequest{Digest: "x"})
	if !errors.Is(usage, ErrUsage) || usage.Error() != "x is no digest" {
		t.Errorf("action: %v", usage)
	}
	_, failed := c.CacheFlush(ctx, func(*Progress) error { return nil })
	if failed == nil || errors.Is(failed, ErrUsage) || failed.Error() != errBroken.Error() {
		t.Errorf("flush: %v", failed)
	}
	_, unknown := one[nothing](ctx, c, "brew", nil)
	if !errors.Is(unknown, ErrUsage) {
		t.Errorf("unknown verb: %v", unknown)
	}
}

// TestBadPeers talks to what is no server of ours.
func TestBadPeers(t *testing.T) {
	tests := map[string][]byte{
		"closed":  nil,
		"garbage": []byte("HTTP/1.1 400 Bad Request\r\n\r\n"),
		"frame":   wire.Append(nil, &wire.Committed{}),
		"json":    wire.Append(nil, &wire.AdminReply{Body: []byte("{")}),
		"older":   wire.Append(nil, &wire.StepAside{Reason: "version"}),
	}
	for name, answer := range tests {
		c := NewClient(func(context.Context) (io.ReadWriteCloser, error) {
			near, far := net.Pipe()
			go func() {
				_, _, _ = wire.NewReader(far).Next()
				_, _ = far.Write(answer)
				_ = far.Close()
			}()
			return near, nil
		})
		if _, err := c.Status(t.Context()); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestCancel(t *testing.T) {
	c := NewClient(func(context.Context) (io.ReadWriteCloser, error) {
		near, far := net.Pipe()
		go func() { _, _ = io.Copy(io.Discard, far) }() // a server that hangs
		return near, nil
	})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := c.Status(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
}

func TestDialErrorIsReturned(t *testing.T) {
	c := NewClient(func(context.Context) (io.ReadWriteCloser, error) { return nil, ErrNoServer })
	if _, err := c.Status(t.Context()); err != ErrNoServer {
		t.Errorf("error %v", err)
	}
}
