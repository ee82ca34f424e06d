package pipeline

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/depscan/ask"
	"github.com/rexwrap/rexwrap/depscan/cpp"
	"github.com/rexwrap/rexwrap/depscan/filestate"
	"github.com/rexwrap/rexwrap/localserver/config"
	"github.com/rexwrap/rexwrap/localserver/diskstore"
	"github.com/rexwrap/rexwrap/localserver/journal"
	"github.com/rexwrap/rexwrap/localserver/localexec"
	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/clang"
	"github.com/rexwrap/rexwrap/toolchains/gcc"
	"github.com/rexwrap/rexwrap/toolchains/msvc"
	"github.com/rexwrap/rexwrap/toolchains/probe"
	"github.com/rexwrap/rexwrap/wrapper/wire"
)

// memStore is a Store in memory.
type memStore struct {
	mu                        sync.Mutex
	blobs, results, manifests map[digest.Digest][]byte
	putErr                    error  // of every Put
	noManifest                func() // is called once where there is none
}

func newMemStore() *memStore {
	return &memStore{
		blobs: map[digest.Digest][]byte{}, results: map[digest.Digest][]byte{}, manifests: map[digest.Digest][]byte{},
	}
}

func (s *memStore) put(m map[digest.Digest][]byte, d digest.Digest, data []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.putErr != nil {
		return s.putErr
	}
	m[d] = bytes.Clone(data)
	return nil
}

func (s *memStore) get(m map[digest.Digest][]byte, d digest.Digest) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	data, ok := m[d]
	if !ok {
		return nil, diskstore.ErrNotFound
	}
	return data, nil
}

func (s *memStore) delete(m map[digest.Digest][]byte, d digest.Digest) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(m, d)
}

func (s *memStore) PutBlob(data []byte) (digest.Digest, error) {
	d := digest.Of(data)
	return d, s.put(s.blobs, d, data)
}

func (s *memStore) PutBlobFile(f *os.File) (digest.Digest, error) {
	data, err := os.ReadFile(f.Name())
	if err != nil {
		return digest.Digest{}, err
	}
	return s.PutBlob(data)
}

func (s *memStore) HasBlob(d digest.Digest) bool {
	_, err := s.Blob(d)
	return err == nil
}
func (s *memStore) Blob(d digest.Digest) ([]byte, error) { return s.get(s.blobs, d) }

func (s *memStore) OpenBlob(d digest.Digest) (io.ReadCloser, error) {
	data, err := s.Blob(d)
	return io.NopCloser(bytes.NewReader(data)), err
}

func (s *memStore) CopyTo(d digest.Digest, dst *os.File) error {
	data, err := s.Blob(d)
	if err == nil {
		_, err = dst.Write(data)
	}
	return err
}
func (s *memStore) PutResult(d digest.Digest, data []byte) error { return s.put(s.results, d, data) }
func (s *memStore) Result(d digest.Digest) ([]byte, error)       { return s.get(s.results, d) }
func (s *memStore) DeleteResult(d digest.Digest)                 { s.delete(s.results, d) }
func (s *memStore) PutManifest(d digest.Digest, data []byte) error {
	return s.put(s.manifests, d, data)
}

func (s *memStore) Manifest(d digest.Digest) ([]byte, error) {
	data, err := s.get(s.manifests, d)
	if f := s.noManifest; f != nil && err != nil {
		s.noManifest = nil
		f()
	}
	return data, err
}
func (s *memStore) DeleteManifest(d digest.Digest) { s.delete(s.manifests, d) }

// A rig is a Pipeline over real compilers with a store in memory.
type rig struct {
	*Pipeline
	t        testing.TB
	store    *memStore
	settings config.Settings
	mu       sync.Mutex
	records  []*journal.Record
	calls    int
	now      func() time.Time
	started  atomic.Int64 // processes that the server started
}

// runner runs commands and counts them.
func (r *rig) runner() toolchains.Runner {
	run := localexec.Runner(localexec.Limits{})
	return func(ctx context.Context, c toolchains.Command) (*toolchains.CommandResult, error) {
		r.started.Add(1)
		return run(ctx, c)
	}
}

// newRig returns a rig that scans before it runs.
func newRig(t testing.TB) *rig {
	t.Helper()
	r := newAskingRig(t)
	r.o.Scanner = cpp.New(cpp.Options{Compiler: probe.New(r.files, r.runner(), toolchains.Forgetful{})})
	return r
}

// newAskingRig returns a rig that learns inputs from the run itself.
func newAskingRig(t testing.TB) *rig {
	t.Helper()
	r := &rig{t: t, store: newMemStore(), now: time.Now}
	files := filestate.New(filestate.Options{})
	run := r.runner()
	families := map[string]toolchains.Family{"gcc": gcc.New(), "clang": clang.New(), toolchains.FamilyClangCL: msvc.NewClang()}
	r.Pipeline = New(Options{
		Store: r.store, Files: files, Resolver: toolchains.NewResolver(files, run, toolchains.Forgetful{}),
		Family:   func(name string, _ *config.Settings) toolchains.Family { return families[name] },
		Asker:    ask.New(ask.Options{Run: run, ModTimes: true}),
		Facts:    probe.New(files, run, toolchains.Forgetful{}).Facts,
		Recorder: r,
		Settings: func(*toolchains.Call) (*config.Settings, error) { s := r.settings; return &s, nil },
		Scratch:  t.TempDir(),
		Now:      func() time.Time { return r.now() },
		Log:      zerolog.New(zerolog.NewTestWriter(t)),
	})
	return r
}

