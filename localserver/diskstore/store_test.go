package diskstore

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	mathrand "math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/rexwrap/rexwrap/client/digest"
)

func open(t testing.TB, dir string, o Options) *Store {
	t.Helper()
	s, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func reopen(t testing.TB, s *Store, dir string, o Options) *Store {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return open(t, dir, o)
}

// noise returns n bytes that do not compress.
func noise(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return b
}

// prose returns n bytes that compress.
func prose(n int) []byte {
	return bytes.Repeat([]byte("int main(void) { return 0; }\n"), n/29+1)[:n]
}

func mustPut(t testing.TB, s *Store, data []byte) digest.Digest {
	t.Helper()
	d, err := s.PutBlob(data)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// samples are blobs of every form.
func samples() map[string][]byte {
	return map[string][]byte{
		"empty": {}, "inline": prose(InlineMax), "inlineNoise": noise(100),
		"small": prose(InlineMax + 1), "noise": noise(5000), "object": prose(100 << 10),
		"large": prose(wholeMax + 1), "largeNoise": noise(wholeMax + 1),
	}
}

func checkBlob(t *testing.T, s *Store, d digest.Digest, want []byte) {
	t.Helper()
	if !s.HasBlob(d) {
		t.Error("HasBlob = false")
	}
	got, err := s.Blob(d)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("Blob: %d bytes, %v, want %d", len(got), err, len(want))
	}
	r, err := s.OpenBlob(d)
	if err != nil {
		t.Fatalf("OpenBlob: %v", err)
	}
	defer r.Close()
	if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, want) {
		t.Errorf("OpenBlob: %d bytes, %v, want %d", len(got), err, len(want))
	}
	dst, err := os.Create(filepath.Join(t.TempDir(), "copy"))
	if err != nil {
		t.Fatal(err)
	}
	defer dst.Close()
	if err := s.CopyTo(d, dst); err != nil {
		t.Errorf("CopyTo: %v", err)
	}
	if got, err := os.ReadFile(dst.Name()); err != nil || !bytes.Equal(got, want) {
		t.Errorf("CopyTo: %d bytes, %v, want %d", len(got), err, len(want))
	}
}

func TestBlobs(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Options{})
	digests := map[string]digest.Digest{}
	outer := t
	for name, data := range samples() {
		t.Run(name, func(t *testing.T) {
			f, err := os.Create(filepath.Join(t.TempDir(), "src"))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if _, err := f.Write(data); err != nil {
				t.Fatal(err)
			}
			d, err := s.PutBlobFile(f)
			if err != nil || d != digest.Of(data) {
				t.Fatalf("PutBlobFile = %v, %v", d, err)
			}
			checkBlob(t, s, d, data)
			mustPut(t, s, data)
			s.drop(blobKey(d.Hash, false))
			if s.HasBlob(d) {
				t.Error("HasBlob of a dropped blob")
			}
			mustPut(t, s, data)
			checkBlob(t, s, d, data)
			digests[name] = d
			s = reopen(outer, s, dir, Options{})
			checkBlob(t, s, d, data)
		})
	}
	if n := s.Stats().Blobs; n != int64(len(digests)) {
		t.Errorf("Stats: %d blobs, want %d", n, len(digests))
	}
	wrong := digests["object"]
	wrong.Size++
	if _, err := s.Blob(wrong); !errors.Is(err, ErrNotFound) {
		t.Errorf("blob of another size: %v, want ErrNotFound", err)
	}
}

// TestPlain checks which blobs are kept as they are: large ones, as long as the
// store is less than half full.
func TestPlain(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Options{})
	if s.cloned {
		return // all are
	}
	src, err := os.Create(filepath.Join(t.TempDir(), "src"))
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	put := func(n int) digest.Digest {
		if err := src.Truncate(0); err != nil {
			t.Fatal(err)
		}
		if _, err := src.WriteAt(prose(n), 0); err != nil {
			t.Fatal(err)
		}
		d, err := s.PutBlobFile(src)
		if err != nil {
			t.Fatal(err)
		}
		checkBlob(t, s, d, prose(n))
		return d
	}
	var want []string
	for _, n := range []int{plainMin, wholeMax + 1, wholeMax + 1} {
		want = append(want, s.layout.blob(put(n).Hash, formFile))
	}
	want = append(want, s.layout.blob(put(plainMin-1).Hash, formFileZstd))
	s.mu.Lock()
	s.reserved = defaultSize / 2
	s.mu.Unlock()
	for _, n := range []int{plainMin + 1, wholeMax + 2} {
		want = append(want, s.layout.blob(put(n).Hash, formFileZstd))
	}
	slices.Sort(want)
	want = slices.Compact(want)
	if got := files(t, s); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if s.reserved != defaultSize/2 || len(s.storing) != 0 {
		t.Errorf("%d bytes are reserved, %d blobs being stored", s.reserved, len(s.storing))
	}
}

