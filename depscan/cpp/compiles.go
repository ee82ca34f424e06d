package cpp

import (
	"context"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/rexwrap/rexwrap/depscan"
	"github.com/rexwrap/rexwrap/toolchains"
)

// compiles remembers the answers of whole compiles. One is good as long as
//
//   - the base and the chain are the same objects,
//   - every look-up that was made would end as it did, and
//   - every file that was read has the same directives.
//
// A file that changed elsewhere gets its new digest in the answer.
type compiles struct {
	mu    sync.Mutex
	known map[compileKey]*finished
	order []compileKey // of known
	size  int64        // bytes of known, by finished.size
}

// compileKey says which compiles are one.
type compileKey struct {
	base  *base
	chain *chain
	rest  string
}

// key returns a string that is equal for equal configs on one base and chain.
func (cfg *config) key() string {
	var b strings.Builder
	part := func(s string) {
		b.WriteString(s)
		b.WriteByte(0)
	}
	part(cfg.source)
	for _, m := range cfg.macros {
		if m.undef {
			part("-")
		}
		part(m.name)
		part(m.body)
	}
	part("imacros")
	for _, s := range cfg.imacros {
		part(s)
	}
	part("include")
	for _, s := range cfg.includes {
		part(s)
	}
	if cfg.mapped {
		part("mapped")
	}
	if cfg.silent || cfg.mute {
		part("quiet")
	}
	if cfg.loud {
		part("loud")
	}
	return b.String()
}

// A finished compile is an answer with what it rests on.
type finished struct {
	in          *depscan.Inputs
	resolutions []*resolution
	variants    []*variant
	read        []readFile // in the order of in.Files, then in.Probed
	mode        lexMode
	// strict is set when more of the files mattered than their directives:
	// line numbers, times of modification.
	strict bool
	// quiet is the count of file system events at which all was found
	// watched and unchanged, plus 1.
	quiet atomic.Uint64
}

// A readFile is a file as it was when it was read.
type readFile struct {
	node  *node
	state *nodeState
	real  *realPath
	text  uint64 // of its directives; 0 for files that were not lexed
}

// remember returns what the finished compile rests on.
func (e *evaluator) remember(in *depscan.Inputs) *finished {
	f := &finished{
		in: in, resolutions: slices.Clone(e.resolutions), variants: slices.Clone(e.variants),
		mode: e.base.mode, strict: e.onceSeen || e.lines,
	}
	f.read = make([]readFile, 0, len(e.places))
	for i, l := range e.files {
		r := readFile{node: l.ref.node, state: l.state, real: e.places[i]}
		if sl := l.state.last.Load(); sl != nil && sl.key.mode == f.mode {
			if u := sl.unit.Load(); u != nil {
				r.text = u.content
			}
		}
		f.read = append(f.read, r)
	}
	for i, l := range e.probed {
		f.read = append(f.read, readFile{node: l.ref.node, state: l.state, real: e.places[len(e.files)+i]})
	}
	return f
}

// finishedRoom is how many bytes finished compiles may take: seven sixteenths of the
// memory together with the texts, but at least an eighth of it.
func (s *memory) finishedRoom() int64 {
	s.texts.mu.Lock()
	defer s.texts.mu.Unlock()
	return max(s.o.Memory/8, s.o.Memory/16*7-s.texts.bytes)
}

// keep remembers f and drops other compiles until what is known fits room. Which is
// left to chance: builds come in the same order again and again, and where the oldest
// goes none is there when its turn comes.
func (c *compiles) keep(key compileKey, f *finished, room int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known == nil {
		c.known = make(map[compileKey]*finished)
	}
	if old, ok := c.known[key]; ok {
		c.size -= old.size()
	} else {
		c.order = append(c.order, key)
	}
	c.known[key] = f
	for c.size += f.size(); c.size > room && len(c.order) > 1; {
		last := len(c.order) - 1
		i := rand.IntN(last + 1)
		victim := c.order[i]
		if victim == key {
			continue
		}
		c.size -= c.known[victim].size()
		delete(c.known, victim)
		c.order[i] = c.order[last]
		c.order = c.order[:last]
	}
}

// size is about how many bytes f holds that nothing else does.
func (f *finished) size() int64 {
	const (
		perRead = int(unsafe.Sizeof(readFile{}) + unsafe.Sizeof(depscan.File{}))
		perName = int(unsafe.Sizeof(""))
		fixed   = int(unsafe.Sizeof(finished{})+unsafe.Sizeof(depscan.Inputs{})) + 200
	)
	return int64(fixed + perRead*len(f.read) + perName*(len(f.in.Absent)+len(f.in.Dirs)) + 8*(len(f.resolutions)+len(f.variants)))
}

