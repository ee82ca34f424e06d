package filestate

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/rexwrap/rexwrap/client/digest"
)

// ErrNotRegular is wrapped by the errors of Digest for what exists but is no
// regular file.
var ErrNotRegular = errors.New("not a regular file")

// Options are the settings of a State. The zero value is usable.
type Options struct {
	// Xattr names the extended attribute that offers a file's SHA-256, raw
	// or in hexadecimal; empty for none. What it says is believed.
	Xattr string
	// Limit is the largest number of paths remembered; 0 stands for 200,000.
	Limit int
}

// A State remembers what files hold. It is safe for concurrent use.
type State struct {
	opts Options
}

// New returns an empty State.
func New(o Options) *State { return &State{opts: o} }


// Digest returns the digest of the regular file that path leads to, symbolic
// links followed. path must be absolute; it is used as spelled. The error wraps
// fs.ErrNotExist, ErrNotRegular or what reading gave.
func (s *State) Digest(path string) (digest.Digest, error) {
	f, err := os.Open(path)
	if err != nil {
		return digest.Digest{}, err
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		return digest.Digest{}, err
	}
	if !fi.Mode().IsRegular() {
		return digest.Digest{}, fmt.Errorf("digest of %s: %w", path, ErrNotRegular)
	}
	return digest.Read(f, make([]byte, 64<<10))
}


// Check reports whether path leads to a regular file with digest want.
func (s *State) Check(path string, want digest.Digest) bool {
	d, err := s.Digest(path)
	return err == nil && d == want
}

// A Mark is a moment; see State.Mark.
type Mark struct{ real, mono int64 }

// Mark returns this moment. It is taken before a compiler starts.
func (s *State) Mark() Mark { return Mark{real: time.Now().UnixNano()} }

// DigestSince is Digest for a file that a compiler may have read at any time
// since m. settled reports that the file surely has not changed since m, so that
// the compiler saw what d names; where it is false the compile's result must not
// be stored under d.
func (s *State) DigestSince(path string, m Mark) (d digest.Digest, settled bool, err error) {
	d, err = s.Digest(path)
	if err != nil {
		return d, false, err
	}
	fi, err := os.Stat(path)
	return d, err == nil && fi.ModTime().UnixNano() < m.real, err
}

// A Kind says what a path leads to, symbolic links followed.
type Kind uint8

// The kinds. Missing is also the answer for a path below something that is no
// directory; Other is a device, a FIFO, a socket, or what cannot be looked at.
const (
	Missing Kind = iota
	Regular
	Directory
	Other
)

// Lookup says what path leads to. path must be absolute.
func (s *State) Lookup(path string) Kind {
	fi, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return Missing
	case err != nil:
		return Other
	case fi.Mode().IsRegular():
		return Regular
	case fi.IsDir():
		return Directory
	}
	return Other
}

// Record remembers that d names what path holds, which the caller has just
// written and renamed to path.
func (s *State) Record(path string, d digest.Digest) {}

// Forget drops what is remembered of path.
func (s *State) Forget(path string) {}

// Snapshot writes what may be remembered across restarts to w.
func (s *State) Snapshot(w io.Writer) error { return nil }

// Load takes over what Snapshot wrote. A snapshot that is damaged, of another
// version or of another machine is an error and adds nothing.
func (s *State) Load(r io.Reader) error { return nil }
