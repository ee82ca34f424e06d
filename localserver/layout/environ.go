package layout

import (
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rexwrap/rexwrap/depscan"
	"github.com/rexwrap/rexwrap/toolchains/gnu"
)

// epoch names the variable that stands in for the clock. It counts only where
// the text asks for a date or time.
const epoch = "SOURCE_DATE_EPOCH"

// environment fills Env: what the compiler reads, where it finds its programs,
// and the name of the working directory.
func (b *builder) environment() {
	if b.r.Ship != nil {
		b.l.Env = append(withoutLocale(b.compilerVariables()), "LC_ALL=C", "PWD="+b.m.here, "PATH="+nowhere)
		return
	}
	b.l.Env = append(b.compilerVariables(), "PWD="+b.m.here, "PATH="+b.searchPath())
	if dirs := b.holding(b.c.Call.Env.Value("LD_LIBRARY_PATH")); len(dirs) > 0 {
		b.l.Env = append(b.l.Env, "LD_LIBRARY_PATH="+strings.Join(dirs, ":"))
	}
}

// compilerVariables are those that the family says the compiler reads.
func (b *builder) compilerVariables() []string {
	var env []string
	for _, name := range b.c.Env {
		value, set := b.c.Call.Env.Lookup(name)
		switch {
		case !set || name == epoch && !b.asksTime():
			continue
		case slices.Contains(gnu.SearchVariables(b.c.Language), name):
			value = b.searchList(value, ":")
		case b.c.Microsoft != nil && (name == "INCLUDE" || name == "EXTERNAL_INCLUDE"):
			value = b.searchList(value, ";")
		case strings.Contains(value, "/"):
			b.doubts(name)
		}
		env = append(env, name+"="+value)
	}
	return env
}

func (b *builder) asksTime() bool {
	return b.in.Identifiers&(depscan.IdentDate|depscan.IdentTime|depscan.IdentTimestamp) != 0
}

// searchList returns a list of search directories with the worker's names.
func (b *builder) searchList(value, separator string) string {
	dirs := strings.Split(value, separator)
	for i, dir := range dirs {
		if b.m != nil && path.IsAbs(dir) && !b.host(path.Clean(dir)) {
			dirs[i] = b.path(dir, dir)
		}
	}
	return strings.Join(dirs, separator)
}

// searchPath is the part of PATH in which the toolchain has programs, with the
// system's own folders behind it.
func (b *builder) searchPath() string {
	dirs := b.holding(b.c.Call.Env.Value("PATH"))
	for _, dir := range []string{"/usr/bin", "/bin"} {
		if !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	}
	return strings.Join(dirs, ":")
}

// holding returns the folders of a list that hold programs or libraries of the
// toolchain.
func (b *builder) holding(list string) []string {
	var dirs []string
	for _, dir := range filepath.SplitList(list) {
		if path.IsAbs(dir) && !slices.Contains(dirs, dir) && b.hasProgram(dir) {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

func (b *builder) hasProgram(dir string) bool {
	dir = path.Clean(dir)
	for _, p := range b.c.Toolchain.Programs {
		if strings.HasPrefix(p.Path, dir) && path.Dir(p.Path) == dir {
			return true
		}
	}
	return false
}