// recall returns the remembered answer for key if it still holds, else nil.
func (c *compiles) recall(s *memory, key compileKey, now moment) *depscan.Inputs {
	c.mu.Lock()
	f := c.known[key]
	c.mu.Unlock()
	if f == nil {
		return nil
	}
	if f.quiet.Load() == now.events+1 {
		return f.in
	}
	if !f.resolves(s.fs, now) {
		return nil
	}
	g := s.refresh(f, now.tick)
	if g == nil {
		return nil
	}
	if g != f {
		c.keep(key, g, s.finishedRoom())
	}
	if g.isQuiet(s.fs, key.chain) {
		g.quiet.Store(now.events + 1)
	}
	return g.in
}

// resolves reports whether all look-ups would end as they did.
func (f *finished) resolves(fs *files, now moment) bool {
	for _, r := range f.resolutions {
		if !r.holds(fs, now.tick) {
			return false
		}
	}
	for _, v := range f.variants {
		if v.quiet.Load() != now.events+1 && !v.resolves(fs, now.tick) {
			return false
		}
	}
	return true
}

// refresh returns f with the digests of files that changed outside of their
// directives, f itself where none did, nil where f does not hold any more.
func (s *memory) refresh(f *finished, since uint64) *finished {
	g := f
	for i := range f.read {
		r := &f.read[i]
		st := s.fs.stat(r.node, since)
		if !s.fs.real(r.node, since).same(r.real) {
			return nil
		}
		if st == r.state {
			continue
		}
		u, ok := s.sameDirectives(f, r, st)
		if !ok {
			return nil
		}
		if g == f {
			in := *f.in
			in.Files = slices.Clone(in.Files)
			g = &finished{
				in: &in, resolutions: f.resolutions, variants: f.variants, read: slices.Clone(f.read),
				mode: f.mode, strict: f.strict,
			}
		}
		g.in.Files[i].Digest = u.digest
		g.read[i].state = st
	}
	return g
}

// sameDirectives reports whether the file r, now with state st, differs from
// what was read at most in what no directive sees.
func (s *memory) sameDirectives(f *finished, r *readFile, st *nodeState) (*unit, bool) {
	if r.text == 0 || st.kind != kindFile || st.ident != r.state.ident && f.mode&modeClang != 0 || f.strict {
		return nil, false
	}
	u, err := s.texts.unit(r.node, st, f.mode)
	return u, err == nil && u.content == r.text
}

// isQuiet reports whether everything that f rests on is watched and without an
// event since it was looked at.
func (f *finished) isQuiet(fs *files, c *chain) bool {
	if fs.watch == nil {
		return false
	}
	for i := range c.given {
		if d := &c.given[i]; !fs.stays(d.node) && !fs.unheard(d.node) {
			return false
		}
	}
	for i := range f.read {
		if !fs.unheard(f.read[i].node) {
			return false
		}
	}
	for _, v := range f.variants {
		if !quietAnswers(v.answers, fs) {
			return false
		}
	}
	return quietAnswers(f.resolutions, fs)
}

func quietAnswers(list []*resolution, fs *files) bool {
	for _, r := range list {
		for _, d := range r.deps {
			if !d.isQuiet(fs) {
				return false
			}
		}
	}
	return true
}

// Forget drops the remembered answer of c, so that the next Scan evaluates it
// again. What it shares with other compiles is kept.
func (s *Scanner) Forget(c *toolchains.Compile) { s.memory().forget(c) }

func (s *memory) forget(c *toolchains.Compile) {
	cfg, err := readConfig(c)
	if err != nil {
		return
	}
	b, err := s.base(context.Background(), c, cfg)
	if err != nil {
		return
	}
	cfg.builtins(b.facts)
	key := compileKey{b, s.chain(&cfg.spec, s.fs.begin().tick), cfg.key()}
	s.compiles.mu.Lock()
	defer s.compiles.mu.Unlock()
	if f := s.compiles.known[key]; f != nil {
		s.compiles.size -= f.size()
	}
	delete(s.compiles.known, key)
	s.compiles.order = slices.DeleteFunc(s.compiles.order, func(k compileKey) bool { return k == key })
}
