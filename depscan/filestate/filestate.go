package filestate

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rexwrap/rexwrap/client/digest"
)

// ErrNotRegular is wrapped by the errors of Digest for what exists but is no
// regular file. ErrUnstable is wrapped where a file changed while it was read.
var (
	ErrNotRegular = errors.New("not a regular file")
	ErrUnstable   = errors.New("file changes while it is read")
)

// defaultLimit is Options.Limit where it is 0. A remembered path costs about 250
// bytes.
const defaultLimit = 200_000

// Options are the settings of a State. The zero value is usable.
type Options struct {
	// Xattr names the extended attribute that offers a file's SHA-256, raw
	// or in hexadecimal; empty for none. What it says is believed.
	Xattr string
	// Limit is the largest number of files, and of directories, remembered; 0
	// stands for 200,000.
	Limit int
	// Watch lets the system tell of changes, where it can, of what is asked
	// for again and again, instead of looking at it each time.
	Watch bool
}

// A State remembers what files hold. It is safe for concurrent use.
//
// Lock order: learning, then one of the others; no two of those are held at once.
type State struct {
	opts   Options
	source source
	// machineID is the file that holds the machine's id.
	machineID string
	views     atomic.Uint64

	files    table[node]
	dirs     table[directory]
	contents interner
	names    namePool
	volumes  volumes
	watch    *watcher // nil where nothing is watched
	restored restored
	buffers  sync.Pool // of *[]byte, what files are read through
	// learning keeps two requests from reading the same file at once.
	learning [64]sync.Mutex
}

// New returns an empty State.
func New(o Options) *State { return newState(o, newSource()) }

func newState(o Options, src source) *State {
	if o.Limit <= 0 {
		o.Limit = defaultLimit
	}
	s := &State{opts: o, source: src, machineID: "/etc/machine-id"}
	s.files.limit, s.dirs.limit = o.Limit, o.Limit
	s.contents.limit = 2 * o.Limit
	if o.Watch {
		s.watch = newWatcher()
	}
	s.buffers.New = func() any { return new(make([]byte, 64<<10)) }
	return s
}

// Close ends the watching. What the State is asked after that it looks at.
func (s *State) Close() { s.watch.close() }

// Digest returns the digest of the regular file that path leads to, symbolic
// links followed. path must be absolute; it is used as spelled. The error wraps
// fs.ErrNotExist, ErrNotRegular, ErrUnstable or what reading gave.
func (s *State) Digest(path string) (digest.Digest, error) { return s.View().Digest(path) }

// Read returns the bytes of a regular file with their digest, which is then known
// like those that Digest returned. The bytes are the caller's, in room where that is
// large enough for them and bytes.MinRead more. Errors are those of Digest.
func (s *State) Read(path string, room []byte) ([]byte, digest.Digest, error) {
	return s.View().Read(path, room)
}

// Check reports whether path leads to a regular file with digest want.
func (s *State) Check(path string, want digest.Digest) bool {
	d, err := s.Digest(path)
	return err == nil && d == want
}

// Lookup says what path leads to. path must be absolute.
func (s *State) Lookup(path string) Kind {
	var st info
	s.source.stat(path+"\x00", false, &st)
	return st.kind
}

// CheckAll reports whether everything that set expects holds now. Where it does
// not, the Difference is one that was found; there may be others.
func (s *State) CheckAll(set *Set) (Difference, bool) { return s.View().CheckAll(set) }

// First returns the index of the first of sets that holds, looking at no file
// twice, or -1 and for each of them a Difference.
func (s *State) First(sets []*Set) (int, []Difference) {
	v := s.View()
	diffs := make([]Difference, 0, len(sets))
	for i, set := range sets {
		d, ok := v.CheckAll(set)
		if ok {
			return i, nil
		}
		diffs = append(diffs, d)
	}
	return -1, diffs
}

// Record remembers that d names what path holds, which the caller has just
// written under another name and renamed to path, and which nobody else has
// written since. Where the file system's times cannot tell a change that is made
// at once, nothing is remembered.
func (s *State) Record(path string, d digest.Digest) {
	n := s.node(path)
	now := s.source.now()
	var st info
	s.source.stat(n.path, false, &st)
	// A rename sets ctime only: equal times are those of a write after it.
	if st.kind != Regular || st.size != d.Size || st.mtime >= st.ctime {
		n.seen.Store(nil)
		return
	}
	v := s.volumes.of(s.source, n.path, st.dev, now)
	s.store(n, v, st.key, now, d)
}

// Forget drops what is remembered of path.
func (s *State) Forget(path string) {
	if n, ok := s.files.get(path); ok {
		n.seen.Store(nil)
	}
}

// A Mark is a moment; see State.Mark.
type Mark instant

// Mark returns this moment. It is taken before a compiler starts.
func (s *State) Mark() Mark { return Mark(s.source.now()) }

// DigestSince is Digest for a file that a compiler may have read at any time
// since m. settled reports that the file surely has not changed since m, so that
// the compiler saw what d names; where it is false the compile's result must not
// be stored under d.
func (s *State) DigestSince(path string, m Mark) (d digest.Digest, settled bool, err error) {
	v := s.View()
	n := s.node(path)
	o, err := v.observe(n)
	if err != nil {
		return digest.Digest{}, false, err
	}
	return o.content.digest, !s.stepped(m, v.now) && o.unchangedSince(m, s), nil
}

// stepped reports whether the clock was set between m and now. Coarse clocks are
// read one after the other: a tick each is no step.
func (s *State) stepped(m Mark, now instant) bool {
	d := (now.real - m.real) - (now.mono - m.mono)
	// Slewing, by up to 0.05 %, is no step either.
	slack := 4*tick + (now.mono-m.mono)/1000
	return d < -slack || d > slack
}

// A Kind says what a path leads to, symbolic links followed.
type Kind uint8

// The kinds. Missing is also the answer for a path below something that is no
// directory; Other is a device, a FIFO, a socket, or what cannot be looked at.
const (
	Missing Kind = iota
	Regular
	Directory
	Other
)

// volumes remembers the file systems by device number. A number can be given to
// another file system after an unmount, so an answer is asked for again when it
// is older than volumeAge.
type volumes struct {
	mu    sync.RWMutex
	byDev map[uint64]volumeSeen
	// ctimes holds the devices that have shown a ctime later than mtime.
	ctimes map[uint64]bool
}

type volumeSeen struct {
	volume
	mono int64
}

const volumeAge = int64(5 * time.Second)

// of returns the volume of path, which is on dev.
func (vs *volumes) of(src source, path string, dev uint64, now instant) volume {
	vs.mu.RLock()
	seen, ok := vs.byDev[dev]
	vs.mu.RUnlock()
	if ok && now.mono-seen.mono < volumeAge {
		return seen.volume
	}
	v := src.volume(path)
	vs.mu.Lock()
	defer vs.mu.Unlock()
	if vs.byDev == nil {
		vs.byDev = map[uint64]volumeSeen{}
	}
	vs.byDev[dev] = volumeSeen{v, now.mono}
	return v
}

// keepsCtime reports whether the device of k has shown a ctime later than mtime,
// k being one more witness.
func (vs *volumes) keepsCtime(k key) bool {
	vs.mu.RLock()
	ok := vs.ctimes[k.dev]
	vs.mu.RUnlock()
	if ok || k.ctime <= k.mtime {
		return ok
	}
	vs.mu.Lock()
	defer vs.mu.Unlock()
	if vs.ctimes == nil {
		vs.ctimes = map[uint64]bool{}
	}
	vs.ctimes[k.dev] = true
	return true
}
