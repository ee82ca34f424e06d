package filestate

import (
	"errors"
	"io/fs"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"unsafe"

	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/depscan"
)

// Expect is what must hold for a remembered answer to be good still. Paths are
// absolute or relative to the directory given to Prepare, and are used as
// spelled.
type Expect struct {
	// Files are regular files and what they hold.
	Files []Want
	// Absent are names at which no file must be found. A directory there is
	// no difference, since no compiler reads one; a name with a slash at its
	// end must not be a directory.
	Absent []string
	// Dirs must be directories.
	Dirs []string
	// Links must be symbolic links with these targets.
	Links []depscan.Symlink
}

// Want is one file of Expect.
type Want struct {
	Path   string
	Digest digest.Digest
}

// A Set is a prepared Expect. It belongs to the State that prepared it, is safe
// for concurrent use, and is meant to be kept as long as the answer it guards:
// what it learns makes the next check cheap.
type Set struct {
	files  []fileWant
	dirs   []*directory
	links  []link
	groups []group
	plan   atomic.Pointer[plan]
	size   int
}

type fileWant struct {
	*node
	want *content
}

type link struct{ path, target string }

// A Cause says in which way an expectation failed.
type Cause uint8

// The causes. Changed: the file holds something else. Vanished: nothing of that
// kind is there. Appeared: a file is there where none was. Unreadable: it cannot
// be looked at. Redirected: a symbolic link is gone or leads elsewhere.
const (
	Changed Cause = iota + 1
	Vanished
	Appeared
	Unreadable
	Redirected
)

// A Difference is one expectation that failed. Path is absolute. Old and New are
// set for Changed only.
type Difference struct {
	Cause    Cause
	Path     string
	Old, New digest.Digest
}

// Prepare makes e ready to be checked many times. It looks at no file and keeps
// nothing of e. cwd must be absolute.
func (s *State) Prepare(cwd string, e Expect) *Set {
	set := &Set{files: make([]fileWant, len(e.Files))}
	for i, f := range e.Files {
		set.files[i] = fileWant{s.node(abs(cwd, f.Path)), s.contents.intern(f.Digest)}
	}
	for _, p := range e.Dirs {
		set.dirs = append(set.dirs, s.directory(abs(cwd, p)))
	}
	for _, l := range e.Links {
		set.links = append(set.links, link{abs(cwd, l.Path) + "\x00", l.Target})
	}
	set.groups = s.group(cwd, e.Absent)
	set.size = set.measure()
	return set
}

// abs returns p as seen from cwd. It does not clean: "x/.." is not "." where x is
// a symbolic link.
func abs(cwd, p string) string {
	if filepath.IsAbs(p) {
		return p
	}
	return cwd + "/" + p
}

// Size returns about how many bytes keeping set costs, for a caller that bounds
// its Sets.
func (set *Set) Size() int { return set.size }

func (set *Set) measure() int {
	const (
		perFile  = int(unsafe.Sizeof(fileWant{}))
		perGroup = int(unsafe.Sizeof(group{})) + int(unsafe.Sizeof(guard{})) + 16
		perName  = int(unsafe.Sizeof((*name)(nil)))
	)
	n := int(unsafe.Sizeof(*set)) + perFile*len(set.files) + 8*len(set.dirs) + perGroup*len(set.groups)
	for _, l := range set.links {
		n += 32 + len(l.path) + len(l.target)
	}
	lists := map[*[]*name]bool{}
	for _, g := range set.groups {
		if !lists[g.names] {
			lists[g.names] = true
			n += 24 + perName*len(*g.names)
		}
	}
	return n
}

// CheckAll is State.CheckAll.
func (v *View) CheckAll(set *Set) (Difference, bool) {
	var c *crew
	files := v.unproven(set.files)
	if len(files) >= worthHelp && runtime.GOMAXPROCS(0) > 1 {
		c = &crew{view: v, files: files, done: make(chan struct{})}
		go c.help()
	}
	d, ok := v.checkNames(set)
	if c == nil {
		if ok {
			d, ok = v.checkFiles(files, new(info))
		}
		return d, ok
	}
	if !ok {
		c.fail(&d)
	}
	return c.finish()
}

// unproven returns files without the first ones, which are watched and have not
// changed.
func (v *View) unproven(files []fileWant) []fileWant {
	if v.s.watch == nil {
		return files
	}
	for i := range files {
		if o := files[i].seen.Load(); o == nil || o.content != files[i].want || !o.vigil.quiet(v) {
			return files[i:]
		}
	}
	return nil
}

// checkNames checks everything of set but its files.
func (v *View) checkNames(set *Set) (Difference, bool) {
	for _, d := range set.dirs {
		if v.state(d).kind != Directory {
			return Difference{Cause: Vanished, Path: d.name()}, false
		}
	}
	for _, l := range set.links {
		var space [256]byte
		buf := space[:]
		if len(l.target) >= len(buf) {
			buf = make([]byte, len(l.target)+1)
		}
		if string(v.s.source.readlink(l.path, buf)) != l.target {
			return Difference{Cause: Redirected, Path: strings.TrimSuffix(l.path, "\x00")}, false
		}
	}
	return v.checkAbsent(set)
}

// checkFiles checks files in order. st is scratch.
func (v *View) checkFiles(files []fileWant, st *info) (Difference, bool) {
	for i := range files {
		f := &files[i]
		if o := v.current(f.node, st); o != nil && o.content == f.want {
			continue
		}
		if d, ok := v.checkFile(f); !ok {
			return d, false
		}
	}
	return Difference{}, true
}

// checkFile compares one file by content.
func (v *View) checkFile(f *fileWant) (Difference, bool) {
	o, err := v.observe(f.node)
	switch {
	case err == nil && o.content.is(f.want):
		return Difference{}, true
	case err == nil:
		return Difference{Cause: Changed, Path: f.name(), Old: f.want.digest, New: o.content.digest}, false
	case errors.Is(err, fs.ErrNotExist):
		return Difference{Cause: Vanished, Path: f.name()}, false
	}
	return Difference{Cause: Unreadable, Path: f.name()}, false
}

const (
	// worthHelp is the number of files from which on a second goroutine pays.
	worthHelp = 64
	// chunk is the number of files that a goroutine takes at a time.
	chunk = 32
)

// A crew is two goroutines that check the files of one Set. The one that was asked
// never waits for the other to begin.
type crew struct {
	view  *View
	files []fileWant
	next  atomic.Int64
	found atomic.Pointer[Difference]
	// helper is 0 until the helper begins (1) or is not wanted any more (2).
	helper atomic.Int32
	done   chan struct{}
}

func (c *crew) help() {
	if c.helper.CompareAndSwap(0, 1) {
		c.work()
		close(c.done)
	}
}

func (c *crew) fail(d *Difference) { c.found.CompareAndSwap(nil, d) }

func (c *crew) work() {
	st := new(info)
	for c.found.Load() == nil {
		end := int(c.next.Add(chunk))
		begin := end - chunk
		if begin >= len(c.files) {
			return
		}
		if d, ok := c.view.checkFiles(c.files[begin:min(end, len(c.files))], st); !ok {
			found := d // only what is found goes to the heap
			c.fail(&found)
		}
	}
}

// finish returns when all is checked or a Difference is found.
func (c *crew) finish() (Difference, bool) {
	c.work()
	if !c.helper.CompareAndSwap(0, 2) {
		<-c.done
	}
	if d := c.found.Load(); d != nil {
		return *d, false
	}
	return Difference{}, true
}
