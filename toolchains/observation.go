package toolchains

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/rexwrap/rexwrap/client/digest"
)

// settling is how old a file's or directory's times must be before an unchanged
// stat key proves unchanged content: two changes within one tick of a file
// system's clock leave the same key. The coarsest clock in use, FAT's, ticks
// every two seconds.
const settling = 2 * time.Second

// A statKey is what stat says of a file. The zero statKey stands for absence.
type statKey struct {
	dev, ino     uint64
	size         int64
	mtime, ctime int64 // ns
	mode         uint32
}

// settledAt reports whether a change after now must change k.
func (k statKey) settledAt(now time.Time) bool {
	return k != statKey{} && now.Sub(k.youngest()) > settling
}

// An observation is the part of the file system that an identity rests on: files
// and what they were, names that did not exist, listings of directories. holds
// tells whether all of it is still so, by stat alone where times have settled.
//
// It is built by one goroutine and is then safe for concurrent use.
type observation struct {
	files  []watchedFile
	absent []*absentNames
	lists  []watchedList
}

type watchedFile struct {
	path string
	key  statKey // zero where nothing was behind the name, a dangling link for one
	// young asks for the content, because the key does not prove it.
	young  bool
	digest digest.Digest
}

// absentNames are names that did not exist in one directory. As long as the
// directory's key is the settled one, none of them can have appeared.
type absentNames struct {
	dir     string
	names   []string
	settled atomic.Pointer[statKey] // nil until the directory has settled
}

type watchedList struct {
	dir   string
	key   statKey
	young bool
	names []string
}

// holds reports whether everything observed is unchanged.
func (o *observation) holds(files Files) bool {
	for i := range o.files {
		if !o.files[i].holds(files) {
			return false
		}
	}
	for _, a := range o.absent {
		if !a.holds() {
			return false
		}
	}
	return !slices.ContainsFunc(o.lists, func(l watchedList) bool { return !l.holds() })
}

// guarded is holds, by a guard where files has one.
func (o *observation) guarded(files Files) func() bool {
	look := func() bool { return o.holds(files) }
	guards, ok := files.(Guards)
	if !ok {
		return look
	}
	var paths, folders []string
	for i := range o.files {
		switch f := &o.files[i]; {
		case f.key == statKey{} || !filepath.IsAbs(f.path):
			return look // a link that leads nowhere: nobody says when it does
		case f.key.isDir():
			folders = append(folders, f.path)
		default:
			paths = append(paths, f.path)
		}
	}
	for _, a := range o.absent {
		folders = append(folders, a.dir)
	}
	for _, l := range o.lists {
		folders = append(folders, l.dir)
	}
	if !slices.ContainsFunc(folders, func(dir string) bool { return !filepath.IsAbs(dir) }) {
		return guards.Guard(paths, folders, look)
	}
	return look
}

func (w *watchedFile) holds(files Files) bool {
	key, err := statFile(w.path)
	if err != nil || key != w.key {
		return err != nil && w.key == statKey{}
	}
	return !w.young || w.digest == contentOf(w.path, files)
}

// contentOf returns the digest of a file, the zero Digest where it has none that
// can be read.
func contentOf(path string, files Files) digest.Digest {
	d, err := files.Digest(path)
	if err != nil {
		return digest.Digest{}
	}
	return d
}

func (a *absentNames) holds() bool {
	key, err := statFile(a.dir)
	if err != nil {
		return absence(err)
	}
	if settled := a.settled.Load(); settled != nil && *settled == key {
		return true
	}
	now := time.Now()
	for _, name := range a.names {
		if !missing(a.dir + name) {
			return false
		}
	}
	if key.settledAt(now) {
		a.settled.Store(&key)
	}
	return true
}

func (l *watchedList) holds() bool {
	key, err := statFile(l.dir)
	if err != nil {
		return l.key == statKey{} && absence(err)
	}
	if key == l.key && !l.young {
		return true
	}
	return l.key != statKey{} && slices.Equal(listNames(l.dir), l.names)
}

// absence reports whether err says that nothing is there, not that it could not
// be seen.
func absence(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || notDirectory(err)
}

// missing reports whether path is no name at all; a dangling link is one.
func missing(path string) bool {
	_, err := os.Lstat(path)
	return err != nil && absence(err)
}

func listNames(dir string) []string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	names := make([]string, len(entries))
	for i, entry := range entries {
		names[i] = entry.Name()
	}
	return names
}

// An observer looks at the file system and notes what it saw. Every look comes
// before the use of what was seen, so that a change in between shows in holds.
type observer struct {
	view    Files
	seen    *observation
	files   map[string]int // index in seen.files
	absents map[string]*absentNames
	lists   map[string]bool
}

func newObserver(view Files) *observer {
	return &observer{
		view:    view,
		seen:    &observation{},
		files:   map[string]int{},
		absents: map[string]*absentNames{},
		lists:   map[string]bool{},
	}
}

// stat returns the key of the file behind path, and false where there is none.
func (o *observer) stat(path string) (statKey, bool) {
	if i, ok := o.files[path]; ok {
		key := o.seen.files[i].key
		return key, key != statKey{}
	}
	now := time.Now()
	key, err := statFile(path)
	if err != nil && missing(path) {
		o.noteAbsent(path)
		return statKey{}, false
	}
	w := watchedFile{path: path, key: key}
	if key.isRegular() && !key.settledAt(now) {
		w.young, w.digest = true, contentOf(path, o.view)
	}
	o.files[path] = len(o.seen.files)
	o.seen.files = append(o.seen.files, w)
	return key, err == nil
}

// noteAbsent files path under its directory, or under the nearest one that
// exists: as long as that one lacks the next name, nothing below can appear.
func (o *observer) noteAbsent(path string) {
	path = strings.TrimRight(path, string(filepath.Separator))
	cut := strings.LastIndexByte(path, filepath.Separator) + 1
	dir, name := path[:cut], path[cut:]
	if dir == "" || name == "" {
		return // the root, or relative to nothing: both always exist
	}
	group, ok := o.absents[dir]
	if !ok {
		now := time.Now()
		key, err := statFile(dir)
		if err != nil && len(dir) > 1 && missing(strings.TrimRight(dir, string(filepath.Separator))) {
			o.noteAbsent(dir)
			return
		}
		group = &absentNames{dir: dir}
		if err == nil && key.settledAt(now) {
			group.settled.Store(&key)
		}
		o.absents[dir] = group
		o.seen.absent = append(o.seen.absent, group)
	}
	if !slices.Contains(group.names, name) {
		group.names = append(group.names, name)
	}
}

// list returns the sorted names in dir, none where it does not exist.
func (o *observer) list(dir string) []string {
	if o.lists[dir] {
		return listNames(dir)
	}
	now := time.Now()
	key, err := statFile(dir)
	if err != nil && missing(dir) {
		o.noteAbsent(dir)
		return nil
	}
	names := listNames(dir)
	o.lists[dir] = true
	o.seen.lists = append(o.seen.lists, watchedList{dir: dir, key: key, young: !key.settledAt(now), names: names})
	return names
}

// adopt adds what other saw.
func (o *observer) adopt(other *observer) {
	o.seen.files = append(o.seen.files, other.seen.files...)
	o.seen.absent = append(o.seen.absent, other.seen.absent...)
	o.seen.lists = append(o.seen.lists, other.seen.lists...)
}
