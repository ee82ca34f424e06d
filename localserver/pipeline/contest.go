package pipeline

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/localserver/config"
	"github.com/rexwrap/rexwrap/localserver/journal"
	"github.com/rexwrap/rexwrap/localserver/remote"
	"github.com/rexwrap/rexwrap/localserver/strategy"
	"github.com/rexwrap/rexwrap/toolchains"
)

// A contest is a miss on its way to an answer: by this machine, by a worker, or
// by the first of both.
type contest struct {
	r *request
	x *expected // nil where only this machine can do it
	// cancelled says that the compiler has been run here: a wrapper runs it
	// once.
	cancelled bool
	// Of the worker's leg, to be read after its end: its result with the
	// variant, and its times.
	brought *Result
	variant Variant
	steps   journal.Steps
}

// contest executes a miss where the strategy says.
func (r *request) contest(ctx context.Context) error {
	c := &contest{r: r}
	barred := c.admit(ctx)
	task := &strategy.Task{
		Mode: strategy.Mode(r.settings.Strategy), Remotable: c.x != nil, Stoppable: r.in.CanCancel,
		Kind: strategy.Kind{Family: r.record.Family, SourceSize: r.key.Source.Size},
	}
	out, err := r.p.o.Chooser.Run(ctx, task, strategy.Legs{Local: c.local, Remote: c.remote})
	r.record.Steps.Add(journal.StepQueue, out.Waited)
	for i, us := range c.steps {
		r.record.Steps[i] += us
	}
	switch {
	case err != nil:
		return r.finish(journal.ExecutedLocal, err)
	case out.Leg == strategy.Remote && c.due():
		return c.recheck(ctx)
	case out.Leg == strategy.Remote:
		return c.deliver()
	case out.Trouble != nil:
		r.fellBack(out.Trouble)
	case barred != nil:
		r.fellBack(barred)
	default:
		return r.finish(journal.ExecutedLocal, nil)
	}
	return nil
}

// admit sets c.x where a worker may run the compile. Otherwise the error says
// why not, nil where nobody wanted it to.
func (c *contest) admit(ctx context.Context) error {
	r := c.r
	if !r.wantsWorkers() || r.cacheOnly(ctx) {
		return nil
	}
	if r.compile.Crate != nil {
		return c.admitCrate(ctx)
	}
	x := r.expect(ctx)
	if x == nil {
		return toolchains.Unsupported("remote-unknown-inputs", "")
	}
	if err := x.laid.remotable(); err != nil {
		return err
	}
	err := r.able(ctx, x.laid)
	if r.shipInstead(err) {
		r.far.expected = nil
		if x = r.expect(ctx); x == nil {
			return err
		}
		if err = x.laid.remotable(); err == nil {
			err = r.able(ctx, x.laid)
		}
	}
	if errors.Is(err, remote.ErrNoWorkers) && r.settings.Strategy == config.Auto {
		return nil // a cache, as far as anybody has said
	}
	if err == nil {
		c.x = x
	}
	return err
}

// cacheOnly reports whether nobody expects the remote to execute anything: it has
// no workers, and the strategy does not ask for them by name.
func (r *request) cacheOnly(ctx context.Context) bool {
	if r.settings.Strategy != config.Auto {
		return false
	}
	err := r.far.remote.Workers(ctx, platformOf(r.settings))
	return errors.Is(err, remote.ErrNoWorkers) && !remote.IsBare(err)
}

// able returns why the workers cannot run l, or nil.
func (r *request) able(ctx context.Context, l *laidOut) error {
	if l.ship != nil {
		return r.delivered(ctx, l.ship)
	}
	if err := r.far.remote.Workers(ctx, l.spec.Platform); err != nil {
		return err
	}
	return r.proven(ctx, l.host)
}

// local is the leg of this machine.
func (c *contest) local(ctx context.Context, stoppable bool) (strategy.Cost, error) {
	r := c.r
	r.lap = time.Now()
	err := r.execute(ctx, stoppable)
	if errors.Is(err, errCancelled) {
		c.cancelled = true
		err = strategy.ErrLost
	}
	return strategy.Cost{Wall: r.record.Spent.Wall, MaxRSS: r.record.Spent.MaxRSS}, err
}

// remote is the worker's leg. It brings the result here and writes nothing.
func (c *contest) remote(ctx context.Context) error {
	r, laid := c.r, c.x.laid
	ctx = remote.With(ctx, r.callerOf(laid.Action))
	begin := time.Now()
	lap := func(s journal.Step) {
		c.steps.Add(s, time.Since(begin))
		begin = time.Now()
	}
	if r.settings.Strategy != config.Race {
		r.conv.Away()
	}
	c.variant = laid.sought()
	job := r.job(laid, &c.variant)
	if r.far.supply == nil {
		r.far.supply = r.supply(ctx, laid, &c.variant)
	}
	if err := r.far.supply.wait(ctx); err != nil {
		return err
	}
	lap(journal.StepUpload)
	got, err := r.far.remote.Execute(ctx, job)
	lap(journal.StepExecute)
	if err != nil {
		r.suspects(err)
		return err
	}
	res, err := r.bring(ctx, &c.variant, got)
	lap(journal.StepDownload)
	if err != nil {
		return err
	}
	if !res.quiet() && (!r.serves(&c.variant, res) || laid.layout.Quiet) {
		return toolchains.Unsupported(reasonMessages, "")
	}
	if err := r.plausible(ctx, laid, res); err != nil {
		r.suspects(err)
		return err
	}
	c.brought = res
	return nil
}

