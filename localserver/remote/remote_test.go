package remote_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"github.com/rs/zerolog"

	"github.com/rexwrap/rexwrap/client/action"
	"github.com/rexwrap/rexwrap/client/cas"
	"github.com/rexwrap/rexwrap/client/clienttest"
	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/client/merkle"
	"github.com/rexwrap/rexwrap/localserver/config"
	"github.com/rexwrap/rexwrap/localserver/remote"
)

func newPool(t *testing.T) *remote.Pool {
	t.Helper()
	p := remote.NewPool(remote.Options{Version: "test", Log: zerolog.New(zerolog.NewTestWriter(t))})
	t.Cleanup(func() {
		if err := p.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
	return p
}

func settings(s *clienttest.Server) *config.Settings {
	return &config.Settings{Remote: s.Address, RemoteUpload: true, RemoteJobs: 2}
}

func newRemote(t *testing.T, q clienttest.Quirks) (*clienttest.Server, *remote.Pool, *remote.Remote) {
	t.Helper()
	s := clienttest.New(t, clienttest.Options{Quirks: q})
	p := newPool(t)
	r := p.Of(settings(s))
	if r == nil {
		t.Fatalf("no remote: %v", p.Warnings())
	}
	return s, p, r
}

func encode(t *testing.T, s *action.Spec) *action.Encoded {
	t.Helper()
	e, err := action.Encode(s)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// memory is a Keeper.
type memory map[digest.Digest][]byte

func (m memory) HasBlob(d digest.Digest) bool { return m[d] != nil }

func (m memory) Blob(d digest.Digest) ([]byte, error) {
	if data := m[d]; data != nil {
		return data, nil
	}
	return nil, os.ErrNotExist
}

func (m memory) PutBlob(data []byte) (digest.Digest, error) {
	d := digest.Of(data)
	m[d] = slices.Clone(data)
	return d, nil
}

// Of a large blob that is like one fetched before only the difference comes.
func TestLargeBlobsComeInChunks(t *testing.T) {
	s := clienttest.New(t, clienttest.Options{Quirks: clienttest.Quirks{Split: true, ChunkMappings: true}})
	kept := memory{}
	p := remote.NewPool(remote.Options{Version: "test", Log: zerolog.Nop(), Near: kept})
	t.Cleanup(func() { _ = p.Close(t.Context()) })
	r := p.Of(settings(s))
	one := make([]byte, 6<<20)
	rand.NewChaCha8([32]byte{1}).Read(one)
	other := slices.Concat(one[:3<<20], []byte("inserted"), one[3<<20:])
	for _, data := range [][]byte{one, other} {
		var got bytes.Buffer
		before := s.Sent()
		if err := r.Fetch(t.Context(), cas.Wanted{Digest: s.Put(data), Into: &got}); err != nil || !bytes.Equal(got.Bytes(), data) {
			t.Fatalf("%d bytes, %v", got.Len(), err)
		}
		if down := s.Sent() - before; len(data) > len(one) && down > 1<<20 {
			t.Errorf("%d bytes came for %d", down, len("inserted"))
		}
	}
	if len(kept) < 4 {
		t.Errorf("%d chunks kept", len(kept))
	}
}

func TestPoolSharesRemotes(t *testing.T) {
	s := clienttest.New(t, clienttest.Options{})
	p := newPool(t)
	if r := p.Of(&config.Settings{}); r != nil {
		t.Error("settings without a remote have one")
	}
	one := p.Of(settings(s))
	if one == nil || p.Of(settings(s)) != one {
		t.Error("equal settings have two remotes")
	}
	for name, change := range map[string]func(*config.Settings){
		"instance":  func(o *config.Settings) { o.Instance = "x" },
		"headers":   func(o *config.Settings) { o.Headers = map[string]string{"a": "b"} },
		"read-only": func(o *config.Settings) { o.ReadOnly = true },
		"cache":     func(o *config.Settings) { o.ActionCache = "grpc://127.0.0.1:1" },
	} {
		o := settings(s)
		change(o)
		if r := p.Of(o); r == nil || r == one {
			t.Errorf("%s: another remote is %p, the first %p", name, r, one)
		}
	}
}

func TestUndialledRemoteIsSaid(t *testing.T) {
	p := newPool(t)
	if r := p.Of(&config.Settings{Remote: "grpcs://127.0.0.1:1", TLS: config.TLS{CA: "/does/not/exist"}}); r != nil {
		t.Error("a remote without its certificates")
	}
	if w := p.Warnings(); len(w) != 1 || !strings.Contains(w[0], "/does/not/exist") {
		t.Errorf("warnings are %q", w)
	}
}

func TestDeadRemoteIsSaid(t *testing.T) {
	s, p, r := newRemote(t, clienttest.Quirks{})
	s.Stop()
	if _, err := r.Result(t.Context(), digest.OfString("x"), nil, nil); err == nil || errors.Is(err, remote.ErrMiss) {
		t.Errorf("a dead remote answers %v", err)
	}
	if w := p.Warnings(); len(w) != 1 || !strings.Contains(w[0], s.Address) {
		t.Errorf("warnings are %q", w)
	}
}

func TestResult(t *testing.T) {
	object := digest.OfString("object")
	file := func(path string) *repb.OutputFile { return &repb.OutputFile{Path: path, Digest: merkle.Proto(object)} }
	for name, test := range map[string]struct {
		result *repb.ActionResult
		found  bool
	}{
		"whole":            {&repb.ActionResult{OutputFiles: []*repb.OutputFile{file("x.o"), file("x.su")}}, true},
		"without optional": {&repb.ActionResult{OutputFiles: []*repb.OutputFile{file("x.o")}}, true},
		"incomplete":       {&repb.ActionResult{OutputFiles: []*repb.OutputFile{file("x.su")}}, false},
		"failed":           {&repb.ActionResult{ExitCode: 1, OutputFiles: []*repb.OutputFile{file("x.o")}}, false},
		"undeclared":       {&repb.ActionResult{OutputFiles: []*repb.OutputFile{file("x.o"), file("y.o")}}, false},
		"unknown":          {nil, false},
	} {
		s, _, r := newRemote(t, clienttest.Quirks{Unchecked: true})
		if test.result != nil {
			s.SetResult(digest.OfString("action"), test.result)
		}
		got, err := r.Result(t.Context(), digest.OfString("action"), []string{"x.o", "x.su"}, []string{"x.su"})
		if test.found != (err == nil) || err != nil && !errors.Is(err, remote.ErrMiss) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

// TestPatience: a compile does not wait for a remote that hangs, and the next
// ones find it left alone.
func TestPatience(t *testing.T) {
	s, _, r := newRemote(t, clienttest.Quirks{})
	s.Fault(&clienttest.Fault{Hang: true})
	start := time.Now()
	if _, err := r.Result(t.Context(), digest.OfString("x"), nil, nil); err == nil {
		t.Error("a hanging remote answers")
	}
	if took := time.Since(start); took > 4*time.Second {
		t.Errorf("it was waited for %v", took)
	}
}

func TestShare(t *testing.T) {
	for name, quirks := range map[string]clienttest.Quirks{"plain": {}, "inlining": {Inlines: true, Stamps: true}} {
		s, p, r := newRemote(t, quirks)
		e := encode(t, &action.Spec{Arguments: []string{"cc"}, OutputFiles: []string{"x.o"}, InputRoot: digest.Empty()})
		object, key := digest.OfString("object"), digest.OfString("manifest")
		share := func(candidate string) {
			if !r.Share(&remote.Share{
				Action: e, Outputs: []remote.Output{{Path: "x.o", Digest: object, Executable: true}}, Stderr: []byte("beware"),
				Blobs:    []cas.Blob{cas.Bytes(object, []byte("object"))},
				Cost:     remote.Cost{Started: time.Unix(1e9, 0), Wall: time.Second, User: 1500 * time.Millisecond, Sys: time.Millisecond, MaxRSS: 1 << 20},
				Manifest: key, Version: 1, Merge: func(shared []byte) []byte { return append(shared, candidate...) },
			}) {
				t.Fatal("not taken")
			}
			if n := p.Flush(t.Context()); n != 0 {
				t.Errorf("%s: %d are pending", name, n)
			}
		}
		share("a")
		share("b")
		got, err := r.Result(t.Context(), e.Action, []string{"x.o"}, nil)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if f := got.Files["x.o"]; f.Digest != object || !f.Executable || string(got.Stderr.Raw) != "beware" {
			t.Errorf("%s: result is %+v", name, got)
		}
		cost := remote.CostOf(got.Metadata)
		if quirks.Stamps {
			cost = remote.Cost{Wall: time.Second, User: 1500 * time.Millisecond, Sys: time.Millisecond, MaxRSS: 1 << 20}
		}
		if cost.Wall != time.Second || cost.User != 1500*time.Millisecond || cost.Sys != time.Millisecond || cost.MaxRSS != 1<<20 {
			t.Errorf("%s: cost is %+v", name, cost)
		}
		if text, err := r.Candidates(t.Context(), key, 1); err != nil || string(text) != "ab" {
			t.Errorf("%s: candidates are %q, %v", name, text, err)
		}
		if _, err := r.Candidates(t.Context(), key, 2); !errors.Is(err, remote.ErrMiss) {
			t.Errorf("%s: candidates of another version: %v", name, err)
		}
		if !s.Has(e.Action) || !s.Has(e.Command) {
			t.Errorf("%s: the Action is not in the CAS", name)
		}
	}
}

// permissionDenied is gRPC's code, which stops at client.
const permissionDenied = 7

func TestRefusedSharesAreSaidOnce(t *testing.T) {
	s, p, r := newRemote(t, clienttest.Quirks{})
	s.Fault(&clienttest.Fault{Method: "UpdateActionResult", Code: permissionDenied})
	e := encode(t, &action.Spec{Arguments: []string{"cc"}, InputRoot: digest.Empty()})
	for range 3 {
		r.Share(&remote.Share{Action: e})
		p.Flush(t.Context())
	}
	if n := s.Calls("UpdateActionResult"); n != 1 || r.Shares() {
		t.Errorf("%d results were offered, shares %t", n, r.Shares())
	}
	if w := p.Warnings(); len(w) != 1 || !strings.Contains(w[0], "takes no results") {
		t.Errorf("warnings are %q", w)
	}
}

// TestExecute runs a Job, loses its inputs, and runs it again.
func TestExecute(t *testing.T) {
	s, p, r := newRemote(t, clienttest.Quirks{})
	if err := r.Workers(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	text := []byte("input")
	input := digest.Of(text)
	tree, err := merkle.Build([]merkle.Entry{{Path: "in", Digest: input}})
	if err != nil {
		t.Fatal(err)
	}
	job := func(script string) *remote.Job {
		spec := &action.Spec{
			Arguments: []string{"/bin/sh", "-c", script}, OutputFiles: []string{"out", "more"}, InputRoot: tree.Root, Timeout: time.Minute,
		}
		return &remote.Job{
			Action: encode(t, spec), Tree: tree, Sources: map[digest.Digest]string{input: writeInput(t, text)},
			Outputs: spec.OutputPaths(), Optional: []string{"more"}, Timeout: spec.Timeout,
		}
	}
	for _, script := range []string{"cat in >out", "cat in in >out"} {
		j := job(script)
		if err := r.Supply(t.Context(), j); err != nil {
			t.Fatal(err)
		}
		s.Drop(input) // the remote has lost it; what is known of it is wrong
		got, err := r.Execute(t.Context(), j)
		if err != nil || len(got.Files) != 1 {
			t.Fatalf("%s: %+v, %v", script, got, err)
		}
	}
	bad := job("exit 3")
	if err := r.Supply(t.Context(), bad); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Execute(t.Context(), bad); !errors.Is(err, remote.ErrBadResult) {
		t.Errorf("a failing Command: %v", err)
	}
	x, err := p.Describe(t.Context(), job("cat in >out").Action.Action)
	if err != nil || !slices.Equal(x.Command.Arguments, []string{"/bin/sh", "-c", "cat in >out"}) || len(x.Inputs) != 1 || x.Result == nil {
		t.Errorf("description is %+v, %v", x, err)
	}
}

func TestWorkers(t *testing.T) {
	for name, quirks := range map[string]clienttest.Quirks{"cache only": {NoExecution: true}, "mettle": {RootOutputs: true}} {
		_, _, r := newRemote(t, quirks)
		for range 2 {
			if err := r.Workers(t.Context(), nil); !errors.Is(err, remote.ErrNoWorkers) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

func writeInput(t *testing.T, text []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "in")
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}