func TestValues(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Options{})
	key, other := digest.OfString("key"), digest.OfString("other")
	for _, data := range [][]byte{{}, []byte("x"), prose(10_000), noise(10_000), noise(spillMax + 1), prose(1 << 20), noise(2 << 20)} {
		if err := s.PutResult(key, data); err != nil {
			t.Fatal(err)
		}
		if err := s.PutManifest(key, append([]byte("m"), data...)); err != nil {
			t.Fatal(err)
		}
		if err := s.PutMeta("bucket", "key", append([]byte("x"), data...)); err != nil {
			t.Fatal(err)
		}
		for _, when := range []string{"at once", "flushed", "reopened"} {
			switch when {
			case "flushed":
				if err := s.Flush(); err != nil {
					t.Fatal(err)
				}
			case "reopened":
				s = reopen(t, s, dir, Options{})
			}
			if got, err := s.Result(key); err != nil || !bytes.Equal(got, data) {
				t.Errorf("%d bytes %s: Result: %d bytes, %v", len(data), when, len(got), err)
			}
			if got, err := s.Manifest(key); err != nil || !bytes.Equal(got[1:], data) {
				t.Errorf("%d bytes %s: Manifest: %d bytes, %v", len(data), when, len(got), err)
			}
			if got, err := s.Meta("bucket", "key"); err != nil || !bytes.Equal(got[1:], data) {
				t.Errorf("%d bytes %s: Meta: %d bytes, %v", len(data), when, len(got), err)
			}
		}
	}
	for name, get := range map[string]func() ([]byte, error){
		"Result":   func() ([]byte, error) { return s.Result(other) },
		"Manifest": func() ([]byte, error) { return s.Manifest(other) },
		"Meta":     func() ([]byte, error) { return s.Meta("bucket", "other") },
		"bucket":   func() ([]byte, error) { return s.Meta("bucke", "tkey") },
	} {
		if _, err := get(); !errors.Is(err, ErrNotFound) {
			t.Errorf("%s of what was not put: %v, want ErrNotFound", name, err)
		}
	}
	if st := s.Stats(); st.Results != 1 || st.Manifests != 1 {
		t.Errorf("%+v, want one result and one manifest", st)
	}
	s.DeleteResult(key)
	s.DeleteManifest(key)
	s.DeleteMeta("bucket", "key")
	s = reopen(t, s, dir, Options{})
	for name, get := range map[string]func() ([]byte, error){
		"Result":   func() ([]byte, error) { return s.Result(key) },
		"Manifest": func() ([]byte, error) { return s.Manifest(key) },
		"Meta":     func() ([]byte, error) { return s.Meta("bucket", "key") },
	} {
		if _, err := get(); !errors.Is(err, ErrNotFound) {
			t.Errorf("%s of what was deleted: %v, want ErrNotFound", name, err)
		}
	}
	if st := s.Stats(); st.Results != 0 || st.Manifests != 0 {
		t.Errorf("%+v, want neither result nor manifest", st)
	}
}

