package layout

import (
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/rexwrap/rexwrap/depscan"
	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/argtable"
)

// Here is the worker's name of its working directory.
const Here = here

const (
	// here is the worker's working directory by a name that holds everywhere,
	// alsoHere another one. Where results have here for the root, the worker
	// uses alsoHere: gcc applies maps to some names twice, and what they make
	// must not look like what they are applied to.
	here     = "/proc/self/cwd"
	alsoHere = "/proc/thread-self/cwd"
	// outside is the folder of the InputRoot that holds the mounts.
	outside = ".rexwrap-outside"
)

// A mount is a folder of the client with its place in the InputRoot.
type mount struct {
	real    string // without symbolic links; empty for the root of the file system
	spelled string // as the call's absolute paths have it
	at      string // in the InputRoot, empty for its top
	worker  string // the worker's name of it
	named   bool   // by an absolute path that was translated
}

// A mirror says where the client's files stand in the InputRoot, and what the
// worker calls them.
type mirror struct {
	// prefix is the folder of the InputRoot that holds everything, empty for
	// its top; see lengthen.
	prefix string
	dir    string // the working directory, without symbolic links
	mounts []mount
	links  map[string]string // symbolic links on the client: path → target
	here   string            // the worker's name of its working directory
	top    string            // the worker's name of the InputRoot
}

// newMirror makes the mirror of a compile; local are the arguments of its
// Relocation.
func newMirror(r *Request, local []string) (*mirror, error) {
	call := r.Compile.Call
	m := &mirror{dir: path.Clean(call.Dir), here: here, links: make(map[string]string, len(r.Inputs.Symlinks))}
	for _, l := range r.Inputs.Symlinks {
		m.links[l.Path] = l.Target
	}
	if local != nil {
		m.here = alsoHere
	}
	base, err := m.base(r)
	if err != nil {
		return nil, err
	}
	m.mounts = []mount{{real: base, spelled: base}}
	for i, dir := range r.Beside {
		if dir = strings.TrimSuffix(dir, "/"); !within(dir, base) && !within(base, dir) {
			m.mounts = append(m.mounts, mount{real: dir, spelled: dir, at: path.Join(outside, strconv.Itoa(i))})
		}
	}
	if base != "" {
		m.mounts = append(m.mounts, mount{at: path.Join(outside, "root")})
	}
	m.top = m.here + strings.Repeat("/..", depth(m.workdir()))
	for i := range m.mounts {
		m.mounts[i].worker = strings.TrimSuffix(m.top+"/"+m.mounts[i].at, "/")
	}
	if apparent := call.ApparentDir(); apparent != m.dir {
		err = m.spellBase(r, apparent)
	}
	m.lengthen(r)
	return m, err
}

// lengthen sets the prefix so that no header in a system directory has a real
// path on the worker, however that is set up, that is shorter than the name that
// the compiler has for it: gcc would use the real path, which names the worker's
// own folders.
func (m *mirror) lengthen(r *Request) {
	if r.Compile.Toolchain.Family != "gcc" {
		return
	}
	need := 0
	for i := range r.Inputs.Files {
		f := &r.Inputs.Files[i]
		if !f.System || path.IsAbs(f.Path) && r.HostFile != nil && r.HostFile(f.Path) {
			continue
		}
		name := len(f.Path)
		if path.IsAbs(f.Path) {
			mt := m.translated(f.Path)
			name += len(mt.worker) - len(mt.spelled)
		}
		need = max(need, name-m.lenPlace(cmpOr(f.Real, absolute(m.dir, f.Path))))
	}
	if need > 0 {
		const unit = "rexwrap-input-root-by-a-long-name"
		m.prefix = strings.Repeat(unit, 1+need/len(unit))
	}
}

// base returns the folder that the top of the InputRoot mirrors: the exec root,
// or as far above it as relative paths climb.
func (m *mirror) base(r *Request) (string, error) {
	base := m.realRoot(r.Root, r.Compile.Call.ApparentDir())
	for p := range spelledPaths(r) {
		if path.IsAbs(p) {
			continue
		}
		if climbs(p) > depth(m.dir) {
			return "", unprovenBy(p)
		}
		base = common(base, path.Join(m.dir, p))
	}
	return strings.TrimSuffix(base, "/"), nil
}

// realRoot returns the exec root without symbolic links: the working directory is
// known by both kinds of names.
func (m *mirror) realRoot(root, apparent string) string {
	root = strings.TrimSuffix(root, "/")
	if root == "" || within(m.dir, root) {
		return cmpOr(root, m.dir)
	}
	if rest, ok := strings.CutPrefix(apparent, root); ok && within(apparent, root) {
		if real, ok := strings.CutSuffix(m.dir, rest); ok {
			return real
		}
	}
	return common(root, m.dir)
}

