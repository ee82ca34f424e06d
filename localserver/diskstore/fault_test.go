package diskstore

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rexwrap/rexwrap/client/digest"
)

// childVar makes the test binary a writer that runs until it is killed.
const childVar = "REXWRAP_DISKSTORE_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childVar); dir != "" {
		child(dir)
		return
	}
	if dir := os.Getenv(residentVar); dir != "" {
		resident(dir)
		return
	}
	os.Exit(m.Run())
}

// numbered is the content of the nth blob and result that child writes.
func numbered(n int) []byte {
	r := rand.New(rand.NewPCG(uint64(n), 7))
	b := make([]byte, r.IntN(30_000))
	for i := range b {
		b[i] = byte(r.Uint32()) & 0x3f
	}
	return append(b, fmt.Sprint(n)...)
}

func resultKey(n int) digest.Digest { return digest.OfString(fmt.Sprint("result ", n)) }

// child writes numbered entries and prints each number when it is flushed.
func child(dir string) {
	s, err := Open(dir, Options{Size: 64 << 20})
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	fmt.Println("open", s.Rebuilt())
	for n := 0; ; n++ {
		_, err := s.PutBlob(numbered(n))
		if err == nil {
			err = s.PutResult(resultKey(n), numbered(n)[:100%len(numbered(n))])
		}
		if err == nil && n%50 == 0 {
			err = s.Flush()
		}
		if err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
		if n%50 == 0 {
			fmt.Println("flushed", n)
		}
	}
}

// TestLostTable cuts the index's tables off while they are mapped into memory.
func TestLostTable(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Options{})
	for n := range 300 {
		if err := s.PutResult(resultKey(n), noise(400)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir, Options{})
	tables, err := filepath.Glob(filepath.Join(dir, formatDir, "index-*", "*.sst"))
	if err != nil || len(tables) == 0 {
		t.Fatalf("tables %v: %v", tables, err)
	}
	for _, table := range tables {
		if err := os.Truncate(table, 0); err != nil {
			t.Fatal(err)
		}
	}
	if data, err := s.Result(resultKey(7)); !errors.Is(err, ErrNotFound) {
		t.Errorf("Result: %d bytes, %v, want ErrNotFound", len(data), err)
	}
	s.uses(func(string, access) bool { return true })
}

// TestKill kills a writer at random points, again and again on one store.
func TestKill(t *testing.T) {
	dir := t.TempDir()
	r := rand.New(rand.NewPCG(11, 12))
	for round := range 25 {
		last := killed(t, dir, time.Duration(r.IntN(150))*time.Millisecond)
		s, err := Open(dir, Options{Size: 64 << 20})
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		if s.Rebuilt() != "" {
			t.Fatalf("round %d: begun anew: %s", round, s.Rebuilt())
		}
		found := 0
		for n := range last + 200 {
			want := numbered(n)
			got, err := s.Blob(digest.Of(want))
			switch {
			case errors.Is(err, ErrNotFound):
			case err != nil || !bytes.Equal(got, want):
				t.Fatalf("round %d: blob %d: %v", round, n, err)
			default:
				found++
			}
			if got, err := s.Result(resultKey(n)); err == nil && !bytes.Equal(got, want[:100%len(want)]) {
				t.Fatalf("round %d: result %d is another", round, n)
			}
		}
		if s.Stats().Evicted == 0 && found < last {
			t.Errorf("round %d: %d blobs found, %d were flushed", round, found, last)
		}
		s.sweep(0)
		if st := s.Stats(); st.Corrupt != 0 || st.Blobs < int64(len(files(t, s))) {
			t.Fatalf("round %d: %d files, %+v", round, len(files(t, s)), st)
		}
		if err := s.Close(); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
	}
}

// killed runs a writer, kills it after d, and returns the last number flushed.
func killed(t *testing.T, dir string, d time.Duration) int {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childVar+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	last := 0
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "open") { // the clock starts
			time.AfterFunc(d, func() { _ = cmd.Process.Kill() }) // it may have ended
		}
		if strings.HasPrefix(lines.Text(), "error") {
			t.Errorf("writer: %s", lines.Text())
		}
		if n, ok := strings.CutPrefix(lines.Text(), "flushed "); ok {
			last, _ = strconv.Atoi(n)
		}
	}
	_ = cmd.Wait() // killed
	return last
}

