package pipeline

import (
	"cmp"
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/depscan"
	"github.com/rexwrap/rexwrap/depscan/ask"
	"github.com/rexwrap/rexwrap/depscan/filestate"
	"github.com/rexwrap/rexwrap/depscan/rustdeps"
	"github.com/rexwrap/rexwrap/localserver/journal"
	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/argtable"
	"github.com/rexwrap/rexwrap/wrapper/wire"
)

// A run is one execution of the compiler by the wrapper, with what it left.
type run struct {
	command wire.Run
	mark    filestate.Mark
	ran     *wire.Ran
	files   []captured
	// plan is set where the inputs are read off the run, nil where the
	// scanner has found them before.
	plan *ask.Plan
	// crate is plan for rustc, whose answer is request.read.
	crate *rustdeps.Plan
	// placed are the files of a compile that shares a program database.
	placed []item
	// inputs is nil, and reason says why, where the result is not stored.
	inputs *depscan.Inputs
	reason error
}

// errCancelled says that a run was ended, without a trace, since its answer is
// no longer wanted.
var errCancelled = errors.New("run cancelled")

// errOwnArgument ends the conversation, upon which the wrapper runs the compiler
// unchanged.
var errOwnArgument = errors.New("a link failed for the list that it was to write")

// failedForUs reports whether a link failed that may not have without the argument that
// it was given.
func (x *run) failedForUs() bool {
	return x.crate != nil && x.ran.Status != 0 && !x.ran.Killed && slices.ContainsFunc(x.ran.Chunks, func(c wire.Chunk) bool {
		return x.crate.Blamed(c.Data)
	})
}

// execute has the wrapper run the compiler, and stores what it made. Whatever
// goes wrong with storing, the call ends as the compiler ended. Where the run
// can be cancelled it ends with errCancelled when ctx does.
func (r *request) execute(ctx context.Context, cancellable bool) error {
	x, err := r.prepareRun(ctx)
	if err != nil {
		return err
	}
	if x.plan != nil {
		defer x.plan.Remove()
	}
	if x.crate != nil {
		defer x.crate.Remove()
	}
	defer r.removePrivate()
	r.noteBefore()
	x.command.Hold = cancellable
	if x.ran, err = r.conv.Run(ctx, &x.command); err != nil {
		return err
	}
	if x.ran.Cancelled {
		return errCancelled
	}
	ctx = context.WithoutCancel(ctx) // the answer counts from here on
	r.step(journal.StepRun)
	r.measure(x.ran)
	if x.failedForUs() {
		return errOwnArgument
	}
	files := r.collect(ctx, x)
	r.step(journal.StepCapture)
	if r.database != nil {
		placed, err := r.placePrivate(x)
		if err != nil {
			return err
		}
		files = append(files, placed...)
		r.step(journal.StepMaterialize)
	}
	if err := r.conv.Done(&wire.Done{Files: files, Touch: touched(r)}); err != nil {
		return err
	}
	r.recordItems(x.placed)
	r.recordOutcome(r.store(ctx, x))
	return nil
}

// prepareRun says how the compiler is run: unchanged where the scanner knows
// the inputs, else so that they can be read off the run.
func (r *request) prepareRun(ctx context.Context) (*run, error) {
	x := &run{command: wire.Run{Program: r.call.Program, Argv: r.call.Argv}}
	if r.compile.Crate != nil {
		return x, r.prepareCrate(ctx, x)
	}
	if r.database != nil {
		return x, r.preparePrivate(x)
	}
	var err error
	if x.inputs, err = r.scanned(ctx); err != nil {
		x.plan, err = r.p.o.Asker.Plan(r.compile, filepath.Join(r.p.o.Scratch, r.in.Token))
		if err != nil {
			return nil, err
		}
		x.command.Argv, x.command.Env, x.command.FilterHeaders = x.plan.Argv, x.plan.Env, x.plan.FilterHeaders
	}
	if r.restated {
		x.command.Env = append(slices.Clone(x.command.Env), withoutVariables()...)
	}
	if r.relocation != nil {
		x.command.Argv = slices.Insert(slices.Clone(x.command.Argv), 1, r.relocation...)
	}
	x.mark = r.quiesce(x.inputs)
	return x, nil
}

