package toolchains

import "github.com/rexwrap/rexwrap/client/digest"

// A Memory keeps answers of compilers across restarts of the server. Keys name
// all that an answer depends on; a value that was lost or damaged is asked for
// again. Implementations are safe for concurrent use.
type Memory interface {
	Load(key digest.Digest) ([]byte, bool)
	Store(key digest.Digest, value []byte)
}

// Forgetful is the Memory that keeps nothing.
type Forgetful struct{}

// Load never finds anything.
func (Forgetful) Load(digest.Digest) ([]byte, bool) { return nil, false }

// Store drops value.
func (Forgetful) Store(digest.Digest, []byte) {}
