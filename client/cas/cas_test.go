package cas_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/rexwrap/rexwrap/client"
	"github.com/rexwrap/rexwrap/client/cas"
	"github.com/rexwrap/rexwrap/client/clienttest"
	"github.com/rexwrap/rexwrap/client/digest"
)

func remote(t *testing.T, q clienttest.Quirks, f digest.Function) (*clienttest.Server, *cas.Remote) {
	s := clienttest.New(t, clienttest.Options{Quirks: q})
	return s, cas.NewRemote(s.Dial(t, clientOptions(time.Minute)), f)
}

func clientOptions(timeout time.Duration) client.Options {
	return client.Options{CallTimeout: timeout}
}

func TestMemory(t *testing.T) {
	clienttest.TestStore(t, digest.SHA256, func(*testing.T) cas.Store { return cas.NewMemory(digest.SHA256) })
}

func TestRemote(t *testing.T) {
	for name, test := range map[string]struct {
		quirks   clienttest.Quirks
		function digest.Function
	}{
		"Buildbarn":     {clienttest.Quirks{}, digest.SHA256},
		"BLAKE3":        {clienttest.Quirks{BLAKE3: true, Zstd: true}, digest.BLAKE3},
		"bazel-remote":  {clienttest.Quirks{Zstd: true, ExistingUnsized: true, NoExecution: true}, digest.SHA256},
		"just":          {clienttest.Quirks{BatchFailsWhole: true, MaxBatch: 3145728}, digest.SHA256},
		"casd":          {clienttest.Quirks{StrictInstance: true}, digest.SHA256},
		"small batches": {clienttest.Quirks{MaxBatch: 10000}, digest.SHA256},
		"small secret":  {clienttest.Quirks{LowerMessageSize: 400 << 10}, digest.SHA256},
	} {
		t.Run(name, func(t *testing.T) {
			clienttest.TestStore(t, test.function, func(t *testing.T) cas.Store {
				_, r := remote(t, test.quirks, test.function)
				return r
			})
		})
	}
}

func TestDecorators(t *testing.T) {
	for name, decorate := range map[string]func(cas.Store) cas.Store{
		"Merging":     func(s cas.Store) cas.Store { return cas.NewMerging(s, time.Millisecond) },
		"Remembering": func(s cas.Store) cas.Store { return cas.NewRemembering(s, time.Minute, 1000) },
		"Forgetful":   func(s cas.Store) cas.Store { return cas.NewRemembering(s, time.Nanosecond, 1) },
		"both":        func(s cas.Store) cas.Store { return cas.NewRemembering(cas.NewMerging(s, 0), time.Minute, 1000) },
	} {
		t.Run(name, func(t *testing.T) {
			clienttest.TestStore(t, digest.SHA256, func(*testing.T) cas.Store { return decorate(cas.NewMemory(digest.SHA256)) })
		})
	}
}

func TestProbeFindsALyingFunction(t *testing.T) {
	for _, test := range []struct {
		quirks   clienttest.Quirks
		function digest.Function
		ok       bool
	}{
		{clienttest.Quirks{}, digest.SHA256, true},
		{clienttest.Quirks{BLAKE3: true}, digest.BLAKE3, true},
		{clienttest.Quirks{LyingFunctions: true}, digest.BLAKE3, false},
	} {
		_, r := remote(t, test.quirks, test.function)
		if err := r.Probe(t.Context()); (err == nil) != test.ok {
			t.Errorf("%+v: %v", test, err)
		}
	}
}

