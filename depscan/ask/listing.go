package ask

import (
	"os"
	"sync"
	"time"
)

// listings remembers the names in directories. A listing is used again while the
// directory's times stand still, and it is remembered only if they stood still for
// settled before it was made. It is safe for concurrent use.
type listings struct {
	mu    sync.Mutex
	byDir map[string]*listing
}

// settled is more than the coarsest time stamps of file systems that are built
// on (ext3's inodes have whole seconds, FAT has two).
const settled = 3 * time.Second

// maxListings bounds the number of remembered directories; when it is reached, all
// are dropped.
const maxListings = 20_000

// A listing is the names in one directory. It is immutable.
type listing struct {
	stamp stamp
	// missing is set where there is no directory.
	missing bool
	// names are what is there, true for what is surely a regular file. It
	// is nil where names must be looked up one by one.
	names map[string]bool
}

func newListings() *listings { return &listings{byDir: map[string]*listing{}} }

// of returns the listing of dir.
func (ls *listings) of(dir string) *listing {
	now, known, missing := stampOf(dir)
	if missing {
		return &listing{missing: true}
	}
	if !known || now.age() < settled {
		return &listing{}
	}
	ls.mu.Lock()
	old := ls.byDir[dir]
	ls.mu.Unlock()
	if old != nil && old.stamp == now {
		return old
	}
	l := readNames(dir, now)
	ls.mu.Lock()
	defer ls.mu.Unlock()
	if len(ls.byDir) >= maxListings {
		clear(ls.byDir)
	}
	ls.byDir[dir] = l
	return l
}

// readNames lists dir. What cannot be listed can still be looked into.
func readNames(dir string, now stamp) *listing {
	l := &listing{stamp: now}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return l
	}
	l.names = make(map[string]bool, len(entries))
	for _, e := range entries {
		l.names[e.Name()] = e.Type().IsRegular()
	}
	return l
}
