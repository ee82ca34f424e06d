package journal

import (
	"encoding/binary"
	"errors"
	"time"

	"github.com/rexwrap/rexwrap/client/digest"
)

// The stored forms. Integers are varints as in encoding/binary, signed ones
// zigzag; a version that is not known makes the whole value unreadable, which
// counts as missing.
//
//	record   = version id earlier cause time build outcome reason arg
//	           family language compiler dir source output manifest action
//	           steps cost cost bytes status signal key worker page crate ;
//	version  = u8 ;            (* recordVersion; 1 has no worker, page and crate, 2 no crate *)
//	steps    = count { uint } ;              (* later versions may have more *)
//	cost     = wall user sys maxrss ;        (* microseconds, bytes *)
//	key      = u8 [ strings vars string digest digest digest digest ] ;
//	vars     = count { string u32 } ;
//	string   = uint bytes ;
//	strings  = count { string } ;
//	digest   = u8 [ 32 bytes int ] ;         (* 0: the zero digest *)
//
//	list     = version count { path digest } count { path } ;
//	path     = uint string ;                 (* length shared with the last *)
//	divided  = version count { digest } ;    (* the blobs of lists, in order *)
const (
	recordVersion  = 3
	listVersion    = 1
	dividedVersion = 2
)

// ErrMalformed is returned for bytes that are no stored form of this version.
var ErrMalformed = errors.New("malformed journal entry")

type encoder struct{ buf []byte }

func (e *encoder) u8(v uint8)         { e.buf = append(e.buf, v) }
func (e *encoder) uint(v uint64)      { e.buf = binary.AppendUvarint(e.buf, v) }
func (e *encoder) int(v int64)        { e.buf = binary.AppendVarint(e.buf, v) }
func (e *encoder) u32(v uint32)       { e.buf = binary.LittleEndian.AppendUint32(e.buf, v) }
func (e *encoder) us(d time.Duration) { e.int(d.Microseconds()) }

func (e *encoder) bool(v bool) {
	if v {
		e.u8(1)
	} else {
		e.u8(0)
	}
}

func (e *encoder) string(s string) {
	e.uint(uint64(len(s)))
	e.buf = append(e.buf, s...)
}

func (e *encoder) strings(list []string) {
	e.uint(uint64(len(list)))
	for _, s := range list {
		e.string(s)
	}
}

func (e *encoder) digest(d digest.Digest) {
	e.bool(!d.IsZero())
	if !d.IsZero() {
		e.buf = append(e.buf, d.Hash[:]...)
		e.int(d.Size)
	}
}

func (e *encoder) cost(c Cost) {
	e.us(c.Wall)
	e.us(c.User)
	e.us(c.Sys)
	e.int(c.MaxRSS)
}

func (e *encoder) path(p string, last *string) {
	n := 0
	for n < len(p) && n < len(*last) && p[n] == (*last)[n] {
		n++
	}
	e.uint(uint64(n))
	e.string(p[n:])
	*last = p
}

// A decoder takes fields off buf. After the first that does not fit it is bad
// and yields zero values.
type decoder struct {
	buf []byte
	bad bool
}

