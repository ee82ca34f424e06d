package remote

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"github.com/rs/zerolog"

	"github.com/rexwrap/rexwrap/client"
	"github.com/rexwrap/rexwrap/client/action"
	"github.com/rexwrap/rexwrap/client/actioncache"
	"github.com/rexwrap/rexwrap/client/cas"
	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/client/execute"
	"github.com/rexwrap/rexwrap/localserver/parity"
)

// ErrMiss is wrapped where a remote has no usable answer: no result is known,
// it is not a success, it lacks outputs, or its blobs are gone.
var ErrMiss = errors.New("not known remotely")

const (
	// callTimeout bounds each try of a call. One that takes longer says that
	// the remote is dead, even if this machine is overloaded.
	callTimeout = 10 * time.Second
	// patience is how long a compile waits for a remote that may hang. Far
	// networks answer in a tenth of it.
	patience = 2 * time.Second
	// presentAge and presentLimit bound what is remembered of blobs that the
	// CAS holds. Servers keep blobs for longer by far; casd and bb_clientd
	// remember for as long as this.
	presentAge   = 5 * time.Minute
	presentLimit = 1 << 18
	// findWindow is how long questions for missing blobs wait for each other.
	findWindow = 2 * time.Millisecond
)

// A Remote is one remote cache, and the workers behind it where it has some. It
// is safe for concurrent use.
type Remote struct {
	id        identity
	conns     map[string]*client.Conn // by address
	blobs     *client.Conn
	actions   *client.Conn
	workers   *client.Conn // nil where nobody is asked to execute
	execution *workers
	parity    *parity.Parity // nil where nobody is asked to execute
	cache     *actioncache.Remote
	store     *cas.Remembering
	uploads   *uploads
	notices   *notices
	parcels   parcels
	near      cas.Store // nil where chunks are not kept
}

func newRemote(id identity, log zerolog.Logger, keeper Keeper) *Remote {
	n := &notices{log: log}
	r := &Remote{id: id, notices: n, uploads: newUploads(log)}
	if keeper != nil {
		r.near = near{keeper}
	}
	return r
}

// connect makes the connections, one for each address.
func (r *Remote) connect(o client.Options) error {
	r.conns = make(map[string]*client.Conn)
	for _, c := range []struct {
		address string
		conn    **client.Conn
	}{{r.id.blobs, &r.blobs}, {r.id.actions, &r.actions}, {r.id.workers, &r.workers}} {
		if c.address == "" {
			continue
		}
		if r.conns[c.address] == nil {
			o.Address = c.address
			conn, err := client.Dial(o)
			if err != nil {
				return err
			}
			r.conns[c.address] = conn
		}
		*c.conn = r.conns[c.address]
	}
	r.cache = actioncache.NewRemote(r.actions, actioncache.Options{Function: digest.SHA256, ReadOnly: !r.id.upload || r.id.readOnly})
	find := cas.NewMerging(cas.NewChunked(cas.NewRemote(r.blobs, digest.SHA256), r.near), findWindow)
	r.store = cas.NewRemembering(find, presentAge, presentLimit)
	if r.workers != nil {
		r.execution = newWorkers(r.workers, r.id.jobs)
		r.parity = parity.New(parity.Options{Executor: r.execution.executor, Store: r.store, Function: digest.SHA256})
	}
	return nil
}

func (r *Remote) close(ctx context.Context) error {
	r.uploads.close(ctx)
	if r.parity != nil {
		r.parity.Close()
	}
	var errs []error
	for _, c := range r.conns {
		errs = append(errs, c.Close())
	}
	if r.execution != nil {
		r.execution.probing.Wait() // their calls have ended with the connections
	}
	return errors.Join(errs...)
}

// Parity says what the workers have of their own, nil where there are none.
func (r *Remote) Parity() *parity.Parity { return r.parity }

// Result looks an Action up whose output_paths are outputs, some of them
// optional. What it returns is a success with all others; their blobs may be
// gone all the same. An error that is not ErrMiss is trouble with the remote.
func (r *Remote) Result(ctx context.Context, d digest.Digest, outputs, optional []string) (*action.Result, error) {
	msg, err := r.get(ctx, d, outputs)
	if errors.Is(err, actioncache.ErrNotFound) || errors.Is(err, client.ErrUnimplemented) {
		return nil, fmt.Errorf("%w: %w", ErrMiss, err)
	}
	if err != nil {
		return nil, err
	}
	result, err := action.ReadResult(msg, outputs, digest.SHA256)
	if err == nil {
		result.Missing = slices.DeleteFunc(result.Missing, func(path string) bool { return slices.Contains(optional, path) })
		err = execute.Check(result)
	}
	if err == nil && result.ExitCode != 0 {
		err = fmt.Errorf("exit code %d", result.ExitCode)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: action %s: %w", ErrMiss, d, err)
	}
	return result, nil
}

// get asks for a result, and gives up after a while: the call goes on alone, so
// that the connection finds out whether the remote is dead.
func (r *Remote) get(ctx context.Context, d digest.Digest, outputs []string) (*repb.ActionResult, error) {
	type answer struct {
		msg *repb.ActionResult
		err error
	}
	got := make(chan answer, 1)
	go func() {
		msg, err := r.cache.Get(context.WithoutCancel(ctx), d, outputs...)
		got <- answer{msg, err}
	}()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case a := <-got:
		return a.msg, a.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-timer.C:
		return nil, errSlow
	}
}

var errSlow = errors.New("remote does not answer soon")

// Fetch reads verified blobs: see cas.Store. One that is gone is ErrMiss, and
// so is one with other bytes.
func (r *Remote) Fetch(ctx context.Context, wanted ...cas.Wanted) error {
	err := r.store.Fetch(ctx, wanted...)
	if errors.Is(err, cas.ErrNotFound) || errors.Is(err, cas.ErrCorrupt) {
		return fmt.Errorf("%w: %w", ErrMiss, err)
	}
	return err
}

// A Caller says for whom a remote is asked; it is told to servers for their
// logs and pages.
type Caller struct {
	Build  string // id of the build, may be empty
	Kind   string // such as CppCompile
	Target string // the output, as spelled
	Action digest.Digest
}

// With returns a context whose calls are made for c.
func With(ctx context.Context, c Caller) context.Context {
	m := client.Metadata{InvocationID: c.Build, Mnemonic: c.Kind, TargetID: c.Target}
	if !c.Action.IsZero() {
		m.ActionID = c.Action.Hex()
	}
	return client.WithMetadata(ctx, m)
}