func TestEachMeta(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	var want []string
	put := func(i int) {
		key := fmt.Sprintf("k%03d", i)
		if err := s.PutMeta("ring", key, []byte(key)); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 200 {
		put(i)
		if i%2 == 0 {
			want = append(want, fmt.Sprintf("k%03d", i))
		}
	}
	if err := s.PutMeta("ring2", "k000", nil); err != nil {
		t.Fatal(err)
	}
	if err := s.Flush(); err != nil {
		t.Fatal(err)
	}
	for i := 1; i < 200; i += 2 {
		s.DeleteMeta("ring", fmt.Sprintf("k%03d", i))
	}
	put(200)
	put(20)
	want = append(want, "k200")
	check := func(prefix string, want []string) {
		t.Helper()
		var up, down []string
		for k, v := range s.EachMeta("ring", prefix) {
			if k != string(v) {
				t.Errorf("value of %s is %s", k, v)
			}
			up = append(up, k)
		}
		for k := range s.EachMetaDown("ring", prefix) {
			down = append(down, k)
		}
		slices.Reverse(down)
		if !slices.Equal(up, want) || !slices.Equal(down, want) {
			t.Errorf("%s: up %v\ndown %v\nwant %v", prefix, up, down, want)
		}
	}
	check("", want)
	check("k01", want[5:10])
	check("z", nil)
	for k := range s.EachMetaDown("ring", "") {
		if k != "k200" {
			t.Errorf("first from above is %s", k)
		}
		break
	}
}

func TestLockedAndClosed(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Options{})
	if _, err := Open(dir, Options{}); !errors.Is(err, ErrLocked) {
		t.Errorf("second Open: %v, want ErrLocked", err)
	}
	d := mustPut(t, s, noise(5000))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.PutBlob(noise(5000)); err == nil {
		t.Error("PutBlob after Close succeeds")
	}
	if err := s.PutMeta("b", "k", nil); err == nil {
		t.Error("PutMeta after Close succeeds")
	}
	if _, err := s.Blob(d); !errors.Is(err, ErrNotFound) {
		t.Errorf("Blob after Close: %v, want ErrNotFound", err)
	}
	for range s.EachMeta("b", "") {
		t.Error("EachMeta after Close yields")
	}
	s.SetSize(5)
	s.DeleteResult(d)
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// files returns the files of the blobs of s.
func files(t testing.TB, s *Store) []string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(filepath.Join(s.layout.root, "blobs"), func(p string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			all = append(all, p)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestDamagedBlob(t *testing.T) {
	for name, data := range samples() {
		if len(data) <= InlineMax {
			continue
		}
		for _, damage := range []string{"bit", "cut", "longer", "gone", "empty"} {
			t.Run(name+"/"+damage, func(t *testing.T) {
				s := open(t, t.TempDir(), Options{})
				d := mustPut(t, s, data)
				path := files(t, s)[0]
				stored, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				switch damage {
				case "bit":
					stored[len(stored)/2] ^= 1
				case "cut":
					stored = stored[:len(stored)-1]
				case "longer":
					stored = append(stored, 0)
				case "empty":
					stored = nil
				}
				if err := os.WriteFile(path, stored, 0o600); err != nil {
					t.Fatal(err)
				}
				if damage == "gone" {
					if err := os.Remove(path); err != nil {
						t.Fatal(err)
					}
				}
				dst, err := os.Create(filepath.Join(t.TempDir(), "copy"))
				if err != nil {
					t.Fatal(err)
				}
				defer dst.Close()
				if err := s.CopyTo(d, dst); !errors.Is(err, ErrNotFound) {
					t.Errorf("CopyTo: %v, want ErrNotFound", err)
				}
				if s.HasBlob(d) {
					t.Error("the blob is still known")
				}
				mustPut(t, s, data)
				if got, err := s.Blob(d); err != nil || !bytes.Equal(got, data) {
					t.Errorf("stored again: %v", err)
				}
			})
		}
	}
}

func TestVerify(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	for i := range 20 {
		mustPut(t, s, noise(2000+i))
	}
	damaged := files(t, s)[:3]
	for _, path := range damaged {
		if err := os.WriteFile(path, noise(2000), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var last, calls int64
	n, err := s.Verify(func(done, total int64) {
		last = done
		calls++
		if total != 20 {
			t.Errorf("total = %d, want 20", total)
		}
	})
	if n != 3 || err != nil || last != 20 || calls != 20 {
		t.Errorf("Verify = %d, %v with progress up to %d, want 3 and 20", n, err, last)
	}
	if n := s.Stats().Blobs; n != 17 {
		t.Errorf("%d blobs left, want 17", n)
	}
}

func TestClear(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Options{})
	d := mustPut(t, s, noise(5000))
	big := noise(spillMax * 2)
	for _, err := range []error{s.PutResult(d, []byte("r")), s.PutManifest(d, big), s.PutMeta("b", "k", []byte("v")), s.PutMeta("b", "big", big)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Clear(); err != nil {
		t.Fatal(err)
	}
	s = reopen(t, s, dir, Options{})
	if st := s.Stats(); s.HasBlob(d) || st.Results != 0 || st.Manifests != 0 || st.Blobs != 1 {
		t.Errorf("after Clear: %+v", st)
	}
	if v, err := s.Meta("b", "k"); err != nil || string(v) != "v" {
		t.Errorf("metadata after Clear: %q, %v", v, err)
	}
	if v, err := s.Meta("b", "big"); err != nil || !bytes.Equal(v, big) {
		t.Errorf("large metadata after Clear: %v", err)
	}
	if n := len(files(t, s)); n != 1 {
		t.Errorf("%d blob files after Clear, want 1", n)
	}
}

// diskUse returns the disk space of everything below dir.
func diskUse(t testing.TB, dir string) int64 {
	t.Helper()
	var n int64
	err := filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err != nil {
			return nil // gone meanwhile
		}
		if fi, err := e.Info(); err == nil {
			n += blocks(fi)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestLimit(t *testing.T) {
	const limit = 96 << 20
	dir := t.TempDir()
	var clock mathClock
	s := open(t, dir, Options{Size: limit, Now: clock.now})
	keep := mustPut(t, s, noise(50_000))
	var wg sync.WaitGroup
	var mu sync.Mutex
	most := int64(0)
	for range 4 {
		wg.Go(func() {
			for i := range 500 {
				data := noise(1 + mathrand.IntN(400_000))
				d, err := s.PutBlob(data)
				if err != nil {
					t.Error(err)
					return
				}
				if err := s.PutResult(d, data[:min(len(data), 200)]); err != nil {
					t.Error(err)
				}
				if !s.HasBlob(keep) {
					t.Error("a blob in use was evicted")
					return
				}
				if i%10 == 0 {
					use := diskUse(t, dir)
					mu.Lock()
					most = max(most, use)
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	s.tend(true)
	st := s.Stats()
	if most > limit*105/100 || st.Evicted == 0 {
		t.Errorf("up to %d MiB used, %d evicted, limit %d MiB", most>>20, st.Evicted, int64(limit)>>20)
	}
	if use := diskUse(t, dir); use < limit/2 || st.Bytes < use*9/10 || st.Bytes > use*11/10 {
		t.Errorf("%d MiB used, %d MiB said", use>>20, st.Bytes>>20)
	}
	s.sweep(0)
	if after := s.Stats(); after.Blobs != st.Blobs || abs(after.Bytes-st.Bytes) > 1<<20 {
		t.Errorf("before the sweep %+v, after %+v", st, after)
	}
	if _, err := s.PutBlob(noise(limit)); !errors.Is(err, ErrFull) {
		t.Errorf("blob larger than the limit: %v, want ErrFull", err)
	}
}

func abs(n int64) int64 { return max(n, -n) }

// mathClock advances by a microsecond a look.
type mathClock struct {
	mu sync.Mutex
	n  int64
}

func (c *mathClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n++
	return time.UnixMicro(1_700_000_000_000_000 + c.n)
}

func TestEvictOldestFirst(t *testing.T) {
	dir := t.TempDir()
	var clock mathClock
	s := open(t, dir, Options{Now: clock.now})
	var all []digest.Digest
	for range 100 {
		all = append(all, mustPut(t, s, noise(40_000)))
	}
	for _, d := range all[:10] {
		s.HasBlob(d)
	}
	s = reopen(t, s, dir, Options{Now: clock.now})
	entries, freed, err := s.Evict(time.Time{}, s.Stats().Bytes-50*40_960)
	if err != nil || entries != 50 || freed != 50*40_960 {
		t.Errorf("Evict = %d entries, %d bytes, %v, want 50", entries, freed, err)
	}
	for i, d := range all {
		if got, want := s.HasBlob(d), i < 10 || i >= 60; got != want {
			t.Errorf("blob %d: there = %v, want %v", i, got, want)
		}
	}
	mark := clock.now()
	s.HasBlob(all[99])
	if entries, _, err := s.Evict(mark, -1); err != nil || entries == 0 || !s.HasBlob(all[99]) || s.HasBlob(all[98]) {
		t.Errorf("Evict by age: %d entries, %v", entries, err)
	}
}

func TestSweep(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Options{})
	d := mustPut(t, s, noise(5000))
	gone := mustPut(t, s, noise(6000))
	if err := os.Remove(s.layout.blob(gone.Hash, formFile)); err != nil {
		t.Fatal(err)
	}
	stray := s.layout.blob(digest.OfString("stray").Hash, formFile)
	for _, p := range []string{stray, stray + ".tmp", s.layout.blob(d.Hash, formFileZstd), s.layout.blob(d.Hash, formFile) + ".tmp"} {
		if err := dirOf(p); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s.mu.Lock()
	s.counters.files += 1 << 30
	s.mu.Unlock()
	s.sweep(0)
	if got := files(t, s); len(got) != 1 || got[0] != s.layout.blob(d.Hash, formFile) {
		t.Errorf("files after the sweep: %v", got)
	}
	if st := s.Stats(); st.Blobs != 1 || st.Bytes > 100<<20 || !s.HasBlob(d) || s.HasBlob(gone) {
		t.Errorf("after the sweep: %+v", st)
	}
}

func TestRewrite(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Options{})
	for i := range 4000 {
		if err := s.PutMeta("b", fmt.Sprint(i%400), noise(20_000)); err != nil {
			t.Fatal(err)
		}
		if i%50 == 0 {
			if err := s.Flush(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := s.Flush(); err != nil {
		t.Fatal(err)
	}
	want, err := s.Meta("b", "7")
	if err != nil {
		t.Fatal(err)
	}
	before := s.Stats().Index
	s.maintenance.Lock()
	err = s.rewrite()
	s.maintenance.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := s.Meta("b", "7"); err != nil || !bytes.Equal(got, want) {
		t.Errorf("after rewriting: %v", err)
	}
	t.Logf("index of 8 MB live: %d MiB, rewritten %d MiB", before>>20, s.Stats().Index>>20)
	s = reopen(t, s, dir, Options{})
	if got, err := s.Meta("b", "7"); err != nil || !bytes.Equal(got, want) {
		t.Errorf("reopened: %v", err)
	}
	if after := s.Stats().Index; after > 24<<20 {
		t.Errorf("index has %d MiB, was %d", after>>20, before>>20)
	}
	if all := s.layout.indexes(); len(all) != 1 {
		t.Errorf("indexes %v are left", all)
	}
}

func TestConcurrent(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	shared := [][]byte{noise(3000), prose(50_000), noise(300)}
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := range 100 {
				data := shared[i%3]
				d, err := s.PutBlob(data)
				if err != nil {
					t.Error(err)
				}
				if got, err := s.Blob(d); err != nil || !bytes.Equal(got, data) {
					t.Errorf("worker %d round %d: %v", w, i, err)
				}
				key := digest.OfString(fmt.Sprint(w, i))
				if err := s.PutResult(key, data[:10]); err != nil {
					t.Error(err)
				}
				if got, err := s.Result(key); err != nil || !bytes.Equal(got, data[:10]) {
					t.Errorf("worker %d round %d: Result: %v", w, i, err)
				}
				if i%20 == 0 {
					if err := s.Flush(); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
	if st := s.Stats(); st.Blobs != 3 || st.Results != 800 || st.Corrupt != 0 {
		t.Errorf("%+v, want 3 blobs and 800 results", st)
	}
}

func TestDeletedWhileOpen(t *testing.T) {
	dir := t.TempDir()
	var log bytes.Buffer
	s := open(t, dir, Options{Log: zerolog.New(zerolog.SyncWriter(&log))})
	d := mustPut(t, s, noise(5000))
	if err := s.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Blob(d); !errors.Is(err, ErrNotFound) {
		t.Errorf("Blob of a deleted store: %v, want ErrNotFound", err)
	}
	data := prose(5000)
	d = mustPut(t, s, data)
	if err := s.PutMeta("b", "k", []byte("v")); err != nil {
		t.Fatal(err)
	}
	if err := s.Flush(); err != nil {
		t.Fatal(err)
	}
	s = reopen(t, s, dir, Options{})
	if got, err := s.Blob(d); err != nil || !bytes.Equal(got, data) {
		t.Errorf("stored after the deletion: %v", err)
	}
	if v, err := s.Meta("b", "k"); err != nil || string(v) != "v" {
		t.Errorf("stored after the deletion: %q, %v", v, err)
	}
}

func TestNewerFormatIsLeftAlone(t *testing.T) {
	dir := t.TempDir()
	newer := filepath.Join(dir, "v2", "CURRENT")
	if err := os.MkdirAll(filepath.Dir(newer), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(newer, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := open(t, dir, Options{})
	mustPut(t, s, noise(5000))
	if err := s.Clear(); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(newer); err != nil || string(b) != "x" {
		t.Errorf("v2 was touched: %q, %v", b, err)
	}
	tag, err := os.ReadFile(filepath.Join(dir, "CACHEDIR.TAG"))
	if err != nil || !strings.HasPrefix(string(tag), "Signature: 8a477f597d28d172789f06886806bc55") {
		t.Errorf("CACHEDIR.TAG: %q, %v", tag, err)
	}
}
