package pipeline

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/rexwrap/rexwrap/client/action"
	"github.com/rexwrap/rexwrap/client/cas"
	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/depscan/rustdeps"
	"github.com/rexwrap/rexwrap/localserver/config"
	"github.com/rexwrap/rexwrap/localserver/journal"
	"github.com/rexwrap/rexwrap/localserver/parity"
	"github.com/rexwrap/rexwrap/localserver/remote"
)

// A Remote has the results of other machines; it is implemented by
// remote.Remote, whose errors it shares. Its methods are safe for concurrent
// use.
type Remote interface {
	Result(ctx context.Context, action digest.Digest, outputs, optional []string) (*action.Result, error)
	Fetch(ctx context.Context, wanted ...cas.Wanted) error
	Candidates(ctx context.Context, manifest digest.Digest, version int) ([]byte, error)
	Shares() bool
	Share(s *remote.Share) bool
	Workers(ctx context.Context, platform []action.Property) error
	Supply(ctx context.Context, j *remote.Job) error
	Execute(ctx context.Context, j *remote.Job) (*action.Result, error)
	// Parity is nil where there are no workers.
	Parity() *parity.Parity
	Runs(ctx context.Context, platform []action.Property, way remote.Way, launcher []byte) error
	Deliver(ctx context.Context, p *remote.Parcel) error
}

// far is what of a request concerns the remote.
type far struct {
	remote Remote // nil for none
	// candidate and variant are what matches here but whose result is gone.
	candidate *Candidate
	variant   *Variant
	tried     digest.Digest // the last Action that was looked for
	outcome   journal.Outcome
	trouble   error       // why the remote had no answer, nil where it had none to give
	suspect   atomic.Bool // a worker could not do what this machine then did
	quietOnly bool        // what was printed may be in another language
	here      bool        // the result at hand was made by this machine
	supply    *supply     // nil where it has not begun
	// expected is the candidate of the scanner's inputs with its Action, nil
	// where they are not known.
	expected *expected
	foreseen *rustdeps.Foreseen // of rustc's compiles
}

// caller says for whom the remote is asked.
func (r *request) caller() remote.Caller {
	c := remote.Caller{Build: r.record.Build, Kind: kindOf(r.compile.Language)}
	if o := r.compile.Primary(); o != nil {
		c.Target = o.Path
	}
	return c
}

// kindOf is the mnemonic by which servers' pages sort actions; Bazel's names.
func kindOf(language string) string {
	switch language {
	case "c++", "c++-cpp-output", "c++-header":
		return "CppCompile"
	case "assembler", "assembler-with-cpp":
		return "Assemble"
	case "rust":
		return "Rustc"
	default:
		return "CCompile"
	}
}

// lookUpRemote answers from the remote's caches. It reports false for a miss,
// and for all trouble with the remote: then r.far.trouble says which.
func (r *request) lookUpRemote(ctx context.Context) (bool, error) {
	if r.far.remote == nil || r.settings.Recache || r.verify != nil {
		return false, nil
	}
	ctx = remote.With(ctx, r.caller())
	if r.far.candidate != nil {
		if hit, err := r.take(ctx, r.far.candidate, r.far.variant); hit || err != nil {
			return hit, err
		}
	}
	others := r.askOthers(ctx)
	defer others.stop()
	hit, err := false, error(nil)
	if !r.scans() { // to ask the compiler takes longer than to ask others
		hit, err = r.lookUpOthers(ctx, others)
	}
	if !hit && err == nil {
		hit, err = r.lookUpScanned(ctx)
	}
	if !hit && err == nil && r.scans() && r.far.trouble == nil {
		hit, err = r.lookUpOthers(ctx, others)
	}
	r.p.missing.Store(!hit)
	return hit, err
}

// lookUpScanned looks for the Action that the scanner's inputs make.
func (r *request) lookUpScanned(ctx context.Context) (bool, error) {
	x := r.expect(ctx)
	if x == nil || r.missed == journal.ReasonVariant {
		return false, nil
	}
	v := x.laid.sought()
	r.far.quietOnly = x.laid.layout.Quiet
	defer func() { r.far.quietOnly = false }()
	if r.p.missing.Load() && r.wantsWorkers() && x.laid.ship == nil && x.laid.remotable() == nil {
		r.far.supply = r.supply(ctx, x.laid, &v)
	}
	hit, err := r.take(ctx, x.candidate, &v)
	if hit && r.far.supply != nil {
		r.far.supply.stop()
	}
	return hit, err
}

// wantsWorkers reports whether a miss may be executed elsewhere, as far as the
// call is concerned. One with several sources runs as it is.
func (r *request) wantsWorkers() bool {
	return r.settings.Strategy != config.Local && r.verify == nil && r.part == 0
}

// An expected compile is what is known of a compile by its inputs alone: its
// candidate and Action, if it turns out to print nothing, or nothing that
// spells its place.
type expected struct {
	candidate *Candidate
	laid      *laidOut
}

