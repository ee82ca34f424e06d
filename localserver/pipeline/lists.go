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
// toolchain. It is safe for concurrent use.
type lists struct {
	mu          sync.Mutex
	byToolchain map[digest.Digest]digest.Digest
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
	d, err := r.p.store.PutBlob(list.Encode())
	if err != nil {
		return digest.Digest{}
	}
	return d
}