// fastDir returns a directory in memory where there is one: what badger syncs
// costs nothing there.
func fastDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "diskstore")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// populated fills a store such that its index has tables, and returns some blobs.
func populated(t *testing.T, dir string) [][]byte {
	t.Helper()
	s := open(t, dir, Options{})
	var blobs [][]byte
	for i := range 60 {
		data := noise(500 + 10*i)
		blobs = append(blobs, data)
		d := mustPut(t, s, data)
		if err := s.PutManifest(d, noise(100_000)); err != nil {
			t.Fatal(err)
		}
		if i%20 == 19 {
			if err := s.Flush(); err != nil {
				t.Fatal(err)
			}
		}
	}
	s = reopen(t, s, dir, Options{})
	if err := s.PutMeta("b", "k", noise(1000)); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return blobs
}

// TestDamagedIndex damages every file of a store, one at a time.
func TestDamagedIndex(t *testing.T) {
	master, fast := fastDir(t), fastDir(t)
	blobs := populated(t, master)
	leaveLog(t, master)
	r := rand.New(rand.NewPCG(5, 6))
	var names []string
	for _, pattern := range []string{"v1/CURRENT", "v1/lock", "v1/index-*/*"} {
		paths, err := filepath.Glob(filepath.Join(master, pattern))
		if err != nil || len(paths) == 0 {
			t.Fatalf("no %s, %v", pattern, err)
		}
		for _, p := range paths {
			rel, err := filepath.Rel(master, p)
			if err != nil {
				t.Fatal(err)
			}
			names = append(names, rel)
		}
	}
	for _, name := range names {
		for round := range 12 {
			dir := filepath.Join(fast, fmt.Sprint(filepath.Base(name), round))
			if err := os.CopyFS(dir, os.DirFS(master)); err != nil {
				t.Fatal(err)
			}
			how := damage(t, filepath.Join(dir, name), round, r)
			s, err := Open(dir, Options{})
			if err != nil {
				t.Fatalf("%s %s: %v", name, how, err)
			}
			for _, data := range blobs {
				if got, err := s.Blob(digest.Of(data)); err == nil && !bytes.Equal(got, data) || err != nil && !errors.Is(err, ErrNotFound) {
					t.Fatalf("%s %s: Blob: %v", name, how, err)
				}
			}
			data := noise(5000)
			d := mustPut(t, s, data)
			s.sweep(0)
			if err := s.Flush(); err != nil {
				t.Errorf("%s %s: Flush: %v", name, how, err)
			}
			if got, err := s.Blob(d); err != nil || !bytes.Equal(got, data) {
				t.Errorf("%s %s: stored afterwards: %v", name, how, err)
			}
			if err := s.Close(); err != nil {
				t.Errorf("%s %s: Close: %v", name, how, err)
			}
			if err := os.RemoveAll(dir); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// leaveLog leaves the store as kill -9 does, with a log of badger's memory.
func leaveLog(t *testing.T, dir string) {
	t.Helper()
	killed(t, dir, 50*time.Millisecond)
	if logs, err := filepath.Glob(filepath.Join(dir, "v1/index-*/*.mem")); err != nil || len(logs) == 0 {
		t.Fatalf("no log is left, %v", err)
	}
}

func damage(t *testing.T, path string, round int, r *rand.Rand) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	how := "removed"
	switch {
	case round == 0:
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		return how
	case round == 1 || len(data) == 0:
		how, data = "emptied", nil
	case round < 4:
		n := r.IntN(len(data))
		how, data = fmt.Sprint("cut at ", n), data[:n]
	case round < 6: // near the end
		n := len(data) - 1 - r.IntN(min(len(data), 60))
		data[n] ^= byte(1 + r.IntN(255))
		how = fmt.Sprint("byte ", n, " of ", len(data))
	case round < 9:
		n := r.IntN(min(len(data), 4000))
		data[n] ^= byte(1 + r.IntN(255))
		how = fmt.Sprint("byte ", n)
	default:
		n := r.IntN(len(data))
		m := min(len(data), n+1+r.IntN(200))
		copy(data[n:m], noise(m-n))
		how = fmt.Sprint("bytes ", n, " to ", m)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return how
}

// TestLeaks: a closed store leaves no goroutine.
func TestLeaks(t *testing.T) {
	open(t, t.TempDir(), Options{}).Close() // starts what lives for ever
	before := goroutines()
	for range 5 {
		s := open(t, t.TempDir(), Options{})
		mustPut(t, s, noise(5000))
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	deadline := time.Now().Add(5 * time.Second)
	for goroutines() > before && time.Now().Before(deadline) {
	}
	if after := goroutines(); after > before {
		t.Errorf("%d goroutines before, %d after", before, after)
	}
}

// goroutines counts them after giving others their turn.
func goroutines() int {
	runtime.Gosched()
	return runtime.NumGoroutine()
}
