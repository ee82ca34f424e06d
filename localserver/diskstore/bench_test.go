package diskstore

import (
	"encoding/binary"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rexwrap/rexwrap/client/digest"
)

// synthetic makes a store of 10 GiB by its index: n blobs, and half as many
// results and manifests, the manifests being small.
func synthetic(tb testing.TB, dir string, n int) {
	tb.Helper()
	s, err := Open(dir, Options{Size: 20 << 30})
	if err != nil {
		tb.Fatal(err)
	}
	for i := range n {
		d := syntheticKey(i)
		r := &record{form: formFileZstd, size: 100_000, cost: 52 << 10, check: 1}
		if err := s.enter(blobKey(d.Hash, false), r); err != nil {
			tb.Fatal(err)
		}
		if i%2 == 0 {
			if err := s.PutResult(d, syntheticValue(d, 200)); err != nil {
				tb.Fatal(err)
			}
			if err := s.PutManifest(d, syntheticValue(d, 400)); err != nil {
				tb.Fatal(err)
			}
		}
		if i%2000 == 1999 {
			if err := s.Flush(); err != nil {
				tb.Fatal(err)
			}
		}
	}
	if err := s.Close(); err != nil {
		tb.Fatal(err)
	}
}

func syntheticKey(i int) digest.Digest {
	return digest.Of(binary.LittleEndian.AppendUint64(nil, uint64(i)))
}

// syntheticValue has digests in it, as results and manifests have.
func syntheticValue(d digest.Digest, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = d.Hash[i%digest.Size] ^ byte(i/digest.Size)
	}
	return b
}

const syntheticBlobs = 200_000

func BenchmarkOpen(b *testing.B) {
	dir := b.TempDir()
	synthetic(b, dir, syntheticBlobs)
	for b.Loop() {
		s, err := Open(dir, Options{})
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if n := s.Stats(); n.Blobs != syntheticBlobs {
			b.Fatalf("%+v", n)
		}
		b.ReportMetric(float64(s.Stats().Index), "index-bytes")
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}

func BenchmarkGet(b *testing.B) {
	dir := b.TempDir()
	synthetic(b, dir, syntheticBlobs)
	s := open(b, dir, Options{Size: 20 << 30})
	keys := make([]digest.Digest, 1000)
	for i := range keys {
		keys[i] = syntheticKey(2 * i * 97)
	}
	for name, get := range map[string]func(digest.Digest) error{
		"Result":   func(d digest.Digest) error { _, err := s.Result(d); return err },
		"Manifest": func(d digest.Digest) error { _, err := s.Manifest(d); return err },
		"HasBlob": func(d digest.Digest) error {
			if !s.HasBlob(digest.Digest{Hash: d.Hash, Size: 100_000}) {
				return fs.ErrNotExist
			}
			return nil
		},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				if err := get(keys[i%len(keys)]); err != nil {
					b.Fatal(err)
				}
				i++
			}
		})
	}
}

func BenchmarkBlob(b *testing.B) {
	for _, n := range []int{2 << 10, 100 << 10, 10 << 20} {
		s := open(b, b.TempDir(), Options{})
		i := uint64(0)
		b.Run(fmt.Sprintf("Put/size=%d", n), func(b *testing.B) {
			b.SetBytes(int64(n))
			data := objectLike(n)
			for b.Loop() {
				i++
				binary.LittleEndian.PutUint64(data, i)
				mustPut(b, s, data)
			}
		})
		b.Run(fmt.Sprintf("CopyTo/size=%d", n), func(b *testing.B) {
			b.SetBytes(int64(n))
			d := mustPut(b, s, objectLike(n))
			dir := b.TempDir()
			for b.Loop() {
				dst, err := os.Create(filepath.Join(dir, "dst"))
				if err != nil {
					b.Fatal(err)
				}
				if err := s.CopyTo(d, dst); err != nil {
					b.Fatal(err)
				}
				dst.Close()
			}
		})
	}
}

// objectLike returns bytes that compress about as object files do, to a third.
func objectLike(n int) []byte {
	b := prose(n)
	for i := 0; i+12 < n; i += 36 {
		copy(b[i:], noise(10))
	}
	return b
}

// residentVar makes the test binary print its memory with and without a store.
const residentVar = "REXWRAP_DISKSTORE_RESIDENT"

// resident prints the resident memory in KiB, before a store is opened and after
// it was used and is idle.
func resident(dir string) {
	before := rss()
	s, err := Open(dir, Options{Size: 20 << 30})
	if err != nil {
		fmt.Println(err)
		return
	}
	for i := range 2000 {
		_, _ = s.Result(syntheticKey(2 * i)) // any answer will do
		_, _ = s.PutBlob(objectLike(20 << 10))
	}
	_ = s.Flush()
	fmt.Println(before, rss())
}

func rss() int {
	b, _ := os.ReadFile("/proc/self/status")
	_, rest, _ := strings.Cut(string(b), "RssAnon:")
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return 0
	}
	n, _ := strconv.Atoi(fields[0])
	return n
}

// TestResident bounds the memory that a store costs. Pages of mapped files are not
// counted: the system takes them back.
func TestResident(t *testing.T) {
	dir := fastDir(t)
	synthetic(t, dir, syntheticBlobs/4)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), residentVar+"="+dir)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var before, after int
	if _, err := fmt.Sscan(string(out), &before, &after); err != nil {
		t.Fatalf("%s: %v", out, err)
	}
	t.Logf("%d KiB before, %d KiB with a store", before, after)
	limit := 40<<10 + 2*before // the race detector's own memory is in before
	if after-before > limit {
		t.Errorf("a store costs %d KiB, want at most %d", after-before, limit)
	}
}