func TestNegotiate(t *testing.T) {
	for name, test := range map[string]struct {
		quirks clienttest.Quirks
		want   digest.Function
		err    error
	}{
		"both":          {clienttest.Quirks{BLAKE3: true}, digest.SHA256, nil},
		"BLAKE3 alone":  {clienttest.Quirks{BLAKE3: true, NoSHA256: true}, digest.BLAKE3, nil},
		"a lie":         {clienttest.Quirks{LyingFunctions: true, NoSHA256: true}, 0, client.ErrIncompatible},
		"neither":       {clienttest.Quirks{NoSHA256: true}, 0, client.ErrIncompatible},
		"does not tell": {clienttest.Quirks{NoCapabilities: true}, digest.SHA256, nil},
	} {
		s := clienttest.New(t, clienttest.Options{Quirks: test.quirks})
		if f, err := cas.Negotiate(t.Context(), s.Dial(t, client.Options{})); f != test.want || !errors.Is(err, test.err) {
			t.Errorf("%s: %s, %v", name, f, err)
		}
	}
}

func TestTheEmptyBlobIsNeverSentFor(t *testing.T) {
	s, r := remote(t, clienttest.Quirks{}, digest.SHA256)
	empty := digest.Empty()
	if err := cas.Ensure(t.Context(), r, cas.Bytes(empty, nil)); err != nil {
		t.Error(err)
	}
	if err := r.Upload(t.Context(), cas.Bytes(empty, nil)); err != nil {
		t.Error(err)
	}
	if data, err := cas.Read(t.Context(), r, empty); err != nil || len(data) > 0 {
		t.Errorf("%q, %v", data, err)
	}
	for _, method := range []string{"GetCapabilities", "FindMissingBlobs", "BatchUpdateBlobs", "BatchReadBlobs", "Read", "Write"} {
		if n := s.Calls(method); n > 0 {
			t.Errorf("%d %s", n, method)
		}
	}
}

func TestRepair(t *testing.T) {
	s, r := remote(t, clienttest.Quirks{}, digest.SHA256)
	known := cas.NewRemembering(r, time.Hour, 100)
	blobs := []cas.Blob{cas.Bytes(digest.OfString("a"), []byte("a")), cas.Bytes(digest.OfString("b"), []byte("b"))}
	for _, named := range [][]digest.Digest{nil, {digest.OfString("a")}} {
		if err := cas.Ensure(t.Context(), known, blobs...); err != nil {
			t.Fatal(err)
		}
		s.Drop(digest.OfString("a"))
		s.Drop(digest.OfString("b"))
		if err := known.Repair(t.Context(), named, blobs...); err != nil || !s.Has(digest.OfString("a")) || !s.Has(digest.OfString("b")) {
			t.Errorf("named %v: %v", named, err)
		}
	}
	if err := known.Repair(t.Context(), []digest.Digest{digest.OfString("c")}, blobs...); !errors.Is(err, cas.ErrNotFound) {
		t.Errorf("a blob that nobody has: %v", err)
	}
}

func TestWrongBytesAreRefused(t *testing.T) {
	for _, zstd := range []bool{false, true} {
		for _, n := range []int{100, 3 << 20} {
			s, r := remote(t, clienttest.Quirks{Zstd: zstd}, digest.SHA256)
			d := s.Put(bytes.Repeat([]byte("x"), n))
			s.Corrupt(d)
			if data, err := cas.Read(t.Context(), r, d); !errors.Is(err, cas.ErrCorrupt) {
				t.Errorf("%d bytes, zstd %t: %d bytes, %v", n, zstd, len(data), err)
			}
		}
	}
}

func TestBrokenStreamsAreResumed(t *testing.T) {
	for _, zstd := range []bool{false, true} {
		t.Run(fmt.Sprint("zstd ", zstd), func(t *testing.T) {
			s, r := remote(t, clienttest.Quirks{Zstd: zstd}, digest.SHA256)
			data := incompressible(3 << 20)
			s.Fault(&clienttest.Fault{Method: "Write", To: 2, After: 2, Code: codes.Unavailable})
			s.Fault(&clienttest.Fault{Method: "Read", To: 2, After: 20, Code: codes.Unavailable})
			d := digest.Of(data)
			if err := r.Upload(t.Context(), cas.Bytes(d, data)); err != nil {
				t.Fatal(err)
			}
			got, err := cas.Read(t.Context(), r, d)
			if err != nil || !bytes.Equal(got, data) {
				t.Errorf("%d bytes, %v", len(got), err)
			}
			if s.Calls("Write") != 3 || s.Calls("Read") != 3 {
				t.Errorf("%d writes, %d reads", s.Calls("Write"), s.Calls("Read"))
			}
		})
	}
}

