package ask

import (
	"os"
	"slices"
	"strings"

	"github.com/rexwrap/rexwrap/depscan"
)

// addSurroundings completes in for a worker, which has nothing but what it is
// given: real paths, the symbolic links on the way, and the directories that ".."
// climbs out of. dir is the absolute working directory.
func addSurroundings(in *depscan.Inputs, dir string) {
	r := resolver{targets: map[string]string{}}
	for _, list := range [][]depscan.File{in.Files, in.Probed} {
		for i := range list {
			path := list[i].Path
			in.Dirs = append(in.Dirs, climbed(path)...)
			if !strings.HasPrefix(path, "/") {
				path = dir + "/" + path
			}
			list[i].Real = r.real(path)
		}
	}
	slices.Sort(in.Dirs)
	in.Dirs = slices.Compact(in.Dirs)
	for path, target := range r.targets {
		if target != "" {
			in.Symlinks = append(in.Symlinks, depscan.Symlink{Path: path, Target: target})
		}
	}
	slices.SortFunc(in.Symlinks, func(a, b depscan.Symlink) int { return strings.Compare(a.Path, b.Path) })
}

// climbed returns the directories in front of each ".." in path.
func climbed(path string) []string {
	var dirs []string
	parts := strings.Split(path, "/")
	for i := 1; i < len(parts); i++ {
		if dir := strings.Join(parts[:i], "/"); parts[i] == ".." && parts[i-1] != ".." && dir != "" && dir != "." {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

// A resolver follows symbolic links.
type resolver struct {
	// targets are those of all paths looked at, empty for what is no link.
	targets map[string]string
}

// maxLinks is how many links Linux follows in one path.
const maxLinks = 40

// real returns an absolute path without symbolic links, or path itself where they
// lead nowhere.
func (r *resolver) real(path string) string {
	at, rest, links := "", strings.Split(path, "/"), 0
	for len(rest) > 0 {
		part := rest[0]
		rest = rest[1:]
		if part == "" || part == "." {
			continue
		}
		if part == ".." {
			at = at[:max(strings.LastIndexByte(at, '/'), 0)]
			continue
		}
		target := r.target(at + "/" + part)
		if target == "" {
			at += "/" + part
			continue
		}
		if links++; links > maxLinks {
			return path
		}
		if target[0] == '/' {
			at = ""
		}
		rest = append(strings.Split(target, "/"), rest...)
	}
	return at
}

func (r *resolver) target(path string) string {
	target, ok := r.targets[path]
	if !ok {
		target, _ = os.Readlink(path) // an error means that it is no link
		r.targets[path] = target
	}
	return target
}
