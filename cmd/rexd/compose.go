package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/depscan/ask"
	"github.com/rexwrap/rexwrap/depscan/cpp"
	"github.com/rexwrap/rexwrap/depscan/filestate"
	"github.com/rexwrap/rexwrap/depscan/rustdeps"
	"github.com/rexwrap/rexwrap/localserver"
	"github.com/rexwrap/rexwrap/localserver/admin"
	"github.com/rexwrap/rexwrap/localserver/config"
	"github.com/rexwrap/rexwrap/localserver/diskstore"
	"github.com/rexwrap/rexwrap/localserver/journal"
	"github.com/rexwrap/rexwrap/localserver/localexec"
	"github.com/rexwrap/rexwrap/localserver/pdbsession"
	"github.com/rexwrap/rexwrap/localserver/pipeline"
	"github.com/rexwrap/rexwrap/localserver/remote"
	"github.com/rexwrap/rexwrap/localserver/strategy"
	"github.com/rexwrap/rexwrap/localserver/trace"
	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/probe"
	"github.com/rexwrap/rexwrap/wrapper/endpoint"
	"github.com/rexwrap/rexwrap/wrapper/endpoint/listen"
)

// drainLimit bounds the wait for running compiles when the server ends: they go
// on without it, uncached.
const drainLimit = 10 * time.Second

// A composition is a server with all its parts, put together for one process.
type composition struct {
	version  string
	env      toolchains.Environ
	loader   *config.Loader
	settings *config.Settings
	place    endpoint.Place
	view     endpoint.View
	log      zerolog.Logger
	store    *diskstore.Store
	files    *filestate.State
	journal  *journal.Journal
	remotes  *remote.Pool
	chooser  *strategy.Chooser
	slots    *listen.Slots
	sessions *pdbsession.Sessions
	// localJobs is how many compiles run here while there is a remote.
	localJobs atomic.Int64
	closers   []func() error
}

