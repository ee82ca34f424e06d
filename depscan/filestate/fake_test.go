package filestate

import (
	"bytes"
	"io"
	"io/fs"
	"slices"
	"strings"
)

// fakeFS is a source in memory. Its clock stands until it is advanced, and stamps
// are cut to its granularity, so that every race of a real one can be had.
type fakeFS struct {
	vol         volume
	granularity int64
	clock       instant
	inodes      uint64
	nodes       map[string]*fakeNode
	// lag is how far the file system's clock is behind ours.
	lag   int64
	reads int
	stats int
	// afterRead is called when a file was read to its end.
	afterRead func()
}

type fakeNode struct {
	key    key
	kind   Kind
	data   []byte
	target string
	xattr  map[string]string
}

const second = int64(1e9)

func newFake(v volume, granularity int64) *fakeFS {
	f := &fakeFS{vol: v, granularity: granularity, nodes: map[string]*fakeNode{}}
	f.clock = instant{real: 1_700_000_000*second + 123_456_789, mono: 1000 * second}
	for _, d := range []string{"/", "/d"} {
		f.mkdir(d)
	}
	f.advance(10 * second)
	return f
}

func (f *fakeFS) advance(d int64) { f.clock.real += d; f.clock.mono += d }

func (f *fakeFS) stamp() int64 {
	now := f.clock.real - f.lag
	return now - now%f.granularity
}

func (f *fakeFS) touchParent(path string) {
	dir, _ := split(path)
	if d := f.nodes[dir]; d != nil && path != "/" {
		d.key.mtime, d.key.ctime = f.stamp(), f.stamp()
	}
}

func (f *fakeFS) create(path string, n *fakeNode) {
	f.inodes++
	n.key = key{dev: 7, ino: f.inodes, size: int64(len(n.data)), mtime: f.stamp(), ctime: f.stamp()}
	f.nodes[path] = n
	f.touchParent(path)
}

func (f *fakeFS) mkdir(path string) { f.create(path, &fakeNode{kind: Directory}) }

func (f *fakeFS) write(path, data string) {
	if n, ok := f.nodes[path]; ok {
		n.data = []byte(data)
		n.key.size, n.key.mtime, n.key.ctime = int64(len(data)), f.stamp(), f.stamp()
		return
	}
	f.create(path, &fakeNode{kind: Regular, data: []byte(data)})
}

func (f *fakeFS) symlink(target, path string) {
	f.create(path, &fakeNode{kind: Other, target: target})
}

func (f *fakeFS) chtimes(path string, mtime int64) {
	n := f.nodes[path]
	n.key.mtime, n.key.ctime = mtime, f.stamp()
}

func (f *fakeFS) remove(path string) {
	delete(f.nodes, path)
	f.touchParent(path)
}

func (f *fakeFS) rename(from, to string) {
	f.nodes[to] = f.nodes[from]
	f.nodes[to].key.ctime = f.stamp()
	delete(f.nodes, from)
	f.touchParent(from)
	f.touchParent(to)
}

// resolve follows symbolic links, of directories too.
func (f *fakeFS) resolve(path string, last bool) *fakeNode {
	at := "/"
	parts := strings.Split(strings.Trim(path, "/"), "/")
	for i, part := range parts {
		if part == "" {
			continue
		}
		at = join(at, part)
		n := f.nodes[at]
		if n == nil {
			return nil
		}
		if n.target != "" && (last || i < len(parts)-1) {
			n = f.resolve(n.target, true)
			at = n.path(f)
		}
		if n == nil || i < len(parts)-1 && n.kind != Directory {
			return nil
		}
	}
	return f.nodes[at]
}

func (n *fakeNode) path(f *fakeFS) string {
	for p, other := range f.nodes {
		if n == other && n != nil {
			return p
		}
	}
	return "/nowhere"
}

func (f *fakeFS) look(path string, last bool, st *info) {
	f.stats++
	n := f.resolve(strings.TrimSuffix(path, "\x00"), last)
	if n == nil {
		st.kind = Missing
		return
	}
	st.kind, st.key = n.kind, n.key
}

func (f *fakeFS) stat(path string, _ bool, st *info) { f.look(path, true, st) }
func (f *fakeFS) lstat(path string, st *info)        { f.look(path, false, st) }
func (f *fakeFS) volume(string) volume               { return f.vol }
func (f *fakeFS) now() instant                       { return f.clock }

func (f *fakeFS) list(path string, add func([]byte) bool) bool {
	dir := f.resolve(strings.TrimSuffix(path, "\x00"), true).path(f)
	for p := range f.nodes {
		if d, base := split(p); d == dir && base != "" && !add([]byte(base)) {
			return false
		}
	}
	return true
}

func (f *fakeFS) readlink(path string, _ []byte) []byte {
	if n := f.nodes[strings.TrimSuffix(path, "\x00")]; n != nil && n.target != "" {
		return []byte(n.target)
	}
	return nil
}

func (f *fakeFS) open(path string) (file, error) {
	n := f.resolve(strings.TrimSuffix(path, "\x00"), true)
	if n == nil {
		return nil, fs.ErrNotExist
	}
	f.reads++
	return &fakeFile{f, n, bytes.NewReader(slices.Clone(n.data))}, nil
}

type fakeFile struct {
	f *fakeFS
	n *fakeNode
	*bytes.Reader
}

func (f *fakeFile) Close() error { return nil }

func (f *fakeFile) Read(p []byte) (int, error) {
	n, err := f.Reader.Read(p)
	if err == io.EOF && f.f.afterRead != nil {
		f.f.afterRead()
	}
	return n, err
}

func (f *fakeFile) WriteTo(io.Writer) (int64, error) { panic("not used") }

func (f *fakeFile) stat(st *info) error { st.kind, st.key = f.n.kind, f.n.key; return nil }
func (f *fakeFile) volume() volume      { return f.f.vol }
func (f *fakeFile) xattr(name string, buf []byte) []byte {
	return buf[:copy(buf, f.n.xattr[name])]
}
