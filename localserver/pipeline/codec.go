package pipeline

import (
	"encoding/binary"
	"errors"

	"github.com/rexwrap/rexwrap/client/digest"
)

// errCorrupt is returned for stored bytes that are not what they should be. The
// caller treats them as absent.
var errCorrupt = errors.New("corrupt entry")

// An encoder appends fields. Numbers are unsigned varints, byte strings have
// their length in front, digests are 32 bytes and a size.
type encoder struct{ buf []byte }

func (e *encoder) uint(v uint64) { e.buf = binary.AppendUvarint(e.buf, v) }
func (e *encoder) int(v int64)   { e.buf = binary.AppendVarint(e.buf, v) }

func (e *encoder) bool(v bool) {
	if v {
		e.uint(1)
	} else {
		e.uint(0)
	}
}

func (e *encoder) string(s string) {
	e.uint(uint64(len(s)))
	e.buf = append(e.buf, s...)
}

func (e *encoder) digest(d digest.Digest) {
	e.buf = append(e.buf, d.Hash[:]...)
	e.uint(uint64(d.Size))
}

func (e *encoder) strings(list []string) {
	e.uint(uint64(len(list)))
	for _, s := range list {
		e.string(s)
	}
}

// A decoder takes fields off buf. After the first one that does not fit it is
// bad and yields zero values.
type decoder struct {
	buf []byte
	bad bool
}

func (d *decoder) uint() uint64 {
	v, n := binary.Uvarint(d.buf)
	if d.bad || n <= 0 {
		d.bad = true
		return 0
	}
	d.buf = d.buf[n:]
	return v
}

func (d *decoder) int() int64 {
	v, n := binary.Varint(d.buf)
	if d.bad || n <= 0 {
		d.bad = true
		return 0
	}
	d.buf = d.buf[n:]
	return v
}

func (d *decoder) bool() bool {
	v := d.uint()
	if v > 1 {
		d.bad = true
	}
	return v == 1
}

// bytes returns the field in place, not a copy.
func (d *decoder) bytes() []byte {
	n := d.uint()
	if d.bad || n > uint64(len(d.buf)) {
		d.bad = true
		return nil
	}
	p := d.buf[:n]
	d.buf = d.buf[n:]
	return p
}

func (d *decoder) string() string { return string(d.bytes()) }

func (d *decoder) digest() digest.Digest {
	var v digest.Digest
	if d.bad || len(d.buf) < digest.Size {
		d.bad = true
		return v
	}
	d.buf = d.buf[copy(v.Hash[:], d.buf):]
	v.Size = int64(d.uint())
	return v
}

// count reads the length of a list whose elements take at least size bytes.
func (d *decoder) count(size int) int {
	n := d.uint()
	if d.bad || n > uint64(len(d.buf)/size) {
		d.bad = true
		return 0
	}
	return int(n)
}

func (d *decoder) strings() []string {
	n := d.count(1)
	if n == 0 {
		return nil
	}
	list := make([]string, n)
	for i := range list {
		list[i] = d.string()
	}
	return list
}

func (d *decoder) err() error {
	if d.bad || len(d.buf) != 0 {
		return errCorrupt
	}
	return nil
}
