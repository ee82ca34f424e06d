package filestate

import (
	"os"
	"strings"

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
// for concurrent use, and is meant to be kept as long as the answer it guards.
type Set struct {
	cwd string
	e   Expect
}

// A Cause says in which way an expectation failed.
type Cause uint8

// The causes. Changed: the file holds something else. Vanished: no file is
// there. Appeared: a file is there where none was. Unreadable: the file cannot
// be read or is not regular. Redirected: a symbolic link is gone or leads
// elsewhere.
const (
	Changed Cause = iota + 1
	Vanished
	Appeared
	Unreadable
	Redirected
)

// A Difference is one expectation that failed. Path is as spelled in Expect.
// Old and New are set for Changed only.
type Difference struct {
	Cause    Cause
	Path     string
	Old, New digest.Digest
}

// Prepare makes e ready to be checked many times. It looks at no file. cwd must
// be absolute.
func (s *State) Prepare(cwd string, e Expect) *Set { return &Set{cwd, e} }

// Size returns the number of bytes that keeping set costs, for a caller that
// bounds its Sets.
func (set *Set) Size() int { return 64 * (len(set.e.Files) + len(set.e.Absent)) }

// CheckAll reports whether everything that set expects holds now. Where it does
// not, the Difference is one that was found; there may be others.
func (s *State) CheckAll(set *Set) (Difference, bool) {
	for _, f := range set.e.Files {
		d, err := s.Digest(set.abs(f.Path))
		switch {
		case os.IsNotExist(err):
			return Difference{Cause: Vanished, Path: f.Path}, false
		case err != nil:
			return Difference{Cause: Unreadable, Path: f.Path}, false
		case d != f.Digest:
			return Difference{Cause: Changed, Path: f.Path, Old: f.Digest, New: d}, false
		}
	}
	for _, p := range set.e.Absent {
		if k := s.Lookup(set.abs(p)); k != Missing && (k != Directory || strings.HasSuffix(p, "/")) {
			return Difference{Cause: Appeared, Path: p}, false
		}
	}
	for _, p := range set.e.Dirs {
		if s.Lookup(set.abs(p)) != Directory {
			return Difference{Cause: Vanished, Path: p}, false
		}
	}
	for _, l := range set.e.Links {
		if t, err := os.Readlink(set.abs(l.Path)); err != nil || t != l.Target {
			return Difference{Cause: Redirected, Path: l.Path}, false
		}
	}
	return Difference{}, true
}

func (set *Set) abs(p string) string {
	if strings.HasPrefix(p, "/") {
		return p
	}
	return set.cwd + "/" + p
}

// First returns the index of the first of sets that holds, looking at no file
// twice, or -1 and for each of them a Difference.
func (s *State) First(sets []*Set) (int, []Difference) {
	diffs := make([]Difference, 0, len(sets))
	for i, set := range sets {
		d, ok := s.CheckAll(set)
		if ok {
			return i, nil
		}
		diffs = append(diffs, d)
	}
	return -1, diffs
}
