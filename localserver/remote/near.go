package remote

import (
	"context"
	"fmt"
	"io"

	"github.com/rexwrap/rexwrap/client/cas"
	"github.com/rexwrap/rexwrap/client/digest"
)

// A Keeper is the store of blobs on this machine, where chunks of large blobs are
// kept: of the next blob that is like one of them only the difference is fetched.
// It is localserver/diskstore, whose methods these are.
type Keeper interface {
	HasBlob(d digest.Digest) bool
	Blob(d digest.Digest) ([]byte, error)
	PutBlob(data []byte) (digest.Digest, error)
}

// A near is a Keeper as a cas.Store.
type near struct{ Keeper }

var _ cas.Store = near{}

// Missing implements cas.Store.
func (n near) Missing(_ context.Context, digests []digest.Digest) (missing []digest.Digest, err error) {
	asked := make(map[digest.Digest]bool, len(digests))
	for _, d := range digests {
		if !asked[d] && !n.HasBlob(d) {
			missing = append(missing, d)
		}
		asked[d] = true
	}
	return missing, nil
}

// Fetch implements cas.Store. What cannot be read is not there.
func (n near) Fetch(_ context.Context, wanted ...cas.Wanted) error {
	var missing []digest.Digest
	for _, w := range wanted {
		data, err := n.Blob(w.Digest)
		if err != nil {
			missing = append(missing, w.Digest)
			continue
		}
		if _, err := w.Into.Write(data); err != nil {
			return fmt.Errorf("write blob: %w", err)
		}
	}
	if len(missing) > 0 {
		return &cas.MissingError{Digests: missing}
	}
	return nil
}

// Upload implements cas.Store.
func (n near) Upload(_ context.Context, blobs ...cas.Blob) error {
	for _, b := range blobs {
		if err := n.put(b); err != nil {
			return err
		}
	}
	return nil
}

func (n near) put(b cas.Blob) error {
	r, err := b.Open()
	if err != nil {
		return fmt.Errorf("open blob %s: %w", b.Digest, err)
	}
	defer r.Close()
	data, err := io.ReadAll(io.LimitReader(r, b.Digest.Size+1))
	if err != nil {
		return fmt.Errorf("read blob %s: %w", b.Digest, err)
	}
	d, err := n.PutBlob(data)
	if err == nil && d != b.Digest {
		err = fmt.Errorf("keep blob %s: %w", b.Digest, cas.ErrCorrupt)
	}
	return err
}
