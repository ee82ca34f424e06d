package cpp

import (
	"bytes"
	"os"

	"github.com/rexwrap/rexwrap/client/digest"
)

// Files reads files and knows digests; *filestate.State does. Paths are absolute.
// Implementations are safe for concurrent use.
type Files interface {
	// Read returns the bytes of a file with their digest, in room where that
	// is large enough. They are the caller's, room behind them included.
	Read(path string, room []byte) ([]byte, digest.Digest, error)
	// Digest returns the digest of a file as it is now.
	Digest(path string) (digest.Digest, error)
}

// plainFiles remembers nothing.
type plainFiles struct{}

// Read leaves room behind the bytes, as filestate does: the lexer appends to them.
func (plainFiles) Read(path string, room []byte) ([]byte, digest.Digest, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, digest.Digest{}, err
	}
	defer f.Close()
	b := bytes.NewBuffer(room[:0])
	if info, err := f.Stat(); err == nil {
		b.Grow(int(info.Size()) + bytes.MinRead)
	}
	_, err = b.ReadFrom(f)
	return b.Bytes(), digest.Of(b.Bytes()), err
}

func (f plainFiles) Digest(path string) (digest.Digest, error) {
	_, d, err := f.Read(path, nil)
	return d, err
}
