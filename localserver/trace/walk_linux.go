package trace

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/rexwrap/rexwrap/depscan"
	"github.com/rexwrap/rexwrap/depscan/rustdeps"
)

// A walker follows names as the kernel does. It remembers folders and links, by
// path: nobody moves these during a compile, and who does so gets a result that is
// not stored.
type walker map[string]step

// A step is what one name in a folder is.
type step struct {
	kind   rustdeps.Kind
	target string // of a link
}

// A finding is where a name leads to.
type finding struct {
	path       string
	kind       rustdeps.Kind
	links      []depscan.Symlink
	endsInLink bool // its last name is one
}

// maxLinks is how many links the kernel follows.
const maxLinks = 40

// to follows an absolute name.
func (w walker) to(name string) finding {
	f := finding{path: "/", kind: rustdeps.Folder}
	rest, own := split(name), len(split(name)) // own counts the names that are not of links
	for len(rest) > 0 {
		next := rest[0]
		rest = rest[1:]
		if len(rest) < own {
			own = len(rest)
		}
		if next == ".." {
			f.path = path.Dir(f.path)
			continue
		}
		at := path.Join(f.path, next)
		if ofMachine(at) {
			f.path, f.kind = path.Join(append([]string{at}, rest...)...), rustdeps.Machine
			return f
		}
		s := w.look(at)
		if s.target != "" {
			f.links = append(f.links, depscan.Symlink{Path: at, Target: s.target})
			f.endsInLink = f.endsInLink || own == 0 && len(rest) == 0
			if len(f.links) > maxLinks {
				f.path, f.kind = at, rustdeps.Special
				return f
			}
			if path.IsAbs(s.target) {
				f.path = "/"
			}
			rest = slices.Concat(split(s.target), rest)
			continue
		}
		f.path, f.kind = at, s.kind
		if s.kind != rustdeps.Folder {
			return f // whatever follows is not there
		}
	}
	return f
}

// split returns the names of a path but for those that lead nowhere.
func split(name string) []string {
	return slices.DeleteFunc(strings.Split(name, "/"), func(s string) bool { return s == "" || s == "." })
}

func ofMachine(name string) bool {
	switch name {
	case "/proc", "/sys", "/dev":
		return true
	}
	return false
}

func (w walker) look(name string) step {
	if s, ok := w[name]; ok {
		return s
	}
	info, err := os.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return step{kind: rustdeps.Missing}
	case err != nil:
		return step{kind: rustdeps.Special}
	case info.Mode().IsRegular():
		return step{kind: rustdeps.File}
	case info.IsDir():
		w[name] = step{kind: rustdeps.Folder}
	case info.Mode()&fs.ModeSymlink != 0:
		target, err := os.Readlink(name)
		if err != nil || target == "" {
			return step{kind: rustdeps.Special}
		}
		w[name] = step{target: target}
	default:
		return step{kind: rustdeps.Special}
	}
	return w[name]
}
