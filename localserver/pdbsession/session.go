package pdbsession

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rexwrap/rexwrap/localserver/pdb"
)

// A session is one PDB. It is open between the first member and Seal; a member after that
// opens it again.
type session struct {
	Identity
	options *Options

	// waiting counts members that are about to lock mu.
	waiting atomic.Int32
	// recalled is the memo while the session is open.
	recalled atomic.Pointer[memo]

	mu      sync.Mutex
	store   *pdb.Store  // nil while not open
	release func()      // gives up being the only server
	memory  *pdb.Memory // the whole PDB, while it is small
	dirty   bool        // the file lacks what memory has
	left    mark        // the file as this session left it
	page    *page       // what is known of the PDB as it is on disk
	noted   bool        // the journal knows that the session is open
	lost    bool        // others have put another PDB in the place of this one
	hasty   bool        // the PDB was locked: do not wait again until it is not
	group   *group      // members that wait for the next commit
	idle    *time.Timer
	members int
	mode    os.FileMode // of a PDB that is begun
}

// A group is the members whose types reach the disk together.
type group struct {
	size int
	done chan struct{}
	err  error // valid when done is closed
}

// maxGroup bounds how long a member waits for others to join its group.
const maxGroup = 64

// maxTries bounds how often a member starts again because the PDB was changed by others.
const maxTries = 3

// merge returns where m's types are in the PDB, when they are on disk.
func (s *session) merge(m *member) (to *pdb.Map, server pdb.TypeServer, err error) {
	if !s.remembers(m.key) {
		if _, err := m.private(); err != nil { // read while others are merged
			return nil, server, err
		}
	}
	for range maxTries {
		var g *group
		if to, server, g, err = s.join(m); err != nil {
			return nil, server, err
		}
		if <-g.done; !errors.Is(g.err, errChanged) {
			return to, server, g.err
		}
		err = g.err
	}
	return nil, server, err
}

// remembers reports whether the PDB with this key may not have to be read; before the
// session is open none is known to. It does not wait for mu: whoever does so is counted by
// waiting.
func (s *session) remembers(key string) bool {
	m := s.recalled.Load()
	return m == nil || m.has(key)
}

// join adds m's types and returns the group that brings them to disk. Whoever finds that
// nobody waits commits for all.
func (s *session) join(m *member) (*pdb.Map, pdb.TypeServer, *group, error) {
	s.waiting.Add(1)
	s.mu.Lock()
	s.waiting.Add(-1)
	defer s.mu.Unlock()
	to, err := s.add(m)
	var server pdb.TypeServer
	var joined *group
	if err == nil {
		if s.group == nil {
			s.group = &group{done: make(chan struct{})}
		}
		joined = s.group
		joined.size++
		server = pdb.TypeServer{GUID: s.store.GUID(), Age: s.store.Age(), Path: s.Path}
	}
	if s.group != nil && (s.waiting.Load() == 0 || s.group.size >= maxGroup) {
		s.finishGroup()
	}
	return to, server, joined, err
}

// add merges m's types into the tables.
func (s *session) add(m *member) (*pdb.Map, error) {
	if err := s.open(); err != nil {
		return nil, err
	}
	s.members++
	s.mode = m.Mode
	s.idle.Reset(s.options.Idle)
	if r, ok := s.page.memo.find(m.key); ok {
		return r.to, m.check(r.guid, r.age)
	}
	p, err := m.private()
	if err != nil {
		return nil, err
	}
	to, err := s.store.Merge(p)
	if errors.Is(err, pdb.ErrMalformed) {
		return nil, fmt.Errorf("%w: %w", ErrMismatch, err)
	}
	if err != nil {
		return nil, err
	}
	s.page.memo.add(m.key, &remembered{p.Info.GUID, p.Info.Age, to})
	return to, nil
}

// finishGroup writes the tables and lets the members of the group go.
func (s *session) finishGroup() {
	g := s.group
	s.group = nil
	g.err = s.patiently(s.commit)
	close(g.done)
}