// Add keeps a record.
func (r *rig) Add(rec *journal.Record) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.records = append(r.records, rec)
}

// Verified does nothing: the reason of the record tells.
func (r *rig) Verified(bool) {}

// last is the newest record.
func (r *rig) last() *journal.Record {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.records[len(r.records)-1]
}

// An ending is how a call ended for its caller.
type ending struct {
	status         int
	stdout, stderr string
	aside          string
}

// call runs argv in dir through the pipeline, as a wrapper would.
func (r *rig) call(dir string, argv ...string) ending {
	r.t.Helper()
	return r.callEnv(dir, nil, argv...)
}

func (r *rig) callEnv(dir string, env []string, argv ...string) ending {
	r.t.Helper()
	program, err := exec.LookPath(argv[0])
	if err != nil {
		r.t.Fatal(err)
	}
	r.mu.Lock()
	r.calls++
	token := "T" + strconv.Itoa(r.calls)
	r.mu.Unlock()
	w := &fakeWrapper{dir: dir, env: append([]string{"PATH=" + os.Getenv("PATH")}, env...), argv: argv, program: program}
	r.Serve(r.t.Context(), &wire.Call{
		Version: wire.Version, Program: program, Argv: argv, Dir: dir, Env: w.env, Umask: 0o22, Token: token,
		Started: time.Now().UnixNano(),
	}, w)
	if w.err != nil {
		r.t.Fatal(w.err)
	}
	return w.end
}

// fakeWrapper is the wrapper's side of a conversation.
type fakeWrapper struct {
	dir, program string
	env, argv    []string
	end          ending
	ran          bool
	err          error
}

func (w *fakeWrapper) StepAside(reason, _ string) error {
	w.exec(w.program, w.argv, nil)
	w.end.aside = reason
	return nil
}

func (w *fakeWrapper) exec(program string, argv, env []string) *exec.Cmd {
	cmd := &exec.Cmd{Path: program, Args: argv, Dir: w.dir, Env: append(append([]string{}, w.env...), env...)}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		w.err = err
		return cmd
	}
	w.ran = true
	w.end = ending{status: cmd.ProcessState.ExitCode(), stdout: stdout.String(), stderr: stderr.String()}
	return cmd
}

func (w *fakeWrapper) Run(_ context.Context, m *wire.Run) (*wire.Ran, error) {
	if m.FilterHeaders {
		return nil, errors.New("the rig does not filter -H")
	}
	cmd := w.exec(m.Program, m.Argv, m.Env)
	ran := &wire.Ran{
		Status: uint32(w.end.status), UserTime: cmd.ProcessState.UserTime().Microseconds(), WallTime: 1000,
	}
	for fd, text := range []string{w.end.stdout, w.end.stderr} {
		if text != "" {
			ran.Chunks = append(ran.Chunks, wire.Chunk{Fd: uint8(fd + 1), Data: []byte(text)})
		}
	}
	return ran, w.err
}

func (w *fakeWrapper) Away() {}

func (w *fakeWrapper) Prepare([]string) error { return nil }

func (w *fakeWrapper) Done(m *wire.Done) error {
	for _, path := range m.Remove {
		w.err = errors.Join(w.err, os.Remove(path))
	}
	for _, f := range m.Files {
		if f.Temp != "" {
			w.err = errors.Join(w.err, os.Rename(f.Temp, f.Target))
		} else {
			w.err = errors.Join(w.err, os.WriteFile(f.Target, f.Data, 0o666))
		}
	}
	if !w.ran {
		w.end.status = int(m.Status)
		for _, c := range m.Chunks {
			if c.Fd == 1 {
				w.end.stdout += string(c.Data)
			} else {
				w.end.stderr += string(c.Data)
			}
		}
	}
	return w.err
}

// write makes files in dir from names and contents in turn. It returns when the
// file system's clock has moved on, so that a compile that starts now surely
// reads what was written.
func write(t testing.TB, dir string, namesAndTexts ...string) {
	t.Helper()
	for i := 0; i < len(namesAndTexts); i += 2 {
		path := filepath.Join(dir, namesAndTexts[i])
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(namesAndTexts[i+1]), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	files := filestate.New(filestate.Options{})
	for last := filepath.Join(dir, namesAndTexts[len(namesAndTexts)-2]); ; {
		if _, settled, err := files.DigestSince(last, files.Mark()); err != nil {
			t.Fatal(err)
		} else if settled {
			return
		}
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
