package pipeline

import (
	"context"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"time"

	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/depscan/rustdeps"
	"github.com/rexwrap/rexwrap/localserver/config"
	"github.com/rexwrap/rexwrap/localserver/journal"
	"github.com/rexwrap/rexwrap/localserver/layout"
	"github.com/rexwrap/rexwrap/localserver/materialize"
	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/argtable"
	"github.com/rexwrap/rexwrap/wrapper/wire"
)

// A request is one call on its way through the stages.
type request struct {
	p        *Pipeline
	in       *wire.Call
	conv     Conversation
	call     *toolchains.Call
	settings *config.Settings
	compile  *toolchains.Compile
	linker   *toolchains.Toolchain // of rustc's compiles that link
	database *database             // of cl.exe's compiles that share one
	// members are the compiles of a call with several sources, held what is
	// ready for one of them, of which part says the number, from 1 on.
	members []*request
	held    *held
	part    int
	// restated is set where call has other arguments than the caller's.
	restated bool
	at       place
	// relocation are the arguments that a run here needs beside the call's.
	relocation []string
	// roots are the folders for which rustc then has other names.
	roots layout.Roots
	// read is what a compile of rustc reads, once that is known.
	read     *rustdeps.Result
	key      *keyParts
	manifest digest.Digest // the manifest key
	streams  string
	// verify is the stored result that the run must reproduce, nil where
	// this call verifies nothing.
	verify   *Result
	verified digest.Digest // the Action of verify
	compared bool          // with verify
	differs  bool          // from verify
	missed   string        // journal.ReasonVariant, journal.ReasonRecache or empty
	// scan is what the scanner found, once it was asked.
	scan    *scan
	far     far
	before  map[string]fs.FileInfo
	record  journal.Record
	started time.Time
	lap     time.Time
}

func newRequest(p *Pipeline, in *wire.Call, conv Conversation) *request {
	now := p.o.Now()
	return &request{
		p: p, in: in, conv: conv, started: now, lap: now,
		call: &toolchains.Call{Program: in.Program, Argv: in.Argv, Dir: in.Dir, PWD: in.PWD, Env: in.Env},
		record: journal.Record{
			Time: now, Compiler: in.Program, Dir: in.Dir,
		},
		streams: streamsOf(in),
	}
}

// streamsOf names the kind of the caller's standard streams, as far as what
// compilers write depends on it: nothing for two separate pipes or files.
func streamsOf(in *wire.Call) string {
	s := ""
	if in.SameFile {
		s = "one "
	}
	if in.Stdout == wire.StreamTerminal {
		s += "tty1 "
	}
	if in.Stderr == wire.StreamTerminal {
		env := toolchains.Environ(in.Env)
		s += "tty2 " + strconv.Itoa(int(in.Columns))
		for _, name := range []string{"TERM", "COLUMNS", "GCC_COLORS", "GCC_URLS", "TERM_URLS", "NO_COLOR", "CLICOLOR_FORCE", "COLORTERM", "TERM_PROGRAM", "VTE_VERSION"} {
			if v, ok := env.Lookup(name); ok {
				s += " " + name + "=" + v
			}
		}
	}
	if s == "" {
		return ""
	}
	return digest.OfString(s).Hex()[:16]
}

// oneFile is what streamsOf has for two streams that are one pipe or file, and nothing
// else.
func oneFile() string { return streamsOf(&wire.Call{SameFile: true}) }

// step ends a step of the call's life.
func (r *request) step(s journal.Step) {
	now := time.Now()
	r.record.Steps.Add(s, now.Sub(r.lap))
	r.lap = now
}

// serve takes the request through the stages. An error means that the wrapper
// is gone.
func (r *request) serve(ctx context.Context) error {
	if err := r.understand(ctx); err != nil {
		return r.serveSeveral(ctx, err)
	}
	ended := r.p.inflight.ended()
	hit, err := r.lookUp()
	if hit || err != nil {
		return r.finish(journal.HitLocal, err)
	}
	leave, merged, err := r.merge(ctx, ended)
	if merged || err != nil {
		return r.finish(journal.Merged, err)
	}
	if leave != nil {
		defer leave()
	}
	r.far.remote = r.p.remote(r.settings)
	hit, err = r.lookUpRemote(ctx)
	if hit || err != nil {
		return r.finish(r.far.outcome, err)
	}
	return r.run(ctx)
}

// run has a miss executed.
func (r *request) run(ctx context.Context) error {
	if r.far.remote == nil {
		return r.finish(journal.ExecutedLocal, r.execute(ctx, false))
	}
	return r.contest(ctx)
}

// finish notes the outcome. Errors that say why the call is run unchanged are
// passed on to the wrapper; others mean that it is gone.
func (r *request) finish(o journal.Outcome, err error) error {
	if err == nil {
		r.record.Outcome = o
		return nil
	}
	if _, _, ok := toolchains.ReasonOf(err); ok {
		return r.stepAside(err)
	}
	return err
}

// stepAside has the wrapper run the compiler unchanged. Errors that are not
// reasons are trouble of our own, and are counted apart.
func (r *request) stepAside(err error) error {
	reason, arg, ok := toolchains.ReasonOf(err)
	r.record.Outcome = journal.SteppedAside
	if !ok {
		r.p.log.Error().Err(err).Str("compiler", r.in.Program).Msg("call run unchanged")
		reason, arg = "error", fmt.Sprint(err)
		r.record.Outcome = journal.Failed
	}
	r.record.Reason, r.record.Arg = reason, arg
	return r.conv.StepAside(reason, arg)
}

