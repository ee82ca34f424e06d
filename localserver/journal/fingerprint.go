package journal

import (
	"hash/fnv"
	"io"

	"github.com/rexwrap/rexwrap/client/digest"
)

// latest is what the journal remembers of an output without reading a record:
// enough to say which part of the key is another than before. It is stored
// under a hash of the output's path.
//
//	latest = version id keyed flags 6*u32 ;
//	flags  = u8 ;                   (* 1: stored, 2: complete *)
type latest struct {
	id ID
	// keyed is the last record with a complete key, or, where there is
	// none, the last with any. Complete ones have a list of inputs. stored
	// says whether its result was.
	keyed            ID
	stored, complete bool
	print            fingerprint
}

const (
	flagStored   = 1
	flagComplete = 2
)

const latestVersion = 1

// fingerprint holds a hash of each part of a key.
type fingerprint struct {
	toolchain, args, env, dir, source, inputs uint32
}

func fingerprintOf(k *KeyParts) fingerprint {
	return fingerprint{
		toolchain: sumDigest(k.Toolchain),
		args:      sumStrings(k.Args),
		env:       sumVariables(k.Env),
		dir:       sumStrings([]string{k.Dir}),
		source:    sumDigest(k.Source),
		inputs:    sumDigest(k.Inputs),
	}
}

func sumDigest(d digest.Digest) uint32 {
	h := fnv.New32a()
	_, _ = h.Write(d.Hash[:]) // a hash never fails
	return h.Sum32()
}

func sumStrings(list []string) uint32 {
	h := fnv.New32a()
	for _, s := range list {
		_, _ = io.WriteString(h, s)
		_, _ = h.Write([]byte{0})
	}
	return h.Sum32()
}

func sumVariables(list []Variable) uint32 {
	h := fnv.New32a()
	for _, v := range list {
		_, _ = io.WriteString(h, v.Name)
		_, _ = h.Write([]byte{0, byte(v.Sum), byte(v.Sum >> 8), byte(v.Sum >> 16), byte(v.Sum >> 24)})
	}
	return h.Sum32()
}

func (l *latest) encode() []byte {
	e := encoder{}
	e.u8(latestVersion)
	e.uint(uint64(l.id))
	e.uint(uint64(l.keyed))
	flags := uint8(0)
	if l.stored {
		flags |= flagStored
	}
	if l.complete {
		flags |= flagComplete
	}
	e.u8(flags)
	p := l.print
	for _, sum := range []uint32{p.toolchain, p.args, p.env, p.dir, p.source, p.inputs} {
		e.u32(sum)
	}
	return e.buf
}

func decodeLatest(data []byte) (latest, error) {
	d := decoder{buf: data}
	if d.u8() != latestVersion {
		return latest{}, ErrMalformed
	}
	l := latest{id: ID(d.uint()), keyed: ID(d.uint())}
	flags := d.u8()
	l.stored, l.complete = flags&flagStored != 0, flags&flagComplete != 0
	l.print = fingerprint{
		toolchain: d.u32(), args: d.u32(), env: d.u32(), dir: d.u32(), source: d.u32(), inputs: d.u32(),
	}
	return l, d.err()
}

// follow returns what is remembered of an output after r.
func (l latest) follow(r *Record) latest {
	l.id = r.ID
	if r.Key == nil || l.complete && !r.Key.complete() {
		return l
	}
	return latest{
		id: r.ID, keyed: r.ID, stored: r.stored(), complete: r.Key.complete(),
		print: fingerprintOf(r.Key),
	}
}

// causeOf says why r is a miss, l being what is remembered of its output.
func (l *latest) causeOf(r *Record) Cause {
	if !r.Outcome.Miss() {
		return CauseNone
	}
	switch {
	case r.Reason == ReasonRecache:
		return CauseRecache
	case r.Reason == ReasonVerify:
		return CauseVerify
	case l.id == 0:
		return CauseFirst
	case l.keyed == 0 || r.Key == nil:
		return CauseUnknown
	}
	was, is := l.print, fingerprintOf(r.Key)
	switch {
	case was.toolchain != is.toolchain:
		return CauseToolchain
	case was.args != is.args:
		return CauseArguments
	case was.env != is.env:
		return CauseEnvironment
	case was.dir != is.dir:
		return CauseDirectory
	case was.source != is.source:
		return CauseSource
	case l.complete && r.Key.complete() && was.inputs != is.inputs:
		return CauseInputs
	case r.Reason == ReasonVariant:
		return CauseVariant
	case !l.stored:
		return CauseNotStored
	case !r.Key.complete():
		return CauseUnknown
	default:
		return CauseEvicted
	}
}

// outputKey is the key under which the latest record of an output is found.
func outputKey(path string) string {
	h := fnv.New128a()
	_, _ = io.WriteString(h, path)
	return string(h.Sum(nil))
}
