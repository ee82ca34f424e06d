package pipeline

import (
	"context"
	"errors"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/depscan"
	"github.com/rexwrap/rexwrap/depscan/ask"
	"github.com/rexwrap/rexwrap/depscan/filestate"
	"github.com/rexwrap/rexwrap/depscan/rustdeps"
	"github.com/rexwrap/rexwrap/localserver/config"
	"github.com/rexwrap/rexwrap/localserver/journal"
	"github.com/rexwrap/rexwrap/localserver/strategy"
	"github.com/rexwrap/rexwrap/localserver/trace"
	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/pack"
	"github.com/rexwrap/rexwrap/wrapper/wire"
)

// A Conversation is the other end of one call: the wrapper. An error of any
// method means that the wrapper is gone.
type Conversation interface {
	// StepAside ends the call: the wrapper runs the compiler unchanged.
	StepAside(reason, arg string) error
	// Run has the wrapper run a command and returns how it ended. Where the
	// command holds, the end of ctx cancels it, if it has not ended before.
	Run(ctx context.Context, m *wire.Run) (*wire.Ran, error)
	// Away says that a worker has the call: until Run, or its end, the
	// wrapper takes no part of this machine. It is for good as long as
	// nothing is run; while something is it does nothing.
	Away()
	// Prepare announces temp files, before the first of them is created.
	Prepare(temps []string) error
	// Done ends the call and returns when every file is in its place.
	Done(*wire.Done) error
}

// A Store is the part of the local cache that the pipeline needs; it is
// implemented by diskstore.Store, whose errors it shares.
type Store interface {
	PutBlob(data []byte) (digest.Digest, error)
	PutBlobFile(f *os.File) (digest.Digest, error)
	HasBlob(d digest.Digest) bool
	Blob(d digest.Digest) ([]byte, error)
	OpenBlob(d digest.Digest) (io.ReadCloser, error)
	CopyTo(d digest.Digest, dst *os.File) error
	PutResult(action digest.Digest, data []byte) error
	Result(action digest.Digest) ([]byte, error)
	DeleteResult(action digest.Digest)
	PutManifest(key digest.Digest, data []byte) error
	Manifest(key digest.Digest) ([]byte, error)
	DeleteManifest(key digest.Digest)
}

// A Resolver finds the Toolchain behind a call.
type Resolver interface {
	Resolve(ctx context.Context, call *toolchains.Call) (*toolchains.Toolchain, error)
	// ResolveLinker does so for a compiler that is called to link.
	ResolveLinker(ctx context.Context, call *toolchains.Call) (*toolchains.Toolchain, error)
	// Native returns tc's own reading of the -march=native and its like
	// among args.
	Native(ctx context.Context, tc *toolchains.Toolchain, args []string) (string, error)
}

// A Recorder keeps records of calls.
type Recorder interface {
	Add(r *journal.Record)
	// Verified counts one hit that was compiled again and compared.
	Verified(different bool)
}

// Options are what a Pipeline is made of.
type Options struct {
	Store    Store
	Files    *filestate.State
	Resolver Resolver
	// Family returns the family of a name under the settings of a call, nil
	// where there is none.
	Family func(name string, s *config.Settings) toolchains.Family
	// Scanner finds inputs before a compile; nil leaves that to Asker.
	Scanner depscan.Scanner
	Asker   *ask.Asker
	// Crates finds the inputs of rustc's compiles, with the help of Run where
	// a worker is to run them.
	Crates *rustdeps.Asker
	Run    toolchains.Runner
	// Tracer sees what procedural macros read; without one the files of their
	// user's package stand for that.
	Tracer *trace.Tracer
	// Databases is needed for cl.exe's compiles with /Zi, which step aside
	// without.
	Databases Databases
	// Fallback runs the preprocessor, for Inputs where Scanner gives up.
	Fallback depscan.Scanner
	// Facts gives what the compiler says of itself for a compile's flags.
	Facts    func(ctx context.Context, c *toolchains.Compile) (*toolchains.Facts, error)
	Recorder Recorder
	// Remote returns the remote that settings ask for, nil for none. It may
	// be nil itself.
	Remote func(*config.Settings) Remote
	// Chooser says where a miss runs. It is needed where there is a Remote.
	Chooser *strategy.Chooser
	// Settings returns those of a call. An error makes it step aside.
	Settings func(call *toolchains.Call) (*config.Settings, error)
	// Launcher starts the programs of shipped toolchains; without it none is
	// shipped.
	Launcher pack.Launcher
	// Scratch is a directory for the compiler's own dep-files.
	Scratch string
	Now     func() time.Time
	Log     zerolog.Logger
}

// A Pipeline answers calls. It is safe for concurrent use.
type Pipeline struct {
	store    Store
	files    *filestate.State
	o        Options
	roots    *roots
	prepared *remembered
	inflight *inflight
	pace     pace
	lists    lists
	linkers  linkers
	packer   *packer
	// missing is set while look-ups of the remote miss: then inputs are sent
	// there, and other machines' candidates asked for, without waiting for the
	// answer.
	missing atomic.Bool
	// quarantine holds compiles whose scans are not trusted.
	quarantine quarantine
	updates    sync.Mutex // serialises read-modify-write of manifests
	log        zerolog.Logger
}

// New returns a Pipeline made of o.
func New(o Options) *Pipeline {
	return &Pipeline{
		store: o.Store, files: o.Files, o: o, roots: newRoots(), prepared: newRemembered(),
		inflight: newInflight(), packer: newPacker(o.Launcher, o.Files, o.Now), log: o.Log,
	}
}

// remote returns the remote that s asks for, nil for none.
func (p *Pipeline) remote(s *config.Settings) Remote {
	if p.o.Remote == nil {
		return nil
	}
	return p.o.Remote(s)
}

// Forget drops what is held in memory about stored entries, as must be done
// after the store was cleared.
func (p *Pipeline) Forget() {
	p.prepared.clear()
	p.roots.forget()
	p.lists.forget()
}

// Note records a call that the wrapper ran by itself, maybe some time ago.
func (p *Pipeline) Note(n *wire.Notice) {
	at := p.o.Now()
	if then := time.Unix(0, n.Started); n.Started > 0 && then.Before(at) {
		at = then
	}
	p.o.Recorder.Add(&journal.Record{
		Time: at, Outcome: journal.SteppedAside, Reason: n.Reason,
		Compiler: n.Program, Dir: n.Dir, Build: n.Build,
	})
}

// Serve answers one call and returns when the conversation has ended.
func (p *Pipeline) Serve(ctx context.Context, in *wire.Call, conv Conversation) {
	r := newRequest(p, in, conv)
	if err := r.serve(ctx); err != nil {
		p.log.Debug().Err(err).Msg("wrapper left")
		r.record.Outcome, r.record.Reason = journal.Failed, "wrapper-gone"
		if errors.Is(err, errOwnArgument) {
			r.record.Reason = reasonNoList
		}
	}
	for _, one := range r.parts() {
		one.record.Steps.Add(journal.StepTotal, time.Since(r.started))
		p.o.Recorder.Add(&one.record)
	}
}