// patiently repeats f for a while when the PDB is in use: by a debugger, a linker, a virus
// scanner.
func (s *session) patiently(f func() error) error {
	const first, longest = 5 * time.Millisecond, 500 * time.Millisecond
	deadline := time.Now().Add(s.options.Patience)
	err := f()
	for pause := first; errors.Is(err, errLocked) && !s.hasty && time.Now().Before(deadline); pause = min(2*pause, longest) {
		time.Sleep(pause)
		err = f()
	}
	s.hasty = errors.Is(err, errLocked)
	return err
}

// commit brings the tables to disk. After an error other than errChanged they stay, for
// the next group, and so does what the memo says of them.
func (s *session) commit() error {
	if err := s.undisturbed(); err != nil {
		return s.orClosed(err)
	}
	if !s.store.Changed() && !s.dirty {
		return nil
	}
	if err := s.write(); err != nil {
		return s.orClosed(fmt.Errorf("write %s: %w", s.Path, orLocked(err)))
	}
	s.page.note(s.store, s.store.Age())
	var err error
	if s.left, err = s.look(); err != nil {
		s.close()
		return err
	}
	if !s.noted {
		s.noted = true
		s.remember(false)
	}
	return nil
}

// orClosed closes the session where err says that the PDB was changed by others.
func (s *session) orClosed(err error) error {
	if errors.Is(err, errChanged) {
		s.close()
	}
	return err
}

// undisturbed returns errChanged where the file is no more as this session left it.
func (s *session) undisturbed() error {
	now, err := s.look()
	if err != nil {
		return err
	}
	same, err := s.unchanged(now)
	if err == nil && !same {
		s.lost = now.exists() && s.page.age > 0
		err = errChanged
	}
	return err
}

// unchanged reports whether the file is as this session left it, apart from its time.
func (s *session) unchanged(now mark) (bool, error) {
	if !now.equal(s.left) {
		return false, nil
	}
	if !now.touched(s.left) {
		return true, nil
	}
	f, err := s.options.volume.open(s.Path)
	if err != nil {
		return false, fmt.Errorf("open %s: %w", s.Path, orLocked(err))
	}
	defer f.Close()
	print, err := pdb.FingerprintOf(f)
	if err != nil || print != s.store.Fingerprint() {
		return false, nil
	}
	s.left = now
	return true, nil
}

func (s *session) look() (mark, error) {
	m, err := look(s.options.volume, s.Path)
	if err != nil {
		return m, fmt.Errorf("look at %s: %w", s.Path, orLocked(err))
	}
	return m, nil
}

// orLocked adds errLocked to errors of files that others have open.
func orLocked(err error) error {
	if isLocked(err) {
		return fmt.Errorf("%w: %w", errLocked, err)
	}
	return err
}

// write brings the file up to date: anew as long as it is small, else in place.
func (s *session) write() error {
	if s.memory == nil {
		f, err := s.options.volume.open(s.Path)
		if err != nil {
			return err
		}
		defer f.Close()
		s.store.Move(f)
		return s.store.Commit()
	}
	if s.store.Changed() {
		if err := s.store.Commit(); err != nil {
			return err
		}
		s.dirty = true
	}
	if err := s.options.volume.replace(s.Path, s.memory.Bytes(), s.options.Durable, s.undisturbed); err != nil {
		return err
	}
	if s.mode != 0 && !s.left.exists() {
		if err := os.Chmod(s.Path, s.mode); err != nil {
			return err
		}
	}
	s.dirty = false
	if int64(len(s.memory.Bytes())) >= s.options.InPlace {
		s.memory = nil
	}
	return nil
}

// open reads the PDB, or begins one where there is none.
func (s *session) open() error {
	if s.store != nil {
		return nil
	}
	if s.release == nil {
		release, err := own(s.options.LockDir, s.Key)
		if err != nil {
			return err
		}
		s.release = release
	}
	if s.idle == nil {
		s.idle = time.AfterFunc(s.options.Idle, s.sealIdle)
	}
	if err := s.patiently(s.load); err != nil {
		s.close()
		return err
	}
	s.store.SetDurable(s.options.Durable)
	s.recalled.Store(s.page.memo)
	return nil
}