// quiesceLimit bounds the wait for young files: the coarsest clock that a file
// system of this machine takes its stamps from ticks every 10 ms.
const quiesceLimit = 20 * time.Millisecond

// quiesce waits until no file that the compile is known to read is so young that
// a change during the run could leave it with the same stamps, and returns that
// moment. Without the wait a source that was written just before its compile, as
// configure does, could never be stored.
func (r *request) quiesce(in *depscan.Inputs) filestate.Mark {
	paths := r.namedFiles()
	if in != nil {
		for _, f := range in.Files {
			if !f.System {
				paths = append(paths, r.call.Abs(f.Path))
			}
		}
	}
	for begin := time.Now(); ; time.Sleep(time.Millisecond) {
		mark := r.p.files.Mark()
		young := slices.ContainsFunc(paths, func(path string) bool {
			_, settled, err := r.p.files.DigestSince(path, mark)
			return err == nil && !settled
		})
		if !young || time.Since(begin) > quiesceLimit {
			return mark
		}
	}
}

// namedFiles are the files that the arguments name, precompiled headers in place
// of headers included; some may not exist.
func (r *request) namedFiles() []string {
	paths := []string{r.call.Abs(r.compile.Source)}
	for _, name := range r.compile.InputFiles {
		paths = append(paths, r.call.Abs(name))
	}
	for i := range r.compile.Args {
		if a := &r.compile.Args[i]; a.Class.Has(argtable.Include) {
			path := r.call.Abs(a.Value)
			paths = append(paths, path, path+".gch", path+".pch")
		}
	}
	return paths
}

// A scan is what the scanner said.
type scan struct {
	inputs *depscan.Inputs
	err    error
}

// scanned asks the scanner for the inputs, once. It does not know the
// modification times that precompiled headers keep.
func (r *request) scanned(ctx context.Context) (*depscan.Inputs, error) {
	if r.scan != nil {
		return r.scan.inputs, r.scan.err
	}
	r.scan = &scan{err: depscan.ErrFallback}
	switch {
	case r.scans():
		r.scan.inputs, r.scan.err = r.runScan(ctx)
	case r.database != nil && r.far.remote != nil && r.wantsWorkers() && !r.cacheOnly(ctx):
		r.scan.inputs, r.scan.err = r.p.o.Fallback.Scan(ctx, r.compile)
	}
	r.step(journal.StepScan)
	return r.scan.inputs, r.scan.err
}

// scans reports whether the scanner is asked at all. It does not understand cl.exe.
func (r *request) scans() bool {
	return r.p.o.Scanner != nil && r.compile.Crate == nil && r.compile.Toolchain.Family != toolchains.FamilyMSVC && r.compile.Mode != toolchains.Precompile && !r.p.quarantine.holds(r.manifest)
}

func (r *request) runScan(ctx context.Context) (*depscan.Inputs, error) {
	in, err := r.p.o.Scanner.Scan(ctx, r.compile)
	if err != nil {
		if !errors.Is(err, depscan.ErrFallback) {
			r.p.log.Error().Err(err).Str("source", r.compile.Source).Msg("scan")
		}
		return nil, err
	}
	return r.addInputFiles(in)
}

// addInputFiles adds the files that arguments name to what the scanner found.
func (r *request) addInputFiles(in *depscan.Inputs) (*depscan.Inputs, error) {
	if len(r.compile.InputFiles) == 0 {
		return in, nil
	}
	added := *in // the scanner may have kept it
	added.Probed = slices.Clone(in.Probed)
	for _, path := range r.compile.InputFiles {
		d, err := r.p.files.Digest(r.call.Abs(path))
		if err != nil {
			return nil, err
		}
		added.Probed = append(added.Probed, depscan.File{Path: path, Digest: d})
	}
	return &added, nil
}