// serve runs a server for the view of this process until it ends by itself or
// ctx is done. listen.HeldError in the error's chain says that another server
// has the cache directory or the socket.
func serve(ctx context.Context, version string, env toolchains.Environ) (err error) {
	c := &composition{version: version, env: env, loader: config.NewLoader()}
	defer func() { err = errors.Join(err, c.close()) }()
	if err := c.open(); err != nil {
		return err
	}
	listener, err := listen.Listen(c.place)
	if err != nil {
		return err
	}
	c.closers = append(c.closers, listener.Close)
	server, err := c.server(listener)
	if err != nil {
		return err
	}
	c.log.Info().Str("version", version).Int("pid", os.Getpid()).Msg("server started")
	err = server.Serve(ctx)
	c.log.Info().AnErr("cause", err).Msg("server ends")
	if errors.Is(err, localserver.ErrIdle) || errors.Is(err, localserver.ErrStopped) || errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// close closes what was opened, the last first.
func (c *composition) close() error {
	var errs []error
	for i := len(c.closers) - 1; i >= 0; i-- {
		errs = append(errs, c.closers[i]())
	}
	return errors.Join(errs...)
}

// open takes the cache directory and opens everything in it.
func (c *composition) open() error {
	var err error
	if c.settings, err = c.loader.LoadServer(c.env); err != nil && c.settings == nil {
		return err
	}
	c.view = currentView()
	c.place = endpoint.Locate(c.env.Value, c.view)
	if err := c.takeCache(); err != nil {
		return err
	}
	if err := c.openLog(); err != nil {
		return err
	}
	c.store, err = diskstore.Open(c.place.CacheDir, diskstore.Options{Size: c.settings.CacheSize, Log: c.log})
	if err != nil {
		return fmt.Errorf("open cache %s: %w", c.place.CacheDir, err)
	}
	c.closers = append(c.closers, c.store.Close)
	c.files = filestate.New(filestate.Options{Xattr: c.settings.XattrDigest, Watch: true})
	c.closers = append(c.closers, func() error { c.files.Close(); return nil })
	c.loadFileState()
	c.journal = journal.Open(c.store, c.store, journal.Options{Log: c.log})
	c.closers = append(c.closers, func() error { c.journal.Close(); return nil })
	c.remotes = remote.NewPool(remote.Options{Version: c.version, Log: c.log, Near: c.store})
	c.closers = append(c.closers, c.closeRemotes)
	c.slots = listen.NewSlots(c.place)
	c.sessions = pdbsession.New(pdbsession.Options{
		Journal: sessionJournal{c.store}, LockDir: filepath.Dir(c.place.Socket), Boot: pdbsession.BootTime(),
	})
	c.closers = append(c.closers, func() error { c.sessions.Close(); return nil })
	c.localJobs.Store(int64(c.settings.LocalJobs))
	c.chooser = strategy.New(strategy.Options{
		LocalJobs: c.settings.LocalJobs, RemoteJobs: c.settings.RemoteJobs, FreeMemory: strategy.FreeMemory,
	})
	return pipeline.MakeScratch(c.scratch())
}

// uploadLimit bounds the wait for uploads when the server ends.
const uploadLimit = 5 * time.Second

func (c *composition) closeRemotes() error {
	ctx, cancel := context.WithTimeout(context.Background(), uploadLimit)
	defer cancel()
	return c.remotes.Close(ctx)
}

// remote returns the remote of a call's settings, nil for none. From the first
// call with a remote on, this machine's compiles are limited to its slots. What
// a server before this one has left of them stays until the first call shows
// whether it is still needed: it may have died under a build, whose wrappers
// stand in line now.
func (c *composition) remote(s *config.Settings) pipeline.Remote {
	var err error
	r := c.remotes.Of(s)
	if r != nil {
		err = c.slots.Keep(int(c.localJobs.Load()))
	} else {
		err = c.slots.Discard()
	}
	if err != nil {
		c.log.Warn().Err(err).Msg("slots of compiles here")
	}
	if r == nil {
		return nil
	}
	return r
}

// handover bounds the wait for a server that has stopped listening and is still
// writing down what it knows.
const handover = 5 * time.Second

// takeCache takes the cache directory. Where the user's file names another than
// the one that wrappers know, who read no file, that one is taken too if it can
// be: by its lock other wrappers find this server.
func (c *composition) takeCache() error {
	moved := c.settings.Origin("cache_dir").Source == config.FromUser
	lock, err := c.lock()
	var held *listen.HeldError
	switch {
	case err == nil:
		c.closers = append(c.closers, lock.Close)
	case !moved, errors.As(err, &held):
		return err
	}
	if !moved {
		return nil
	}
	c.place.CacheDir = c.settings.CacheDir
	if lock, err = c.lock(); err != nil {
		return err
	}
	c.closers = append(c.closers, lock.Close)
	return nil
}

// lock takes the cache directory. One that a server holds which still listens is
// that server's.
func (c *composition) lock() (*listen.CacheLock, error) {
	for begin := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		lock, err := listen.LockCache(c.place)
		var held *listen.HeldError
		if !errors.As(err, &held) || listens(held.Socket) || time.Since(begin) > handover {
			return lock, err
		}
	}
}

// listens reports whether a server accepts connections at socket.
func listens(socket string) bool {
	if socket == "" {
		return false
	}
	conn, err := endpoint.Place{Socket: socket}.Dial(1000)
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}

func (c *composition) scratch() string { return filepath.Join(c.place.CacheDir, "tmp") }

func (c *composition) openLog() error {
	level, err := zerolog.ParseLevel(c.settings.Log)
	if err != nil || c.settings.Log == "off" {
		level = zerolog.Disabled
	}
	file, err := localserver.OpenLog(filepath.Join(c.place.CacheDir, "rexd.log"))
	if err != nil {
		return err
	}
	c.closers = append(c.closers, file.Close)
	c.log = zerolog.New(file).Level(level).With().Timestamp().Logger()
	return nil
}

func (c *composition) loadFileState() {
	path := filepath.Join(c.place.CacheDir, "filestate")
	if f, err := os.Open(path); err == nil {
		if err := c.files.Load(f); err != nil {
			c.log.Debug().Err(err).Msg("file digests are computed anew")
		}
		_ = f.Close()
	}
	c.closers = append(c.closers, func() error { return c.saveFileState(path) })
}

