package pdbsession

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rexwrap/rexwrap/localserver/pdb"
)

// Options configure Sessions. All but LockDir have defaults.
type Options struct {
	// Journal outlives the process; nil for none.
	Journal Journal
	// LockDir is a folder, the same for all servers of one user, that holds
	// lock files where the system has no named mutexes.
	LockDir string
	// Idle is how long a session stays open without members: 30 s.
	Idle time.Duration
	// Patience is how long a PDB that is in use is waited for: 10 s.
	Patience time.Duration
	// InPlace is the size in bytes from which on a PDB is changed in place:
	// 1 MiB.
	InPlace int64
	// Memo bounds what is remembered of merged PDBs, in bytes: 8 MiB.
	Memo int
	// Durable makes members wait until the disk has the PDB.
	Durable bool
	// Boot is when the system was started, see BootTime. With the zero time
	// sessions that were not sealed are not gone on with.
	Boot time.Time

	volume volume
}

func (o *Options) setDefaults() {
	if o.Idle == 0 {
		o.Idle = 30 * time.Second
	}
	if o.Patience == 0 {
		o.Patience = 10 * time.Second
	}
	if o.InPlace == 0 {
		o.InPlace = 1 << 20
	}
	if o.Memo == 0 {
		o.Memo = 8 << 20
	}
	if o.Journal == nil {
		o.Journal = noJournal{}
	}
	if o.volume == nil {
		o.volume = osVolume{}
	}
}

type noJournal struct{}

func (noJournal) Load(string) ([]byte, bool) { return nil, false }

func (noJournal) Store(string, []byte) {}

// Sessions are all PDBs that one server writes. They are safe for concurrent use.
type Sessions struct {
	options Options

	merged   atomic.Int64
	mu       sync.Mutex // never held while a session is waited for
	sessions map[string]*session
	private  map[string]int64 // by reason
}

// New returns Sessions, none of which is open.
func New(options Options) *Sessions {
	options.setDefaults()
	return &Sessions{options: options, sessions: map[string]*session{}, private: map[string]int64{}}
}

func (x *Sessions) session(id Identity) *session {
	x.mu.Lock()
	defer x.mu.Unlock()
	s, ok := x.sessions[id.Key]
	if !ok {
		s = &session{Identity: id, options: &x.options}
		x.sessions[id.Key] = s
	}
	return s
}

// Deliver merges the types of m into the PDB and returns what is to be put in place, when
// the PDB is on disk. It blocks for as long as that takes. An error is ErrMismatch, or the
// private PDB cannot be read: the compile should be done again.
func (x *Sessions) Deliver(id Identity, m *Member) (*Delivery, error) {
	compiled, err := pdb.ParseCompiled(m.Object)
	var unsupported *pdb.UnsupportedError
	switch {
	case errors.Is(err, pdb.ErrNoTypeServer):
		return &Delivery{Form: Plain, Object: m.Object}, nil
	case errors.As(err, &unsupported):
		return &Delivery{Form: Plain, Object: m.Object, Reason: ReasonUnknownRecord, Detail: err.Error()}, nil
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrMismatch, err)
	}
	comer := newMember(m, compiled, id.Path)
	if err := comer.compiled.Renumberable(); err != nil {
		return x.keepPrivate(comer, err)
	}
	to, server, err := x.session(id).merge(comer)
	switch {
	case errors.Is(err, ErrMismatch):
		return nil, err
	case err != nil:
		return x.keepPrivate(comer, err)
	}
	object, err := comer.compiled.Renumbered(to, server)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMismatch, err)
	}
	x.merged.Add(1)
	return &Delivery{Form: Merged, Object: object}, nil
}

func (x *Sessions) keepPrivate(m *member, cause error) (*Delivery, error) {
	d, err := m.keepPrivate(cause)
	if err == nil {
		x.mu.Lock()
		defer x.mu.Unlock()
		x.private[d.Reason]++
	}
	return d, err
}

// Counts returns how many members became Merged, and how many Private, by reason.
func (x *Sessions) Counts() (merged int64, private map[string]int64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.merged.Load(), maps.Clone(x.private)
}

// Keep returns m with a PDB of its own, whatever could be merged.
func (x *Sessions) Keep(id Identity, m *Member) (*Delivery, error) {
	compiled, err := pdb.ParseCompiled(m.Object)
	if err != nil {
		return &Delivery{Form: Plain, Object: m.Object}, nil
	}
	return x.keepPrivate(newMember(m, compiled, id.Path), errChosen)
}

// A Status describes one PDB.
type Status struct {
	Path         string
	GUID         pdb.GUID
	Age          uint32
	Types, Items int
	// Bytes is the size of the file.
	Bytes int64
	// Members is how many compiles the session has had so far.
	Members int
}

// List returns the open sessions, sorted by path.
func (x *Sessions) List() []Status {
	var list []Status
	for _, s := range x.all() {
		if status, open := s.status(); open {
			list = append(list, status)
		}
	}
	slices.SortFunc(list, func(a, b Status) int { return strings.Compare(a.Path, b.Path) })
	return list
}

// Seal ends the sessions whose path fits and returns how many were open. A member that
// comes later opens its session again.
func (x *Sessions) Seal(fits func(path string) bool) int {
	n := 0
	for _, s := range x.all() {
		if !fits(s.Path) {
			continue
		}
		if _, open := s.status(); open {
			n++
		}
		s.seal()
	}
	return n
}

// Close seals all sessions.
func (x *Sessions) Close() { x.Seal(func(string) bool { return true }) }

func (x *Sessions) all() []*session {
	x.mu.Lock()
	defer x.mu.Unlock()
	list := make([]*session, 0, len(x.sessions))
	for _, s := range x.sessions {
		list = append(list, s)
	}
	return list
}

func (s *session) status() (Status, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.store == nil {
		return Status{}, false
	}
	return statusOf(s.Path, s.store, s.members), true
}

func statusOf(path string, store *pdb.Store, members int) Status {
	types, items := store.Records()
	return Status{path, store.GUID(), store.Age(), types, items, store.Bytes(), members}
}

// Verify reads the PDB at path, which no session needs to have made, and checks each of its
// records against its hash.
func Verify(path string) (Status, error) {
	f, err := os.Open(path)
	if err != nil {
		return Status{}, err
	}
	defer f.Close()
	store, err := pdb.Open(f)
	if err != nil {
		return Status{}, fmt.Errorf("verify %s: %w", path, err)
	}
	status := statusOf(path, store, 0)
	status.Age-- // Open counts itself
	return status, nil
}
