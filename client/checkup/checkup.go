// Package checkup examines a remote end to end, as `rexwrap doctor` does: is it
// there, may we, what does it offer, does a blob survive the way there and back,
// does the ActionCache answer and take results, does an Action run, is its clock
// near ours. Each step says what it found and, where that is bad, what to do.
//
// It writes two blobs and, where results may be stored, one result, the same in
// every run but for one random blob; nothing else is changed. Whether the
// worker's compiler is the client's is not asked here (localserver/parity).
package checkup

import (
	"context"
	"errors"
	"time"

	"github.com/rexwrap/rexwrap/client"
	"github.com/rexwrap/rexwrap/client/action"
	"github.com/rexwrap/rexwrap/client/actioncache"
	"github.com/rexwrap/rexwrap/client/cas"
	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/client/execute"
)

// Status is how a step ended.
type Status string

// The statuses.
const (
	OK      Status = "ok"
	Warning Status = "warning" // works, with less than it could
	Failed  Status = "error"
)

// Steps is how many findings there are about a remote where all goes well.
const Steps = 7

// A Finding is what one step found. Text and Advice are single lines without
// credentials.
type Finding struct {
	Name   string
	Status Status
	Text   string
	Advice string // what to do; empty for nothing
}

// A Remote is what is examined. Connections may be the same one.
type Remote struct {
	CAS, ActionCache *client.Conn
	// Execution is nil for a remote that is used as a cache only.
	Execution *client.Conn
	Platform  []action.Property
	ReadOnly  bool // nothing is uploaded, so nothing is tried to be
	Now       func() time.Time
}

// An examination is one run over a Remote.
type examination struct {
	Remote
	report func(Finding)
	store  cas.Store
	cache  actioncache.Cache
}

// Examine makes all checks and reports each finding as soon as it is there. A
// step that makes no sense after a failed one is left out. It returns when all
// are done or ctx ends; the deadlines of the calls are the connections'.
func Examine(ctx context.Context, r Remote, report func(Finding)) {
	x := &examination{Remote: r, report: report}
	x.store = cas.NewRemote(r.CAS, digest.SHA256)
	x.cache = actioncache.NewRemote(r.ActionCache, actioncache.Options{ReadOnly: r.ReadOnly})
	if x.offers(ctx) {
		x.roundTrip(ctx)
		x.blobs(ctx)
		x.results(ctx)
	}
	if r.Execution != nil && x.executes(ctx) {
		x.run(ctx)
	}
}

func (x *examination) ok(name, text string) {
	x.report(Finding{Name: name, Status: OK, Text: text})
}

func (x *examination) warn(name, text, advice string) {
	x.report(Finding{Name: name, Status: Warning, Text: text, Advice: advice})
}

// fail reports an error with the advice that fits it.
func (x *examination) fail(name string, err error) {
	x.report(Finding{Name: name, Status: Failed, Text: err.Error(), Advice: advice(err)})
}

// advice is what helps against err. The order matters: an error can match
// several sentinels.
func advice(err error) string {
	for _, c := range []struct {
		is   error
		text string
	}{
		{client.ErrUnauthenticated, "set headers, credential_helper or tls.cert and tls.key"},
		{client.ErrDenied, "ask the remote's owner for the right, or set read_only"},
		{client.ErrIncompatible, "use a server that speaks REv2 with SHA256 or BLAKE3"},
		{client.ErrAddress, "write it as grpc://HOST:PORT, grpcs://HOST:PORT or unix:PATH"},
		{client.ErrNoWorkers, "set platform to what the workers offer"},
		{execute.ErrOutputRoot, "use it as a cache: strategy = \"local\""},
		{execute.ErrRejected, "the workers need /bin/sh; set platform, or use strategy = \"local\""},
		{execute.ErrIncomplete, "the worker lost an output; look at its logs"},
		{client.ErrTimeout, "look at the network between here and there, and at the server's load"},
		{client.ErrUnavailable, "is it running, and is the address right? grpcs:// is for TLS"},
		{client.ErrInvalid, "is instance right? look at the server's configuration"},
		{client.ErrExhausted, "the server's storage or quota is full"},
		{client.ErrUnimplemented, "the server lacks the service; set cas and action_cache where they differ"},
		{cas.ErrCorrupt, "the server or something on the way changes data; do not use it"},
		{cas.ErrNotFound, "the server loses blobs at once; is its storage full?"},
	} {
		if errors.Is(err, c.is) {
			return c.text
		}
	}
	return "look at the server's logs"
}
