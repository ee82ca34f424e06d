package cpp

import (
	"slices"
	"sync"
	"sync/atomic"
)

// Most definitions are of names that no condition ever asks for: nine in ten in
// C. They are left out of what an evaluator runs. interests knows the names that
// conditions ask for; it grows as files are lexed and conditions are expanded. A
// name may come to matter after definitions of it were passed over: late ones
// are listed, so that what rests on the old view can be told. An evaluation at
// hand then starts again. interests is safe for concurrent use.
type interests struct {
	mu     sync.Mutex    // held while marking
	count  atomic.Uint32 // of marks so far
	late   []symbol      // names that were passed over before their mark
	lates  atomic.Uint32 // len(late)
	chunks [maxChunks]atomic.Pointer[[chunkSize]atomic.Uint32]
}

const (
	chunkSize = 1 << 12
	maxChunks = 1 << 11
	// passedOver is set in the entry of a name that was defined somewhere
	// while it was not of interest. The rest of the entry is the count at
	// which it became so, 0 for never.
	passedOver = 1 << 31
)

// entry returns the entry of s, nil for a symbol beyond all bounds, which is
// always of interest.
func (in *interests) entry(s symbol) *atomic.Uint32 {
	i := int(s) / chunkSize
	if i >= maxChunks {
		return nil
	}
	c := in.chunks[i].Load()
	if c == nil {
		in.chunks[i].CompareAndSwap(nil, new([chunkSize]atomic.Uint32))
		c = in.chunks[i].Load()
	}
	return &c[int(s)%chunkSize]
}

// mark notes that conditions ask for s.
func (in *interests) mark(s symbol) {
	e := in.entry(s)
	if e == nil || e.Load()&^passedOver != 0 {
		return
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	if e.Load()&^passedOver != 0 {
		return
	}
	at := in.count.Load() + 1
	if e.Or(at)&passedOver != 0 {
		in.late = append(in.late, s)
		in.lates.Store(uint32(len(in.late)))
	}
	in.count.Store(at) // last: a view may not be younger than its names
}

// has reports whether s is of interest.
func (in *interests) has(s symbol) bool {
	e := in.entry(s)
	return e == nil || e.Load()&^passedOver != 0
}

// passOver notes that definitions of s may be left out, unless s is of interest
// by now.
func (in *interests) passOver(s symbol) {
	if e := in.entry(s); e != nil && e.Load() == 0 {
		e.CompareAndSwap(0, passedOver)
	}
}

// known reports whether s was of interest when the count was at. If it was not,
// it is from now on, and missed says whether a definition of it may have been
// passed over.
func (in *interests) known(s symbol, at uint32) (known, missed bool) {
	e := in.entry(s)
	if e == nil {
		return true, false
	}
	v := e.Load()
	if since := v &^ passedOver; since != 0 && since <= at {
		return true, false
	}
	in.mark(s)
	return false, v&passedOver != 0
}

// lateOnes returns the late names from the index from on.
func (in *interests) lateOnes(from uint32) []symbol {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.late[from:]
}

// A view is a unit without the definitions that are of no interest.
type view struct {
	unit *unit
	dirs []directive
	left []symbol      // the names left out, sorted
	late atomic.Uint32 // of late names when this was found right last
}

// view returns a view of u that is right for an evaluation that began when there
// were late late names.
func (u *unit) view(in *interests, late uint32) *view {
	v := u.pruned.Load()
	if v != nil {
		have := v.late.Load()
		if have >= late {
			return v
		}
		now := in.lates.Load()
		if !v.lacks(in.lateOnes(have)) {
			v.late.Store(now)
			return v
		}
	}
	now := in.lates.Load()
	v = u.prune(in)
	v.late.Store(now)
	u.pruned.Store(v)
	return v
}

// lacks reports whether v leaves out one of names.
func (v *view) lacks(names []symbol) bool {
	return slices.ContainsFunc(names, func(s symbol) bool {
		_, left := slices.BinarySearch(v.left, s)
		return left
	})
}

func (u *unit) prune(in *interests) *view {
	v := &view{unit: u}
	to := make([]int32, len(u.dirs))
	for i := range u.dirs {
		d := &u.dirs[i]
		to[i] = int32(len(v.dirs))
		if (d.kind == dirDefine || d.kind == dirUndef) && d.flags == 0 && !in.has(d.sym) {
			v.left = append(v.left, d.sym)
			continue
		}
		v.dirs = append(v.dirs, *d)
	}
	if len(v.left) == 0 {
		v.dirs = u.dirs
		return v
	}
	slices.Sort(v.left)
	v.left = slices.Clip(slices.Compact(v.left))
	v.dirs = append(make([]directive, 0, len(v.dirs)), v.dirs...)
	for i := range v.dirs {
		if d := &v.dirs[i]; d.kind >= dirIf && d.kind <= dirEndif {
			d.next, d.end = to[d.next], to[d.end]
		}
	}
	return v
}
