package wire

import (
	"errors"
	"io"
)

// Version is the frame version of this build.
const Version = 3

// MaxFrame bounds the length of a frame: Linux allows 6 MiB of arguments and
// environment, and captured streams are cut at MaxStream.
const MaxFrame = 32 << 20

// MaxStream bounds what the wrapper keeps of a compiler's stdout and stderr
// together; a compile that says more is not stored.
const MaxStream = 8 << 20

// ErrMalformed is returned for bytes that are not a frame or not the message
// that their type announces.
var ErrMalformed = errors.New("malformed frame")

// Type is the kind of a frame.
type Type uint8

// The types of frames.
const (
	TypeCall Type = iota + 1
	TypeNotice
	TypeRan
	TypeCommitted
	TypeAdmin
	TypeHeartbeat
	TypeStepAside
	TypeRun
	TypePrepare
	TypeDone
	TypeAdminReply
	TypeCancel
	TypeAway
)

// A Message can be sent as a frame.
type Message interface {
	Type() Type
	append(e *encoder)
	decode(d *decoder)
}

// Append appends m as one frame to buf.
func Append(buf []byte, m Message) []byte {
	start := len(buf)
	e := encoder{buf: append(buf, 0, 0, 0, 0, byte(m.Type()))}
	m.append(&e)
	n := len(e.buf) - start - 4
	putU32(e.buf[start:], uint32(n))
	return e.buf
}

// Write writes m as one frame with a single Write.
func Write(w io.Writer, m Message) error {
	_, err := w.Write(Append(nil, m))
	return err
}

// A Reader reads frames. Its buffer is reused: a payload is valid until the
// next call of Next.
type Reader struct {
	r        io.Reader
	buf      []byte
	pos, end int
}

// NewReader returns a Reader of r's frames.
func NewReader(r io.Reader) *Reader { return &Reader{r: r} }

const readSize = 4 << 10

// Next reads one frame. At the end of the stream between frames it returns
// io.EOF, within one io.ErrUnexpectedEOF.
func (r *Reader) Next() (Type, []byte, error) {
	if err := r.fill(4); err != nil {
		return 0, nil, err
	}
	n := int(u32(r.buf[r.pos:]))
	if n < 1 || n > MaxFrame {
		return 0, nil, ErrMalformed
	}
	if err := r.fill(4 + n); err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return 0, nil, err
	}
	frame := r.buf[r.pos+4 : r.pos+4+n]
	r.pos += 4 + n
	return Type(frame[0]), frame[1:], nil
}

// Buffered reports whether bytes have been read that Next has not returned.
func (r *Reader) Buffered() bool { return r.pos < r.end }

// fill makes at least n bytes available from pos. The buffer grows with what
// has arrived, not with what has been announced.
func (r *Reader) fill(n int) error {
	if r.pos == r.end {
		r.pos, r.end = 0, 0
	}
	for r.end-r.pos < n {
		if r.pos > 0 && r.pos+n > len(r.buf) {
			r.end = copy(r.buf, r.buf[r.pos:r.end])
			r.pos = 0
		}
		if r.end == len(r.buf) {
			grown := make([]byte, max(readSize, 2*len(r.buf)))
			r.end = copy(grown, r.buf[r.pos:r.end])
			r.buf, r.pos = grown, 0
		}
		m, err := r.r.Read(r.buf[r.end:])
		r.end += m
		if r.end-r.pos >= n {
			return nil
		}
		if err != nil {
			if err == io.EOF && r.end > r.pos {
				err = io.ErrUnexpectedEOF
			}
			return err
		}
	}
	return nil
}

// Decode decodes a payload into m, which must be of the frame's type. Strings
// and byte slices of m are copies.
func Decode(payload []byte, m Message) error {
	d := decoder{buf: payload}
	m.decode(&d)
	if d.bad || len(d.buf) != 0 {
		return ErrMalformed
	}
	return nil
}

type encoder struct{ buf []byte }

func (e *encoder) u8(v uint8) { e.buf = append(e.buf, v) }

func (e *encoder) bool(v bool) {
	if v {
		e.u8(1)
	} else {
		e.u8(0)
	}
}

func (e *encoder) u32(v uint32) {
	e.buf = append(e.buf, byte(v), byte(v>>8), byte(v>>16), byte(v>>24))
}

func (e *encoder) i64(v int64) {
	e.u32(uint32(v))
	e.u32(uint32(uint64(v) >> 32))
}

func (e *encoder) string(s string) {
	e.u32(uint32(len(s)))
	e.buf = append(e.buf, s...)
}

func (e *encoder) bytes(p []byte) {
	e.u32(uint32(len(p)))
	e.buf = append(e.buf, p...)
}

func (e *encoder) strings(list []string) {
	e.u32(uint32(len(list)))
	for _, s := range list {
		e.string(s)
	}
}

// A decoder takes fields off buf. After the first field that does not fit it is
// bad and yields zero values.
type decoder struct {
	buf []byte
	bad bool
}

func (d *decoder) take(n int) []byte {
	if d.bad || n < 0 || n > len(d.buf) {
		d.bad = true
		return nil
	}
	p := d.buf[:n]
	d.buf = d.buf[n:]
	return p
}

func (d *decoder) u8() uint8 {
	if p := d.take(1); p != nil {
		return p[0]
	}
	return 0
}

func (d *decoder) bool() bool {
	v := d.u8()
	if v > 1 {
		d.bad = true
	}
	return v == 1
}

func (d *decoder) u32() uint32 {
	if p := d.take(4); p != nil {
		return u32(p)
	}
	return 0
}

func (d *decoder) i64() int64 {
	lo := uint64(d.u32())
	return int64(lo | uint64(d.u32())<<32)
}

func (d *decoder) string() string { return string(d.take(int(d.u32()))) }

func (d *decoder) bytes() []byte {
	p := d.take(int(d.u32()))
	if len(p) == 0 {
		return nil
	}
	return append([]byte(nil), p...)
}

// count reads the length of a list whose elements take at least size bytes
// each, so that a short frame cannot announce a long list.
func (d *decoder) count(size int) int {
	n := int(d.u32())
	if n < 0 || n > len(d.buf)/size {
		d.bad = true
		return 0
	}
	return n
}

func (d *decoder) strings() []string {
	n := d.count(4)
	if n == 0 {
		return nil
	}
	list := make([]string, n)
	for i := range list {
		list[i] = d.string()
	}
	return list
}

func putU32(p []byte, v uint32) {
	p[0], p[1], p[2], p[3] = byte(v), byte(v>>8), byte(v>>16), byte(v>>24)
}

func u32(p []byte) uint32 {
	return uint32(p[0]) | uint32(p[1])<<8 | uint32(p[2])<<16 | uint32(p[3])<<24
}
