package layout

import (
	"path"
	"slices"
	"strings"

	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/argtable"
	"github.com/rexwrap/rexwrap/toolchains/gnu"
)

// HostFiles returns a Request.HostFile for workers that have the same toolchain
// installed: its programs, and the built-in search directories with all that is
// in them. facts may be nil where nothing is preprocessed. Where the call brings
// its own system root, only the programs are the worker's.
func HostFiles(c *toolchains.Compile, facts *toolchains.Facts) func(path string) bool {
	h := host{programs: c.Toolchain.Programs}
	if facts != nil && !ownRoot(c) {
		h.dirs = append(builtIn(c, facts.AngleDirs), facts.AbsentDirs...)
		for i, dir := range h.dirs {
			h.dirs[i] = path.Clean(dir)
			if parent := path.Dir(h.dirs[i]); path.Base(parent) == c.Toolchain.Target {
				h.dirs = append(h.dirs, parent) // the whole of a cross toolchain's folder
			}
		}
		h.files = slices.Concat(facts.Implicit, facts.ReadFiles)
	}
	return h.has
}

// builtIn are those of the search directories that the call does not name itself. Of
// Microsoft's compilers Facts have them all.
func builtIn(c *toolchains.Compile, dirs []string) []string {
	return slices.DeleteFunc(slices.Clone(dirs), func(dir string) bool {
		return c.Microsoft != nil && slices.ContainsFunc(c.Args, func(a toolchains.Arg) bool {
			return a.Class.Has(argtable.Search) && a.Value == dir
		})
	})
}

type host struct {
	programs []toolchains.Program
	dirs     []string
	files    []string
}

func (h *host) has(p string) bool {
	if strings.Contains(p, "..") {
		p = path.Clean(p)
	}
	for _, dir := range h.dirs {
		if path.IsAbs(dir) && within(p, dir) {
			return true
		}
	}
	return slices.Contains(h.files, p) ||
		slices.ContainsFunc(h.programs, func(t toolchains.Program) bool { return t.Path == p })
}

// ownRoot reports whether the built-in directories are below one that the call
// names.
func ownRoot(c *toolchains.Compile) bool {
	for name := range gnu.Options(c.Args) {
		switch name {
		case "--sysroot=", "-isysroot", "-B", "--gcc-toolchain=", "-resource-dir":
			return true
		}
	}
	return false
}
