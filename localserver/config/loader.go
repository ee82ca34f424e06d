package config

import (
	"errors"
	"io/fs"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/toolchains"
)

// A Loader finds the settings of many calls. It remembers parsed files by their
// stat keys and whole answers by everything they rest on, so that a call costs
// a stat per parent directory of its working directory. It is safe for
// concurrent use.
type Loader struct {
	now   func() time.Time
	table table

	mu      sync.Mutex
	parsed  map[string]memo[*parsed]
	trust   map[string]memo[trusted]
	answers map[string]*answer
}

// memo is what was made of a file's content under a stat key.
type memo[T any] struct {
	key  statKey
	text digest.Digest
	made T
}

type answer struct {
	settings *Settings
	err      error
}

// maxAnswers bounds the answers that are remembered; a build has one per
// directory that compilers run in.
const maxAnswers = 1024

// NewLoader returns a Loader.
func NewLoader() *Loader {
	return &Loader{
		now: time.Now, table: newTable(), parsed: map[string]memo[*parsed]{}, trust: map[string]memo[trusted]{},
		answers: map[string]*answer{},
	}
}

// Load returns the settings of a call with the environment env in the absolute
// directory dir. An error is a Problems; the settings are then what remains
// without the values at fault, good for showing, not for compiling.
func (l *Loader) Load(env toolchains.Environ, dir string) (*Settings, error) {
	return l.load(env, dir)
}

// LoadServer returns the settings of a server with the environment env: no
// project file is looked for, and paths in variables must be absolute.
func (l *Loader) LoadServer(env toolchains.Environ) (*Settings, error) {
	return l.load(env, "")
}

// load does without project file where dir is empty.
func (l *Loader) load(env toolchains.Environ, dir string) (*Settings, error) {
	r := request{env: env, dir: dir, folders: folders{env}}
	r.user = found{path: r.folders.userFile()}
	r.user.look()
	if dir != "" {
		r.project = findProject(dir)
	}
	if r.project.key.exists {
		r.trust = found{path: r.folders.trustFile()}
		r.trust.look()
	}
	key, stable := r.key(), r.settled(l.now())

	l.mu.Lock()
	defer l.mu.Unlock()
	if a := l.answers[key]; a != nil && stable {
		return a.settings, a.err
	}
	s, err := l.resolve(&r)
	if len(l.answers) >= maxAnswers {
		clear(l.answers)
	}
	if stable {
		l.answers[key] = &answer{s, err}
	}
	return s, err
}

// found is a file that may exist.
type found struct {
	path string
	key  statKey
	err  error
}

func (f *found) look() {
	if f.path != "" {
		f.key, f.err = statFile(f.path)
	}
}

// findProject finds the project file of the absolute directory dir.
func findProject(dir string) found {
	for end := len(strings.TrimRight(dir, string(os.PathSeparator))); ; {
		f := found{path: dir[:end] + string(os.PathSeparator) + ProjectFile}
		f.look()
		if f.key.exists || f.err != nil && !errors.Is(f.err, fs.ErrPermission) {
			return f
		}
		for end > 0 && !os.IsPathSeparator(dir[end-1]) {
			end--
		}
		if end == 0 {
			return found{}
		}
		end--
	}
}

// request is everything that an answer rests on.
type request struct {
	env                  toolchains.Environ
	dir                  string
	folders              folders
	user, project, trust found
}

// key names the request: equal keys have equal answers while the files are
// settled.
func (r *request) key() string {
	var b strings.Builder
	b.Grow(512)
	put := func(s string) {
		b.WriteString(s)
		b.WriteByte(0)
	}
	put(r.dir)
	put(r.folders.home())
	for _, f := range []*found{&r.user, &r.project, &r.trust} {
		put(f.path)
		f.key.append(&b)
	}
	for _, kv := range r.env {
		if strings.HasPrefix(kv, prefix) {
			put(kv)
		}
	}
	return b.String()
}