// measure notes what the compiler cost.
func (r *request) measure(ran *wire.Ran) {
	r.record.Status, r.record.Signal = ran.Status, ran.Signal
	r.record.Spent = costOf(ran).journal()
	r.p.pace.add(r.compile.Language, time.Duration(ran.WallTime)*time.Microsecond)
}

func costOf(ran *wire.Ran) Cost {
	return Cost{User: ran.UserTime, Sys: ran.SysTime, Wall: ran.WallTime, MaxRSS: ran.MaxRSS}
}

// collect finds out what the compiler read and made while the wrapper waits. It
// returns the dep-file that the wrapper has to write where the compiler was
// told to write another one.
func (r *request) collect(ctx context.Context, x *run) []wire.File {
	x.reason = r.unfit(x.ran)
	userDep := r.learn(ctx, x)
	var dep []wire.File
	if userDep != nil {
		dep = []wire.File{{Target: r.call.Abs(r.compile.Dep.Path), Data: userDep, Keep: true}}
	}
	if x.reason != nil {
		return dep
	}
	var err error
	if x.files, err = r.capture(userDep); err != nil {
		x.reason = err
	}
	return dep
}

// learn makes sure of the inputs of a run, setting x.reason where it cannot. It
// returns the text of the user's dep-file where the run did not write it.
func (r *request) learn(ctx context.Context, x *run) (userDep []byte) {
	if x.crate != nil {
		r.learnCrate(x)
		return nil
	}
	if x.plan == nil {
		if x.reason == nil {
			x.reason = r.settled(x)
		}
		return nil
	}
	facts, err := r.facts(ctx)
	if err != nil {
		x.reason = cmp.Or(x.reason, err)
		facts = &toolchains.Facts{}
	}
	got, err := x.plan.Collect(ctx, ask.RunInfo{
		Headers: x.ran.Headers, Stdout: stdoutOf(x.ran), Mark: x.mark, Quiet: len(x.ran.Chunks) == 0,
		Failed: x.ran.Status != 0 || x.ran.Signal != 0,
	}, r.p.files, facts)
	x.inputs = got.Inputs
	if x.reason == nil {
		x.reason = err
	}
	if x.reason == nil && x.inputs == nil {
		x.reason = toolchains.Unsupported("no-inputs", "")
	}
	if x.reason == nil && !r.p.files.Check(r.call.Abs(r.compile.Source), r.key.Source) {
		x.reason = toolchains.Unsupported("modified-during-compile", r.compile.Source)
	}
	return got.UserDep
}

// settled checks that no file which the scanner saw has changed since.
func (r *request) settled(x *run) error {
	for _, list := range [][]depscan.File{x.inputs.Files, x.inputs.Probed} {
		for _, f := range list {
			d, settled, err := r.p.files.DigestSince(r.call.Abs(f.Path), x.mark)
			if err != nil || !settled || d != f.Digest {
				return toolchains.Unsupported("modified-during-compile", f.Path)
			}
		}
	}
	return nil
}

// unfit says why a run that ended so is not stored.
func (r *request) unfit(ran *wire.Ran) error {
	switch {
	case ran.Killed || ran.Signal != 0:
		return toolchains.Unsupported("killed", "")
	case ran.Status != 0:
		return toolchains.Unsupported("compile-failed", "")
	case ran.Truncated:
		return toolchains.Unsupported("output-too-long", "")
	case r.settings.ReadOnly:
		return toolchains.Unsupported("read-only", "")
	}
	return nil
}

