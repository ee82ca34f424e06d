package cpp

import "slices"

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
		s.ids, s.lists = make(map[includerKey]int32), make([][]includer, 1)
	}
	var list []includer
	for i, in := range append([]includer{head}, s.lists[rest]...) {
		if in.own != own && (i == 0 || in.own != head.own) {
			list = append(list, in)
		}
	}
	id = int32(slices.IndexFunc(s.lists, func(have []includer) bool { return slices.Equal(have, list) }))
	if id < 0 {
		id = int32(len(s.lists))
		s.lists = append(s.lists, list)
	}
	s.ids[key] = id
	return id
}

// besideIncluders looks for l.name in the directories of l.stack and in the chain. Of a
// file that both lead to the chain decides the spelling; another one in the chain is
// passed over. Where l is quiet the chain is not looked at then.
func (s *search) besideIncluders(l lookup) {
	c, r := s.c, s.r
	c.mu.RLock()
	list := c.stacks.lists[l.stack]
	c.mu.RUnlock()
	r.outer = true
	at := slices.IndexFunc(list, func(i includer) bool { return s.try(c.join(c.ownName(i.own), l.name), i.system) })
	if at < 0 {
		s.walk(l)
		return
	}
	beside := r.file
	if l.quiet || beside == nil {
		r.beside, r.system = true, list[at].system
		return
	}
	r.file = nil
	s.walk(l)
	if r.file != nil {
		here, there := s.dependOn(beside.node), s.dependOn(r.file.node)
		if here == there {
			return
		}
		r.passed, r.passedSystem = r.file, r.system
	}
	r.file, r.beside, r.system = beside, true, list[at].system
}

// dependOn makes the answer rest on the state of n, whose inode it returns.
func (s *search) dependOn(n *node) int32 {
	st := s.c.fs.stat(n, s.since)
	s.depend(n, st, nil)
	return st.ident
}
