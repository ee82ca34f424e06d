package cpp

import (
	"encoding/binary"
	"strings"
)

// An includer is the directory of a file that is being read. cl.exe, and clang-cl
// after it, looks for a "header" beside the file that includes it, then beside the one
// that included that, and so on to the source.
type includer struct {
	own    int32
	system bool // the file is a system header
}

// includers numbers lists of them, the nearest first, no directory twice. Number 0 is the
// empty list.
type includers struct {
	lists [][]includer
	ids   map[includerKey]int32
	known map[string]int32 // by content
}

// An includerKey is what around was asked.
type includerKey struct {
	head includer
	rest int32
	own  int32
}

// around returns the number of the list of head and rest without own: what is looked for
// beside a file in own that one in head.own includes. Whatever is in own is found first.
func (c *chain) around(head includer, rest, own int32) int32 {
	key := includerKey{head, rest, own}
	c.mu.RLock()
	id, ok := c.stacks.ids[key]
	c.mu.RUnlock()
	if ok {
		return id
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	s := &c.stacks
	if s.ids == nil {
		s.ids, s.lists, s.known = make(map[includerKey]int32), make([][]includer, 1), map[string]int32{"": 0}
	}
	var list []includer
	for i, in := range append([]includer{head}, s.lists[rest]...) {
		if in.own != own && (i == 0 || in.own != head.own) {
			list = append(list, in)
		}
	}
	if id, ok = s.known[contentOf(list)]; !ok {
		id = int32(len(s.lists))
		s.lists = append(s.lists, list)
		s.known[contentOf(list)] = id
		c.fs.count.Add(1) // which bounds the memory
	}
	s.ids[key] = id
	return id
}

func contentOf(list []includer) string {
	var b []byte
	for _, in := range list {
		n := uint64(in.own) << 1
		if in.system {
			n++
		}
		b = binary.AppendUvarint(b, n)
	}
	return string(b)
}

// stack returns a list by its number.
func (c *chain) stack(id int32) []includer {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.stacks.lists[id]
}

// preferChain looks for what was found beside an includer in the chain too. Of one file
// the chain decides the spelling; another one is passed over.
func (s *search) preferChain(l lookup) {
	r, beside, ident := s.r, s.r.file, s.r.ident
	r.file = nil
	s.walk(l)
	if r.file != nil {
		here, there := s.dependOn(beside.node), s.dependOn(r.file.node)
		if here == there {
			r.beside = false
			return
		}
		r.passed, r.passedSystem = r.file, r.system
	}
	r.file, r.ident, r.system = beside, ident, l.system
}

// dependOn makes the answer rest on the state of n, whose inode it returns.
func (s *search) dependOn(n *node) int32 {
	st := s.c.fs.stat(n, s.since)
	s.depend(n, st, nil)
	return st.ident
}

// findBeside answers l, whose stack is not empty, one directory after the other: most have
// nothing of the name's first part, which is kept for all such names.
func (e *evaluator) findBeside(l lookup) *found {
	f := &found{c: e.chain, l: l}
	nowhere := int32(len(e.chain.dirs))
	part := func(l lookup) *resolution {
		r := e.chain.find(l, e.since)
		f.parts = append(f.parts, r)
		return r
	}
	if f.r = part(lookup{name: l.name, own: l.own, start: nowhere}); f.r.found() {
		return f
	}
	f.stacked = true
	head, _, deep := strings.Cut(l.name, "/")
	for _, in := range e.chain.stack(l.stack) {
		if deep && head != "" && head[0] != '.' && !part(lookup{name: head, own: in.own, start: nowhere, pch: true}).found() {
			continue
		}
		r := part(lookup{name: l.name, own: in.own, start: nowhere, system: in.system, way: wayBeside})
		if !r.found() {
			continue
		}
		if f.r = r; !l.quiet {
			f.r = part(lookup{name: l.name, own: in.own, system: in.system, way: wayBoth})
		}
		return f
	}
	f.r = part(lookup{name: l.name, own: -1})
	return f
}

// found reports whether there is anything, be it unreadable.
func (r *resolution) found() bool { return r.file != nil || r.broken }
