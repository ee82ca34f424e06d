package clienttest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/rexwrap/rexwrap/client/cas"
	"github.com/rexwrap/rexwrap/client/digest"
)

// TestStore checks that a Store keeps its interface's promises. newStore
// returns an empty Store for f's digests.
func TestStore(t *testing.T, f digest.Function, newStore func(t *testing.T) cas.Store) {
	for name, check := range map[string]func(*testing.T, digest.Function, cas.Store){
		"RoundTrip": storeRoundTrip, "Empty": storeEmpty, "Missing": storeMissing, "FetchMissing": storeFetchMissing,
		"Changed": storeChanged, "Repeated": storeRepeated, "Again": storeAgain, "Concurrent": storeConcurrent,
		"Cancelled": storeCancelled, "BrokenSource": storeBrokenSource, "BrokenDestination": storeBrokenDestination,
	} {
		t.Run(name, func(t *testing.T) { check(t, f, newStore(t)) })
	}
}

// sizes go through all ways of transport: batches, several of them, streams.
func sizes() []int { return []int{1, 100, 5000, 300 << 10, 1<<20 - 128, 1 << 20, 2<<20 + 1} }

// content returns n bytes of which half can be compressed.
func content(seed uint64, n int) []byte {
	out := make([]byte, n)
	r := rand.NewChaCha8([32]byte{byte(seed), byte(n)})
	for i := 0; i < n; i += 512 {
		_, _ = r.Read(out[i:min(i+256, n)]) // never fails
	}
	return out
}

func blob(f digest.Function, data []byte) cas.Blob { return cas.Bytes(f.Of(data), data) }

func storeRoundTrip(t *testing.T, f digest.Function, s cas.Store) {
	var blobs []cas.Blob
	var wanted []cas.Wanted
	var want [][]byte
	for i := range 3 {
		for _, n := range sizes() {
			if i > 0 && n > 1<<20 {
				continue
			}
			data := content(uint64(i), n)
			want = append(want, data)
			blobs = append(blobs, blob(f, data))
			wanted = append(wanted, cas.Wanted{Digest: f.Of(data), Into: new(bytes.Buffer)})
		}
	}
	if err := cas.Ensure(t.Context(), s, blobs...); err != nil {
		t.Fatal(err)
	}
	if err := s.Fetch(t.Context(), wanted...); err != nil {
		t.Fatal(err)
	}
	for i, w := range wanted {
		if !bytes.Equal(w.Into.(*bytes.Buffer).Bytes(), want[i]) {
			t.Errorf("%s came back otherwise", w.Digest)
		}
	}
}

func storeEmpty(t *testing.T, f digest.Function, s cas.Store) {
	empty := f.Of(nil)
	if missing, err := s.Missing(t.Context(), []digest.Digest{empty}); err != nil || len(missing) > 0 {
		t.Errorf("Missing = %v, %v", missing, err)
	}
	if data, err := cas.Read(t.Context(), s, empty); err != nil || len(data) > 0 {
		t.Errorf("Read = %q, %v", data, err)
	}
	if err := s.Upload(t.Context(), blob(f, nil)); err != nil {
		t.Error(err)
	}
}

func storeMissing(t *testing.T, f digest.Function, s cas.Store) {
	here, gone := []byte("here"), f.Of([]byte("gone"))
	if err := s.Upload(t.Context(), blob(f, here)); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		missing, err := s.Missing(t.Context(), []digest.Digest{gone, f.Of(here), gone})
		if err != nil || len(missing) != 1 || missing[0] != gone {
			t.Errorf("Missing = %v, %v", missing, err)
		}
	}
}

func storeFetchMissing(t *testing.T, f digest.Function, s cas.Store) {
	here := []byte("here")
	if err := s.Upload(t.Context(), blob(f, here)); err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{10, 2 << 20} {
		gone := f.Of(content(9, n))
		err := s.Fetch(t.Context(), cas.Wanted{Digest: gone, Into: io.Discard}, cas.Wanted{Digest: f.Of(here), Into: io.Discard})
		var missing *cas.MissingError
		if !errors.Is(err, cas.ErrNotFound) || !errors.As(err, &missing) || len(missing.Digests) != 1 || missing.Digests[0] != gone {
			t.Errorf("Fetch of %d bytes: %v", n, err)
		}
	}
}

