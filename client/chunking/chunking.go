// Package chunking cuts blobs into chunks at places that their content decides,
// so that blobs that are alike in parts have chunks in common: the two
// functions of REv2.12, FastCDC 2020 and RepMaxCDC, by the parameters that a
// server advertises (remote_execution.proto, ChunkingFunction). How chunks are
// moved, and what a blob is made of, is the business of client/cas.
package chunking

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math/bits"

	"github.com/buildbarn/go-cdc"
)

// A Kind is a chunking function of REv2.
type Kind uint8

// The functions. None is that of a server that names no function: any cut will
// do.
const (
	None Kind = iota
	FastCDC2020
	RepMaxCDC
)

// A Function is a chunking function with its parameters. The zero Function cuts
// nothing.
type Function struct {
	kind Kind
	size int    // average chunk of FastCDC, smallest of RepMaxCDC
	more uint64 // seed of FastCDC, horizon of RepMaxCDC
}

// ErrParameters is wrapped where parameters are out of the range that REv2
// allows, or of reason: the function is then not to be used.
var ErrParameters = errors.New("parameters of a chunking function are out of range")

const (
	fastLeast, fastMost = 1 << 10, 8 << 20
	repLeast, repMost   = 64, 8 << 20
	horizonMost         = 64 << 20
)

// NewFastCDC returns FastCDC 2020 at normalization level 2 with chunks of a
// quarter to four times the average size.
func NewFastCDC(average uint64, seed uint32) (Function, error) {
	if average < fastLeast || average > fastMost {
		return Function{}, fmt.Errorf("%w: average of %d bytes", ErrParameters, average)
	}
	return Function{FastCDC2020, int(average), uint64(seed)}, nil
}

// NewRepMaxCDC returns RepMaxCDC with chunks of least up to twice as many
// bytes, and cuts that are the best within horizon bytes.
func NewRepMaxCDC(least, horizon uint64) (Function, error) {
	if least < repLeast || least > repMost || horizon > horizonMost {
		return Function{}, fmt.Errorf("%w: least %d, horizon %d bytes", ErrParameters, least, horizon)
	}
	return Function{RepMaxCDC, int(least), horizon}, nil
}

// Default cuts for servers that put chunks together but name no function, by
// the parameters that REv2 recommends.
func Default() Function { return Function{RepMaxCDC, 256 << 10, 8 * 256 << 10} }

// Kind returns which function f is.
func (f Function) Kind() Kind { return f.kind }

// From returns the size from which a blob is worth cutting: several chunks.
func (f Function) From() int64 { return 4 * int64(f.size) }

// Cut calls each with the chunks of what r holds, in their order. A chunk is
// valid until each returns; an error of each ends it.
func (f Function) Cut(r io.Reader, each func(chunk []byte) error) error {
	next := f.reader(r)
	for {
		chunk, err := next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := each(chunk); err != nil {
			return err
		}
	}
}

func (f Function) reader(r io.Reader) func() ([]byte, error) {
	switch f.kind {
	case FastCDC2020:
		return newFast(r, f.size, f.more).next
	case RepMaxCDC:
		chunker := cdc.NewRepMaxContentDefinedChunker(&cdc.FastContentDefinedChunkerGearTable, f.size, int(f.more))
		return chunker.NewChunkReader(bufio.NewReaderSize(r, chunker.GetMaximumPeekSizeBytes())).ReadNextChunk
	default:
		return func() ([]byte, error) { return nil, io.EOF }
	}
}

// log2 returns the logarithm of n, rounded to the next number.
func log2(n int) int {
	floor := bits.Len(uint(n)) - 1
	if n*n > 1<<(2*floor+1) { // n > 2^(floor+1/2)
		floor++
	}
	return floor
}