func (r *request) settled(now time.Time) bool {
	for _, f := range []*found{&r.user, &r.project, &r.trust} {
		if f.err != nil || f.key.exists && !f.key.settled(now) {
			return false
		}
	}
	return true
}

// resolve applies the sources, the weakest first. l.mu is held.
func (l *Loader) resolve(r *request) (*Settings, error) {
	s := defaults(l.table, r.folders)
	var problems Problems
	for _, f := range []struct {
		file   *found
		source Source
	}{{&r.user, FromUser}, {&r.project, FromProject}} {
		p, content := l.file(s, f.file, f.source)
		if p == nil {
			continue
		}
		trusted := f.source == FromUser || l.trusts(&r.trust, f.file.path, content)
		warnings, bad := p.apply(s, r.folders.home(), trusted)
		s.warnings = append(s.warnings, warnings...)
		s.files = append([]string{p.path}, s.files...)
		problems = append(append(Problems{}, bad...), problems...)
	}
	problems = append(applyEnvironment(s, r.env, r.dir, r.folders.home()), problems...)
	s.derive()
	if len(problems) > 0 {
		return s, problems
	}
	return s, nil
}

// file returns what the file says, nil where there is none to obey.
func (l *Loader) file(s *Settings, f *found, source Source) (*parsed, digest.Digest) {
	if f.err != nil {
		return unreadable(f.path, source, f.err), digest.Digest{}
	}
	if !f.key.exists {
		return nil, digest.Digest{}
	}
	if why := f.key.unsafeReason(); why != "" {
		s.warnings = append(s.warnings, f.path+" is ignored, as it "+why)
		return nil, digest.Digest{}
	}
	m, err := remember(l.parsed, f, l.now(), func(text []byte) *parsed { return l.table.parse(f.path, source, text) })
	if err != nil {
		return unreadable(f.path, source, err), digest.Digest{}
	}
	return m.made, m.text
}

func unreadable(path string, source Source, err error) *parsed {
	p := &parsed{path: path, source: source}
	var perr *fs.PathError
	if errors.As(err, &perr) {
		err = perr.Err
	}
	p.problem(0, "", "cannot be read: "+err.Error())
	return p
}

func (l *Loader) trusts(file *found, path string, content digest.Digest) bool {
	if !file.key.exists || file.key.unsafeReason() != "" {
		return false
	}
	m, err := remember(l.trust, file, l.now(), parseTrusted)
	if err != nil {
		return false
	}
	real, err := projectFileAt(path)
	return err == nil && m.made.covers(real, content)
}

// remember returns what of makes of the file's content, reading it only where
// its stat key is new.
func remember[T any](memos map[string]memo[T], f *found, now time.Time, of func([]byte) T) (memo[T], error) {
	if m, ok := memos[f.path]; ok && m.key == f.key && f.key.settled(now) {
		return m, nil
	}
	text, err := os.ReadFile(f.path)
	if err != nil {
		return memo[T]{}, err
	}
	m := memo[T]{key: f.key, text: digest.Of(text), made: of(text)}
	if len(memos) >= maxAnswers {
		clear(memos)
	}
	memos[f.path] = m
	return m, nil
}

func defaults(t table, f folders) *Settings {
	return &Settings{
		CacheDir: f.cache(), CacheSize: 10 << 30, IdleExit: time.Hour, Log: "info",
		LocalJobs: runtime.NumCPU(), RemoteJobs: 200, ExecTimeout: 10 * time.Minute,
		RemoteUpload: true, Paths: PathsExact, Toolchain: "auto", RustIncremental: "aside",
		MSVCPdb: "session", MSVCPch: "strip", table: t, origins: make([]Origin, len(t)),
	}
}

// derive sets the defaults that rest on other settings.
func (s *Settings) derive() {
	if s.Strategy != "" {
		return
	}
	s.Strategy = Local
	if s.Remote != "" || s.ActionCache != "" {
		s.Strategy = Auto
	}
}