// store keeps the result of x under its Action digest and in the manifest. The
// error says why it did not.
func (r *request) store(ctx context.Context, x *run) error {
	if x.reason != nil {
		return x.reason
	}
	if err := r.checkScan(x); err != nil {
		return err
	}
	r.far.here = true
	chunks, quiet, spelling := x.ran.Chunks, len(x.ran.Chunks) == 0, SpelledHere
	if r.compile.Microsoft != nil && !quiet && r.compile.Carries == 0 {
		if placed, ok := r.placed(chunks); ok {
			chunks, quiet, spelling = placed, true, SpelledPlaced
		}
	}
	c, err := r.candidateOf(ctx, x.inputs, quiet)
	if err != nil {
		return err
	}
	if err := r.undisturbed(ctx, c); err != nil {
		return err
	}
	outputs, err := r.keep(x.files)
	if err != nil {
		return err
	}
	res := &Result{
		Outputs: outputs, Chunks: chunks, Spelling: spelling, Cost: costOf(x.ran), Created: r.p.o.Now().Unix(),
	}
	if r.compile.Dep != nil {
		res.Dep = DepOrigin{Root: r.at.root, Targets: r.compile.Dep.Targets}
	}
	if r.compile.Crate != nil {
		return r.storeCrate(ctx, x, c, res)
	}
	if err := r.checkVerified(res); err != nil {
		return err
	}
	streams := r.streams
	if res.quiet() {
		streams = ""
	}
	laid, err := r.actionOf(ctx, c, x.inputs, streams)
	if err != nil {
		return err
	}
	if laid.layout.Quiet && !res.quiet() { // its language is not in the Action
		language := digest.OfString(strings.Join(r.key.Env, "\n")).Hex()
		if laid, err = r.actionOf(ctx, c, x.inputs, streams+" "+language); err != nil {
			return err
		}
	}
	r.record.Action = laid.Action
	if err := r.p.store.PutResult(r.record.Action, res.encode()); err != nil {
		return storeTrouble(err)
	}
	c.List = r.putList(c)
	c.Results = laid.variant(streams, res.quiet()).serving(res)
	if err := r.p.remember(r, c); err != nil {
		return storeTrouble(err)
	}
	for _, f := range x.files {
		r.p.files.Record(f.path, f.digest)
	}
	r.record.Key.Inputs = c.List
	r.share(x, c, laid, res)
	return nil
}

// undisturbed checks that a run which was to have the inputs of c could have had
// them: nothing has come to stand before a header that was found before the run
// began, and the toolchain is the one that it began with. The files themselves have
// been checked already.
func (r *request) undisturbed(ctx context.Context, c *Candidate) error {
	names := c.expect(r.at)
	names.Files = nil
	if d, ok := r.p.files.CheckAll(r.p.files.Prepare(r.at.dir, names)); !ok {
		return toolchains.Unsupported("modified-during-compile", d.Path)
	}
	if _, tc, err := r.p.resolve(ctx, r.call); err != nil || tc.Digest != r.compile.Toolchain.Digest {
		return toolchains.Unsupported("modified-during-compile", r.call.Program)
	}
	return nil
}

// checkVerified reports a stored result that this run was to reproduce and did
// not. The result is dropped, and this run's is not trusted either.
func (r *request) checkVerified(res *Result) error {
	if r.verify == nil {
		return nil
	}
	same := r.reproduces(res)
	r.compared, r.differs = true, !same
	r.p.o.Recorder.Verified(!same)
	if same {
		return nil
	}
	r.p.store.DeleteResult(r.verified)
	r.p.log.Error().Str("source", r.compile.Source).Str("action", r.verified.String()).
		Msg("a stored result differs from the compiler's")
	return toolchains.Unsupported("verify-difference", r.compile.Source)
}

// reproduces compares res with the stored result that this run verifies. Where
// the bare compiler does not agree with itself nothing is compared.
func (r *request) reproduces(res *Result) bool {
	if r.compile.Nondeterministic {
		return true
	}
	for _, o := range r.verify.Outputs {
		if got := res.output(o.Role); o.Role != toolchains.RoleDep && o.Role != toolchains.RoleDepInfo && (got == nil || got.Digest != o.Digest) {
			return false
		}
	}
	return true
}

// recordOutcome notes why a result was not stored, or else why it was looked up
// in vain where that is not a matter of inputs.
func (r *request) recordOutcome(err error) {
	if err == nil {
		r.record.Reason = r.missed
		return
	}
	reason, arg, ok := toolchains.ReasonOf(err)
	if !ok {
		r.p.log.Error().Err(err).Str("source", r.compile.Source).Msg("result not stored")
		reason, arg = "error", err.Error()
	}
	r.record.Reason, r.record.Arg = reason, arg
}
