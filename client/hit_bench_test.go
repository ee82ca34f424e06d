package client_test

import (
	"bytes"
	"testing"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"

	"github.com/rexwrap/rexwrap/client"
	"github.com/rexwrap/rexwrap/client/action"
	"github.com/rexwrap/rexwrap/client/actioncache"
	"github.com/rexwrap/rexwrap/client/cas"
	"github.com/rexwrap/rexwrap/client/clienttest"
	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/client/merkle"
)

// BenchmarkHit is a remote hit on loopback, server included: a result and an
// object with a dep-file, in one batch.
func BenchmarkHit(b *testing.B) {
	for name, o := range map[string]clienttest.Options{"tcp": {}, "unix": {Unix: true}, "tls": {TLS: true}, "zstd": {Quirks: clienttest.Quirks{Zstd: true}}, "inlined": {Quirks: clienttest.Quirks{Inlines: true}}} {
		b.Run(name, func(b *testing.B) {
			s := clienttest.New(b, o)
			conn := s.Dial(b, client.Options{Metadata: client.Metadata{ToolName: "rexwrap", ToolVersion: "1", InvocationID: "b"}})
			h := newHit(s, conn)
			b.ReportAllocs()
			for b.Loop() {
				if err := h.fetch(b); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

type hit struct {
	cache  actioncache.Cache
	store  cas.Store
	action digest.Digest
}

func newHit(s *clienttest.Server, conn *client.Conn) *hit {
	h := &hit{
		cache: actioncache.NewRemote(conn, actioncache.Options{}), store: cas.NewRemembering(cas.NewRemote(conn, digest.SHA256), 1e12, 1000),
		action: digest.OfString("action"),
	}
	s.SetResult(h.action, &repb.ActionResult{OutputFiles: []*repb.OutputFile{
		{Path: "x.o", Digest: merkle.Proto(s.Put(objectOf(1)[:50_000]))}, {Path: "x.d", Digest: merkle.Proto(s.Put(objectOf(2)[:3000]))},
	}})
	return h
}

func (h *hit) fetch(b *testing.B) error {
	ctx := client.WithMetadata(b.Context(), client.Metadata{InvocationID: "build", Mnemonic: "CppCompile", ActionID: h.action.Hex()})
	outputs := []string{"x.o", "x.d"}
	msg, err := h.cache.Get(ctx, h.action, outputs...)
	if err != nil {
		return err
	}
	result, err := action.ReadResult(msg, outputs, digest.SHA256)
	if err != nil || result.Files["x.o"].Contents != nil {
		return err
	}
	var object, deps bytes.Buffer
	return h.store.Fetch(ctx, cas.Wanted{Digest: result.Files["x.o"].Digest, Into: &object}, cas.Wanted{Digest: result.Files["x.d"].Digest, Into: &deps})
}
