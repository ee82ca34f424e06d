package cpp

import (
	"slices"
	"strings"
)

// A ranking orders the gone names of a chain.
type ranking struct {
	sorted []*goneName
	rank   []int32 // by goneName.id
}

// ranking returns an order of all gone names known so far.
func (c *chain) ranking() *ranking {
	c.mu.RLock()
	r, n := c.ranked, len(c.gone)
	c.mu.RUnlock()
	if r != nil && len(r.sorted) == n {
		return r
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ranked == nil {
		c.ranked = &ranking{}
	}
	c.ranked = c.ranked.with(c.unranked)
	c.unranked = nil
	return c.ranked
}

// with returns r with more names.
func (r *ranking) with(more []*goneName) *ranking {
	slices.SortFunc(more, func(a, b *goneName) int { return strings.Compare(a.path, b.path) })
	out := &ranking{sorted: make([]*goneName, 0, len(r.sorted)+len(more)), rank: make([]int32, len(r.sorted)+len(more))}
	old := r.sorted
	for len(old)+len(more) > 0 {
		from := &old
		if len(old) == 0 || len(more) > 0 && more[0].path < old[0].path {
			from = &more
		}
		g := (*from)[0]
		*from = (*from)[1:]
		out.rank[g.id] = int32(len(out.sorted))
		out.sorted = append(out.sorted, g)
	}
	return out
}

// A goneName is a name that does not exist.
type goneName struct {
	path string
	id   int32
}

func (c *chain) goneRef(path string) *goneName {
	path = trimDots(path)
	c.mu.Lock()
	defer c.mu.Unlock()
	g := c.gone[path]
	if g == nil {
		g = &goneName{path: path, id: int32(len(c.gone))}
		c.gone[path] = g
		c.unranked = append(c.unranked, g)
	}
	return g
}
