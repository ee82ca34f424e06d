package cas_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/rexwrap/rexwrap/client/cas"
	"github.com/rexwrap/rexwrap/client/clienttest"
	"github.com/rexwrap/rexwrap/client/digest"
)

func TestChunkedStores(t *testing.T) {
	for name, quirks := range map[string]clienttest.Quirks{
		"2.12": {Split: true, Splice: true}, "2.13": {Split: true, Splice: true, ChunkMappings: true},
		"splice": {Splice: true, Zstd: true}, "lies": {LyingChunks: true},
	} {
		t.Run(name, func(t *testing.T) {
			clienttest.TestStore(t, digest.SHA256, func(t *testing.T) cas.Store {
				_, r := remote(t, quirks, digest.SHA256)
				return cas.NewChunked(r, cas.NewMemory(digest.SHA256))
			})
		})
	}
}

func TestLayeredStore(t *testing.T) {
	clienttest.TestStore(t, digest.SHA256, func(t *testing.T) cas.Store {
		_, r := remote(t, clienttest.Quirks{}, digest.SHA256)
		return cas.NewLayered(cas.NewMemory(digest.SHA256), r, 1<<20)
	})
}

func TestLayeredAsksTheFarStoreOnce(t *testing.T) {
	s, r := remote(t, clienttest.Quirks{}, digest.SHA256)
	small, large := s.Put([]byte("x")), s.Put(make([]byte, 200))
	l := cas.NewLayered(cas.NewMemory(digest.SHA256), r, 100)
	for range 3 {
		for _, d := range []digest.Digest{small, large} {
			if _, err := cas.Read(t.Context(), l, d); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n := s.Calls("BatchReadBlobs"); n != 1+3 {
		t.Errorf("%d reads, want 1 of the small blob and 3 of the large", n)
	}
}

// What differs between two blobs is all that is sent of the second, either way.
func TestOnlyNewChunksAreSent(t *testing.T) {
	for name, quirks := range map[string]clienttest.Quirks{
		"2.12": {Split: true, Splice: true}, "2.13": {Split: true, Splice: true, ChunkMappings: true},
		"FastCDC": {Split: true, Splice: true, ChunkMappings: true, FastCDC: true},
	} {
		t.Run(name, func(t *testing.T) {
			s, r := remote(t, quirks, digest.SHA256)
			one := incompressible(6 << 20)
			other := slices.Concat(one[:3<<20], []byte("inserted"), one[3<<20:])
			store := cas.NewChunked(r, cas.NewMemory(digest.SHA256))
			for _, data := range [][]byte{one, other} {
				d := digest.Of(data)
				before := s.Received()
				if err := store.Upload(t.Context(), cas.Bytes(d, data)); err != nil || !s.Has(d) {
					t.Fatalf("%v, there: %t", err, s.Has(d))
				}
				if up := s.Received() - before; &data[0] != &one[0] && up > 1<<20 {
					t.Errorf("%d bytes went up for %d", up, len("inserted"))
				}
				before = s.Sent()
				got, err := cas.Read(t.Context(), store, d)
				if err != nil || !bytes.Equal(got, data) {
					t.Fatalf("%d bytes, %v", len(got), err)
				}
				if down := s.Sent() - before; &data[0] != &one[0] && down > 1<<20 {
					t.Errorf("%d bytes came down for %d", down, len("inserted"))
				}
			}
			if n := s.Calls("Read") + s.Calls("Write"); n > 0 {
				t.Errorf("%d calls of ByteStream", n)
			}
		})
	}
}

func TestChunksThatCannotBeHad(t *testing.T) {
	data := incompressible(4 << 20)
	d := digest.Of(data)
	for name, fault := range map[string]clienttest.Fault{
		"no mapping":    {Method: "GetChunkMapping", Code: codes.NotFound},
		"unavailable":   {Method: "GetChunkMapping", To: 2, Code: codes.Unavailable},
		"broken stream": {Method: "GetChunkMapping", After: 3, Code: codes.Internal},
		"no chunks":     {Method: "BatchReadBlobs", Code: codes.Internal},
		"later chunks":  {Method: "BatchReadBlobs", From: 2, Code: codes.Unavailable},
	} {
		t.Run(name, func(t *testing.T) {
			s, r := remote(t, clienttest.Quirks{Split: true, ChunkMappings: true}, digest.SHA256)
			s.Put(data)
			s.Fault(&fault)
			got, err := cas.Read(t.Context(), cas.NewChunked(r, cas.NewMemory(digest.SHA256)), d)
			if err != nil || !bytes.Equal(got, data) {
				t.Errorf("%d bytes, %v", len(got), err)
			}
		})
	}
}

func TestChunksThatCannotBeSent(t *testing.T) {
	data := incompressible(4 << 20)
	for name, fault := range map[string]clienttest.Fault{
		"chunks lost":   {Method: "RegisterChunkMapping", Code: codes.NotFound},
		"no disk":       {Method: "RegisterChunkMapping", Code: codes.Internal},
		"broken stream": {Method: "RegisterChunkMapping", After: 1, Code: codes.Unavailable},
		"no questions":  {Method: "FindMissingBlobs", Code: codes.Internal},
	} {
		t.Run(name, func(t *testing.T) {
			s, r := remote(t, clienttest.Quirks{Splice: true, ChunkMappings: true}, digest.SHA256)
			s.Fault(&fault)
			if err := cas.NewChunked(r, nil).Upload(t.Context(), cas.Bytes(digest.Of(data), data)); err != nil || !s.Has(digest.Of(data)) {
				t.Errorf("%v, there: %t", err, s.Has(digest.Of(data)))
			}
		})
	}
}

func TestChunksOfAnotherBlobAreRefused(t *testing.T) {
	s, r := remote(t, clienttest.Quirks{Split: true, WrongChunks: true}, digest.SHA256)
	data := incompressible(4 << 20)
	d := s.Put(data)
	store := cas.NewChunked(r, cas.NewMemory(digest.SHA256))
	if _, err := cas.Read(t.Context(), store, d); !errors.Is(err, cas.ErrCorrupt) {
		t.Errorf("error %v", err)
	}
	if got, err := cas.Read(t.Context(), store, d); err != nil || !bytes.Equal(got, data) {
		t.Errorf("the second time: %d bytes, %v", len(got), err)
	}
}

func TestServersThatLieAboutChunksAreAskedOnce(t *testing.T) {
	s, r := remote(t, clienttest.Quirks{LyingChunks: true}, digest.SHA256)
	store := cas.NewChunked(r, cas.NewMemory(digest.SHA256))
	for i := range 3 {
		data := append(incompressible(3<<20), byte(i))
		if err := store.Upload(t.Context(), cas.Bytes(digest.Of(data), data)); err != nil {
			t.Fatal(err)
		}
		if _, err := cas.Read(t.Context(), store, digest.Of(data)); err != nil {
			t.Fatal(err)
		}
	}
	if up, down := s.Calls("SpliceBlob"), s.Calls("SplitBlob"); up != 1 || down != 1 {
		t.Errorf("%d SpliceBlob, %d SplitBlob", up, down)
	}
}

// A near store that answers nonsense costs nothing but time.
func TestNearStoreThatIsBroken(t *testing.T) {
	s, r := remote(t, clienttest.Quirks{}, digest.SHA256)
	d := s.Put([]byte("x"))
	near := clienttest.New(t, clienttest.Options{})
	dead := cas.NewRemote(near.Dial(t, clientOptions(time.Second)), digest.SHA256)
	near.Stop()
	if got, err := cas.Read(t.Context(), cas.NewLayered(dead, r, 100), d); err != nil || string(got) != "x" {
		t.Errorf("%q, %v", got, err)
	}
}
