package pipeline

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/wrapper/wire"
)

func candidate(seed string, variants ...Variant) *Candidate {
	return &Candidate{
		Files:  []Input{{"a.c", digest.OfString(seed)}, {rootMark + "b.h", digest.OfString("b")}},
		Absent: []string{"inc/b.h"}, Dirs: []string{"inc"}, Times: []Time{{"b.h", 12}}, Needs: needsDay, Guard: digest.OfString("today"),
		Results: variants,
	}
}

func variant(streams string) Variant {
	return Variant{
		Streams: streams, Action: digest.OfString("action" + streams),
		Outputs: []Declared{{"object", "../a.o"}}, Targets: []string{"a.o"}, Names: names{{Worker: "/w", Client: rootMark + "x"}},
	}
}

func TestManifestRoundTrip(t *testing.T) {
	m := &Manifest{}
	m.add(candidate("1", variant("")))
	m.add(candidate("2", variant("tty"), Variant{Action: digest.OfString("q"), Quiet: true}))
	got, err := decodeManifest(m.encode())
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(m, got); d != "" {
		t.Error(d)
	}
}

func TestManifestMergesVariants(t *testing.T) {
	m := &Manifest{}
	m.add(candidate("1", variant("")))
	m.add(candidate("2", variant("")))
	m.add(candidate("1", variant("tty")))
	if len(m.Candidates) != 2 {
		t.Fatalf("%d candidates, want 2", len(m.Candidates))
	}
	first := m.Candidates[0]
	if first.Files[0].Digest != digest.OfString("1") || first.result("") == nil || first.result("tty") == nil {
		t.Errorf("the newest candidate is %+v", first)
	}
	if first.result("other") != nil {
		t.Error("a result of a terminal serves another one")
	}
}

func TestQuietServesAllStreams(t *testing.T) {
	c := candidate("1", Variant{Action: digest.OfString("a"), Quiet: true})
	for _, streams := range []string{"", "tty", "one"} {
		if c.result(streams) == nil {
			t.Errorf("quiet result does not serve %q", streams)
		}
	}
}

func TestManifestIsBounded(t *testing.T) {
	m := &Manifest{}
	for i := range 3 * maxCandidates {
		m.add(candidate(fmt.Sprint(i), variant("")))
	}
	if len(m.Candidates) != maxCandidates {
		t.Errorf("%d candidates, want %d", len(m.Candidates), maxCandidates)
	}
	if want := digest.OfString(fmt.Sprint(3*maxCandidates - 1)); m.Candidates[0].Files[0].Digest != want {
		t.Error("the newest candidate is not first")
	}
	for i := range 3 * maxVariants {
		m.add(candidate("v", variant(fmt.Sprint(i))))
	}
	if n := len(m.Candidates[0].Results); n != maxVariants {
		t.Errorf("%d variants, want %d", n, maxVariants)
	}
}

func result() *Result {
	return &Result{
		Outputs:  []ResultOutput{{"object", digest.OfString("o"), true}, {"dep", digest.OfString("d"), false}},
		Chunks:   []wire.Chunk{{Fd: 2, Data: []byte("warning")}, {Fd: 1, Data: []byte("out")}},
		Spelling: SpelledRemotely, Names: names{{Worker: "/proc/self/cwd/..", Client: rootMark}}, Worker: "w1",
		Dep:  DepOrigin{Root: "/r", Targets: []string{"x.o", "y"}},
		Cost: Cost{User: 1, Sys: 2, Wall: 3, MaxRSS: 4}, Created: 5,
	}
}

func TestResultRoundTrip(t *testing.T) {
	got, err := DecodeResult(result().encode())
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(result(), got, cmpopts.IgnoreUnexported(Result{})); d != "" {
		t.Error(d)
	}
}

func TestCutEntriesAreCorrupt(t *testing.T) {
	m := &Manifest{}
	m.add(candidate("1", variant("")))
	for n := range m.encode() {
		if _, err := decodeManifest(m.encode()[:n]); err == nil {
			t.Errorf("manifest cut at %d is read", n)
		}
	}
	for n := range result().encode() {
		if _, err := DecodeResult(result().encode()[:n]); err == nil {
			t.Errorf("result cut at %d is read", n)
		}
	}
}

func FuzzManifest(f *testing.F) {
	m := &Manifest{}
	m.add(candidate("1", variant("")))
	f.Add(m.encode())
	f.Add([]byte{manifestVersion, 0xff, 0xff, 0x7f})
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := decodeManifest(data)
		if err != nil {
			return
		}
		again, err := decodeManifest(m.encode())
		if err != nil || !cmp.Equal(m, again) {
			t.Errorf("%x does not survive a round trip: %v", data, err)
		}
	})
}

func FuzzResult(f *testing.F) {
	f.Add(result().encode())
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := DecodeResult(data)
		if err != nil {
			return
		}
		again, err := DecodeResult(r.encode())
		if err != nil || !bytes.Equal(r.encode(), again.encode()) {
			t.Errorf("%x does not survive a round trip: %v", data, err)
		}
	})
}