// saveFileState replaces the snapshot as a whole: half a one would be refused.
func (c *composition) saveFileState(path string) error {
	f, err := os.CreateTemp(filepath.Dir(path), "filestate")
	if err != nil {
		return nil // the cache directory is gone or full, and so is its use
	}
	err = errors.Join(c.files.Snapshot(f), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}

// server puts the pipeline and the management verbs behind listener.
func (c *composition) server(listener localserver.Listener) (*localserver.Server, error) {
	p := c.pipeline()
	service := &localserver.Service{
		Store: c.store, Scanner: p,
		FlushRecords: func() error { c.journal.Sync(); return nil },
		Remotes:      c.remotes,
		Sessions:     c.sessions,
		LastRecord:   c.lastRecord,
		Warnings:     c.warnings,
		Version:      c.version, CacheDir: c.place.CacheDir, Socket: c.place.Socket, Started: time.Now(),
	}
	service.Recorder = admin.RecordsOf(c.journal, c.completeStats)
	service.Server = localserver.New(localserver.Options{
		Listener: listener, Calls: p, Admin: admin.NewHandler(service), Namespace: c.view.Namespace,
		IdleExit: c.idleExit, Drain: drainLimit, Log: c.log,
	})
	return service.Server, nil
}

// pipeline puts compilers, scanners and the cache together.
func (c *composition) pipeline() *pipeline.Pipeline {
	run := localexec.Runner(localexec.Limits{})
	memory := storeMemory{c.store}
	prober := probe.New(c.files, run, memory)
	asker := ask.New(ask.Options{Run: run, ModTimes: true})
	scanner := cpp.New(cpp.Options{Compiler: prober, Files: c.files, Watch: true})
	c.closers = append(c.closers, func() error { scanner.Close(); return nil })
	return pipeline.New(pipeline.Options{
		Store: c.store, Files: c.files,
		Resolver: toolchains.NewResolver(c.files, run, memory),
		Family:   newFamilies().family,
		Scanner:  scanner,
		Asker:    asker,
		Crates:   rustdeps.New(), Tracer: trace.New(), Run: run, Databases: c.sessions,
		Fallback: ask.NewScanner(ask.ScannerOptions{Asker: asker, Run: run, Files: c.files, Facts: prober.Facts, Scratch: c.scratch()}),
		Facts:    prober.Facts,
		Recorder: c.journal,
		Remote:   c.remote, Chooser: c.chooser, Launcher: launcher(),
		Settings: func(call *toolchains.Call) (*config.Settings, error) { return c.loader.Load(call.Env, call.Dir) },
		Scratch:  c.scratch(), Now: time.Now, Log: c.log,
	})
}

// current returns the server's settings as its file says now. A file with
// errors changes nothing.
func (c *composition) current() *config.Settings {
	s, err := c.loader.LoadServer(c.env)
	if err != nil {
		return c.settings
	}
	if s.CacheSize != c.settings.CacheSize {
		c.store.SetSize(s.CacheSize)
	}
	if s.LocalJobs != c.settings.LocalJobs || s.RemoteJobs != c.settings.RemoteJobs {
		c.localJobs.Store(int64(s.LocalJobs))
		c.chooser.Resize(s.LocalJobs, s.RemoteJobs)
	}
	c.settings = s
	return s
}

func (c *composition) idleExit() time.Duration { return c.current().IdleExit }

func (c *composition) warnings() []string {
	s, err := c.loader.LoadServer(c.env)
	warnings := []string{} // an empty list in JSON, not null
	if err != nil {
		warnings = append(warnings, err.Error())
	}
	return append(append(warnings, s.Warnings()...), c.remotes.Warnings()...)
}

func (c *composition) lastRecord() string {
	if id := c.journal.Last(); id != 0 {
		return id.String()
	}
	return ""
}

func (c *composition) completeStats(s *journal.Stats) {
	st := c.store.Stats()
	s.CacheSize, s.CacheLimit, s.Entries = st.Bytes, st.Limit, st.Results
	s.Warnings = c.warnings()
	merged, private := c.sessions.Counts()
	if merged > 0 || len(private) > 0 {
		private["merged"] = merged
		s.Databases = private
	}
}

// sessionJournal keeps what sessions must know of their program databases.
type sessionJournal struct{ store *diskstore.Store }

func (j sessionJournal) Load(key string) ([]byte, bool) {
	value, err := j.store.Meta(sessionBucket, key)
	return value, err == nil
}

func (j sessionJournal) Store(key string, value []byte) {
	_ = j.store.PutMeta(sessionBucket, key, value) // what was merged is merged again
}

const sessionBucket = "msvc"

// storeMemory keeps what compilers said of themselves in the cache.
type storeMemory struct{ store *diskstore.Store }

// memoryBucket is the metadata bucket of storeMemory.
const memoryBucket = "toolchains"

func (m storeMemory) Load(key digest.Digest) ([]byte, bool) {
	value, err := m.store.Meta(memoryBucket, key.Hex())
	return value, err == nil
}

func (m storeMemory) Store(key digest.Digest, value []byte) {
	_ = m.store.PutMeta(memoryBucket, key.Hex(), value) // it is asked for again
}
