package pipeline

import (
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/rexwrap/rexwrap/localserver/layout"
	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/argtable"
)

// mountMark stands, with a number and a separator behind it, for one of a place's
// mounts. No path of cargo's begins with the byte.
const mountMark = "\x01"

// cratePlace is where a call of rustc stands. Its paths reach the result as they
// are, but for those of the folders that are only searched, and of roots, if they
// are not nil.
func cratePlace(c *toolchains.Compile, roots *layout.Roots) place {
	var mounts []string
	if roots != nil {
		mounts = []string{roots.Dir, roots.Cargo, roots.Target}
	}
	for _, s := range c.Crate.Search {
		if dir := strings.TrimSuffix(s.Dir, separator); dir != "" && !strings.ContainsAny(dir, "\n"+mountMark) && !slices.Contains(mounts, dir) {
			mounts = append(mounts, dir)
		}
	}
	return place{dir: c.Call.Dir, shared: roots != nil, mounts: strings.Join(mounts, "\n")}
}

// crateRoots are the first mounts of a shared place.
const crateRoots = 3

// rootsOf finds the roots of a call: the checkout that holds the working directory,
// cargo's home and the target directory, as cargo arranges them.
func (r *roots) rootsOf(c *toolchains.Compile, setting string) layout.Roots {
	out := layout.Roots{Cargo: c.Call.Env.Value("CARGO_HOME"), Target: targetDir(c)}
	if home := c.Call.Env.Value("HOME"); out.Cargo == "" && home != "" {
		out.Cargo = filepath.Join(home, ".cargo")
	}
	if out.Cargo = strings.TrimSuffix(out.Cargo, separator); !filepath.IsAbs(out.Cargo) {
		out.Cargo = ""
	}
	switch dir := c.Call.Dir; {
	case setting != "" && within(dir, strings.TrimSuffix(setting, separator)):
		out.Dir = strings.TrimSuffix(setting, separator)
	case out.Cargo != "" && within(dir, out.Cargo):
	default:
		if out.Dir = r.repo(dir); out.Dir == "" {
			out.Dir = dir
		}
	}
	if forbiddenRoot(out.Dir, c.Call.Env.Value("HOME")) {
		out.Dir = ""
	}
	return out
}

// targetDir is the target directory by where outputs go, with the folder of the
// target system where there is one; empty where that is not as cargo has it.
//
//	out-dir = target "/" profile "/" ( "deps" | "examples" | "build/" unit [ "/out" ] ) ;
func targetDir(c *toolchains.Compile) string {
	dir := strings.TrimSuffix(c.Crate.OutDir, separator)
	if !filepath.IsAbs(dir) {
		return ""
	}
	if filepath.Base(dir) == "out" {
		dir = filepath.Dir(dir)
	}
	if up := filepath.Dir(dir); filepath.Base(up) == "build" {
		dir = up
	} else if base := filepath.Base(dir); base != "deps" && base != "examples" {
		return ""
	}
	if dir = filepath.Dir(filepath.Dir(dir)); dir == separator {
		return ""
	}
	return dir
}

// mounted encodes a path: the longest of the mounts that it lies below counts.
func (p place) mounted(path string) string {
	longest, at, number := 0, -1, 0
	for dir := range strings.SplitSeq(p.mounts, "\n") {
		if len(dir) > longest && strings.HasPrefix(path, dir) && (len(path) == len(dir) || path[len(dir):len(dir)+1] == separator) {
			longest, at = len(dir), number
		}
		number++
	}
	if at < 0 {
		return path
	}
	return mountMark + strconv.Itoa(at) + path[longest:]
}

// unmounted is the inverse of mounted. A mount that this call has not is no path.
func (p place) unmounted(encoded string) string {
	rest, ok := strings.CutPrefix(encoded, mountMark)
	if !ok {
		return encoded
	}
	digits, path := rest, ""
	if i := strings.Index(rest, separator); i >= 0 {
		digits, path = rest[:i], rest[i:]
	}
	number, err := strconv.Atoi(digits)
	dirs := strings.Split(p.mounts, "\n")
	if err != nil || number < 0 || number >= len(dirs) {
		return encoded
	}
	return dirs[number] + path
}

// encodeList encodes each path of a list that colons separate.
func (p place) encodeList(value string) string {
	parts := strings.Split(value, ":")
	for i := range parts {
		parts[i] = p.encode(parts[i])
	}
	return strings.Join(parts, ":")
}

// crateArgs renders the arguments of a call of rustc for the key: outputs are left
// out, and folders that are only searched stand by their numbers. Where the command
// line reaches the result nothing is changed.
func crateArgs(c *toolchains.Compile, at place) []string {
	var words []string
	for i := range c.Args {
		a := &c.Args[i]
		switch {
		case c.Recorded:
			words = append(words, a.Words()...)
		case a.Class.Has(argtable.Output):
			words = append(words, a.Option)
		case a.Class.Has(argtable.Path) && (at.shared || !a.Class.Has(argtable.Source)):
			words = append(words, a.Render(encodeValue(a.Value, at))...)
		default:
			words = append(words, a.Words()...)
		}
	}
	return words
}

// encodeValue encodes the path in KIND=PATH or NAME=PATH, or the value itself.
func encodeValue(value string, at place) string {
	name, path, ok := strings.Cut(value, "=")
	if !ok {
		return at.encode(value)
	}
	return name + "=" + at.encode(path)
}
