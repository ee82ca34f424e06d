package ask

import (
	"slices"
	"strings"

	"github.com/rexwrap/rexwrap/depscan/filestate"
)

// A search looks names up as the compiler does, and notes what is absent on the
// way. It serves one gathering.
type search struct {
	g *gathering
	// includers are the directories that atIncluders looks in.
	includers []string
	places    map[string]*searchPlace
	chain     []*searchPlace
	// walked are the results of walk, inOwn those of own.
	walked map[walkKey][]hit
	inOwn  map[ownKey]bool
	absent []string
	// unread are the paths that were found and are not in the closure.
	unread map[string]bool
	// directories are what was found where a file was looked for.
	directories map[string]bool
}

// A searchPlace is one directory that names are looked for in.
type searchPlace struct {
	path      string
	framework bool
	subs      map[string]*listing
}

type walkKey struct {
	name   string
	quoted bool
	next   bool
}

type ownKey struct{ dir, name string }

// A hit is a file that was found.
type hit struct {
	path string
	// system is set where a system directory of the chain has it, own where
	// it stands beside its includer.
	system, own bool
}

func newSearch(g *gathering) *search {
	s := &search{
		g: g, places: map[string]*searchPlace{}, walked: map[walkKey][]hit{}, inOwn: map[ownKey]bool{},
		unread: map[string]bool{}, directories: map[string]bool{},
	}
	for _, d := range g.chain.dirs {
		s.chain = append(s.chain, s.place(d.path, d.framework))
	}
	return s
}

func (s *search) place(path string, framework bool) *searchPlace {
	if framework {
		return &searchPlace{path: path, framework: true, subs: map[string]*listing{}}
	}
	p, ok := s.places[path]
	if !ok {
		p = &searchPlace{path: path, subs: map[string]*listing{}}
		s.places[path] = p
	}
	return p
}

// has reports whether a file of this name is in p, and notes it if it is absent.
func (s *search) has(p *searchPlace, name string) bool {
	if p.framework {
		top, rest, ok := strings.Cut(name, "/")
		if !ok {
			return false
		}
		name = top + ".framework/Headers/" + rest
	}
	sub, base := "", name
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		sub, base = name[:i], name[i+1:]
	}
	l, ok := p.subs[sub]
	if !ok {
		l = s.list(join(p.path, sub))
		p.subs[sub] = l
	}
	if l.missing || base == "" {
		return false
	}
	if l.names != nil {
		regular, ok := l.names[base]
		if regular {
			return true
		}
		if !ok {
			s.absent = append(s.absent, join(p.path, name))
			return false
		}
	}
	return s.exists(join(p.path, name))
}

// exists reports whether a file is at path, and notes it if not.
func (s *search) exists(path string) bool {
	switch s.g.files.Lookup(s.g.c.Call.Abs(path)) {
	case filestate.Missing:
	case filestate.Directory:
		s.directories[path] = true
	default:
		return true
	}
	s.absent = append(s.absent, path)
	return false
}

// regular reports whether a regular file is at path, and notes it if nothing is.
func (s *search) regular(path string) bool {
	switch s.g.files.Lookup(s.g.c.Call.Abs(path)) {
	case filestate.Regular:
		return true
	case filestate.Missing:
		s.absent = append(s.absent, normal(path))
	}
	return false
}

// list returns the listing of dir. Of a directory that is not there, the topmost
// part that is missing is noted.
func (s *search) list(dir string) *listing {
	l := s.g.asker.dirs.of(s.g.c.Call.Abs(dir))
	if !l.missing {
		return l
	}
	top := dir
	for up := dirOf(top); up != "" && up != "/" && s.g.asker.dirs.of(s.g.c.Call.Abs(up)).missing; up = dirOf(top) {
		top = up
	}
	if top != "" {
		s.absent = append(s.absent, top+"/")
	}
	return l
}

// find looks for name as the file at includer spells it, and returns where it
// is: one place or none, with next all places.
func (s *search) find(name string, quoted, next bool, includer string) []hit {
	if strings.HasPrefix(name, "/") {
		if s.exists(name) {
			return []hit{s.found(hit{path: name})}
		}
		return nil
	}
	var own []hit
	if quoted || next {
		own = s.own(dirOf(includer), name)
	}
	if own != nil && !next {
		return own
	}
	if quoted && !next {
		own = append(own, s.atIncluders(name)...)
	}
	return append(own, s.walk(walkKey{name, quoted, next})...)
}

// own looks for name beside its includer.
func (s *search) own(dir, name string) []hit {
	key := ownKey{dir, name}
	ok, known := s.inOwn[key]
	if !known {
		ok = s.has(s.place(dir, false), name)
		s.inOwn[key] = ok
	}
	if !ok {
		return nil
	}
	return []hit{s.found(hit{path: join(dir, name), own: true})}
}

// walk looks for a name along the chain, as far as the first file, with next to
// its end.
func (s *search) walk(key walkKey) []hit {
	if hits, ok := s.walked[key]; ok {
		return hits
	}
	var hits []hit
	for i, p := range s.chain {
		if i < s.g.chain.quotes && !key.quoted && !key.next || !s.has(p, key.name) {
			continue
		}
		hits = append(hits, s.found(hit{path: join(p.path, key.name), system: s.g.chain.dirs[i].system}))
		if !key.next {
			break
		}
	}
	s.walked[key] = hits
	return hits
}

// found notes a hit.
func (s *search) found(h hit) hit {
	if !s.g.isListed(h.path) {
		s.unread[h.path] = true
	}
	return h
}

// absentNames returns the absent names, sorted, each once.
func (s *search) absentNames() []string {
	slices.Sort(s.absent)
	return slices.Compact(s.absent)
}
