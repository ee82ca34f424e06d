package cpp

import (
	"hash/maphash"
	"sync"
	"sync/atomic"

	"github.com/rexwrap/rexwrap/client/digest"
)

// texts holds the units of files by content, least recently used ones dropped
// above a limit. It is safe for concurrent use.
type texts struct {
	files Files
	syms  *symbols
	seed  maphash.Seed
	limit int64
	room  sync.Pool // of *[]byte, for what is read and lexed

	mu    sync.Mutex
	slots map[slotKey]*slot
	ring  []*slot // clock of slots with units
	hand  int
	bytes int64
	next  atomic.Int32
}

type slotKey struct {
	digest digest.Digest
	mode   lexMode
}

// A slot is the place of one unit, which comes and goes; the slot stays, since
// its id is what makes two files one under #pragma once.
type slot struct {
	key  slotKey
	mu   sync.Mutex // held while lexing
	unit atomic.Pointer[unit]
	used atomic.Bool
	id   int32
}

func newTexts(files Files, syms *symbols, limit int64) *texts {
	return &texts{files: files, syms: syms, seed: maphash.MakeSeed(), limit: limit, slots: make(map[slotKey]*slot)}
}

// source returns the content of n, whose state is st.
func (t *texts) source(n *node, st *nodeState) (*source, error) {
	if s := st.text.Load(); s != nil {
		return s, nil
	}
	d, err := t.files.Digest(n.path)
	if err != nil {
		return nil, err
	}
	st.text.CompareAndSwap(nil, &source{digest: d})
	return st.text.Load(), nil
}

// unit returns the unit of n under mode.
func (t *texts) unit(n *node, st *nodeState, mode lexMode) (*unit, error) {
	if sl := st.last.Load(); sl != nil && sl.key.mode == mode {
		if u := sl.use(); u != nil {
			return u, nil
		}
	}
	if s := st.text.Load(); s != nil {
		sl := t.slot(slotKey{s.digest, mode})
		if u := sl.use(); u != nil {
			st.last.Store(sl)
			return u, nil
		}
	}
	return t.read(n, st, mode)
}

// use returns the unit and marks it as used.
func (sl *slot) use() *unit {
	u := sl.unit.Load()
	if u != nil && !sl.used.Load() {
		sl.used.Store(true)
	}
	return u
}

// read reads n and lexes it unless its content is known under another name.
func (t *texts) read(n *node, st *nodeState, mode lexMode) (*unit, error) {
	room := t.takeRoom()
	data, d, err := t.files.Read(n.path, *room)
	if err != nil {
		return nil, err
	}
	defer t.giveRoom(room, data)
	s := &source{digest: d}
	if old := st.text.Load(); old != nil && old.digest == s.digest {
		s = old
	} else {
		st.text.Store(s)
	}
	sl := t.slot(slotKey{s.digest, mode})
	st.last.Store(sl)
	sl.mu.Lock()
	defer sl.mu.Unlock()
	if u := sl.unit.Load(); u != nil {
		return u, nil
	}
	u := lex(data, mode, t.syms)
	u.index, u.digest = sl.id, s.digest
	u.content = u.directiveHash(t.seed)
	sl.unit.Store(u)
	t.admit(sl, u)
	return u, nil
}

// maxRoom bounds what is kept for the next file to be read.
const maxRoom = 1 << 20

func (t *texts) takeRoom() *[]byte {
	if r, ok := t.room.Get().(*[]byte); ok {
		return r
	}
	return new([]byte)
}

// giveRoom lets the next file have room, or data where that has outgrown it.
func (t *texts) giveRoom(room *[]byte, data []byte) {
	if cap(data) > cap(*room) && cap(data) <= maxRoom {
		*room = data
	}
	t.room.Put(room)
}

func (t *texts) slot(key slotKey) *slot {
	t.mu.Lock()
	defer t.mu.Unlock()
	sl := t.slots[key]
	if sl == nil {
		sl = &slot{key: key, id: t.next.Add(1)}
		t.slots[key] = sl
	}
	return sl
}

// admit counts u in and drops others where there are too many.
func (t *texts) admit(sl *slot, u *unit) {
	t.mu.Lock()
	defer t.mu.Unlock()
	sl.used.Store(true)
	t.ring = append(t.ring, sl)
	t.bytes += int64(u.cost)
	for t.bytes > t.limit && len(t.ring) > 1 {
		t.hand %= len(t.ring)
		victim := t.ring[t.hand]
		if victim == sl || victim.used.Swap(false) {
			t.hand++
			if victim == sl && len(t.ring) == 1 {
				return
			}
			continue
		}
		t.bytes -= int64(victim.unit.Load().cost)
		victim.unit.Store(nil)
		t.ring[t.hand] = t.ring[len(t.ring)-1]
		t.ring = t.ring[:len(t.ring)-1]
	}
}
