//go:build linux

package faults

import (
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The cache directory vanishes under a running server.
func TestCacheDeleted(t *testing.T) {
	s := newSite(t)
	s.wrapped("undisturbed", s.rig.Env())
	s.eventually("the server writes into what is being deleted", func() bool { return os.RemoveAll(s.rig.Cache()) == nil })
	s.wrapped("cache deleted", s.rig.Env())
	s.rig.Close()
	s.usable("a new server")
}

// mount puts a small file system of its own at the cache directory.
func mount(t *testing.T, dir, options string) {
	t.Helper()
	needRoot(t)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("none", dir, "tmpfs", 0, options); err != nil {
		if os.Getenv("REXWRAP_TEST_ALL_TOOLS") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
}

func TestCacheFull(t *testing.T) {
	for _, size := range []string{"64k", "1m", "3m", "6m"} {
		t.Run(size, func(t *testing.T) {
			s := newSite(t)
			mount(t, s.rig.Cache(), "mode=700,size="+size)
			s.wrapped("first build", s.rig.Env())
			s.wrapped("second build", s.rig.Env())
			s.fill()
			s.wrapped("nothing left", s.rig.Env())
			s.wrapped("still nothing left", s.rig.Env())
			s.rig.Close()
			s.wrapped("new server, nothing left", s.rig.Env())
			s.rig.Close()
		})
	}
}

// The disk of the cache fills and empties at any moment, as by other programs.
func TestCacheDiskFillsSuddenly(t *testing.T) {
	s := newSite(t)
	mount(t, s.rig.Cache(), "mode=700,size=64m")
	s.wrapped("undisturbed", s.rig.Env())
	stop := s.flood(seeded(t))
	for range points(4, 100) {
		_, _ = s.rig.Verb("cache", "clear") // has no room at times
		s.wrapped("disk fills", s.rig.Env())
	}
	stop()
	if err := s.rig.Stop(); err != nil {
		t.Fatal(err)
	}
	s.usable("the disk has room again")
	s.rig.Close()
}

// flood takes all room of the cache's file system and gives it back, over and
// over until the returned function is called.
func (s *site) flood(random *rand.Rand) (stop func()) {
	s.t.Helper()
	f, err := os.Create(filepath.Join(s.rig.Cache(), "ballast"))
	if err != nil {
		s.t.Fatal(err)
	}
	done := make(chan struct{})
	var flooding sync.WaitGroup
	flooding.Go(func() {
		defer f.Close()
		for {
			for _, n := range []int{1 << 20, 4096} {
				for block := make([]byte, n); ; {
					if _, err := f.Write(block); err != nil {
						break // there is no room
					}
				}
			}
			if !pause(done, random.Int64N(int64(40*time.Millisecond))) {
				return
			}
			if err := errors.Join(f.Truncate(0), rewind(f)); err != nil {
				s.t.Error(err)
			}
			if !pause(done, random.Int64N(int64(200*time.Millisecond))) {
				return
			}
		}
	})
	return func() {
		close(done)
		flooding.Wait()
		if err := os.Remove(f.Name()); err != nil {
			s.t.Error(err)
		}
	}
}

func rewind(f *os.File) error {
	_, err := f.Seek(0, io.SeekStart)
	return err
}

// pause waits for d nanoseconds, and reports whether nothing was done meanwhile.
func pause(done <-chan struct{}, d int64) bool {
	select {
	case <-done:
		return false
	case <-time.After(time.Duration(d)):
		return true
	}
}

// fill takes what is left of the cache's file system.
func (s *site) fill() {
	s.t.Helper()
	f, err := os.Create(filepath.Join(s.rig.Cache(), "ballast"))
	if err != nil {
		return // not even a name fits
	}
	defer f.Close()
	block := make([]byte, 4096)
	for err == nil {
		_, err = f.Write(block)
	}
}

func TestCacheReadOnly(t *testing.T) {
	s := newSite(t)
	mount(t, s.rig.Cache(), "mode=700,size=64m")
	s.wrapped("writable", s.rig.Env())
	s.rig.Close()
	if err := unix.Mount("none", s.rig.Cache(), "tmpfs", unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	s.wrapped("read-only", s.rig.Env())
	s.rig.Close()
	if err := unix.Mount("none", s.rig.Cache(), "tmpfs", unix.MS_REMOUNT, ""); err != nil {
		t.Fatal(err)
	}
	s.usable("writable again")
	s.rig.Close()
}

// A cache directory that cannot be made.
func TestCacheImpossible(t *testing.T) {
	s := newSite(t)
	if err := os.WriteFile(filepath.Join(s.rig.Dir, "file"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{s.rig.Dir + "/file", s.rig.Dir + "/file/cache", "/proc/nowhere"} {
		s.wrapped(dir, s.rig.Env("REXWRAP_CACHE_DIR="+dir))
	}
}

// Bytes of the cache are changed, cut off and lost while no server runs.
func TestCacheCorrupt(t *testing.T) {
	s := newSite(t)
	random := seeded(t)
	for range points(2, 40) {
		s.wrapped("filling", s.rig.Env())
		if err := s.rig.Stop(); err != nil {
			t.Fatal(err)
		}
		s.corrupt(random)
		s.wrapped("corrupt cache", s.rig.Env())
		s.wrapped("corrupt cache, again", s.rig.Env())
	}
	s.usable("corrupt cache")
}

// corrupt damages about every third file of the cache.
func (s *site) corrupt(random *rand.Rand) {
	s.t.Helper()
	err := filepath.WalkDir(s.rig.Cache(), func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || random.IntN(3) != 0 {
			return err
		}
		data, err := os.ReadFile(name)
		if err != nil || len(data) == 0 {
			return err
		}
		switch random.IntN(4) {
		case 0:
			return os.Remove(name)
		case 1:
			return os.WriteFile(name, data[:random.IntN(len(data))], 0o600)
		}
		for range 1 + random.IntN(8) {
			data[random.IntN(len(data))] ^= byte(1 << random.IntN(8))
		}
		return os.WriteFile(name, data, 0o600)
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

// The clock was a day ahead and has been set right: sources, cache and all it
// holds are from the future.
func TestClockSteppedBack(t *testing.T) {
	s := newSite(t)
	s.wrapped("undisturbed", s.rig.Env())
	if err := s.rig.Stop(); err != nil {
		t.Fatal(err)
	}
	tomorrow := time.Now().Add(24 * time.Hour)
	for _, dir := range []string{s.rig.Cache(), s.dir} {
		err := filepath.WalkDir(dir, func(name string, _ fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			return os.Chtimes(name, tomorrow, tomorrow)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	s.clean()
	s.build(s.bare(), "gcc").wantStatus(t, 0)
	s.want = s.objects()
	s.wrapped("clock stepped back", s.rig.Env())
	s.usable("clock stepped back")
}
