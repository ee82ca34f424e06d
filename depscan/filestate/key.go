package filestate

import (
	"math"
	"time"
)

// A key is one state of a file: what changes when the file does. Times are in
// nanoseconds since 1970. On Windows ino is the file index, ctime the change time.
type key struct {
	dev, ino           uint64
	size, mtime, ctime int64
}

// An info is what a path leads to. key is set where kind is not Missing.
type info struct {
	key
	kind Kind
}

const (
	// tick is the longest time between two steps of the clock that local file
	// systems stamp with: CONFIG_HZ=100.
	tick = int64(10 * time.Millisecond)
	// coarse is the coarsest granularity of the times of any file system, FAT's.
	coarse = int64(2 * time.Second)
	// skew bounds how far the clock of a file server may be from ours, where
	// nothing better is known.
	skew = int64(5 * time.Minute)
)

// gap returns by how much the clock must have passed k.ctime before no change can
// get the same ctime. A ctime that is no whole second proves that the file system
// stores finer ones.
func (k key) gap() int64 {
	if k.ctime%int64(time.Second) == 0 {
		return coarse
	}
	return tick
}

// sameFile reports whether k and other differ in nothing but the device number,
// which is given anew at every mount.
func (k key) sameFile(other key) bool {
	other.dev = k.dev
	return k == other
}

// A class says how a file system makes the times of its files.
type class uint8

const (
	stampless class = iota // no change time: FAT
	opaque                 // unknown or in user space
	remote                 // stamped by another machine
	local                  // stamped by our kernel
)

// A volume is what matters of a file system.
type volume struct {
	class class
	// fine: a change after a stat always gets another ctime.
	fine bool
	// listable: names are looked up as the listing spells them, or by folding
	// ASCII case.
	listable bool
	// id is the same after a remount and a restart, zero where there is none.
	id volumeID
}

// A volumeID names a file system across restarts.
type volumeID [16]byte

// Bounds of observation.safe: keys that are believed always and never.
const (
	always = math.MinInt64
	never  = math.MaxInt64
)

// An instant is one moment on the clock that local file systems stamp with, and on
// one that is never set. In nanoseconds.
type instant struct{ real, mono int64 }

// settle returns the value that the coarse clock must have passed for k to be
// believed, when the file was looked at after now and k first seen at since on the
// monotonic clock. ctimes tells that the file system has been seen to keep a
// change time of its own.
func (v volume) settle(k key, now instant, since int64, ctimes bool) int64 {
	switch {
	case v.class == local && v.fine:
		return always
	case v.class == local && k.ctime+k.gap() < now.real:
		return k.ctime + k.gap()
	case v.class == remote || v.class == opaque && ctimes:
		if now.mono-since > coarse {
			return always
		}
	}
	return never
}

// unchangedSince reports whether a file that now has k surely had it at m, being
// first seen with it at since.
func (c class) unchangedSince(m Mark, k key, since int64, ctimes bool) bool {
	seen := m.mono-since > coarse
	switch c {
	case local:
		return k.ctime+k.gap()-tick < m.real
	case remote:
		return seen || k.ctime+skew < m.real
	case opaque:
		return ctimes && seen || k.ctime+skew < m.real && k.mtime+skew < m.real
	}
	return k.mtime+skew < m.real
}
