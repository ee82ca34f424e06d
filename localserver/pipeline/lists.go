package pipeline

import (
	"slices"
	"strings"
	"sync"

	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/localserver/journal"
	"github.com/rexwrap/rexwrap/toolchains"
)

// lists remembers under which blobs the journal finds the programs of a
// toolchain, and which parts of lists of inputs are stored. It is safe for
// concurrent use.
type lists struct {
	mu          sync.Mutex
	byToolchain map[digest.Digest]digest.Digest
	// parts are those of late, older those before them.
	parts, older map[digest.Digest]struct{}
}

// maxParts bounds each half of the parts that are remembered: what has not been
// asked for by so many others is stored anew, in case it was evicted.
const maxParts = 8192

// put stores a part of a list, unless that was done of late.
func (l *lists) put(store Store, part []byte) (digest.Digest, error) {
	d := digest.Of(part)
	if l.known(d) {
		return d, nil
	}
	if _, err := store.PutBlob(part); err != nil {
		return d, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.parts == nil || len(l.parts) >= maxParts {
		l.parts, l.older = make(map[digest.Digest]struct{}), l.parts
	}
	l.parts[d] = struct{}{}
	return d, nil
}

func (l *lists) known(d digest.Digest) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, ok := l.parts[d]; ok {
		return true
	}
	_, ok := l.older[d]
	return ok
}

// forget drops what is held in memory about stored blobs.
func (l *lists) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.byToolchain, l.parts, l.older = nil, nil, nil
}

// programs returns the digest of the blob that lists tc's programs, zero where
// it cannot be stored: explain then knows less.
func (l *lists) programs(store Store, tc *toolchains.Toolchain) digest.Digest {
	l.mu.Lock()
	defer l.mu.Unlock()
	if d, ok := l.byToolchain[tc.Digest]; ok {
		return d
	}
	list := make(journal.ProgramList, len(tc.Programs))
	for i, p := range tc.Programs {
		list[i] = journal.Input{Path: p.Path, Digest: p.Digest}
		if p.Path == "" {
			list[i].Path = p.Name
		}
	}
	slices.SortFunc(list, func(a, b journal.Input) int { return strings.Compare(a.Path, b.Path) })
	d, err := store.PutBlob(list.Encode())
	if err != nil {
		return digest.Digest{}
	}
	if l.byToolchain == nil {
		l.byToolchain = make(map[digest.Digest]digest.Digest)
	}
	l.byToolchain[tc.Digest] = d
	return d
}

// putList stores the inputs of c for explain.
func (r *request) putList(c *Candidate) digest.Digest {
	list := &journal.InputList{Files: make([]journal.Input, len(c.Files)), Absent: make([]string, len(c.Absent))}
	for i, f := range c.Files {
		list.Files[i] = journal.Input{Path: r.at.spell(f.Path), Digest: f.Digest}
	}
	for i, name := range c.Absent {
		list.Absent[i] = r.at.spell(name)
	}
	slices.SortFunc(list.Files, func(a, b journal.Input) int { return strings.Compare(a.Path, b.Path) })
	slices.Sort(list.Absent)
	d, err := list.Put(func(part []byte) (digest.Digest, error) { return r.p.lists.put(r.p.store, part) })
	if err != nil {
		return digest.Digest{}
	}
	return d
}
