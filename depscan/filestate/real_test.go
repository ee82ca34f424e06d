package filestate

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/rexwrap/rexwrap/client/digest"
)

// coarseKernel is the running system as it was before multigrain timestamps.
type coarseKernel struct{ source }

func (k coarseKernel) volume(path string) volume {
	v := k.source.volume(path)
	v.fine = false
	return v
}

func (k coarseKernel) open(path string) (file, error) {
	f, err := k.source.open(path)
	return coarseFile{f}, err
}

type coarseFile struct{ file }

func (f coarseFile) volume() volume {
	v := f.file.volume()
	v.fine = false
	return v
}

// scratchDirs are directories on the file systems that this machine offers.
func scratchDirs(t testing.TB) []string {
	dirs := []string{t.TempDir()}
	if d, err := os.MkdirTemp("/dev/shm", "filestate"); err == nil {
		t.Cleanup(func() { os.RemoveAll(d) })
		dirs = append(dirs, d)
	}
	return dirs
}

// TestRapidEdits edits files as fast as it can, without changing their size, and
// asks after each edit.
func TestRapidEdits(t *testing.T) {
	for _, dir := range scratchDirs(t) {
		for name, src := range map[string]source{"kernel": newSource(), "coarse": coarseKernel{newSource()}} {
			t.Run(name+dir[:5], func(t *testing.T) {
				edits := 10_000
				if name == "coarse" {
					edits = 3_000
				}
				s := newState(Options{}, src)
				e := editor{t: t, dir: dir, rand: rand.New(rand.NewPCG(1, 2)), held: map[string][]byte{}}
				for i := range edits {
					path := e.edit(i)
					if want := digest.Of(e.held[path]); !s.Check(path, want) {
						got, err := s.Digest(path)
						t.Fatalf("edit %d of %s: %v, %v, want %v", i, path, got, err, want)
					}
					if e.rand.IntN(4) == 0 { // so that some keys grow old
						e.verifyAll(s)
					}
				}
			})
		}
	}
}

type editor struct {
	t    *testing.T
	dir  string
	rand *rand.Rand
	held map[string][]byte
}

// edit changes one of eight files and returns its path.
func (e *editor) edit(i int) string {
	path := filepath.Join(e.dir, fmt.Sprint(e.rand.IntN(8)))
	data := fmt.Appendf(nil, "%08d", i)
	switch _, err := os.Stat(path); {
	case err != nil || e.rand.IntN(4) == 0:
		e.must(os.WriteFile(path+".tmp", data, 0o600))
		e.must(os.Rename(path+".tmp", path))
	case e.rand.IntN(3) == 0:
		fi, err := os.Stat(path)
		e.must(err)
		e.must(os.WriteFile(path, data, 0o600))
		e.must(os.Chtimes(path, time.Time{}, fi.ModTime()))
	case e.rand.IntN(2) == 0:
		e.must(os.Truncate(path, 0))
		e.must(os.WriteFile(path, data, 0o600))
	default:
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		e.must(err)
		_, err = f.Write(data)
		e.must(err)
		e.must(f.Close())
	}
	e.held[path] = data
	return path
}

func (e *editor) verifyAll(s *State) {
	for path, data := range e.held {
		if !s.Check(path, digest.Of(data)) {
			e.t.Fatalf("%s is stale", path)
		}
	}
}

func (e *editor) must(err error) {
	e.t.Helper()
	if err != nil {
		e.t.Fatal(err)
	}
}

// TestRapidShadowing makes names appear and go as fast as it can.
func TestRapidShadowing(t *testing.T) {
	for _, dir := range scratchDirs(t) {
		for name, src := range map[string]source{"kernel": newSource(), "coarse": coarseKernel{newSource()}} {
			t.Run(name+dir[:5], func(t *testing.T) {
				s := newState(Options{}, src)
				r := rand.New(rand.NewPCG(3, 4))
				var names []string
				for i := range 20 {
					names = append(names, fmt.Sprintf("h%d.h", i), fmt.Sprintf("sub/h%d.h", i))
				}
				sub := filepath.Join(dir, "sub")
				set := s.Prepare(dir, Expect{Absent: names})
				for i := range 3000 {
					if d, ok := s.CheckAll(set); !ok {
						t.Fatalf("round %d: %+v", i, d)
					}
					p := filepath.Join(dir, names[r.IntN(len(names))])
					_ = os.Mkdir(sub, 0o700)
					if err := os.WriteFile(p, nil, 0o600); err != nil {
						t.Fatal(err)
					}
					if d, ok := s.CheckAll(set); ok || d.Path != p {
						t.Fatalf("round %d: %+v, %v, want %s to have appeared", i, d, ok, p)
					}
					if err := os.Remove(p); err != nil {
						t.Fatal(err)
					}
					if r.IntN(2) == 0 {
						if err := os.Remove(sub); err != nil {
							t.Fatal(err)
						}
					}
				}
			})
		}
	}
}

