//go:build linux

package interop

import (
	"context"
	"errors"
	"testing"
	"time"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"

	"github.com/rexwrap/rexwrap/client/actioncache"
	"github.com/rexwrap/rexwrap/client/cas"
	"github.com/rexwrap/rexwrap/client/clienttest"
	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/client/execute"
)

// queue is how long an Action may wait: nothing else runs.
const queue = 3 * time.Second

func TestCapabilities(t *testing.T) {
	eachServer(t, func(t *testing.T, k kind, start func(*testing.T) string) {
		caps, err := dial(t, start(t)).Capabilities(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%+v", *caps)
		if !caps.Cache || !caps.Execution || caps.Functions[0] != digest.SHA256 || caps.AbsoluteSymlinks != k.absolute || caps.ActionCacheUpdate == k.readOnly {
			t.Errorf("capabilities %+v", *caps)
		}
	})
}

func TestStore(t *testing.T) {
	eachServer(t, func(t *testing.T, _ kind, start func(*testing.T) string) {
		clienttest.TestStore(t, digest.SHA256, func(t *testing.T) cas.Store {
			return cas.NewRemote(dial(t, start(t)), digest.SHA256)
		})
	})
}

func TestActionCache(t *testing.T) {
	eachServer(t, func(t *testing.T, k kind, start func(*testing.T) string) {
		newCache := func(t *testing.T) actioncache.Cache {
			return actioncache.NewRemote(dial(t, start(t)), actioncache.Options{})
		}
		if !k.readOnly {
			clienttest.TestActionCache(t, newCache)
			return
		}
		c := newCache(t)
		if err := c.Put(t.Context(), digest.OfString("x"), new(repb.ActionResult)); !errors.Is(err, actioncache.ErrReadOnly) {
			t.Errorf("Put: %v", err)
		}
		if _, err := c.Get(t.Context(), digest.OfString("x")); !errors.Is(err, actioncache.ErrNotFound) {
			t.Errorf("Get: %v", err)
		}
	})
}

func TestExecutor(t *testing.T) {
	eachServer(t, func(t *testing.T, _ kind, start func(*testing.T) string) {
		clienttest.TestExecutor(t, func(t *testing.T) (execute.Executor, cas.Store) {
			conn := dial(t, start(t))
			return execute.NewRemote(conn, digest.SHA256, queue), cas.NewRemote(conn, digest.SHA256)
		})
	})
}

// The server looks for outputs where rexwrap has them written.
func TestProbe(t *testing.T) {
	eachServer(t, func(t *testing.T, _ kind, start func(*testing.T) string) {
		conn := dial(t, start(t))
		if err := execute.Probe(t.Context(), execute.NewRemote(conn, digest.SHA256, queue), cas.NewRemote(conn, digest.SHA256), nil); err != nil {
			t.Error(err)
		}
	})
}

// What a worker has made is found by GetActionResult, with its outputs.
func TestResultIsFoundAfterwards(t *testing.T) {
	eachServer(t, func(t *testing.T, _ kind, start func(*testing.T) string) {
		conn := dial(t, start(t))
		store, cache := cas.NewRemote(conn, digest.SHA256), actioncache.NewRemote(conn, actioncache.Options{})
		req := clienttest.Shell("echo x >out", "out").Uploaded(t, store)
		if _, err := cache.Get(t.Context(), req.Action); !errors.Is(err, actioncache.ErrNotFound) {
			t.Errorf("before: %v", err)
		}
		if _, err := execute.NewRemote(conn, digest.SHA256, queue).Execute(t.Context(), req); err != nil {
			t.Fatal(err)
		}
		result, err := cache.Get(t.Context(), req.Action, "out")
		if err != nil || len(result.OutputFiles) != 1 {
			t.Fatalf("after: %v, %v", result, err)
		}
		if out, err := cas.Read(t.Context(), store, digest.OfString("x\n")); err != nil || string(out) != "x\n" {
			t.Errorf("output %q, %v", out, err)
		}
	})
}

// Inputs that the server lacks are sent again, however it says so.
func TestMissingInputsAreRepaired(t *testing.T) {
	eachServer(t, func(t *testing.T, _ kind, start func(*testing.T) string) {
		conn := dial(t, start(t))
		store := cas.NewRemote(conn, digest.SHA256)
		a := clienttest.Shell("cat in >out", "out")
		a.Files = map[string]string{"in": "input"}
		req, blobs := a.Request(t)
		if err := store.Upload(t.Context(), blobs[1:]...); err != nil { // all but the file
			t.Fatal(err)
		}
		repairs := 0
		req.Repair = func(ctx context.Context, _ []digest.Digest) error {
			repairs++
			return store.Upload(ctx, blobs...)
		}
		r, err := execute.Repairing{Executor: execute.NewRemote(conn, digest.SHA256, queue)}.Execute(t.Context(), req)
		if err != nil || r.Files["out"].Digest != digest.OfString("input") || repairs != 1 {
			t.Errorf("%+v, %v after %d repairs", r, err, repairs)
		}
	})
}
