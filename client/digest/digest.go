// Package digest is the REv2 Digest as a comparable value: a hash of some
// bytes and their number. It computes and parses digests; where the bytes are
// kept is the business of client/cas and localserver/diskstore. Everything that
// names content in rexwrap, local or remote, does so by a Digest.
//
// SHA-256 is what rexwrap computes unless a remote negotiated another function:
// with SHA extensions it is not what a hit spends its time on, and every REv2
// server accepts it (remote_execution.proto, DigestFunction).
package digest

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"strconv"
	"strings"

	"github.com/zeebo/blake3"
)

// Size is the number of bytes of a hash. All supported functions have 32.
const Size = 32

// ErrMalformed is wrapped by every error of Parse.
var ErrMalformed = errors.New("malformed digest")

// A Digest names content. The zero Digest names nothing; see IsZero.
type Digest struct {
	Hash [Size]byte
	Size int64
}

// Empty is the SHA-256 digest of no bytes.
func Empty() Digest { return Of(nil) }

// Of returns the SHA-256 digest of data.
func Of(data []byte) Digest {
	return Digest{Hash: sha256.Sum256(data), Size: int64(len(data))}
}

// OfString is Of without a copy of s on the heap for short strings.
func OfString(s string) Digest { return Of([]byte(s)) }

// Read consumes r and returns the SHA-256 digest of what it held. buf is the
// scratch space to read into; it must not be empty.
func Read(r io.Reader, buf []byte) (Digest, error) {
	h := sha256.New()
	n, err := io.CopyBuffer(onlyWriter{h}, onlyReader{r}, buf)
	if err != nil {
		return Digest{}, err
	}
	return fromHash(h, n), nil
}

// onlyWriter and onlyReader hide ReadFrom and WriteTo, so that CopyBuffer uses
// the caller's buffer.
type (
	onlyWriter struct{ io.Writer }
	onlyReader struct{ io.Reader }
)

func fromHash(h hash.Hash, n int64) Digest {
	d := Digest{Size: n}
	h.Sum(d.Hash[:0])
	return d
}

// IsZero reports whether d is the zero Digest, which no content has.
func (d Digest) IsZero() bool { return d == Digest{} }

// String returns d in REv2's spelling, "hash/size" with a lower-case
// hexadecimal hash.
func (d Digest) String() string {
	return hex.EncodeToString(d.Hash[:]) + "/" + strconv.FormatInt(d.Size, 10)
}

// Hex returns the hash alone, in lower-case hexadecimal.
func (d Digest) Hex() string { return hex.EncodeToString(d.Hash[:]) }

// Parse is the inverse of Digest.String.
func Parse(s string) (Digest, error) {
	hexHash, size, ok := strings.Cut(s, "/")
	if !ok || len(hexHash) != 2*Size || hexHash != strings.ToLower(hexHash) {
		return Digest{}, fmt.Errorf("%w: %q is not HASH/SIZE", ErrMalformed, s)
	}
	var d Digest
	if _, err := hex.Decode(d.Hash[:], []byte(hexHash)); err != nil {
		return Digest{}, fmt.Errorf("%w: hash of %q: %w", ErrMalformed, s, err)
	}
	n, err := strconv.ParseInt(size, 10, 64)
	if err != nil || n < 0 || strconv.FormatInt(n, 10) != size {
		return Digest{}, fmt.Errorf("%w: size of %q", ErrMalformed, s)
	}
	d.Size = n
	return d, nil
}

// A Function is a digest function of REv2.
type Function uint8

// The functions that rexwrap computes. Servers that offer neither are refused.
const (
	SHA256 Function = iota
	BLAKE3
)

// String returns REv2's name of f.
func (f Function) String() string {
	if f == BLAKE3 {
		return "BLAKE3"
	}
	return "SHA256"
}

// Of returns the digest of data by f.
func (f Function) Of(data []byte) Digest {
	if f == BLAKE3 {
		return Digest{Hash: blake3.Sum256(data), Size: int64(len(data))}
	}
	return Of(data)
}

// NewHash returns the hash that f is made of, for content that comes in parts.
func (f Function) NewHash() hash.Hash {
	if f == BLAKE3 {
		return blake3.New()
	}
	return sha256.New()
}

// A Builder computes a digest of parts written to it one after the other. Each
// part is preceded by its length, so that no two lists of parts run together.
// The zero Builder is not usable; see NewBuilder.
type Builder struct {
	h   hash.Hash
	n   int64
	len [8]byte
}

// NewBuilder returns a Builder for a value of the named domain: values of
// different domains never have equal digests.
func NewBuilder(domain string) *Builder {
	b := &Builder{h: sha256.New()}
	b.String(domain)
	return b
}

// String adds s as one part.
func (b *Builder) String(s string) {
	b.length(len(s))
	_, _ = io.WriteString(b.h, s) // a hash never fails
	b.n += int64(len(s))
}

// Bytes adds p as one part.
func (b *Builder) Bytes(p []byte) {
	b.length(len(p))
	_, _ = b.h.Write(p)
	b.n += int64(len(p))
}

// Digest adds d as one part.
func (b *Builder) Digest(d Digest) {
	b.length(int(d.Size))
	_, _ = b.h.Write(d.Hash[:])
	b.n += Size
}

// Strings adds the number of list's elements, then each element.
func (b *Builder) Strings(list []string) {
	b.length(len(list))
	for _, s := range list {
		b.String(s)
	}
}

func (b *Builder) length(n int) {
	for i := range b.len {
		b.len[i] = byte(n >> (8 * i))
	}
	_, _ = b.h.Write(b.len[:])
	b.n += int64(len(b.len))
}

// Sum returns the digest of the parts added so far.
func (b *Builder) Sum() Digest { return fromHash(b.h, b.n) }