// load reads the PDB that is there, if objects may refer to its types.
func (s *session) load() error {
	now, err := s.look()
	if err != nil {
		return err
	}
	if s.page == nil {
		s.page = s.recall()
	}
	if !now.exists() || now.info.Size() == 0 {
		return s.begin(now)
	}
	store, memory, err := s.read(now)
	switch {
	case errors.Is(err, errForeign):
		return err
	case errors.Is(err, pdb.ErrMalformed) && !s.lost:
		return s.begin(now)
	case err != nil:
		return err
	}
	if s.page.guid == store.GUID() {
		if !s.page.fits(store, s.options.Boot) {
			return s.begin(now)
		}
	} else if s.lost {
		return fmt.Errorf("%w: %s", errChanged, s.Path)
	} else {
		s.page = &page{guid: store.GUID(), memo: newMemo(s.options.Memo)}
	}
	s.store, s.memory, s.left, s.lost = store, memory, now, false
	s.page.note(store, store.Age()-1)
	return nil
}

// read opens the PDB at the session's place. One that is well-formed but holds what we
// cannot go on with, or no PDB at all, is errForeign.
func (s *session) read(now mark) (*pdb.Store, *pdb.Memory, error) {
	f, err := s.options.volume.open(s.Path)
	if err != nil {
		return nil, nil, fmt.Errorf("open %s: %w", s.Path, orLocked(err))
	}
	defer f.Close()
	var memory *pdb.Memory
	file := pdb.File(f)
	if now.info.Size() < s.options.InPlace {
		data := make([]byte, now.info.Size())
		if _, err := f.ReadAt(data, 0); err != nil {
			return nil, nil, fmt.Errorf("read %s: %w", s.Path, err)
		}
		memory = pdb.NewMemory(data)
		file = memory
	}
	store, err := pdb.Open(file)
	var unsupported *pdb.UnsupportedError
	switch {
	case errors.As(err, &unsupported), err != nil && !bytes.HasPrefix(now.head[:], []byte("Microsoft C/C++ ")):
		return nil, nil, fmt.Errorf("%w: %s: %w", errForeign, s.Path, err)
	case err != nil:
		return nil, nil, fmt.Errorf("read %s: %w", s.Path, err)
	}
	return store, memory, nil
}

// begin starts a PDB with a GUID of its own; what lies at its place goes with the first
// commit.
func (s *session) begin(now mark) error {
	var guid pdb.GUID
	if _, err := rand.Read(guid[:]); err != nil {
		return fmt.Errorf("make GUID: %w", err)
	}
	s.memory = pdb.NewMemory(nil)
	s.store = pdb.Create(s.memory, guid)
	s.page = &page{guid: guid, memo: newMemo(s.options.Memo)}
	s.left, s.lost, s.dirty = now, false, false
	return nil
}

// recall returns the journal's page, or one that fits nothing.
func (s *session) recall() *page {
	if data, ok := s.options.Journal.Load(journalKey + s.Key); ok {
		if p, ok := decodePage(data, s.options.Memo); ok {
			return p
		}
	}
	return &page{memo: newMemo(s.options.Memo)}
}

// remember writes the page to the journal.
func (s *session) remember(sealed bool) {
	s.page.settle(s.store, sealed, s.options.Boot)
	s.options.Journal.Store(journalKey+s.Key, s.page.encode())
}

// close drops the tables. The page stays, for when the PDB is opened again: what is on disk
// at this moment is what this process has left.
func (s *session) close() {
	if s.store != nil {
		s.page.settle(s.store, true, s.options.Boot)
	}
	s.recalled.Store(nil)
	s.store, s.memory, s.dirty, s.noted = nil, nil, false, false
}

// sealIdle seals the session unless a member is about to come.
func (s *session) sealIdle() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.waiting.Load() > 0 && s.idle != nil {
		s.idle.Reset(s.options.Idle)
		return
	}
	s.end()
}

// seal ends the session; the members that wait are done first.
func (s *session) seal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.end()
}

func (s *session) end() {
	if s.group != nil {
		s.finishGroup()
	}
	if s.store != nil && s.noted {
		s.remember(true)
	}
	s.close()
	s.page, s.lost, s.hasty, s.members = nil, false, false, 0
	if s.release != nil {
		s.release()
		s.release = nil
	}
	if s.idle != nil {
		s.idle.Stop()
		s.idle = nil
	}
}
