package pdbsession

import (
	"errors"
	"fmt"
	"os"

	"github.com/rexwrap/rexwrap/localserver/pdb"
)

// A Member is the result of one compile that had a private /Fd.
type Member struct {
	// Object is the object as the compiler wrote it.
	Object []byte
	// ObjectPath is where it will be, absolute.
	ObjectPath string
	// PDB returns the private PDB. It is not called for one that was merged
	// before.
	PDB func() ([]byte, error)
	// Mode are the permissions of a PDB that is begun; 0 for those that the
	// process gives.
	Mode os.FileMode
	// PDBKey is the digest of the private PDB, empty where it is not known.
	PDBKey string
	// Origin is nil for what was compiled where the build is.
	Origin *Origin
}

// A Form says what became of a member.
type Form uint8

const (
	// Merged: the types are in the session's PDB, the object refers to it.
	Merged Form = iota
	// Private: the member keeps its own PDB; Reason says why.
	Private
	// Plain: the object refers to no PDB and is as the compiler wrote it.
	Plain
)

func (f Form) String() string {
	switch f {
	case Merged:
		return "merged"
	case Private:
		return "private"
	}
	return "plain"
}

// A Delivery is what is to be put in place for a Member.
type Delivery struct {
	Form   Form
	Object []byte
	// PDB and PDBPath are the file beside the object of a Private member.
	PDB     []byte
	PDBPath string
	// Reason is why a member is Private, one of Reasons, and Detail what
	// it is about.
	Reason, Detail string
}

// Why members are Private.
const (
	ReasonUnknownRecord = "unknown-record"
	ReasonLocked        = "locked"
	ReasonOtherServer   = "other-server"
	ReasonChanged       = "changed"
	ReasonForeign       = "foreign"
	ReasonUnwritable    = "unwritable"
	ReasonFull          = "full"
	ReasonChosen        = "chosen" // by Keep
)

// Reasons returns the closed list of reasons.
func Reasons() []string {
	return []string{
		ReasonUnknownRecord, ReasonLocked, ReasonOtherServer, ReasonChanged, ReasonForeign, ReasonUnwritable, ReasonFull,
		ReasonChosen,
	}
}

// ErrMismatch says that object and private PDB do not belong together or are damaged: no
// result of a compile. The compile should be done again.
var ErrMismatch = errors.New("object and PDB do not match")

var (
	errChosen  = errors.New("asked for")
	errOwned   = errors.New("another server has the PDB")
	errForeign = errors.New("not a type server")
	errLocked  = errors.New("PDB is in use")
	errChanged = errors.New("PDB was changed by another process")
)

func reasonOf(err error) string {
	var unsupported *pdb.UnsupportedError
	switch {
	case errors.Is(err, errChosen):
		return ReasonChosen
	case errors.Is(err, errOwned):
		return ReasonOtherServer
	case errors.Is(err, errForeign):
		return ReasonForeign
	case errors.Is(err, errLocked):
		return ReasonLocked
	case errors.Is(err, errChanged):
		return ReasonChanged
	case errors.Is(err, pdb.ErrFull):
		return ReasonFull
	case errors.As(err, &unsupported):
		return ReasonUnknownRecord
	}
	return ReasonUnwritable
}

// A member is a Member on its way.
type member struct {
	*Member
	compiled *pdb.Compiled
	names    *renaming
	key      string       // of the memo
	read     *pdb.Private // its PDB, once it has been read
}

// newMember returns m with the names that it has in the PDB at path. An object that cannot
// be given others keeps its own.
func newMember(m *Member, compiled *pdb.Compiled, path string) *member {
	names := renamingOf(m, compiled, path)
	if named, err := compiled.Named(pdb.Names{Object: m.ObjectPath, File: names.file}); err == nil {
		compiled = named
	}
	return &member{Member: m, compiled: compiled, names: names, key: names.key(m.PDBKey)}
}

// private returns the PDB of m, which must be the one that its object names.
func (m *member) private() (*pdb.Private, error) {
	if m.read != nil {
		return m.read, nil
	}
	data, err := m.PDB()
	if err != nil {
		return nil, fmt.Errorf("read private PDB: %w", err)
	}
	p, err := pdb.ReadPrivate(data)
	if errors.Is(err, pdb.ErrMalformed) {
		return nil, fmt.Errorf("%w: %w", ErrMismatch, err)
	}
	if err != nil {
		return nil, err
	}
	if err := m.check(p.Info.GUID, p.Info.Age); err != nil {
		return nil, err
	}
	m.read = p.Named(m.names.text)
	return m.read, nil
}

// check compares what the object says with the PDB's GUID and age.
func (m *member) check(guid pdb.GUID, age uint32) error {
	if server := m.compiled.TypeServer(); server.GUID != guid || server.Age > age {
		return fmt.Errorf("%w: GUID or age", ErrMismatch)
	}
	return nil
}

// Check returns why object and the PDB that database returns are no pair that Deliver
// would take, nil where they are: an object that names no PDB, or that nobody can read,
// needs none.
func Check(object []byte, database func() ([]byte, error)) error {
	compiled, err := pdb.ParseCompiled(object)
	var unsupported *pdb.UnsupportedError
	if err == nil {
		m := &member{Member: &Member{PDB: database}, compiled: compiled, names: &renaming{}}
		_, err = m.private()
	}
	switch {
	case errors.Is(err, pdb.ErrNoTypeServer), errors.As(err, &unsupported):
		return nil
	case err != nil && !errors.Is(err, ErrMismatch):
		return fmt.Errorf("%w: %w", ErrMismatch, err)
	}
	return err
}

// keepPrivate delivers m with its own PDB, under a GUID that no copy of it has.
func (m *member) keepPrivate(cause error) (*Delivery, error) {
	data, err := m.PDB()
	if err != nil {
		return nil, fmt.Errorf("read private PDB: %w", err)
	}
	path, sum := privateName(m.ObjectPath, data)
	server := pdb.TypeServer{GUID: pdb.GUID(sum[:16]), Age: m.compiled.TypeServer().Age, Path: path}
	stamped, err := pdb.Restamp(data, server.GUID)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMismatch, err)
	}
	object, err := m.compiled.WithTypeServer(server)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMismatch, err)
	}
	return &Delivery{Form: Private, Object: object, PDB: stamped, PDBPath: path, Reason: reasonOf(cause), Detail: cause.Error()}, nil
}