func TestConcurrent(t *testing.T) {
	dir := t.TempDir()
	s := New(Options{Limit: 64})
	var e Expect
	for i := range 200 {
		data := fmt.Append(nil, i)
		p := filepath.Join(dir, fmt.Sprintf("f%d", i))
		if err := os.WriteFile(p, data, 0o600); err != nil {
			t.Fatal(err)
		}
		e.Files = append(e.Files, Want{p, digest.Of(data)})
		e.Absent = append(e.Absent, fmt.Sprintf("none/%d.h", i), fmt.Sprintf("%d.h", i))
	}
	set := s.Prepare(dir, e)
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := range 50 {
				if d, ok := s.CheckAll(set); !ok {
					t.Errorf("%+v", d)
				}
				if d, ok := s.CheckAll(s.Prepare(dir, e)); !ok {
					t.Errorf("%+v", d)
				}
				s.Forget(e.Files[(w*50+i)%200].Path)
				if err := os.WriteFile(filepath.Join(dir, fmt.Sprint("obj", w)), nil, 0o600); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

func TestSnapshotOfKernel(t *testing.T) {
	dir := t.TempDir()
	p := filepath.Join(dir, "x")
	if err := os.WriteFile(p, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	src := newSource()
	if src.volume(dir+"\x00").id == (volumeID{}) {
		t.Logf("%s is on a file system without identity", dir)
		return
	}
	s := newState(Options{}, src)
	s.machineID = machineFile(t, "0123456789abcdef0123456789abcdef")
	var saved bytes.Buffer
	// The snapshot takes the file in as soon as it is old enough.
	for empty := -1; saved.Len() <= empty || empty < 0; {
		mustDigest(t, s, p, "x")
		saved.Reset()
		if err := s.Snapshot(&saved); err != nil {
			t.Fatal(err)
		}
		if empty < 0 {
			empty = saved.Len()
		}
		runtime.Gosched()
	}
	again := newState(Options{}, src)
	again.machineID = s.machineID
	if err := again.Load(&saved); err != nil {
		t.Fatal(err)
	}
	if len(again.restored.entries) != 1 {
		t.Fatalf("%d entries restored, want 1", len(again.restored.entries))
	}
	mustDigest(t, again, p, "x")
	if o := again.node(p).seen.Load(); o == nil || o.safe == always {
		t.Error("the digest was not taken from the snapshot")
	}
}

// headers returns n files of the system's include directories.
func headers(b *testing.B, n int) []string {
	var files []string
	for _, root := range []string{"/usr/include", "/usr/lib/gcc", "/usr/lib/llvm-14"} {
		_ = filepath.WalkDir(root, func(p string, d os.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() && len(files) < n {
				files = append(files, p)
			}
			return nil
		})
	}
	if len(files) < n {
		b.Skipf("only %d headers here", len(files))
	}
	return files
}

func expectHeaders(b *testing.B, s *State, files []string, absents bool) Expect {
	var e Expect
	for i, p := range files {
		d, err := s.Digest(p)
		if err != nil {
			b.Fatal(err)
		}
		e.Files = append(e.Files, Want{p, d})
		if absents {
			for d := range 4 {
				e.Absent = append(e.Absent, fmt.Sprintf("inc%d/sys%d/%s", d, i%20, filepath.Base(p)), fmt.Sprintf("/usr/local/include/%s", filepath.Base(p)))
			}
		}
	}
	return e
}

func BenchmarkCheckAll(b *testing.B) {
	for _, n := range []int{57, 196, 1010} {
		files := headers(b, n)
		for _, absents := range []bool{false, true} {
			b.Run(fmt.Sprintf("n=%d/absents=%v", n, absents), func(b *testing.B) {
				s := New(Options{})
				set := s.Prepare(b.TempDir(), expectHeaders(b, s, files, absents))
				s.CheckAll(set)
				b.ReportAllocs()
				for b.Loop() {
					if d, ok := s.CheckAll(set); !ok {
						b.Fatalf("%+v", d)
					}
				}
				b.ReportMetric(float64(set.Size()), "set-bytes")
			})
		}
		b.Run(fmt.Sprintf("n=%d/bare", n), func(b *testing.B) {
			src := newSource()
			var paths []string
			for _, p := range files {
				paths = append(paths, p+"\x00")
			}
			var st info
			for b.Loop() {
				for _, p := range paths {
					src.stat(p, false, &st)
				}
			}
		})
		b.Run(fmt.Sprintf("n=%d/first", n), func(b *testing.B) { // with Prepare
			s := New(Options{})
			e := expectHeaders(b, s, files, true)
			slices.Sort(e.Absent)
			dir := b.TempDir()
			for b.Loop() {
				if d, ok := s.CheckAll(s.Prepare(dir, e)); !ok {
					b.Fatalf("%+v", d)
				}
			}
		})
	}
}

func BenchmarkDigest(b *testing.B) {
	s := New(Options{})
	p := headers(b, 1)[0]
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Digest(p); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLoad(b *testing.B) {
	f := newFake(volume{class: local, id: volumeID{1}}, 1)
	s := newState(Options{}, f)
	for i := range 20_000 {
		n := s.node(fmt.Sprintf("/usr/include/project/module%d/header%d.h", i/100, i))
		n.seen.Store(&observation{key: key{dev: 7, ino: uint64(i), size: 1000, mtime: 5, ctime: 6}, class: local, content: s.contents.intern(digest.Digest{Size: int64(i)})})
	}
	var saved bytes.Buffer
	if err := s.Snapshot(&saved); err != nil {
		b.Skip(err)
	}
	b.SetBytes(int64(saved.Len()))
	for b.Loop() {
		if err := newState(Options{}, f).Load(bytes.NewReader(saved.Bytes())); err != nil {
			b.Fatal(err)
		}
	}
}