func cmpOr(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// spellBase finds out by which name absolute paths call the base, where the
// working directory is known by two.
func (m *mirror) spellBase(r *Request, apparent string) error {
	base := &m.mounts[0]
	rest := strings.TrimPrefix(m.dir, base.real)
	other, ok := strings.CutSuffix(apparent, rest)
	if !ok {
		return nil
	}
	used := ""
	for p := range spelledPaths(r) {
		for _, name := range []string{base.real, other} {
			if !within(p, name) || name == used {
				continue
			}
			if used != "" {
				return unprovenBy(p)
			}
			used = name
		}
	}
	if used != "" {
		base.spelled = used
	}
	return nil
}

// spelledPaths yields every path that the compiler is given or finds, as it
// spells it.
func spelledPaths(r *Request) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for i := range r.Compile.Args {
			if a := &r.Compile.Args[i]; a.Class.Has(argtable.Path|argtable.Source) && !a.Class.Has(argtable.NoKey) && !yield(pathIn(a)) {
				return
			}
		}
		for i := range r.Compile.Outputs {
			if !yield(r.Compile.Outputs[i].Path) {
				return
			}
		}
		for _, list := range [][]depscan.File{r.Inputs.Files, r.Inputs.Probed} {
			for i := range list {
				if !yield(list[i].Path) {
					return
				}
			}
		}
		for _, dir := range r.Inputs.Dirs {
			if !yield(dir) {
				return
			}
		}
	}
}

// workdir is the working directory in the InputRoot.
func (m *mirror) workdir() string { return m.place(m.dir) }

// place returns where a file of the client stands in the InputRoot. The path is
// absolute and without symbolic links.
func (m *mirror) place(real string) string {
	i := m.mountOf(real, realName)
	return m.at(i, real)
}

// at returns where a cleaned path below mount i stands in the InputRoot.
func (m *mirror) at(i int, real string) string {
	top, rest := m.mounts[i].at, strings.Trim(strings.TrimPrefix(real, m.mounts[i].real), "/")
	if m.prefix != "" {
		top = strings.TrimSuffix(m.prefix+"/"+top, "/")
	}
	if top == "" || rest == "" {
		return top + rest
	}
	return top + "/" + rest
}

// lenPlace is the length of what place returns while there is no prefix.
func (m *mirror) lenPlace(real string) int {
	mt := &m.mounts[m.mountOf(real, realName)]
	rest := len(strings.Trim(real[len(mt.real):], "/"))
	if mt.at == "" || rest == 0 {
		return len(mt.at) + rest
	}
	return len(mt.at) + len("/") + rest
}

// begins reports whether a mount begins at a path, as spelled or in real.
func (m *mirror) begins(spelled, real string) bool {
	return slices.ContainsFunc(m.mounts, func(mt mount) bool { return mt.spelled == spelled || mt.real == real })
}

// client is the inverse of place, empty for what is outside of all mounts.
func (m *mirror) client(at string) string {
	best, longest := "", -1
	for i := range m.mounts {
		top := strings.TrimPrefix(path.Join(m.prefix, m.mounts[i].at), "/")
		rest, below := strings.CutPrefix(at, top)
		if below && (top == "" || rest == "" || rest[0] == '/') && len(top) > longest {
			best, longest = m.mounts[i].real+"/"+strings.TrimPrefix(rest, "/"), len(top)
		}
	}
	return best
}

// worker returns the worker's name for an absolute path as the client spells it.
// What stands behind the mount's folder is kept as it is.
func (m *mirror) worker(spelled string) string {
	mt := m.translated(spelled)
	return mt.worker + spelled[len(mt.spelled):]
}

// translated returns the mount of an absolute path, which is translated.
func (m *mirror) translated(spelled string) *mount {
	mt := &m.mounts[m.mountOf(spelled, spelledName)]
	mt.named = true
	return mt
}

func realName(mt *mount) string    { return mt.real }
func spelledName(mt *mount) string { return mt.spelled }

// mountOf returns the mount with the longest name that holds p.
func (m *mirror) mountOf(p string, name func(*mount) string) int {
	best := len(m.mounts) - 1
	for i := range m.mounts {
		if n := name(&m.mounts[i]); within(p, n) && len(n) > len(name(&m.mounts[best])) {
			best = i
		}
	}
	return best
}

// absolute returns a path spelled at dir in absolute form, cleaned.
func absolute(dir, p string) string {
	if path.IsAbs(p) {
		return path.Clean(p)
	}
	return path.Join(dir, p)
}

// below returns an absolute path relative to the root of the file system.
func below(p string) string { return strings.TrimPrefix(path.Clean(p), "/") }

// within reports whether p is dir or below it; dir has no slash at its end.
func within(p, dir string) bool {
	return strings.HasPrefix(p, dir) && (len(p) == len(dir) || p[len(dir)] == '/')
}

// common returns the deepest folder that holds both a and b.
func common(a, b string) string {
	for !within(b, strings.TrimSuffix(a, "/")) {
		a = path.Dir(a)
	}
	return a
}

// depth counts the segments of a cleaned path.
func depth(p string) int {
	p = strings.Trim(p, "/")
	if p == "" {
		return 0
	}
	return strings.Count(p, "/") + 1
}

// climbs returns how many levels a relative path leads above its start.
func climbs(p string) int {
	level, most := 0, 0
	for part := range strings.SplitSeq(p, "/") {
		switch part {
		case "", ".":
		case "..":
			level++
		default:
			level--
		}
		most = max(most, level)
	}
	return most
}

func unprovenBy(arg string) error { return toolchains.Unsupported(ReasonUnproven, arg) }
