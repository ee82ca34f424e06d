package filestate

import (
	"strings"
	"sync"
	"sync/atomic"

	"github.com/rexwrap/rexwrap/client/digest"
)

// A table interns paths: one T per path, up to limit. What it drops stays valid
// for those who hold it. The zero table with a limit is empty and ready.
type table[T any] struct {
	limit int
	mu    sync.RWMutex
	rows  map[string]*row[T]
}

type row[T any] struct {
	value T
	used  atomic.Bool
}

// get returns the T of path, if there is one.
func (t *table[T]) get(path string) (*T, bool) {
	t.mu.RLock()
	r, ok := t.rows[path]
	t.mu.RUnlock()
	if !ok {
		return nil, false
	}
	if !r.used.Load() {
		r.used.Store(true)
	}
	return &r.value, true
}

// intern returns the T of path. Where there is none, it makes one by begin,
// which is given path with a zero byte at its end.
func (t *table[T]) intern(path string, begin func(value *T, path string)) *T {
	if v, ok := t.get(path); ok {
		return v
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if r, ok := t.rows[path]; ok {
		return &r.value
	}
	if t.rows == nil {
		t.rows = map[string]*row[T]{}
	}
	if len(t.rows) >= t.limit {
		t.evict()
	}
	terminated := path + "\x00"
	r := new(row[T])
	begin(&r.value, terminated)
	t.rows[terminated[:len(path)]] = r
	return &r.value
}

// evict drops the rows not used since the last call, then any, until an eighth
// of the table is free.
func (t *table[T]) evict() {
	room := t.limit - t.limit/8
	for path, r := range t.rows {
		if len(t.rows) < room {
			return
		}
		if !r.used.Swap(false) {
			delete(t.rows, path)
		}
	}
	for path := range t.rows {
		if len(t.rows) < room {
			return
		}
		delete(t.rows, path)
	}
}

// each calls f for every row.
func (t *table[T]) each(f func(*T)) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	for _, r := range t.rows {
		f(&r.value)
	}
}

// A content is an interned digest: equal pointers are equal digests.
type content struct{ digest digest.Digest }

// An interner makes contents. One that it has dropped may be made again, so
// unequal pointers say nothing.
type interner struct {
	limit int
	mu    sync.Mutex
	known map[digest.Digest]*content
}

func (in *interner) intern(d digest.Digest) *content {
	in.mu.Lock()
	defer in.mu.Unlock()
	if c, ok := in.known[d]; ok {
		return c
	}
	if in.known == nil || len(in.known) >= in.limit {
		in.known = map[digest.Digest]*content{}
	}
	c := &content{d}
	in.known[d] = c
	return c
}

// is reports whether c and other are the same digest.
func (c *content) is(other *content) bool { return c == other || c.digest == other.digest }

// A namePool interns the last components of absent names.
type namePool struct {
	mu    sync.Mutex
	known map[name]*name
}

// A name is the last component of an absent path.
type name struct {
	text string
	// dir is set for what must not be a directory; others must not be files.
	dir  bool
	hash uint32 // hashName(text)
}

// maxNames bounds a namePool, which then begins anew.
const maxNames = 1 << 18

// intern returns the name. mu is held.
func (p *namePool) intern(text string, dir bool) *name {
	n := name{text, dir, hashName(text)}
	if known, ok := p.known[n]; ok {
		return known
	}
	if p.known == nil || len(p.known) >= maxNames {
		p.known = map[name]*name{}
	}
	n.text = strings.Clone(text) // text is a part of a path
	p.known[n] = &n
	return &n
}

// hashName hashes a name such that names which differ in ASCII case only have the
// same hash (FNV-1a). The hash 0 is that of names that a listing cannot tell
// about: those that are not ASCII, which file systems fold and normalise.
func hashName[S string | []byte](s S) uint32 {
	h := uint32(2166136261)
	for i := range len(s) {
		c := s[i]
		if c >= 0x80 {
			return 0
		}
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		h = (h ^ uint32(c)) * 16777619
	}
	return max(h, 1)
}
