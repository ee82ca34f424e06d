package ask

import (
	"slices"
	"strings"
)

// A tree knows, of the files of a closure, which may have included which. It
// decides which of them -MMD lists. An inclusion is a system one if a system
// directory had the file, or if its includer was included so. gcc leaves a file
// out if its first inclusion was such a one (libcpp, _cpp_stack_file), clang if all
// of them were (DependencyFileCallback). A file may well be included in both ways
// in one compile.
type tree struct {
	g *gathering
	// edges are, by absolute path, the includes that may have brought a file
	// in. They are more than there were: conditions are not evaluated.
	edges map[string][]edge
}

// An edge is the mention of an #include that finds a file.
type edge struct {
	from int // in the closure, or fromCommandLine
	// system and own are as in hit. late is set where the includer says
	// #pragma GCC system_header before.
	system, own, late bool
}

// fromCommandLine is the includer of what -include and -imacros name.
const fromCommandLine = -1

// include notes that file i mentions an #include with these hits.
func (t *tree) include(i int, hits []hit, late bool) {
	if t == nil {
		return
	}
	for _, h := range hits {
		t.add(h.path, edge{from: i, system: h.system, own: h.own, late: late})
	}
}

// probe notes that file i mentions a __has_include with these hits. Clang lists
// such files, whoever asks for them, by the directories that have them.
func (t *tree) probe(i int, hits []hit) {
	if t == nil || t.isGCC() {
		return
	}
	t.include(i, hits, false)
	for _, h := range hits {
		if !h.own {
			t.add(h.path, edge{from: fromCommandLine, system: h.system})
		}
	}
}

func (t *tree) add(path string, e edge) {
	path = t.g.c.Call.Abs(path)
	t.edges[path] = append(t.edges[path], e)
}

// A standing is the set of ways in which a file may have been included.
type standing uint8

const (
	isUser standing = 1 << iota
	isSystem
)

// standings are those of all files of the closure, over all their inclusions.
type standings struct {
	of []standing
	// dirs are the directories which gcc, from the first time that a file in
	// them includes "x.h", may take for system directories: if that file was a
	// system header then.
	dirs map[string]bool
}

// userNames returns the files of listed, the compiler's own list in the order of
// first inclusion, that -MMD lists. Where sure is false some may be too many.
func (t *tree) userNames(listed []string) (names []string, sure bool) {
	t.addComputed()
	all := t.standings()
	names, sure = listed[:1:1], true
	seen := make([]bool, len(t.g.closure))
	for _, path := range listed[1:] {
		i, ok := t.g.index[normal(path)]
		if !ok {
			return listed, false
		}
		// gcc lists a file once for each directory that it finds it by.
		// Which these are is not known for the second time.
		st := all.of[i]
		if !seen[i] && t.isGCC() {
			st = t.first(i, all)
		}
		seen[i] = true
		if st&isUser != 0 {
			names = append(names, path)
			sure = sure && st == isUser
		}
	}
	return names, sure
}

func (t *tree) isGCC() bool { return t.g.c.Toolchain.Family == "gcc" }

// first returns how file i may have been included first: by a file listed before
// it.
func (t *tree) first(i int, all *standings) standing {
	return t.through(i, all, func(e edge) bool { return e.from < i })
}

// through returns the standing that the chosen edges give file i.
func (t *tree) through(i int, all *standings, chosen func(edge) bool) standing {
	path := t.g.closure[i].Path
	var st standing
	for _, e := range t.edges[t.g.c.Call.Abs(path)] {
		if chosen(e) {
			st |= t.standing(e, all)
		}
	}
	switch {
	case st != 0:
		return st
	case t.isGCC() && strings.HasPrefix(path, "/"):
		// gcc lists system headers, and only these, by their real path
		// where that is shorter.
		return isSystem
	}
	return isUser | isSystem
}

// standing returns that of what e includes.
func (t *tree) standing(e edge, all *standings) standing {
	switch {
	case e.system:
		return isSystem
	case e.from == fromCommandLine:
		return isUser
	}
	st := all.of[e.from]
	if e.late && e.from != 0 || e.own && all.dirs[dirOf(t.g.closure[e.from].Path)] {
		st |= isSystem
	}
	return st
}

// standings works out the standings of all files.
func (t *tree) standings() *standings {
	all := &standings{of: make([]standing, len(t.g.closure)), dirs: map[string]bool{}}
	all.of[0] = isUser
	for changed := true; changed; {
		changed = false
		for i := range t.g.closure {
			old := all.of[i]
			if i > 0 {
				all.of[i] |= t.known(i, all)
			}
			changed = t.markDir(i, all) || changed || all.of[i] != old
		}
	}
	return all
}

// known is through for edges whose includers have a standing already.
func (t *tree) known(i int, all *standings) standing {
	return t.through(i, all, func(e edge) bool { return e.system || e.from < 0 || all.of[e.from] != 0 })
}

// markDir notes whether file i can make its directory a system directory.
func (t *tree) markDir(i int, all *standings) bool {
	text, dir := t.g.texts[i], dirOf(t.g.closure[i].Path)
	if i == 0 || all.dirs[dir] || all.of[i]&isSystem == 0 && !text.SystemHeader {
		return false
	}
	for _, n := range text.Names {
		if n.Quoted {
			all.dirs[dir] = true
			return true
		}
	}
	all.dirs[dir] = text.ComputedInclude || len(text.ComputedProbes) > 0
	return all.dirs[dir]
}

// addComputed adds the edges of every #include whose name is a macro's.
func (t *tree) addComputed() {
	for j, text := range t.g.texts {
		if !text.ComputedInclude {
			continue
		}
		for i := 1; i < len(t.g.closure); i++ {
			for _, e := range t.computed(j, t.g.closure[i].Path) {
				e.late = text.SystemHeader
				t.add(t.g.closure[i].Path, e)
			}
		}
	}
}

// computed returns the edges by which an unknown name in file j can lead to path.
func (t *tree) computed(j int, path string) []edge {
	var out []edge
	for _, d := range t.g.chain.dirs {
		if holds(normal(d.path), path) {
			out = append(out, edge{from: j, system: d.system})
		}
	}
	if holds(dirOf(t.g.closure[j].Path), path) {
		out = append(out, edge{from: j, own: true})
	}
	if strings.HasPrefix(path, "/") && t.isCandidate(path) {
		out = append(out, edge{from: j})
	}
	return out
}

// holds reports whether a name looked for in dir can give path.
func holds(dir, path string) bool {
	if dir == "" || dir == "." {
		return !strings.HasPrefix(path, "/")
	}
	return within(path, dir)
}

// isCandidate reports whether some macro may be the absolute path.
func (t *tree) isCandidate(path string) bool {
	for _, text := range append(slices.Clip(t.g.texts), t.g.command) {
		if slices.ContainsFunc(text.Candidates, func(n Name) bool { return n.Path == path }) {
			return true
		}
	}
	return false
}
