package cpp

import (
	"os"

	"github.com/rexwrap/rexwrap/client/digest"
)

// Files reads files and knows digests; *filestate.State does. Paths are absolute.
// Implementations are safe for concurrent use.
type Files interface {
	// Read returns the bytes of a file with their digest.
	Read(path string) ([]byte, digest.Digest, error)
	// Digest returns the digest of a file as it is now.
	Digest(path string) (digest.Digest, error)
}

// plainFiles remembers nothing.
type plainFiles struct{}

func (plainFiles) Read(path string) ([]byte, digest.Digest, error) {
	data, err := os.ReadFile(path)
	return data, digest.Of(data), err
}

func (f plainFiles) Digest(path string) (digest.Digest, error) {
	_, d, err := f.Read(path)
	return d, err
}
