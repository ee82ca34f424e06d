package filestate

import (
	"os"
	"path/filepath"
	"testing"
)

// TestGuardOfUnwatched: where the kernel tells nothing of a path, all is looked at
// each time, and nothing else.
func TestGuardOfUnwatched(t *testing.T) {
	dir := watchableDir(t)
	src := &countedSource{source: newSource()}
	s := newState(Options{Watch: true}, src)
	defer s.Close()
	looks := 0
	holds := s.Guard([]string{"/proc/version"}, []string{dir}, func() bool {
		looks++
		return true
	})
	for range 5 {
		holds()
	}
	before := src.looks.Load()
	for range 100 {
		holds()
	}
	if looks != 105 || src.looks.Load() != before {
		t.Errorf("%d looks of 105, and %d others", looks, src.looks.Load()-before)
	}
}

// TestGuard changes what an answer rests on in each way; where nothing was changed
// nothing is looked at.
func TestGuard(t *testing.T) {
	dir := watchableDir(t)
	at := func(name string) string { return filepath.Join(dir, name) }
	write := func(name, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(at(name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at(name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	write("bin/cc1", "1")
	write("other/cc1", "2")
	write("search/x", "")
	must(os.Symlink("bin", at("link")))

	s := New(Options{Watch: true})
	defer s.Close()
	looks, answer := 0, true
	holds := s.Guard([]string{at("link/cc1"), at("bin/cc1")}, []string{at("search"), at("absent/below")}, func() bool {
		looks++
		return answer
	})
	quiet := func() {
		t.Helper()
		for range 5 {
			if !holds() {
				t.Fatal("does not hold")
			}
		}
		looks = 0
		for range 3 {
			holds()
		}
		if looks != 0 {
			t.Fatalf("%d looks at what is watched", looks)
		}
	}
	for _, change := range []struct {
		name string
		make func()
	}{
		{"content", func() { write("bin/cc1", "3") }},
		{"mode", func() { must(os.Chmod(at("bin/cc1"), 0o700)) }},
		{"replaced", func() { write("bin/new", "4"); must(os.Rename(at("bin/new"), at("bin/cc1"))) }},
		{"link", func() { must(os.Remove(at("link"))); must(os.Symlink("other", at("link"))) }},
		{"folder moved", func() { must(os.Rename(at("bin"), at("away"))); must(os.Rename(at("other"), at("bin"))) }},
		{"link follows", func() { must(os.Remove(at("link"))); must(os.Symlink("bin", at("link"))) }},
		{"name appears", func() { write("search/as", "") }},
		{"name vanishes", func() { must(os.Remove(at("search/as"))) }},
		{"missing folder's place appears", func() { write("absent/y", "") }},
		{"missing folder appears", func() { must(os.Mkdir(at("absent/below"), 0o755)) }},
		{"missing folder's name appears", func() { write("absent/below/as", "") }},
		{"folder vanishes", func() { must(os.RemoveAll(at("absent"))) }},
		{"folder is there again", func() { write("absent/below/as", "") }},
	} {
		if change.name != "link follows" { // it leads nowhere before
			quiet()
		}
		change.make()
		looks, answer = 0, false
		if holds() || looks == 0 {
			t.Errorf("%s: not looked at", change.name)
		}
		answer = true
	}
	quiet()
}
