package checkup

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"

	"github.com/rexwrap/rexwrap/client"
	"github.com/rexwrap/rexwrap/client/action"
	"github.com/rexwrap/rexwrap/client/actioncache"
	"github.com/rexwrap/rexwrap/client/cas"
	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/client/merkle"
)

// offers reports what the addresses say of themselves, and whether the cache
// can be used at all.
func (x *examination) offers(ctx context.Context) bool {
	begin := time.Now()
	c, err := x.CAS.Capabilities(ctx)
	if err != nil {
		x.fail("remote", err)
		return false
	}
	x.ok("remote", fmt.Sprintf("%s answers, connected in %s", x.CAS.Address(), round(time.Since(begin))))
	if !c.Cache {
		x.report(Finding{
			Name: "remote", Status: Failed, Text: fmt.Sprintf("%s has no CAS", x.CAS.Address()),
			Advice: "set cas and action_cache to the addresses that have one",
		})
		return false
	}
	x.capabilities(c)
	if x.ActionCache == x.CAS {
		return true
	}
	if _, err := x.ActionCache.Capabilities(ctx); err != nil {
		x.fail("action cache", err)
		return false
	}
	return true
}

// capabilities reports c as a line of words.
func (x *examination) capabilities(c *client.Capabilities) {
	words := []string{"REv2 " + c.Low + " to " + c.High}
	for _, f := range c.Functions {
		words = append(words, f.String())
	}
	words = append(words, fmt.Sprintf("batches of %d KiB", c.MaxBatch>>10))
	for _, w := range []struct {
		has  bool
		name string
	}{
		{c.StreamZstd, "zstd streams"},
		{c.BatchZstd, "zstd batches"},
		{c.Split, "SplitBlob"},
		{c.Splice, "SpliceBlob"},
		{c.ActionCacheUpdate, "results may be stored"},
		{c.Execution, "execution"},
	} {
		if w.has {
			words = append(words, w.name)
		}
	}
	x.ok("capabilities", strings.Join(words, ", "))
}

// rounds is how many calls the latency is the median of.
const rounds = 7

// roundTrip measures the time of the smallest call.
func (x *examination) roundTrip(ctx context.Context) {
	times := make([]time.Duration, 0, rounds)
	nothing := digest.Of([]byte("rexwrap doctor: never stored"))
	for range rounds {
		begin := time.Now()
		if _, err := x.store.Missing(ctx, []digest.Digest{nothing}); err != nil {
			x.fail("latency", err)
			return
		}
		times = append(times, time.Since(begin))
	}
	slices.Sort(times)
	median := times[rounds/2]
	text := fmt.Sprintf("%s per round trip, %s at most", round(median), round(times[rounds-1]))
	if median > slow {
		x.warn("latency", text, "cached results cost at least that; choose a nearer server")
		return
	}
	x.ok("latency", text)
}

// slow is the latency from which a remote hit costs more than a small compile.
const slow = 100 * time.Millisecond

// streamed is a size that no server takes in one batch.
const streamed = 5 << 20

// blobs sends a small blob and a large one there and back.
func (x *examination) blobs(ctx context.Context) {
	if x.ReadOnly {
		x.ok("blobs", "not tried: read_only is set")
		return
	}
	large := make([]byte, streamed)
	_, _ = rand.Read(large) // never fails
	small := []byte("rexwrap doctor: a small blob")
	var took []string
	for _, data := range [][]byte{small, large} {
		d := digest.Of(data)
		begin := time.Now()
		if err := x.store.Upload(ctx, cas.Bytes(d, data)); err != nil {
			x.fail("blobs", fmt.Errorf("upload %d bytes: %w", len(data), err))
			return
		}
		up := time.Since(begin)
		begin = time.Now()
		if _, err := cas.Read(ctx, x.store, d); err != nil {
			x.fail("blobs", fmt.Errorf("download %d bytes: %w", len(data), err))
			return
		}
		took = append(took, fmt.Sprintf("%d bytes up in %s, down in %s", len(data), round(up), round(time.Since(begin))))
	}
	x.ok("blobs", strings.Join(took, "; "))
}

// results asks the ActionCache for a result, and stores one.
func (x *examination) results(ctx context.Context) {
	encoded, blobs, err := probeAction()
	if err != nil {
		x.fail("action cache", err)
		return
	}
	if _, err := x.cache.Get(ctx, encoded.Action); err != nil && !errors.Is(err, actioncache.ErrNotFound) {
		x.fail("action cache", err)
		return
	}
	if x.ReadOnly {
		x.ok("action cache", "answers; storing is not tried: read_only is set")
		return
	}
	if err := cas.Ensure(ctx, x.store, blobs...); err != nil {
		x.fail("action cache", err)
		return
	}
	err = x.cache.Put(ctx, encoded.Action, &repb.ActionResult{StdoutRaw: []byte("rexwrap doctor\n")})
	switch {
	case errors.Is(err, actioncache.ErrReadOnly), errors.Is(err, client.ErrDenied), errors.Is(err, client.ErrUnimplemented):
		x.warn("action cache", "answers, and takes no results from us", "only what workers or others stored is found")
	case err != nil:
		x.fail("action cache", err)
	default:
		x.stored(ctx, encoded.Action)
	}
}

// stored asks for the result that was stored.
func (x *examination) stored(ctx context.Context, d digest.Digest) {
	if _, err := x.cache.Get(ctx, d); err != nil {
		x.report(Finding{
			Name: "action cache", Status: Failed, Text: "took a result and does not find it: " + err.Error(),
			Advice: "is the instance name the same for all addresses?",
		})
		return
	}
	x.ok("action cache", "answers and takes results")
}

// probeAction returns an Action that nothing else has, the same in every run.
func probeAction() (*action.Encoded, []cas.Blob, error) {
	tree, err := merkle.Build(nil)
	if err != nil {
		return nil, nil, err
	}
	encoded, err := action.Encode(&action.Spec{
		Arguments: []string{"/bin/echo", "rexwrap", "doctor"}, InputRoot: tree.Root, Timeout: time.Minute,
	})
	if err != nil {
		return nil, nil, err
	}
	blobs := []cas.Blob{cas.Bytes(encoded.Action, encoded.ActionBlob), cas.Bytes(encoded.Command, encoded.CommandBlob)}
	for d, data := range tree.Directories {
		blobs = append(blobs, cas.Bytes(d, data))
	}
	return encoded, blobs, nil
}

// round returns d as people read it.
func round(d time.Duration) time.Duration {
	switch {
	case d < time.Millisecond:
		return d.Round(10 * time.Microsecond)
	case d < time.Second:
		return d.Round(100 * time.Microsecond)
	}
	return d.Round(10 * time.Millisecond)
}
