package filestate

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io/fs"
	"strings"
	"sync/atomic"

	"github.com/rexwrap/rexwrap/client/digest"
)

// A View is one request's look at the files: what it has looked at once, it does
// not look at again. It is meant to be short-lived, and safe for concurrent use.
type View struct {
	s      *State
	id     uint64
	now    instant
	ticked atomic.Uint64 // see tick
}

// View returns a View of the files from now on.
func (s *State) View() *View { return &View{s: s, id: s.views.Add(1), now: s.source.now()} }

// A node is one path of a file.
type node struct {
	path string // ends in a zero byte
	seen atomic.Pointer[observation]
}

// An observation is the fact that a file with key holds content. Only view is
// ever changed: the last View that found the file to have key.
type observation struct {
	view    atomic.Uint64
	key     key
	content *content
	// safe is what the coarse clock must have passed for key to be believed.
	safe int64
	// since is when key was first seen, on the monotonic clock.
	since int64
	class class
	vigil vigil
}

// unchangedSince reports whether the file surely had o.key at m already.
func (o *observation) unchangedSince(m Mark, s *State) bool {
	return o.class.unchangedSince(m, o.key, o.since, s.volumes.keepsCtime(o.key))
}

func (s *State) node(path string) *node {
	return s.files.intern(path, func(n *node, path string) { n.path = path })
}

// Digest is State.Digest.
func (v *View) Digest(path string) (digest.Digest, error) {
	o, err := v.observe(v.s.node(path))
	if err != nil {
		return digest.Digest{}, err
	}
	return o.content.digest, nil
}

// observe returns what n holds.
func (v *View) observe(n *node) (*observation, error) {
	var st info
	if o := v.current(n, &st); o != nil {
		return o, nil
	}
	return v.learn(n)
}

// current returns n's observation if it is true still, else nil. st is scratch.
func (v *View) current(n *node, st *info) *observation {
	o := n.seen.Load()
	if o == nil {
		return nil
	}
	if o.view.Load() == v.id || o.vigil.quiet(v) {
		return o
	}
	v.s.source.stat(n.path, o.class != local, st)
	if st.kind != Regular || st.key != o.key || v.now.real <= o.safe {
		return nil
	}
	o.view.Store(v.id)
	if o.class == local {
		o.vigil.looked(v, n.path, false)
	}
	return o
}

// learn reads n, unless another request has done so meanwhile or a snapshot knows
// its key.
func (v *View) learn(n *node) (*observation, error) {
	mu := &v.s.learning[hashName(n.path)%uint32(len(v.s.learning))]
	mu.Lock()
	defer mu.Unlock()
	var st info
	if o := v.current(n, &st); o != nil {
		return o, nil
	}
	v.s.source.stat(n.path, false, &st)
	switch st.kind {
	case Missing:
		return nil, &fs.PathError{Op: "stat", Path: n.name(), Err: fs.ErrNotExist}
	case Directory, Other:
		return nil, fmt.Errorf("digest of %s: %w", n.name(), ErrNotRegular)
	}
	if o := v.restore(n, st.key); o != nil {
		return o, nil
	}
	for range 3 {
		o, err := v.read(n)
		if o != nil || err != nil {
			return o, err
		}
	}
	return nil, fmt.Errorf("digest of %s: %w", n.name(), ErrUnstable)
}

func (n *node) name() string { return n.path[:len(n.path)-1] }

// restore takes n's digest from a loaded snapshot.
func (v *View) restore(n *node, k key) *observation {
	e, ok := v.s.restored.get(n.name())
	if !ok {
		return nil
	}
	vol := v.s.volumes.of(v.s.source, n.path, k.dev, v.now)
	if vol.id == (volumeID{}) || vol.id != e.volume || !e.key.sameFile(k) {
		return nil
	}
	o := &observation{key: k, content: v.s.contents.intern(e.digest), safe: k.ctime + k.gap(), since: v.now.mono, class: vol.class}
	if v.now.real <= o.safe {
		return nil
	}
	n.seen.Store(o)
	o.view.Store(v.id)
	return o
}

// Read is State.Read.
func (v *View) Read(path string, room []byte) ([]byte, digest.Digest, error) {
	n := v.s.node(path)
	for range 3 {
		var data []byte
		o, err := v.observeBy(n, func(f file, size int64) (d digest.Digest, err error) {
			data, err = readAll(f, size, room)
			return digest.Of(data), err
		})
		if err != nil {
			return nil, digest.Digest{}, err
		}
		if o != nil {
			return data, o.content.digest, nil
		}
	}
	return nil, digest.Digest{}, fmt.Errorf("read %s: %w", n.name(), ErrUnstable)
}

// readAll returns f's bytes, which are about size, in room where that is enough.
func readAll(f file, size int64, room []byte) ([]byte, error) {
	b := bytes.NewBuffer(room[:0])
	b.Grow(int(size) + bytes.MinRead)
	_, err := b.ReadFrom(f)
	return b.Bytes(), err
}

// read reads n and remembers it. It returns nil, nil when n changed meanwhile.
func (v *View) read(n *node) (*observation, error) { return v.observeBy(n, v.s.hash) }

// observeBy is read with the way to read the file.
func (v *View) observeBy(n *node, hash func(f file, size int64) (digest.Digest, error)) (*observation, error) {
	f, err := v.s.source.open(n.path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	now := v.s.source.now()
	var before, after info
	if err := f.stat(&before); err != nil {
		return nil, fmt.Errorf("stat %s: %w", n.name(), err)
	}
	if before.kind != Regular {
		return nil, fmt.Errorf("digest of %s: %w", n.name(), ErrNotRegular)
	}
	d, err := hash(f, before.size)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", n.name(), err)
	}
	if err := f.stat(&after); err != nil {
		return nil, fmt.Errorf("stat %s: %w", n.name(), err)
	}
	if after.key != before.key || d.Size != after.size {
		return nil, nil
	}
	o := v.s.store(n, f.volume(), before.key, now, d)
	o.view.Store(v.id)
	return o, nil
}

// hash returns the digest of f's bytes, or the one that its extended attribute
// offers.
func (s *State) hash(f file, size int64) (digest.Digest, error) {
	if s.opts.Xattr != "" {
		var space [2*digest.Size + 1]byte
		if h, ok := parseHash(f.xattr(s.opts.Xattr, space[:])); ok {
			return digest.Digest{Hash: h, Size: size}, nil
		}
	}
	buf := s.buffers.Get().(*[]byte)
	defer s.buffers.Put(buf)
	return digest.Read(f, *buf)
}

// parseHash reads a hash of digest.Size bytes, raw or in hexadecimal.
func parseHash(b []byte) (h [digest.Size]byte, ok bool) {
	switch len(b) {
	case digest.Size:
		return [digest.Size]byte(b), true
	case 2 * digest.Size:
		_, err := hex.Decode(h[:], b)
		return h, err == nil
	}
	return h, false
}

// store remembers that n held d when it had k, having been looked at after now.
func (s *State) store(n *node, vol volume, k key, now instant, d digest.Digest) *observation {
	since := now.mono
	if old := n.seen.Load(); old != nil && old.key == k {
		since = old.since
	}
	o := &observation{key: k, content: s.contents.intern(d), since: since, class: vol.class}
	o.safe = vol.settle(k, now, since, s.volumes.keepsCtime(k))
	n.seen.Store(o)
	return o
}

// split cuts a path without zero byte into its directory and its last component.
func split(path string) (dir, base string) {
	i := strings.LastIndexByte(path, '/')
	if i <= 0 {
		return path[:i+1], path[i+1:]
	}
	return path[:i], path[i+1:]
}
