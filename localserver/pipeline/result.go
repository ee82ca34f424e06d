package pipeline

import (
	"slices"

	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/wrapper/wire"
)

// A Result is what a successful compile left, as stored under its Action
// digest. Grammar of the stored bytes, in the terms of codec.go:
//
//	result = version
//	         n { role digest executable }           (* outputs, as blobs *)
//	         n { fd bytes }                          (* chunks *)
//	         spelling names dep cost created worker ;
//	dep    = root n { target } ;
//	cost   = user sys wall maxrss ;                  (* µs, µs, µs, bytes *)
type Result struct {
	Outputs []ResultOutput
	// Chunks are stdout and stderr in the order they came.
	Chunks []wire.Chunk
	// Spelling says whose paths are in Chunks and in the dep-file.
	Spelling Spelling
	Names    names // of SpelledRemotely
	// Dep says under which exec root and for which targets the dep-file
	// among Outputs was written.
	Dep     DepOrigin
	Cost    Cost
	Created int64 // seconds since 1970
	// Worker is who made it, empty for this machine.
	Worker string

	// held are blobs that are not in the store, or not yet. It is not
	// encoded.
	held map[digest.Digest][]byte
	// notes are what the worker said of itself and of what it did. They are
	// not encoded either.
	notes map[toolchains.Role][]byte
}

const resultVersion = 3

// A Spelling says how the text of a Result spells paths.
type Spelling uint8

const (
	// SpelledHere: as the call did that ran on this machine. Such a result
	// with Chunks that name the place serves no other place: see needsPlace.
	SpelledHere Spelling = iota
	// SpelledRemotely: as a worker does, whoever made it. See layout.
	SpelledRemotely
	// SpelledPlaced: as place.encode does. See placed.
	SpelledPlaced
)

// A ResultOutput is one file of a Result.
type ResultOutput struct {
	Role       toolchains.Role
	Digest     digest.Digest
	Executable bool
}

// A DepOrigin is what must be replaced when a dep-file serves another call.
type DepOrigin struct {
	Root    string
	Targets []string
}

// A Cost is what a compile took.
type Cost struct {
	User, Sys, Wall int64 // microseconds
	MaxRSS          int64 // bytes
}

// CPUSeconds is what a hit on this result saves.
func (c Cost) CPUSeconds() float64 { return float64(c.User+c.Sys) / 1e6 }

// quiet reports whether nothing was written to stdout or stderr.
func (r *Result) quiet() bool { return len(r.Chunks) == 0 }

// onOneStream reports whether all of what was printed, if anything, went to one of stdout
// and stderr, so that its order is known whether or not they are one file.
func (r *Result) onOneStream() bool { return !r.printedOn(1) || !r.printedOn(2) }

func (r *Result) printedOn(fd uint8) bool {
	return slices.ContainsFunc(r.Chunks, func(c wire.Chunk) bool { return c.Fd == fd })
}

func (r *Result) output(role toolchains.Role) *ResultOutput {
	for i := range r.Outputs {
		if r.Outputs[i].Role == role {
			return &r.Outputs[i]
		}
	}
	return nil
}

func (r *Result) encode() []byte {
	e := &encoder{}
	e.uint(resultVersion)
	e.uint(uint64(len(r.Outputs)))
	for _, o := range r.Outputs {
		e.string(string(o.Role))
		e.digest(o.Digest)
		e.bool(o.Executable)
	}
	e.uint(uint64(len(r.Chunks)))
	for _, c := range r.Chunks {
		e.uint(uint64(c.Fd))
		e.string(string(c.Data))
	}
	e.uint(uint64(r.Spelling))
	r.Names.append(e)
	e.string(r.Dep.Root)
	e.strings(r.Dep.Targets)
	for _, v := range []int64{r.Cost.User, r.Cost.Sys, r.Cost.Wall, r.Cost.MaxRSS, r.Created} {
		e.int(v)
	}
	e.string(r.Worker)
	return e.buf
}

// DecodeResult is the inverse of the encoding in which results are stored. Bytes
// of another version are an error.
func DecodeResult(data []byte) (*Result, error) {
	d := &decoder{buf: data}
	if d.uint() != resultVersion {
		return nil, errCorrupt
	}
	r := &Result{}
	for range d.count(digest.Size + 3) {
		r.Outputs = append(r.Outputs, ResultOutput{Role: toolchains.Role(d.string()), Digest: d.digest(), Executable: d.bool()})
	}
	for range d.count(2) {
		r.Chunks = append(r.Chunks, wire.Chunk{Fd: uint8(d.uint()), Data: []byte(d.string())})
	}
	r.Spelling = Spelling(d.uint())
	r.Names = decodeNames(d)
	r.Dep = DepOrigin{Root: d.string(), Targets: d.strings()}
	for _, v := range []*int64{&r.Cost.User, &r.Cost.Sys, &r.Cost.Wall, &r.Cost.MaxRSS, &r.Created} {
		*v = d.int()
	}
	r.Worker = d.string()
	return r, d.err()
}