func incompressible(n int) []byte {
	out := make([]byte, 0, n)
	for d := digest.OfString("seed"); len(out) < n; d = digest.Of(d.Hash[:]) {
		out = append(out, d.Hash[:]...)
	}
	return out[:n]
}

func TestSilentStreamTimesOut(t *testing.T) {
	s := clienttest.New(t, clienttest.Options{})
	r := cas.NewRemote(s.Dial(t, client.Options{CallTimeout: 100 * time.Millisecond}), digest.SHA256)
	d := s.Put(make([]byte, 2<<20))
	s.Fault(&clienttest.Fault{Method: "Read", Hang: true})
	if _, err := cas.Read(t.Context(), r, d); !errors.Is(err, client.ErrTimeout) {
		t.Errorf("error %v", err)
	}
}

func TestOneBatchForManyBlobs(t *testing.T) {
	s, r := remote(t, clienttest.Quirks{}, digest.SHA256)
	var blobs []cas.Blob
	for i := range 300 {
		data := fmt.Appendf(nil, "blob %d", i)
		blobs = append(blobs, cas.Bytes(digest.Of(data), data))
	}
	if err := cas.Ensure(t.Context(), r, blobs...); err != nil {
		t.Fatal(err)
	}
	if f, u := s.Calls("FindMissingBlobs"), s.Calls("BatchUpdateBlobs"); f != 1 || u != 1 {
		t.Errorf("%d FindMissingBlobs, %d BatchUpdateBlobs", f, u)
	}
}

func TestQuestionsAreMergedAndRemembered(t *testing.T) {
	s, r := remote(t, clienttest.Quirks{}, digest.SHA256)
	headers := make([]digest.Digest, 300)
	for i := range headers {
		headers[i] = s.Put(fmt.Appendf(nil, "header %d", i))
	}
	known := cas.NewRemembering(cas.NewMerging(r, 20*time.Millisecond), time.Hour, 1<<20)
	for range 10 { // actions at -j16
		var all sync.WaitGroup
		for range 16 {
			all.Go(func() {
				if missing, err := known.Missing(t.Context(), headers); err != nil || len(missing) > 0 {
					t.Errorf("%d missing, %v", len(missing), err)
				}
			})
		}
		all.Wait()
	}
	if n := s.Calls("FindMissingBlobs"); n > 16 {
		t.Errorf("%d FindMissingBlobs for 160 actions", n)
	}
	s.Drop(headers[7])
	if err := known.Fetch(t.Context(), cas.Wanted{Digest: headers[7], Into: new(bytes.Buffer)}); !errors.Is(err, cas.ErrNotFound) {
		t.Errorf("Fetch: %v", err)
	}
	if missing, err := known.Missing(t.Context(), headers); err != nil || len(missing) != 1 {
		t.Errorf("after a loss %d are missing, %v", len(missing), err)
	}
}

func TestMergingOutlivesItsLeader(t *testing.T) {
	m := cas.NewMerging(cas.NewMemory(digest.SHA256), 50*time.Millisecond)
	ctx, cancel := context.WithCancel(t.Context())
	d := digest.OfString("x")
	var all sync.WaitGroup
	all.Go(func() {
		if _, err := m.Missing(ctx, []digest.Digest{d}); err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	all.Go(func() {
		if missing, err := m.Missing(t.Context(), []digest.Digest{d}); err != nil || len(missing) != 1 {
			t.Errorf("follower: %v, %v", missing, err)
		}
	})
	cancel()
	all.Wait()
}
