package filestate

import (
	"cmp"
	"hash/maphash"
	"slices"
	"strings"
	"unsafe"
)

// A group is the absent names of one directory.
type group struct {
	dir *directory
	// names may be shared with other groups: the directories searched before
	// the one that has the headers lack the same names.
	names *[]*name
}

// group sorts absent names by directory. It is quickest where they come sorted, as
// depscan.Inputs has them.
func (s *State) group(cwd string, absent []string) []group {
	byDir := map[string]*[]*name{} // by the directory as spelled
	var order []string
	var last string
	var names *[]*name
	s.names.mu.Lock()
	for _, p := range absent {
		bare := strings.TrimRight(p, "/")
		i := strings.LastIndexByte(bare, '/') + 1
		if dir := bare[:i]; names == nil || dir != last {
			last = dir
			if names = byDir[dir]; names == nil {
				names = new([]*name)
				byDir[dir] = names
				order = append(order, dir)
			}
		}
		*names = append(*names, s.names.intern(bare[i:], bare != p))
	}
	s.names.mu.Unlock()
	groups := make([]group, 0, len(order))
	lists := map[uint64]*[]*name{}
	seed := maphash.MakeSeed()
	for _, dir := range order {
		sorted := sortNames(*byDir[dir])
		dir, _ = split(abs(cwd, dir) + "x")
		groups = append(groups, group{s.directory(dir), share(lists, seed, sorted)})
	}
	return groups
}

// sortNames sorts names and drops what occurs twice.
func sortNames(names []*name) []*name {
	order := func(a, b *name) int {
		return cmp.Or(strings.Compare(a.text, b.text), cmp.Compare(truth(a.dir), truth(b.dir)))
	}
	if !slices.IsSortedFunc(names, order) {
		slices.SortFunc(names, order)
	}
	return slices.Compact(names)
}

func truth(b bool) int {
	if b {
		return 1
	}
	return 0
}

// share returns an equal list from lists, or adds names to them.
func share(lists map[uint64]*[]*name, seed maphash.Seed, names []*name) *[]*name {
	var h maphash.Hash
	h.SetSeed(seed)
	for _, n := range names {
		h.WriteString(n.text)
		h.WriteByte(byte(truth(n.dir)))
	}
	sum := h.Sum64()
	if known, ok := lists[sum]; ok && slices.Equal(*known, names) {
		return known
	}
	names = slices.Clip(names)
	lists[sum] = &names
	return &names
}

// A plan is how the absent names of a Set were last shown to be absent. It is
// never changed.
type plan struct {
	guards []guard
	// loose are the groups that must be looked up every time.
	loose []int32
}

// A guard is a directory that, while it is in a state, keeps groups absent: it is
// their own, or the deepest one above it that exists.
type guard struct {
	dir    *directory
	state  *dirState
	groups []int32
}

// holds reports whether g's directory has the state still.
func (v *View) holds(g *guard) bool {
	now := v.state(g.dir)
	return now.kind == Directory && g.state.believed(now.key, v.now)
}

// checkAbsent shows that the absent names of set are so still, and remembers how.
func (v *View) checkAbsent(set *Set) (Difference, bool) {
	if len(set.groups) == 0 {
		return Difference{}, true
	}
	old := set.plan.Load()
	if old == nil {
		return v.replan(set, nil, allGroups(len(set.groups)))
	}
	firm := true
	for i := range old.guards {
		if !v.holds(&old.guards[i]) {
			firm = false
			break
		}
	}
	if firm {
		return v.lookup(set, old.loose)
	}
	kept := make([]guard, 0, len(old.guards))
	open := slices.Clone(old.loose)
	for _, g := range old.guards {
		if v.holds(&g) {
			kept = append(kept, g)
		} else {
			open = append(open, g.groups...)
		}
	}
	return v.replan(set, kept, open)
}

func allGroups(n int) []int32 {
	all := make([]int32, n)
	for i := range all {
		all[i] = int32(i)
	}
	return all
}

