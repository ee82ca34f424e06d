package diskstore

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// TestSeal damages a table without a trace: it is found when the store has ended
// uncleanly twice, and in any case when the seal does not know it.
func TestSeal(t *testing.T) {
	for _, tt := range []struct {
		name    string
		prepare func(l layout, seal *seal)
		rebuilt bool
	}{
		{"ended uncleanly twice", func(_ layout, s *seal) { s.Unclean = maxUnclean }, true},
		{"not sealed", func(_ layout, s *seal) { clear(s.Tables) }, true},
		{"other table", func(_ layout, s *seal) {
			for name := range s.Tables {
				s.Tables[name] = "1 2"
			}
		}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := fastDir(t)
			populated(t, dir)
			l := newLayout(dir)
			index, _ := l.current()
			s := l.seal()
			if s.Unclean != 0 || len(s.Tables) == 0 {
				t.Fatalf("seal after Close: %+v", s)
			}
			for name := range s.Tables {
				path := filepath.Join(index, name)
				fi, err := os.Stat(path)
				if err != nil {
					t.Fatal(err)
				}
				f, err := os.OpenFile(path, os.O_WRONLY, 0)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := f.WriteAt(noise(64), fi.Size()/2); err != nil {
					t.Fatal(err)
				}
				if err := f.Close(); err != nil {
					t.Fatal(err)
				}
				if err := os.Chtimes(path, fi.ModTime(), fi.ModTime()); err != nil {
					t.Fatal(err)
				}
			}
			tt.prepare(l, &s)
			writeSeal(t, l, s)
			store := open(t, dir, Options{})
			if got := store.Rebuilt() != ""; got != tt.rebuilt {
				t.Errorf("rebuilt = %v (%s), want %v", got, store.Rebuilt(), tt.rebuilt)
			}
			mustPut(t, store, noise(5000))
			if err := store.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func writeSeal(t *testing.T, l layout, s seal) {
	t.Helper()
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(l.sealPath(), b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestSealCountsUncleanEnds(t *testing.T) {
	dir := fastDir(t)
	populated(t, dir)
	l := newLayout(dir)
	for want := 1; want <= maxUnclean; want++ {
		x, err := (&Store{layout: l}).openSealed(indexDir(l))
		if err != nil {
			t.Fatal(err)
		}
		if err := x.close(); err != nil {
			t.Fatal(err)
		}
		if got := l.seal().Unclean; got != want {
			t.Errorf("unclean = %d, want %d", got, want)
		}
	}
	s := open(t, dir, Options{})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if got := l.seal().Unclean; got != 0 {
		t.Errorf("unclean = %d after Close, want 0", got)
	}
}

func indexDir(l layout) string {
	dir, _ := l.current()
	return dir
}