func (d *decoder) take(n uint64) []byte {
	if d.bad || n > uint64(len(d.buf)) {
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

func (d *decoder) bool() bool { return d.u8() != 0 }

func (d *decoder) u32() uint32 {
	if p := d.take(4); p != nil {
		return binary.LittleEndian.Uint32(p)
	}
	return 0
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

func (d *decoder) us() time.Duration {
	const most = int64(1<<63-1) / int64(time.Microsecond)
	v := d.int()
	if v > most || v < -most {
		d.bad = true
		return 0
	}
	return time.Duration(v) * time.Microsecond
}

func (d *decoder) string() string { return string(d.take(d.uint())) }

// count reads the length of a list whose elements take at least size bytes
// each, so that a few bytes cannot announce a long list.
func (d *decoder) count(size int) int {
	n := d.uint()
	if n > uint64(len(d.buf)/size) {
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

func (d *decoder) digest() digest.Digest {
	var v digest.Digest
	if d.bool() {
		copy(v.Hash[:], d.take(digest.Size))
		v.Size = d.int()
	}
	return v
}

func (d *decoder) cost() Cost {
	return Cost{Wall: d.us(), User: d.us(), Sys: d.us(), MaxRSS: d.int()}
}

func (d *decoder) path(last *string) string {
	n := d.uint()
	if n > uint64(len(*last)) {
		d.bad = true
		return ""
	}
	*last = (*last)[:n] + d.string()
	return *last
}

func (d *decoder) err() error {
	if d.bad || len(d.buf) != 0 {
		return ErrMalformed
	}
	return nil
}

// appendRecord appends the stored form of r to buf.
func appendRecord(buf []byte, r *Record) []byte {
	e := encoder{buf}
	e.u8(recordVersion)
	e.uint(uint64(r.ID))
	e.uint(uint64(r.Earlier))
	e.u8(uint8(r.Cause))
	e.int(r.Time.UnixMicro())
	e.string(r.Build)
	e.u8(uint8(r.Outcome))
	e.string(r.Reason)
	e.string(r.Arg)
	for _, s := range []string{r.Family, r.Language, r.Compiler, r.Dir, r.Source, r.Output} {
		e.string(s)
	}
	e.digest(r.Manifest)
	e.digest(r.Action)
	e.uint(uint64(len(r.Steps)))
	for _, us := range r.Steps {
		e.uint(uint64(us))
	}
	e.cost(r.Saved)
	e.cost(r.Spent)
	e.int(r.Bytes)
	e.u32(r.Status)
	e.u32(r.Signal)
	e.bool(r.Key != nil)
	if r.Key != nil {
		e.key(r.Key)
	}
	e.string(r.Worker)
	e.string(r.Page)
	e.string(r.Crate)
	return e.buf
}

func (e *encoder) key(k *KeyParts) {
	e.strings(k.Args)
	e.uint(uint64(len(k.Env)))
	for _, v := range k.Env {
		e.string(v.Name)
		e.u32(v.Sum)
	}
	e.string(k.Dir)
	e.digest(k.Toolchain)
	e.digest(k.Programs)
	e.digest(k.Source)
	e.digest(k.Inputs)
}

// decodeRecord is the inverse of appendRecord, for times of whole microseconds.
func decodeRecord(data []byte) (*Record, error) {
	d := decoder{buf: data}
	version := d.u8()
	if version == 0 || version > recordVersion {
		return nil, ErrMalformed
	}
	r := &Record{
		ID: ID(d.uint()), Earlier: ID(d.uint()), Cause: Cause(d.u8()), Time: time.UnixMicro(d.int()),
		Build: d.string(), Outcome: Outcome(d.u8()), Reason: d.string(), Arg: d.string(),
		Family: d.string(), Language: d.string(), Compiler: d.string(), Dir: d.string(),
		Source: d.string(), Output: d.string(), Manifest: d.digest(), Action: d.digest(),
	}
	for i := range d.count(1) {
		if us := d.uint(); i < len(r.Steps) {
			r.Steps[i] = uint32(us)
		}
	}
	r.Saved, r.Spent = d.cost(), d.cost()
	r.Bytes, r.Status, r.Signal = d.int(), d.u32(), d.u32()
	if d.bool() {
		r.Key = d.key()
	}
	if version > 1 {
		r.Worker, r.Page = d.string(), d.string()
	}
	if version > 2 {
		r.Crate = d.string()
	}
	return r, d.err()
}

func (d *decoder) key() *KeyParts {
	k := &KeyParts{Args: d.strings()}
	if n := d.count(5); n > 0 {
		k.Env = make([]Variable, n)
		for i := range k.Env {
			k.Env[i] = Variable{Name: d.string(), Sum: d.u32()}
		}
	}
	k.Dir = d.string()
	k.Toolchain, k.Programs, k.Source, k.Inputs = d.digest(), d.digest(), d.digest(), d.digest()
	return k
}

// Encode returns the stored form of l: equal lists have equal forms, so that
// they are one blob. Files and Absent must be sorted.
func (l *InputList) Encode() []byte {
	e := encoder{make([]byte, 0, 64*len(l.Files)+8*len(l.Absent)+16)}
	e.u8(listVersion)
	e.inputs(l.Files)
	e.uint(uint64(len(l.Absent)))
	last := ""
	for _, name := range l.Absent {
		e.path(name, &last)
	}
	return e.buf
}

func (e *encoder) inputs(files []Input) {
	e.uint(uint64(len(files)))
	last := ""
	for _, f := range files {
		e.path(f.Path, &last)
		e.digest(f.Digest)
	}
}

// DecodeInputList is the inverse of InputList.Encode. The error is
// ErrMalformed.
func DecodeInputList(data []byte) (*InputList, error) {
	d := decoder{buf: data}
	if d.u8() != listVersion {
		return nil, ErrMalformed
	}
	l := &InputList{Files: d.inputs()}
	last := ""
	if n := d.count(2); n > 0 {
		l.Absent = make([]string, n)
		for i := range l.Absent {
			l.Absent[i] = d.path(&last)
		}
	}
	return l, d.err()
}

func (d *decoder) inputs() []Input {
	n := d.count(3)
	if n == 0 {
		return nil
	}
	files, last := make([]Input, n), ""
	for i := range files {
		files[i] = Input{Path: d.path(&last), Digest: d.digest()}
	}
	return files
}

// Encode returns the stored form of l, which must be sorted.
func (l ProgramList) Encode() []byte { return (&InputList{Files: l}).Encode() }
