package filestate

import (
	"slices"
	"sync/atomic"
)

// A directory is one path that names are looked up in.
type directory struct {
	path string // ends in a zero byte
	seen atomic.Pointer[dirState]
}

// A dirState is one state of a directory. Names that were looked up after it was
// seen are still what they were while the directory has it.
type dirState struct {
	// view is the last View that found the directory to be in this state.
	view atomic.Uint64
	key  key
	kind Kind
	// safe is what the coarse clock must have passed for key to be believed.
	safe     int64
	listable bool
	// lookups counts the names looked up one by one.
	lookups atomic.Int32
	listing atomic.Pointer[listing]
	vigil   vigil
}

// A listing is the sorted hashes of the names in a directory. complete is false
// where it cannot tell what is absent.
type listing struct {
	hashes   []uint32
	complete bool
}

const (
	// worthListing is the number of names looked up in one state of a directory
	// from which on it is cheaper to have listed it.
	worthListing = 8
	// maxListing bounds the names of one listing.
	maxListing = 1 << 14
)

func (s *State) directory(path string) *directory {
	return s.dirs.intern(path, func(d *directory, path string) { d.path = path })
}

func (d *directory) name() string { return d.path[:len(d.path)-1] }

// state returns what d is now.
func (v *View) state(d *directory) *dirState {
	old := d.seen.Load()
	if old != nil && (old.view.Load() == v.id || old.vigil.quiet(v)) {
		return old
	}
	var st info
	v.s.source.stat(d.path, false, &st)
	if old != nil && st.kind == Directory && old.believed(st.key, v.now) {
		old.view.Store(v.id)
		old.vigil.looked(v, d.path, true)
		return old
	}
	ds := &dirState{kind: st.kind, safe: never}
	if st.kind == Directory {
		vol := v.s.volumes.of(v.s.source, d.path, st.dev, v.now)
		ds.key, ds.listable = st.key, vol.listable
		if vol.class == local {
			ds.safe = vol.settle(st.key, v.now, v.now.mono, true)
		}
	}
	ds.view.Store(v.id)
	d.seen.Store(ds)
	if old != nil {
		old.listing.Store(nil) // Sets may hold old for long
	}
	return ds
}

// believed reports whether a directory that has k now is in state ds still.
func (ds *dirState) believed(k key, now instant) bool {
	return ds.kind == Directory && ds.key == k && now.real > ds.safe
}

// excludes reports whether d, in state ds, surely has no entry with the hash. n is
// the number of names about to be asked for.
func (v *View) excludes(d *directory, ds *dirState, hash uint32, n int) bool {
	if !ds.listable || hash == 0 {
		return false
	}
	l := ds.listing.Load()
	if l == nil {
		if int(ds.lookups.Add(1))+n <= worthListing {
			return false
		}
		l = v.list(d, ds)
	}
	if !l.complete {
		return false
	}
	_, found := slices.BinarySearch(l.hashes, hash)
	return !found
}

// list reads the names in d and remembers them with ds if d has that state still.
func (v *View) list(d *directory, ds *dirState) *listing {
	l := &listing{complete: true}
	all := v.s.source.list(d.path, func(name []byte) bool {
		h := hashName(name)
		l.hashes = append(l.hashes, h)
		return h != 0 && len(l.hashes) <= maxListing
	})
	var st info
	v.s.source.stat(d.path, false, &st)
	if !all || st.kind != Directory || st.key != ds.key {
		l = &listing{}
	}
	slices.Sort(l.hashes)
	l.hashes = slices.Clip(l.hashes)
	ds.listing.Store(l)
	return l
}

// Lookup says what path leads to, by directories already listed where that tells.
func (v *View) Lookup(path string) Kind {
	parent, base := split(path)
	d := v.s.directory(parent)
	switch ds := v.state(d); ds.kind {
	case Missing, Regular:
		return Missing
	case Other:
		return Other
	default:
		if base != "" && base != ".." && base != "." && v.excludes(d, ds, hashName(base), 1) {
			return Missing
		}
	}
	return v.s.Lookup(path)
}