// understand finds the toolchain, parses the call and makes its manifest key.
func (r *request) understand(ctx context.Context) error {
	var err error
	if r.settings, err = r.p.o.Settings(r.call); err != nil {
		return toolchains.Unsupported("config", err.Error())
	}
	r.record.Build = r.call.Env.Value("REXWRAP_BUILD")
	if r.settings.Disable {
		return toolchains.Unsupported("disabled", "")
	}
	var tc *toolchains.Toolchain
	if r.call, tc, err = r.p.resolve(ctx, r.call); err != nil {
		return err
	}
	r.step(journal.StepToolchain)
	family := r.p.o.Family(tc.Family, r.settings)
	if family == nil {
		return toolchains.Unsupported("not-a-compiler", filepath.Base(r.in.Program))
	}
	r.record.Family = tc.Family
	if err = r.parse(family, tc); err != nil {
		r.nameCrate()
		return err
	}
	r.describe()
	if err := r.distinctOutputs(); err != nil {
		return err
	}
	if err := r.findDatabase(family); err != nil {
		return err
	}
	source, err := r.p.files.Digest(r.call.Abs(r.compile.Source))
	if err != nil {
		return toolchains.Unsupported("source-unreadable", r.compile.Source)
	}
	native, err := r.native(ctx)
	if err != nil {
		return err
	}
	r.at = place{root: r.p.roots.find(r.compile, r.settings.ExecRoot), dir: r.call.ApparentDir()}
	if r.compile.Crate != nil {
		r.locateCrate()
	} else if r.settings.Paths == config.PathsRelocatable {
		r.relocation = layout.Relocation(r.compile, r.at.root)
		r.at.shared = r.relocation != nil
	}
	r.key = keyOf(r.compile, r.at, native, source)
	if r.compile.Crate != nil {
		r.key.Args = append(r.key.Args, r.relocationKey()...)
	}
	if r.key.Extra, err = r.extraInputs(); err != nil {
		return err
	}
	r.manifest = r.key.manifestKey()
	r.record.Manifest = r.manifest
	r.record.Key = r.key.journal()
	r.record.Key.Programs = r.p.lists.programs(r.p.store, tc)
	r.step(journal.StepParse)
	return nil
}

// native returns the compiler's reading of -march=native and its like, empty
// where the call has none.
func (r *request) native(ctx context.Context) (string, error) {
	if r.compile.Crate != nil {
		return r.crateMachine(ctx)
	}
	var words []string
	native := false
	for i := range r.compile.Args {
		a := &r.compile.Args[i]
		w := a.Words()
		words = append(words, w...)
		native = native || a.Class.Has(argtable.LocalOnly) && toolchains.IsNative(w[0])
	}
	if !native {
		return "", nil
	}
	return r.p.o.Resolver.Native(ctx, r.compile.Toolchain, words)
}

// distinctOutputs steps aside where two outputs are one file: which of them is
// left depends on who writes last.
func (r *request) distinctOutputs() error {
	outputs := r.compile.Outputs
	for i, a := range outputs {
		pathA := r.call.Abs(a.Path)
		for _, b := range outputs[:i] {
			pathB := r.call.Abs(b.Path)
			if filepath.Clean(pathA) == filepath.Clean(pathB) || materialize.Same(pathA, pathB) {
				return toolchains.Unsupported("same-output", a.Path)
			}
		}
	}
	return nil
}

// extraInputs are the files that the user wants to be in every key, each with
// its digest, and the toolchain that stands in for the compile's own.
func (r *request) extraInputs() ([]string, error) {
	var out []string
	for _, path := range r.settings.ExtraInputs {
		d, err := r.p.files.Digest(path)
		if err != nil {
			return nil, toolchains.Unsupported("extra-input-unreadable", path)
		}
		out = append(out, path, d.String())
	}
	if s := r.foreign(); s != nil {
		out = append(out, "toolchain", s.pack.Toolchain.String())
	}
	return out, nil
}

// describe fills in what the journal says of every parsed compile.
func (r *request) describe() {
	r.record.Language = r.compile.Language
	r.record.Source = r.compile.Source
	if r.compile.Crate != nil {
		r.record.Crate = r.compile.Crate.String()
	}
	if o := r.compile.Primary(); o != nil {
		r.record.Output = filepath.Clean(r.call.Abs(o.Path))
	}
}

// merge waits for an equal compile that is under way and takes its result. It
// returns the function that ends the lead where there is none. ended is how many leads
// had ended before the result was looked up: one that has ended since may have left it.
func (r *request) merge(ctx context.Context, ended uint64) (leave func(), merged bool, err error) {
	if r.settings.Recache {
		return nil, false, nil
	}
	wait, cancel := context.WithTimeout(ctx, r.p.pace.patience(r.compile.Language))
	defer cancel()
	key := digest.NewBuilder("rexwrap merge 1")
	key.Digest(r.manifest)
	key.String(r.streams)
	leave, now := r.p.inflight.lead(wait, key.Sum())
	if leave != nil && now == ended {
		return leave, false, nil
	}
	r.step(journal.StepQueue)
	merged, err = r.lookUp()
	if leave != nil && (merged || err != nil) {
		leave()
		leave = nil
	}
	return leave, merged, err
}

// sampled reports whether this hit is to be verified.
func (r *request) sampled() bool {
	return r.settings.Verify > 0 && rand.Float64() < r.settings.Verify
}
