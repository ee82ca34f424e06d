package remote

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rexwrap/rexwrap/client"
	"github.com/rexwrap/rexwrap/client/action"
	"github.com/rexwrap/rexwrap/client/cas"
	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/client/execute"
	"github.com/rexwrap/rexwrap/client/merkle"
)

// Errors of workers, beside those of the connection.
var (
	// ErrNoWorkers: nobody is there to execute: a cache only, or one whose
	// workers cannot run compiles.
	ErrNoWorkers = errors.New("remote has no workers for compiles")
	// ErrBadResult is wrapped where a worker gave an answer that is not the
	// compiler's. Its Action may lack something.
	ErrBadResult = errors.New("worker gave no result of the compile")
)

// queueLimit is how long an Action may wait for a worker, besides what it may
// take.
const queueLimit = 5 * time.Minute

// A Job is an Action with all that its execution needs.
type Job struct {
	Action    *action.Encoded
	Tree      *merkle.Tree
	Sources   map[digest.Digest]string // where the files of Tree are
	Parcel    *Parcel                  // what is mounted in Tree and was delivered before, nil for nothing
	Outputs   []string
	Optional  []string // those of Outputs that a success may lack
	Platform  []action.Property
	Timeout   time.Duration
	Priority  int32
	SkipCache bool
}

// workers are what executes at a Remote's address. They are safe for concurrent
// use.
type workers struct {
	executor execute.Executor

	probing sync.WaitGroup
	mu      sync.Mutex
	probes  map[string]*probe // by platform
}

// A probe is the answer to whether the workers of a platform can run compiles.
type probe struct {
	done chan struct{}
	err  error // set, with at, before done is closed
	at   time.Time
	// before is what the last probe said if that was no: it holds until this
	// one is done, so that nobody waits again for a remote that hangs.
	before error
}

const (
	// probeAge is how long it is believed that workers can run compiles,
	// probeAgeBad that they cannot.
	probeAge    = time.Hour
	probeAgeBad = 20 * time.Second
)

func newWorkers(conn *client.Conn, jobs int) *workers {
	run := execute.Repairing{Executor: execute.NewRemote(conn, digest.SHA256, queueLimit)}
	return &workers{
		executor: execute.NewDeduplicated(execute.NewLimited(run, max(jobs, 1))), probes: make(map[string]*probe),
	}
}

// Workers returns why compiles cannot be executed with the properties of a
// platform, or nil. The first call for a platform runs a small Action.
func (r *Remote) Workers(ctx context.Context, platform []action.Property) error {
	if r.workers == nil {
		return ErrNoWorkers
	}
	p, first := r.execution.probeOf(platform)
	if first {
		r.execution.probing.Go(func() {
			p.err, p.at = r.probe(ctx, platform), time.Now()
			close(p.done)
		})
	}
	if p.before != nil && !p.ended() {
		return p.before
	}
	select {
	case <-p.done:
		return p.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// probeOf returns the probe of a platform, and whether the caller has to make it.
func (w *workers) probeOf(platform []action.Property) (p *probe, first bool) {
	var key strings.Builder
	for _, property := range platform {
		fmt.Fprintf(&key, "%q=%q ", property.Name, property.Value)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	last := w.probes[key.String()]
	if last != nil && !last.stale() {
		return last, false
	}
	p = &probe{done: make(chan struct{})}
	if last != nil {
		p.before = last.err
	}
	w.probes[key.String()] = p
	return p, true
}

func (p *probe) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

func (p *probe) stale() bool {
	if !p.ended() {
		return false
	}
	age := probeAge
	if p.err != nil {
		age = probeAgeBad
	}
	return time.Since(p.at) > age
}

func (r *Remote) probe(ctx context.Context, platform []action.Property) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), queueLimit)
	defer cancel()
	caps, err := r.workers.Capabilities(ctx)
	if err != nil {
		return err
	}
	if !caps.Execution {
		return fmt.Errorf("%w: the server offers no execution", ErrNoWorkers)
	}
	if err := execute.Probe(ctx, r.execution.executor, r.store, platform); err != nil {
		r.notices.add(r.id.workers + ": executes no compiles: " + err.Error())
		return fmt.Errorf("%w: %w", ErrNoWorkers, err)
	}
	return nil
}

// Supply uploads those inputs of j that the CAS lacks. What is new with each
// Action is not asked for before.
func (r *Remote) Supply(ctx context.Context, j *Job) error {
	blobs := []cas.Blob{cas.Bytes(j.Action.Action, j.Action.ActionBlob), cas.Bytes(j.Action.Command, j.Action.CommandBlob)}
	for d, text := range j.Tree.Directories {
		blobs = append(blobs, cas.Bytes(d, text))
	}
	for d, text := range j.Tree.Targets {
		blobs = append(blobs, cas.Bytes(d, text))
	}
	for d, path := range j.Sources {
		blobs = append(blobs, cas.File(d, path))
	}
	return cas.Ensure(ctx, r.store, blobs...)
}

// Execute runs j, whose inputs were supplied, on a worker. A result without
// error is a success with all outputs.
func (r *Remote) Execute(ctx context.Context, j *Job) (*action.Result, error) {
	response, err := r.execution.executor.Execute(ctx, &execute.Request{
		Action: j.Action.Action, Outputs: j.Outputs, Optional: j.Optional, Timeout: j.Timeout, Priority: j.Priority,
		SkipCache: j.SkipCache,
		Repair:    func(ctx context.Context, missing []digest.Digest) error { return r.repair(ctx, j, missing) },
	})
	switch {
	case err == nil && response.ExitCode == 0:
		return response.Result, nil
	case err == nil:
		return nil, fmt.Errorf("%w: exit code %d", ErrBadResult, response.ExitCode)
	case isAnswer(err):
		return nil, fmt.Errorf("%w: %w", ErrBadResult, err)
	}
	return nil, err
}

// repair uploads inputs of j again that are missing, all if none is named. Where
// those of its Parcel are named it is delivered anew, which j does not wait for.
func (r *Remote) repair(ctx context.Context, j *Job, missing []digest.Digest) error {
	r.forget(j, missing)
	if j.Parcel == nil {
		return r.Supply(ctx, j)
	}
	if slices.ContainsFunc(missing, j.Parcel.holds) {
		r.parcels.forget(j.Parcel)
		return r.Deliver(ctx, j.Parcel)
	}
	if len(missing) == 0 {
		r.store.Forget(j.Parcel.digests()...)
		if err := cas.Ensure(ctx, r.store, j.Parcel.Blobs...); err != nil {
			return err
		}
	}
	return r.Supply(ctx, j)
}

// isAnswer reports whether err is about what a worker did with the Action, rather
// than about reaching one.
func isAnswer(err error) bool {
	return slices.ContainsFunc([]error{
		execute.ErrIncomplete, execute.ErrSuspect, execute.ErrTimedOut, execute.ErrRejected, execute.ErrInputs, action.ErrResult,
	}, func(target error) bool { return errors.Is(err, target) })
}

// forget makes the CAS be asked again for inputs of j, all if none is named.
func (r *Remote) forget(j *Job, missing []digest.Digest) {
	if len(missing) == 0 {
		missing = []digest.Digest{j.Action.Action, j.Action.Command}
		for d := range j.Tree.Directories {
			missing = append(missing, d)
		}
		for d := range j.Sources {
			missing = append(missing, d)
		}
	}
	r.store.Forget(missing...)
}