// expect returns nil where the inputs are not known before the run, or why the
// result cannot be stored.
func (r *request) expect(ctx context.Context) *expected {
	if r.far.expected != nil {
		return r.far.expected
	}
	in, err := r.scanned(ctx)
	if err != nil {
		return nil
	}
	defer r.step(journal.StepAction)
	c, err := r.candidateOf(ctx, in, true)
	if err != nil {
		return nil
	}
	laid, err := r.actionOf(ctx, c, in, "")
	if err != nil {
		return nil
	}
	r.far.expected = &expected{c, laid}
	return r.far.expected
}

// others is the question for what other machines know of a manifest.
type others struct {
	ask    func() *Manifest // nil where it is not to be asked
	answer chan *Manifest   // nil where it has not been asked yet
	cancel context.CancelFunc
}

// askOthers asks while this machine scans, unless the scanner's Action is likely to
// be known: then the question waits until it turns out not to be. Where the manifest
// is known here the scanner finds the Action, or the compile is new.
func (r *request) askOthers(ctx context.Context) *others {
	ctx, cancel := context.WithCancel(ctx)
	o := &others{cancel: cancel}
	if r.prepared() != nil && r.missed == "" && r.scans() {
		return o
	}
	manifest := r.sharedManifest()
	o.ask = func() *Manifest {
		text, err := r.far.remote.Candidates(ctx, manifest, manifestVersion)
		if err != nil {
			return nil
		}
		m, err := decodeManifest(text)
		if err != nil {
			return nil // what is malformed is unknown
		}
		return m
	}
	if r.p.missing.Load() || !r.scans() {
		o.answer = make(chan *Manifest, 1)
		go func() {
			defer close(o.answer)
			o.answer <- o.ask()
		}()
	}
	return o
}

// wait returns nil where nothing is known.
func (o *others) wait() *Manifest {
	switch {
	case o.answer != nil:
		return <-o.answer
	case o.ask != nil:
		return o.ask()
	}
	return nil
}

func (o *others) stop() {
	o.cancel()
	if o.answer != nil {
		<-o.answer
	}
}

// lookUpOthers looks for the Action of a candidate that others have shared and
// whose every input is here as it was there.
func (r *request) lookUpOthers(ctx context.Context, o *others) (bool, error) {
	m := o.wait()
	if m == nil {
		return false, nil
	}
	c := r.matching(prepare(r.p.files, m, r.at))
	r.step(journal.StepManifest)
	if c == nil {
		return false, nil
	}
	v := c.result(r.streams)
	if v == nil {
		return false, nil
	}
	r.missed = ""
	return r.take(ctx, c, v)
}

// take answers with the result of v, from here if it is here, else from the
// remote.
func (r *request) take(ctx context.Context, c *Candidate, v *Variant) (bool, error) {
	if v.Action == r.far.tried {
		return false, nil
	}
	r.far.tried = v.Action
	if res := r.stored(v); res != nil {
		if hit, err := r.takeResult(c, v, res, journal.HitLocal); hit || err != nil {
			return hit, err
		}
	}
	res, err := r.fetch(ctx, c, v)
	if err != nil {
		r.troubled(err)
		return false, nil
	}
	return r.takeResult(c, v, res, journal.HitRemote)
}

// takeResult answers with res, unless what it printed is not what the compiler
// would print to this call's streams.
func (r *request) takeResult(c *Candidate, v *Variant, res *Result, o journal.Outcome) (bool, error) {
	if !r.serves(v, res) || r.far.quietOnly && !res.quiet() {
		r.missed = journal.ReasonVariant
		return false, nil
	}
	ok, err := r.answer(res)
	r.step(journal.StepMaterialize)
	if !ok || err != nil {
		return false, err
	}
	r.far.outcome = o
	r.record.Page = pageOf(r.settings, v.Action)
	r.record.Action, r.record.Saved, r.record.Worker = v.Action, res.Cost.journal(), res.Worker
	r.noteVariables(c)
	r.adopt(c, v, res)
	return true, nil
}

// troubled notes why the remote has no answer, for the record of a call that
// has to do without. That nothing is known is no trouble.
func (r *request) troubled(err error) {
	if !errors.Is(err, remote.ErrMiss) {
		r.far.trouble = err
		r.p.log.Debug().Err(err).Str("source", r.compile.Source).Msg("remote has no answer")
	}
}

// adopt remembers here what was found elsewhere. Trouble with that costs the
// next hit.
func (r *request) adopt(c *Candidate, v *Variant, res *Result) {
	kept, variant := *c, *v
	variant.Quiet = res.quiet()
	kept.List = r.putList(c)
	kept.Results = variant.serving(res)
	r.record.Key.Inputs = kept.List
	if r.settings.ReadOnly {
		return
	}
	err := r.hold(res)
	if err == nil {
		err = r.p.store.PutResult(v.Action, res.encode())
	}
	if err == nil {
		err = r.p.remember(r, &kept)
	}
	if err != nil {
		r.p.log.Debug().Err(err).Msg("result of the remote is not kept")
	}
}

// hold stores those blobs of res that are in memory only.
func (r *request) hold(res *Result) error {
	for _, o := range res.Outputs {
		text, ok := res.held[o.Digest]
		if !ok {
			continue
		}
		if _, err := r.p.store.PutBlob(text); err != nil {
			return err
		}
	}
	return nil
}
