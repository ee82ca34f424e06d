//go:build linux

package diskstore

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// mounted returns a small file system of its own.
func mounted(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size="+size)
	if err != nil {
		if os.Getenv("REXWRAP_TEST_ALL_TOOLS") != "" {
			t.Fatalf("mount: %v", err)
		}
		t.Skipf("mount: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// forget makes a trouble old.
func (s *Store) forget() {
	if tr := s.trouble.Load(); tr != nil {
		s.trouble.Store(&trouble{tr.err, time.Time{}})
	}
}

func TestFullDisk(t *testing.T) {
	dir := mounted(t, "100m")
	cache := filepath.Join(dir, "cache")
	s := open(t, cache, Options{})
	kept := mustPut(t, s, noise(5000))
	if err := s.Flush(); err != nil {
		t.Fatal(err)
	}
	var full error
	for i := range 400 {
		if _, err := s.PutBlob(noise(1 << 20)); err != nil {
			full = err
			break
		}
		if err := s.PutMeta("b", fmt.Sprint(i), noise(10_000)); err != nil {
			full = err
			break
		}
	}
	if !errors.Is(full, ErrFull) {
		t.Fatalf("PutBlob until the disk is full: %v, want ErrFull", full)
	}
	if _, err := s.Blob(kept); err != nil {
		t.Errorf("Blob on a full disk: %v", err)
	}
	_ = s.Close() // says that it is full
	ballast := fill(t, dir)
	s = open(t, cache, Options{})
	if _, err := s.PutBlob(noise(5000)); !errors.Is(err, ErrFull) {
		t.Errorf("PutBlob on a full disk: %v, want ErrFull", err)
	}
	if err := s.PutMeta("b", "k", nil); !errors.Is(err, ErrFull) {
		t.Errorf("PutMeta on a full disk: %v, want ErrFull", err)
	}
	if s.Stats().Trouble == "" {
		t.Error("Stats tells of no trouble")
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	for _, f := range files(t, s)[:40] {
		if err := os.Remove(f); err != nil {
			t.Fatal(err)
		}
	}
	s.forget()
	d := mustPut(t, s, noise(5000))
	if err := s.Flush(); err != nil {
		t.Errorf("Flush when there is room again: %v", err)
	}
	if _, err := s.Blob(d); err != nil {
		t.Errorf("Blob when there is room again: %v", err)
	}
}

// fill leaves no room on the file system of dir.
func fill(t *testing.T, dir string) string {
	t.Helper()
	f, err := os.Create(filepath.Join(dir, "ballast"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, n := range []int{1 << 20, 4096} {
		for err == nil {
			_, err = f.Write(make([]byte, n))
		}
		if !errors.Is(err, unix.ENOSPC) {
			t.Fatal(err)
		}
		err = nil
	}
	return f.Name()
}

func TestReadOnly(t *testing.T) {
	dir := mounted(t, "100m")
	s := open(t, dir, Options{})
	d := mustPut(t, s, noise(5000))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	remount := func(flags uintptr) {
		if err := unix.Mount("", dir, "", unix.MS_REMOUNT|flags, "size=100m"); err != nil {
			t.Fatal(err)
		}
	}
	remount(unix.MS_RDONLY)
	s = open(t, dir, Options{})
	if _, err := s.PutBlob(noise(5000)); !errors.Is(err, ErrReadOnly) {
		t.Errorf("PutBlob: %v, want ErrReadOnly", err)
	}
	if _, err := s.Blob(d); err != nil {
		t.Errorf("Blob of a read-only store: %v", err)
	}
	s.DeleteResult(d)
	remount(0)
	s.forget()
	mustPut(t, s, noise(5000))
	if err := s.Flush(); err != nil {
		t.Errorf("Flush when it can be written again: %v", err)
	}
	if _, err := s.Blob(d); err != nil {
		t.Errorf("Blob when it can be written again: %v", err)
	}
}
