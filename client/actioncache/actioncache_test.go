package actioncache_test

import (
	"errors"
	"testing"
	"time"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/grpc/codes"

	"github.com/rexwrap/rexwrap/client"
	"github.com/rexwrap/rexwrap/client/actioncache"
	"github.com/rexwrap/rexwrap/client/clienttest"
	"github.com/rexwrap/rexwrap/client/digest"
)

func remote(t *testing.T, q clienttest.Quirks, o actioncache.Options) (*clienttest.Server, *actioncache.Remote) {
	s := clienttest.New(t, clienttest.Options{Quirks: q})
	return s, actioncache.NewRemote(s.Dial(t, client.Options{CallTimeout: time.Minute}), o)
}

func TestCaches(t *testing.T) {
	for name, newCache := range map[string]func(*testing.T) actioncache.Cache{
		"memory": func(*testing.T) actioncache.Cache { return new(actioncache.Memory) },
		"remote": func(t *testing.T) actioncache.Cache {
			_, r := remote(t, clienttest.Quirks{}, actioncache.Options{})
			return r
		},
		"stamping": func(t *testing.T) actioncache.Cache {
			_, r := remote(t, clienttest.Quirks{Stamps: true, Inlines: true}, actioncache.Options{})
			return r
		},
		"denying": func(t *testing.T) actioncache.Cache {
			_, r := remote(t, clienttest.Quirks{DeniesAC: true}, actioncache.Options{Try: true})
			return r
		},
		"layered": func(t *testing.T) actioncache.Cache {
			_, r := remote(t, clienttest.Quirks{}, actioncache.Options{})
			return actioncache.NewLayered(new(actioncache.Memory), r)
		},
		"over read-only": func(t *testing.T) actioncache.Cache {
			_, r := remote(t, clienttest.Quirks{ReadOnly: true}, actioncache.Options{})
			return actioncache.NewLayered(new(actioncache.Memory), r)
		},
	} {
		t.Run(name, func(t *testing.T) { clienttest.TestActionCache(t, newCache) })
	}
}

func TestReadOnlyIsFoundOutOnce(t *testing.T) {
	for name, test := range map[string]struct {
		quirks  clienttest.Quirks
		options actioncache.Options
		fault   clienttest.Fault
		calls   int
	}{
		"setting":  {options: actioncache.Options{ReadOnly: true}},
		"says so":  {quirks: clienttest.Quirks{ReadOnly: true}},
		"does not": {fault: clienttest.Fault{Method: "UpdateActionResult", Code: codes.Unimplemented}, calls: 1},
		"denied":   {fault: clienttest.Fault{Method: "UpdateActionResult", Code: codes.PermissionDenied}, calls: 1},
	} {
		s, r := remote(t, test.quirks, test.options)
		if test.fault.Method != "" {
			s.Fault(&test.fault)
		}
		for range 3 {
			if err := r.Put(t.Context(), digest.OfString("x"), &repb.ActionResult{}); !errors.Is(err, actioncache.ErrReadOnly) {
				t.Errorf("%s: Put: %v", name, err)
			}
		}
		if n := s.Calls("UpdateActionResult"); n != test.calls || !r.ReadOnly() {
			t.Errorf("%s: %d calls, read-only %t", name, n, r.ReadOnly())
		}
	}
}

func TestInstancesAreApart(t *testing.T) {
	s := clienttest.New(t, clienttest.Options{})
	one := actioncache.NewRemote(s.Dial(t, client.Options{Instance: "one"}), actioncache.Options{})
	other := actioncache.NewRemote(s.Dial(t, client.Options{Instance: "other"}), actioncache.Options{})
	if err := one.Put(t.Context(), digest.OfString("x"), &repb.ActionResult{}); err != nil {
		t.Fatal(err)
	}
	if _, err := other.Get(t.Context(), digest.OfString("x")); !errors.Is(err, actioncache.ErrNotFound) {
		t.Errorf("the other instance: %v", err)
	}
}

func TestLayeredKeepsNear(t *testing.T) {
	s, r := remote(t, clienttest.Quirks{}, actioncache.Options{})
	s.SetResult(digest.OfString("x"), &repb.ActionResult{ExitCode: 3})
	l := actioncache.NewLayered(new(actioncache.Memory), r)
	for range 3 {
		if got, err := l.Get(t.Context(), digest.OfString("x")); err != nil || got.ExitCode != 3 {
			t.Errorf("Get = %v, %v", got, err)
		}
	}
	if n := s.Calls("GetActionResult"); n != 1 {
		t.Errorf("%d calls", n)
	}
}
