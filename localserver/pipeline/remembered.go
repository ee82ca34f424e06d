package pipeline

import (
	"container/list"
	"sync"

	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/depscan"
	"github.com/rexwrap/rexwrap/depscan/filestate"
)

// prepared is a manifest made ready for one place: each candidate's files as a
// Set that a check walks without allocating.
type prepared struct {
	manifest *Manifest
	sets     []*filestate.Set
	size     int
}

// preparedKey names a prepared manifest: the same manifest at another place
// has other absolute paths.
type preparedKey struct {
	manifest digest.Digest
	at       place
}

// preparedLimit bounds the prepared manifests, in bytes: about 2,500 compiles
// of 200 headers.
const preparedLimit = 48 << 20

// remembered keeps prepared manifests, the least recently used going first.
// It is safe for concurrent use.
type remembered struct {
	mu    sync.Mutex
	byKey map[preparedKey]*list.Element
	order *list.List // of *rememberedEntry, most recent first
	size  int
}

type rememberedEntry struct {
	key preparedKey
	p   *prepared
}

func newRemembered() *remembered {
	return &remembered{byKey: make(map[preparedKey]*list.Element), order: list.New()}
}

func (r *remembered) get(key preparedKey) *prepared {
	r.mu.Lock()
	defer r.mu.Unlock()
	e, ok := r.byKey[key]
	if !ok {
		return nil
	}
	r.order.MoveToFront(e)
	return e.Value.(*rememberedEntry).p
}

func (r *remembered) put(key preparedKey, p *prepared) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.remove(key)
	r.byKey[key] = r.order.PushFront(&rememberedEntry{key, p})
	r.size += p.size
	for r.size > preparedLimit && r.order.Len() > 1 {
		r.remove(r.order.Back().Value.(*rememberedEntry).key)
	}
}

// clear forgets everything.
func (r *remembered) clear() {
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.byKey)
	r.order.Init()
	r.size = 0
}

func (r *remembered) remove(key preparedKey) {
	if e, ok := r.byKey[key]; ok {
		r.size -= e.Value.(*rememberedEntry).p.size
		r.order.Remove(e)
		delete(r.byKey, key)
	}
}

// prepare makes m ready for checks at a place.
func prepare(files *filestate.State, m *Manifest, at place) *prepared {
	p := &prepared{manifest: m, size: 256}
	for _, c := range m.Candidates {
		set := files.Prepare(at.dir, c.expect(at))
		p.sets = append(p.sets, set)
		p.size += set.Size()
	}
	return p
}

func (c *Candidate) expect(at place) filestate.Expect {
	e := filestate.Expect{
		Files:  make([]filestate.Want, len(c.Files)),
		Absent: make([]string, len(c.Absent)),
		Dirs:   make([]string, len(c.Dirs)),
	}
	for i, f := range c.Files {
		e.Files[i] = filestate.Want{Path: at.spell(f.Path), Digest: f.Digest}
	}
	for i, name := range c.Absent {
		e.Absent[i] = at.spell(name)
	}
	for i, name := range c.Dirs {
		e.Dirs[i] = at.spell(name)
	}
	for _, l := range c.Links {
		e.Links = append(e.Links, depscan.Symlink{Path: at.spell(l.Path), Target: at.spell(l.Target)})
	}
	return e
}