// lookup looks the names of the numbered groups up.
func (v *View) lookup(set *Set, groups []int32) (Difference, bool) {
	for _, i := range groups {
		if p := v.prove(&set.groups[i]); p.failed() {
			return p.difference, false
		}
	}
	return Difference{}, true
}

// replan looks the names of the open groups up and gives set a new plan.
func (v *View) replan(set *Set, kept []guard, open []int32) (Difference, bool) {
	next := &plan{guards: kept}
	at := map[*directory]int{}
	for _, i := range open {
		p := v.prove(&set.groups[i])
		switch {
		case p.failed():
			return p.difference, false
		case p.dir == nil || p.state.safe == never:
			next.loose = append(next.loose, i)
			continue
		}
		j, ok := at[p.dir]
		if !ok {
			j = len(next.guards)
			at[p.dir] = j
			next.guards = append(next.guards, guard{dir: p.dir, state: p.state})
		}
		next.guards[j].groups = append(next.guards[j].groups, i)
	}
	set.plan.Store(next)
	return Difference{}, true
}

// A proof is what shows that a group is absent. dir is nil where no directory's
// state does, as with symbolic links.
type proof struct {
	dir        *directory
	state      *dirState
	difference Difference
}

func (p proof) failed() bool { return p.difference.Cause != 0 }

// prove looks the names of g up.
func (v *View) prove(g *group) proof {
	ds := v.state(g.dir)
	if ds.kind != Directory {
		return v.proveAbove(g.dir.name())
	}
	p := proof{dir: g.dir, state: ds}
	for i, n := range *g.names {
		if v.excludes(g.dir, ds, n.hash, len(*g.names)-i) {
			continue
		}
		firm, cause := v.absent(g.dir.name(), n)
		if cause != 0 {
			return proof{difference: Difference{Cause: cause, Path: join(g.dir.name(), n.text)}}
		}
		if !firm {
			p.dir = nil
		}
	}
	return p
}

// proveAbove shows that there is no directory at path, by the deepest one above.
func (v *View) proveAbove(path string) proof {
	for {
		parent, base := split(path)
		if base == "" { // not even a root
			return proof{difference: Difference{Cause: Unreadable, Path: path}}
		}
		d := v.s.directory(parent)
		ds := v.state(d)
		if ds.kind != Directory {
			path = parent
			continue
		}
		if v.excludes(d, ds, hashName(base), 1) {
			return proof{dir: d, state: ds}
		}
		firm, cause := v.notDirectory(path + "\x00")
		switch {
		case cause != 0:
			return proof{difference: Difference{Cause: cause, Path: path}}
		case !firm:
			return proof{}
		}
		return proof{dir: d, state: ds}
	}
}

// absent shows that there is no file, or for n.dir no directory, at n in dir. It
// is firm where that stays so while dir has its state.
func (v *View) absent(dir string, n *name) (firm bool, cause Cause) {
	var space [256]byte
	buf := append(space[:0], dir...)
	if dir != "/" {
		buf = append(buf, '/')
	}
	buf = append(append(buf, n.text...), 0)
	path := unsafe.String(unsafe.SliceData(buf), len(buf)) // not kept by sources
	if n.dir {
		return v.notDirectory(path)
	}
	var st info
	v.s.source.lstat(path, &st)
	switch st.kind {
	case Missing, Directory:
		return true, 0
	case Regular:
		return false, Appeared
	}
	v.s.source.stat(path, false, &st)
	switch st.kind {
	case Missing, Directory:
		return false, 0
	}
	return false, Appeared
}

// notDirectory shows that there is no directory at path.
func (v *View) notDirectory(path string) (firm bool, cause Cause) {
	var st info
	v.s.source.lstat(path, &st)
	switch st.kind {
	case Missing, Regular:
		return true, 0
	case Directory:
		return false, Appeared
	}
	v.s.source.stat(path, false, &st)
	switch st.kind {
	case Missing, Regular:
		return false, 0
	case Directory:
		return false, Appeared
	}
	return false, Unreadable
}

func join(dir, base string) string {
	if dir == "/" {
		return dir + base
	}
	return dir + "/" + base
}