// reasonBadResult is the reason of a fall back from a worker that answered.
const reasonBadResult = "remote-bad-result"

// suspects notes an answer of a worker that cannot be the compiler's: what this
// machine makes of the same Action is not for others, since the Action may lack
// an input.
func (r *request) suspects(err error) {
	if errors.Is(err, remote.ErrBadResult) {
		r.far.suspect.Store(true)
	}
}

// plausible checks what can be checked of a worker's result: that it has this
// machine's compiler and headers, and that the dep-file names the inputs that
// were sent.
func (r *request) plausible(ctx context.Context, laid *laidOut, res *Result) error {
	if err := r.accept(ctx, r.far.expected.candidate, &Variant{Outputs: laid.variant("", false).Outputs}, res); err != nil {
		return err
	}
	if r.compile.Crate != nil {
		return r.plausibleCrate(laid, res)
	}
	if r.database != nil {
		return r.plausiblePair(res)
	}
	dep := res.output(toolchains.RoleDep)
	if dep == nil {
		return nil
	}
	text := res.held[dep.Digest]
	if text == nil {
		var err error
		if text, err = r.p.store.Blob(dep.Digest); err != nil {
			return err
		}
	}
	if _, ok := laid.layout.ClientDep(r.compile.Toolchain.Family, text, r.compile.Dep.Targets); !ok {
		return fmt.Errorf("%w: its dep-file names other inputs", remote.ErrBadResult)
	}
	return nil
}

// A supply is the upload of an Action's inputs.
type supply struct {
	stop context.CancelFunc
	done chan struct{}
	err  error // set before done is closed
}

func (r *request) supply(ctx context.Context, laid *laidOut, v *Variant) *supply {
	ctx, stop := context.WithCancel(ctx)
	s := &supply{stop: stop, done: make(chan struct{})}
	go func() {
		defer close(s.done)
		defer stop()
		s.err = r.far.remote.Supply(ctx, r.job(laid, v))
	}()
	return s
}

func (s *supply) wait(ctx context.Context) error {
	select {
	case <-s.done:
		return s.err
	case <-ctx.Done():
		s.stop()
		<-s.done
		return context.Cause(ctx)
	}
}

func (r *request) job(laid *laidOut, v *Variant) *remote.Job {
	outputs, optional := r.declared(v)
	job := &remote.Job{
		Action: laid.Encoded, Tree: laid.tree, Sources: laid.layout.Sources, Outputs: outputs, Optional: optional,
		Platform: laid.spec.Platform, Timeout: laid.spec.Timeout, Priority: int32(r.settings.Priority),
	}
	if laid.ship != nil {
		job.Parcel = laid.ship.parcel
	}
	return job
}

// due reports whether this worker's result is one to be compiled here as well.
func (c *contest) due() bool {
	return c.x.laid.ship == nil && c.r.far.remote.Parity().Executed(c.x.laid.spec.Platform, c.variant.Action) && !c.cancelled
}

// recheck compiles here what a worker has made, and compares. This machine's
// result is the answer. Where they differ, all that workers made since the last
// good check is dropped.
func (c *contest) recheck(ctx context.Context) error {
	r, p, platform := c.r, c.r.far.remote.Parity(), c.x.laid.spec.Platform
	r.verify, r.verified = c.brought, c.variant.Action
	err := r.execute(ctx, false)
	switch {
	case r.compared && !r.differs:
		p.Agreed(platform, c.variant.Action)
	case r.differs:
		for _, d := range p.Differed(platform) {
			r.p.store.DeleteResult(d)
		}
	}
	return r.finish(journal.ExecutedLocal, err)
}

// deliver answers with what a worker made. Where that cannot be, the compiler
// runs here after all.
func (c *contest) deliver() error {
	r := c.r
	r.lap = time.Now()
	r.record.Action = c.variant.Action
	ok, err := r.answer(c.brought)
	r.step(journal.StepMaterialize)
	if err == nil && !ok {
		err = toolchains.Unsupported(reasonBadResult, "")
	}
	if err != nil {
		return r.finish(journal.ExecutedRemote, err)
	}
	c.variant.Quiet = c.brought.quiet()
	r.record.Page = pageOf(r.settings, c.variant.Action)
	r.record.Worker, r.record.Spent = c.brought.Worker, c.brought.Cost.journal()
	r.adopt(c.x.candidate, &c.variant, c.brought)
	r.shareCandidate(c)
	return r.finish(journal.ExecutedRemote, nil)
}

// fellBack notes that this machine did what a worker could not do, and why. The
// result is not for others where the Action may be at fault.
func (r *request) fellBack(why error) {
	r.record.Outcome = journal.FellBack
	reason, arg, ok := toolchains.ReasonOf(why)
	if !ok {
		reason, arg = "remote-failed", why.Error()
		switch {
		case errors.Is(why, remote.ErrBadResult):
			reason = reasonBadResult
		case errors.Is(why, remote.ErrNoWorkers):
			reason = "remote-no-workers"
		}
	}
	r.record.Reason, r.record.Arg = reason, arg
}

// callerOf is the caller of what concerns an Action.
func (r *request) callerOf(d digest.Digest) remote.Caller {
	c := r.caller()
	c.Action = d
	return c
}