// storeChanged uploads files that are no longer what they were, among others.
func storeChanged(t *testing.T, f digest.Function, s cas.Store) {
	for _, n := range []int{100, 2 << 20} {
		good, was := blob(f, content(1, n)), f.Of(content(2, n))
		for what, now := range map[string][]byte{"other": content(3, n), "shorter": content(2, n-1), "longer": content(2, n+1)} {
			err := s.Upload(t.Context(), cas.Bytes(was, now), good)
			if !errors.Is(err, cas.ErrChanged) {
				t.Errorf("%s: Upload = %v", what, err)
			}
			if missing, err := s.Missing(t.Context(), []digest.Digest{was}); err != nil || len(missing) != 1 {
				t.Errorf("%s: Missing = %v, %v", what, missing, err)
			}
		}
	}
}

func storeRepeated(t *testing.T, f digest.Function, s cas.Store) {
	for _, n := range []int{10, 2 << 20} {
		data := content(4, n)
		if err := s.Upload(t.Context(), blob(f, data), blob(f, data)); err != nil {
			t.Fatal(err)
		}
		var one, other bytes.Buffer
		if err := s.Fetch(t.Context(), cas.Wanted{Digest: f.Of(data), Into: &one}, cas.Wanted{Digest: f.Of(data), Into: &other}); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(one.Bytes(), data) || !bytes.Equal(other.Bytes(), data) {
			t.Errorf("%d and %d bytes came back, want %d twice", one.Len(), other.Len(), n)
		}
	}
}

func storeAgain(t *testing.T, f digest.Function, s cas.Store) {
	for _, n := range []int{10, 3 << 20} {
		for range 2 {
			if err := s.Upload(t.Context(), blob(f, content(5, n))); err != nil {
				t.Errorf("%d bytes: %v", n, err)
			}
		}
	}
}

func storeConcurrent(t *testing.T, f digest.Function, s cas.Store) {
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			shared, own := content(0, 1000), fmt.Appendf(nil, "own %d", i)
			if err := cas.Ensure(t.Context(), s, blob(f, shared), blob(f, own)); err != nil {
				t.Error(err)
			}
			if got, err := cas.Read(t.Context(), s, f.Of(own)); err != nil || !bytes.Equal(got, own) {
				t.Errorf("Read = %q, %v", got, err)
			}
		})
	}
	all.Wait()
}

func storeCancelled(t *testing.T, f digest.Function, s cas.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	d := f.Of([]byte("x"))
	if _, err := s.Missing(ctx, []digest.Digest{d}); !errors.Is(err, context.Canceled) {
		t.Errorf("Missing: %v", err)
	}
	if err := s.Fetch(ctx, cas.Wanted{Digest: d, Into: io.Discard}); !errors.Is(err, context.Canceled) {
		t.Errorf("Fetch: %v", err)
	}
	if err := s.Upload(ctx, blob(f, []byte("x"))); !errors.Is(err, context.Canceled) {
		t.Errorf("Upload: %v", err)
	}
}

var errSource = errors.New("source or destination is broken")

func storeBrokenSource(t *testing.T, f digest.Function, s cas.Store) {
	for _, n := range []int64{10, 2 << 20} {
		d := digest.Digest{Size: n}
		b := cas.Blob{Digest: d, Open: func() (io.ReadCloser, error) { return nil, errSource }}
		if err := s.Upload(t.Context(), b); !errors.Is(err, errSource) {
			t.Errorf("Upload of %d bytes: %v", n, err)
		}
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errSource }

func storeBrokenDestination(t *testing.T, f digest.Function, s cas.Store) {
	for _, n := range []int{10, 2 << 20} {
		data := content(6, n)
		if err := s.Upload(t.Context(), blob(f, data)); err != nil {
			t.Fatal(err)
		}
		if err := s.Fetch(t.Context(), cas.Wanted{Digest: f.Of(data), Into: brokenWriter{}}); !errors.Is(err, errSource) {
			t.Errorf("Fetch of %d bytes: %v", n, err)
		}
	}
}
