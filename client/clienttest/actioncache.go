package clienttest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"

	"github.com/rexwrap/rexwrap/client/actioncache"
	"github.com/rexwrap/rexwrap/client/digest"
)

// TestActionCache checks that a Cache keeps its interface's promises. newCache
// returns an empty Cache that can be written to.
func TestActionCache(t *testing.T, newCache func(t *testing.T) actioncache.Cache) {
	for name, check := range map[string]func(*testing.T, actioncache.Cache){
		"Miss": cacheMiss, "RoundTrip": cacheRoundTrip, "Replace": cacheReplace, "Concurrent": cacheConcurrent, "Cancelled": cacheCancelled,
	} {
		t.Run(name, func(t *testing.T) { check(t, newCache(t)) })
	}
}

// resultWith returns a result that needs no blobs.
func resultWith(target string) *repb.ActionResult {
	return &repb.ActionResult{OutputSymlinks: []*repb.OutputSymlink{{Path: "out", Target: target}}, StderrRaw: []byte("warning")}
}

func cacheMiss(t *testing.T, c actioncache.Cache) {
	if r, err := c.Get(t.Context(), digest.OfString("unknown")); !errors.Is(err, actioncache.ErrNotFound) {
		t.Errorf("Get = %v, %v", r, err)
	}
}

func checkResult(t *testing.T, c actioncache.Cache, action digest.Digest, target string) {
	t.Helper()
	r, err := c.Get(t.Context(), action, "out")
	if err != nil || len(r.OutputSymlinks) != 1 || r.OutputSymlinks[0].Target != target || string(r.StderrRaw) != "warning" {
		t.Errorf("Get = %v, %v, want target %q", r, err, target)
	}
}

func cacheRoundTrip(t *testing.T, c actioncache.Cache) {
	one, other := digest.OfString("one"), digest.OfString("other")
	if err := errors.Join(c.Put(t.Context(), one, resultWith("1")), c.Put(t.Context(), other, resultWith("2"))); err != nil {
		t.Fatal(err)
	}
	checkResult(t, c, one, "1")
	checkResult(t, c, other, "2")
}

func cacheReplace(t *testing.T, c actioncache.Cache) {
	action := digest.OfString("action")
	for _, target := range []string{"1", "2"} {
		if err := c.Put(t.Context(), action, resultWith(target)); err != nil {
			t.Fatal(err)
		}
		checkResult(t, c, action, target)
	}
}

func cacheConcurrent(t *testing.T, c actioncache.Cache) {
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			target := fmt.Sprint(i)
			action := digest.OfString(target)
			if err := c.Put(t.Context(), action, resultWith(target)); err != nil {
				t.Error(err)
			}
			checkResult(t, c, action, target)
		})
	}
	all.Wait()
}

func cacheCancelled(t *testing.T, c actioncache.Cache) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Get(ctx, digest.OfString("x")); !errors.Is(err, context.Canceled) {
		t.Errorf("Get: %v", err)
	}
	if err := c.Put(ctx, digest.OfString("x"), resultWith("x")); !errors.Is(err, context.Canceled) {
		t.Errorf("Put: %v", err)
	}
}
