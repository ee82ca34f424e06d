package checkup

import (
	"context"
	"fmt"
	"time"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"

	"github.com/rexwrap/rexwrap/client/cas"
	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/client/execute"
)

// executes reports whether the address of execution offers it.
func (x *examination) executes(ctx context.Context) bool {
	c, err := x.Execution.Capabilities(ctx)
	switch {
	case err != nil:
		x.fail("execution", err)
		return false
	case !c.Execution:
		x.ok("execution", "not offered: the remote is a cache")
		return false
	}
	return true
}

// queue bounds the wait for a worker.
const queue = time.Minute

// run has a worker execute a small Action.
func (x *examination) run(ctx context.Context) {
	witness := &witness{Executor: execute.NewRemote(x.Execution, digest.SHA256, queue)}
	begin := time.Now()
	if err := execute.Probe(ctx, witness, cas.NewRemote(x.CAS, digest.SHA256), x.Platform); err != nil {
		x.fail("execution", err)
		return
	}
	text := fmt.Sprintf("an Action ran in %s", round(time.Since(begin)))
	if witness.metadata.GetWorker() != "" {
		text += " on " + witness.metadata.GetWorker()
	}
	x.ok("execution", text)
	x.clock(witness.metadata, begin)
}

// A witness is an Executor that keeps what the worker said of the last Action.
type witness struct {
	execute.Executor
	metadata *repb.ExecutedActionMetadata
}

// Execute implements execute.Executor.
func (w *witness) Execute(ctx context.Context, req *execute.Request) (*execute.Response, error) {
	fresh := *req
	fresh.SkipCache = true
	response, err := w.Executor.Execute(ctx, &fresh)
	if err == nil {
		w.metadata = response.Metadata
	}
	return response, err
}

// skew is how far a worker's clock may be from ours. Certificates, tokens and
// the ages of results suffer from more.
const skew = 30 * time.Second

// clock compares the time at which the worker says it executed with the time in
// which it did by our clock.
func (x *examination) clock(m *repb.ExecutedActionMetadata, begin time.Time) {
	stamp := m.GetExecutionCompletedTimestamp()
	if stamp == nil {
		x.ok("clock", "the worker does not say when it ran")
		return
	}
	now, at := x.Now(), stamp.AsTime()
	begin = now.Add(time.Until(begin)) // by the same clock
	switch {
	case at.Before(begin.Add(-skew)):
		x.warn("clock", fmt.Sprintf("the worker's is %s behind ours", round(begin.Sub(at))), "set both by NTP")
	case at.After(now.Add(skew)):
		x.warn("clock", fmt.Sprintf("the worker's is %s ahead of ours", round(at.Sub(now))), "set both by NTP")
	default:
		x.ok("clock", "the worker's agrees with ours")
	}
}
