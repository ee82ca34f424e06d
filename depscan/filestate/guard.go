package filestate

import (
	"path/filepath"
	"sync/atomic"
)

// A patrol looks after the paths that an answer rests on.
type patrol struct {
	s     *State
	posts []*post
	rest  atomic.Int32 // how many looks come before it is tried to watch all again
}

// A post is one of its paths.
type post struct {
	path  string // ends in a zero byte
	names bool
	at    atomic.Pointer[stand]
}

// A stand is where a post is watched: at its path, or where there is no folder, at
// the deepest one above it that is there.
type stand struct {
	path  string // ends in a zero byte
	vigil vigil
}

// Guard spares looks at files, and at folders of which the names in them count,
// that an answer rests on: look looks at all of them and returns whether all is
// as it was. holds returns what look does, or would: look is not called where all
// is watched and nothing has been heard of it since look last returned true. A
// folder may be missing. Paths are absolute; holds is safe for concurrent use if
// look is.
func (s *State) Guard(files, folders []string, look func() bool) (holds func() bool) {
	if s.watch == nil {
		return look
	}
	g := &patrol{s: s}
	for _, p := range files {
		g.add(p, false)
	}
	for _, p := range folders {
		g.add(p, true)
	}
	return func() bool { return g.holds(look) }
}

func (g *patrol) add(path string, names bool) {
	p := &post{path: path + "\x00", names: names}
	p.at.Store(&stand{path: p.path})
	g.posts = append(g.posts, p)
}

func (g *patrol) holds(look func() bool) bool {
	if g.rest.Load() > 0 {
		g.rest.Add(-1)
		return look()
	}
	v := &View{s: g.s}
	v.tick() // before looking: what happens from now on is heard of
	if g.quiet(v) {
		return true
	}
	stands := make([]*stand, len(g.posts))
	for i, p := range g.posts {
		stands[i] = p.stand(g.s)
	}
	if !look() {
		return false
	}
	for i, p := range g.posts {
		vigil := &stands[i].vigil
		vigil.looked(v, stands[i].path, p.names)
		if vigil.looks.Load() < 0 {
			g.rest.Store(-notAgain)
		}
	}
	return true
}

func (g *patrol) quiet(v *View) bool {
	for _, p := range g.posts {
		if !p.at.Load().vigil.quiet(v) {
			return false
		}
	}
	return true
}

// stand returns where p is to be watched now.
func (p *post) stand(s *State) *stand {
	at, path := p.at.Load(), p.path
	if p.names {
		path = s.existing(p.path)
	}
	if at.path != path {
		at = &stand{path: path}
		p.at.Store(at)
	}
	return at
}

// existing returns a folder, or the deepest one above it that is there.
func (s *State) existing(path string) string {
	for {
		var st info
		s.source.stat(path, false, &st)
		dir := path[:len(path)-1]
		up := filepath.Dir(dir)
		if st.kind == Directory || up == dir {
			return path
		}
		path = up + "\x00"
	}
}
