//go:build linux

package diskstore

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/rexwrap/rexwrap/client/digest"
)

// cloning returns a file system that shares the disk space of copies.
func cloning(t *testing.T) string {
	t.Helper()
	image, dir := filepath.Join(t.TempDir(), "image"), t.TempDir()
	fail := t.Skipf
	if os.Getenv("REXWRAP_TEST_ALL_TOOLS") != "" {
		fail = t.Fatalf
	}
	if err := os.WriteFile(image, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(image, 320<<20); err != nil { // the least that XFS takes is 300 MB
		t.Fatal(err)
	}
	for _, argv := range [][]string{{"mkfs.xfs", "-q", "-m", "reflink=1", image}, {"mount", "-o", "loop", image, dir}} {
		if out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput(); err != nil {
			fail("%s: %v: %s", argv[0], err, out)
		}
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// Blobs and outputs share disk space where they can, and nothing else: what is
// done to an output does not reach the store.
func TestClonedBlobs(t *testing.T) {
	dir := cloning(t)
	s := open(t, filepath.Join(dir, "cache"), Options{})
	if !s.Stats().Cloned {
		t.Fatal("the store does not share disk space")
	}
	for name, data := range samples() {
		src := fileOf(t, filepath.Join(dir, name), data)
		d, err := s.PutBlobFile(src)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, target := range []string{filepath.Join(dir, name+".out"), filepath.Join(t.TempDir(), "elsewhere")} {
			dst := fileOf(t, target, nil)
			if err := s.CopyTo(d, dst); err != nil {
				t.Fatalf("%s to %s: %v", name, target, err)
			}
			if got, err := os.ReadFile(target); err != nil || !bytes.Equal(got, data) {
				t.Errorf("%s to %s: %d bytes, %v, want %d", name, target, len(got), err, len(data))
			}
			if _, err := dst.WriteAt([]byte("changed"), 0); err != nil {
				t.Fatal(err)
			}
			if got, err := s.Blob(d); err != nil || !bytes.Equal(got, data) {
				t.Errorf("%s: a change of the output reached the store: %v", name, err)
			}
		}
		if _, err := src.WriteAt([]byte("changed"), 0); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Blob(d); err != nil || !bytes.Equal(got, data) {
			t.Errorf("%s: a change of the source reached the store: %v", name, err)
		}
	}
	if n, err := s.Verify(nil); err != nil || n != 0 {
		t.Errorf("Verify: %d corrupt, %v", n, err)
	}
}

// A copy costs no disk space.
func TestCloneIsFree(t *testing.T) {
	dir := cloning(t)
	s := open(t, filepath.Join(dir, "cache"), Options{})
	const size = 20 << 20
	d := mustPut(t, s, noise(size))
	before := room(t, dir)
	for _, name := range []string{"a", "b", "c", "d"} {
		if err := s.CopyTo(d, fileOf(t, filepath.Join(dir, name), nil)); err != nil {
			t.Fatal(err)
		}
	}
	if used := before - room(t, dir); used > size {
		t.Errorf("4 copies of %d bytes take %d", size, used)
	}
}

// A blob that was damaged on disk is found out although it is not copied.
func TestDamagedClone(t *testing.T) {
	dir := cloning(t)
	s := open(t, filepath.Join(dir, "cache"), Options{})
	d := mustPut(t, s, noise(100<<10))
	f, err := os.OpenFile(s.layout.blob(d.Hash, formFile), os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt([]byte("decay"), 50<<10); err != nil {
		t.Fatal(err)
	}
	if err := s.CopyTo(d, fileOf(t, filepath.Join(dir, "out"), nil)); !errors.Is(err, ErrNotFound) {
		t.Errorf("CopyTo: %v, want ErrNotFound", err)
	}
	if s.HasBlob(digest.Digest{Hash: d.Hash, Size: d.Size}) {
		t.Error("the damaged blob is still there")
	}
}

// fileOf makes a file that is open for reading and writing.
func fileOf(t *testing.T, path string, data []byte) *os.File {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// room syncs the file system of dir and returns the free space on it in bytes.
func room(t *testing.T, dir string) int64 {
	t.Helper()
	f, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := unix.Syncfs(int(f.Fd())); err != nil {
		t.Fatal(err)
	}
	n, err := free(dir)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
