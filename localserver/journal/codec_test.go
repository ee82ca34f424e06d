package journal

import (
	"bytes"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rexwrap/rexwrap/client/digest"
)

// fullRecord has every field set.
func fullRecord() *Record {
	r := &Record{
		ID: 7, Earlier: 3, Cause: CauseInputs, Time: time.UnixMicro(1_700_000_000_123_456),
		Build: "b1", Outcome: ExecutedLocal, Reason: "failed", Arg: "x.h",
		Family: "gcc", Language: "c++", Compiler: "/usr/bin/g++", Dir: "/src", Source: "a.cc", Output: "/src/a.o",
		Manifest: digest.OfString("m"), Action: digest.OfString("a"),
		Saved: Cost{Wall: time.Second, User: 900 * time.Millisecond, Sys: 50 * time.Millisecond, MaxRSS: 80 << 20},
		Spent: Cost{Wall: 2 * time.Second, User: time.Second, Sys: time.Millisecond, MaxRSS: 90 << 20},
		Bytes: 12345, Status: 1, Signal: 9, Worker: "w1", Page: "https://pages/a", Crate: "a (rlib)",
		Key: &KeyParts{
			Args: []string{"-c", "-O2", ""}, Env: []Variable{NewVariable("CPATH", "/x", true), NewVariable("LANG", "", false)},
			Dir: "/src", Toolchain: digest.OfString("t"), Programs: digest.OfString("p"),
			Source: digest.OfString("s"), Inputs: digest.OfString("i"),
		},
	}
	for i := range r.Steps {
		r.Steps[i] = uint32(i*1000 + 1)
	}
	return r
}

func TestRecordRoundTrip(t *testing.T) {
	for name, r := range map[string]*Record{
		"full":   fullRecord(),
		"empty":  {Time: time.UnixMicro(0)},
		"no key": {Time: time.UnixMicro(5), Outcome: SteppedAside, Reason: "link", Key: nil},
	} {
		got, err := decodeRecord(appendRecord(nil, r))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(r, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestOlderVersions reads records of caches that were made before crates and before
// remotes.
func TestOlderVersions(t *testing.T) {
	want := fullRecord()
	want.Crate = ""
	for version := recordVersion - 1; version > 0; version-- {
		if version == 1 {
			want.Worker, want.Page = "", ""
		}
		data := appendRecord(nil, want)
		data[0] = byte(version)
		newer := map[int]int{2: 1, 1: 3} // empty strings at the end
		got, err := decodeRecord(data[:len(data)-newer[version]])
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("version %d: %v, %s", version, err, diff)
		}
	}
}

func TestDecodeRecordRefuses(t *testing.T) {
	data := appendRecord(nil, fullRecord())
	for n := range data {
		if _, err := decodeRecord(data[:n]); err == nil {
			t.Errorf("the first %d of %d bytes are a record", n, len(data))
		}
	}
	if _, err := decodeRecord(append(data, 0)); err == nil {
		t.Error("a byte too many is accepted")
	}
	data[0]++
	if _, err := decodeRecord(data); err == nil {
		t.Error("another version is accepted")
	}
}

func inputList() *InputList {
	return &InputList{
		Files: []Input{
			{"/usr/include/stdio.h", digest.OfString("1")},
			{"/usr/include/stdlib.h", digest.OfString("2")},
			{"a.c", digest.OfString("3")},
			{"b", digest.Digest{}},
		},
		Absent: []string{"/usr/local/include/stdio.h", "/usr/local/include/stdlib.h", "x"},
	}
}

func TestInputListRoundTrip(t *testing.T) {
	for _, l := range []*InputList{inputList(), {}} {
		got, err := DecodeInputList(l.Encode())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(l, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

func TestInputListSharesPrefixes(t *testing.T) {
	l := &InputList{Absent: []string{"/a/long/prefix/of/a/directory/x.h", "/a/long/prefix/of/a/directory/y.h"}}
	if n := len(l.Encode()); n > 50 {
		t.Errorf("%d bytes", n)
	}
}

func TestVariableHidesItsValue(t *testing.T) {
	set, other, unset := NewVariable("A", "x", true), NewVariable("A", "y", true), NewVariable("A", "x", false)
	if set.Sum == 0 || set == other || unset.Sum != 0 {
		t.Errorf("%v %v %v", set, other, unset)
	}
	r := &Record{Key: &KeyParts{Env: []Variable{NewVariable("A", "s3cret-value", true)}}}
	if bytes.Contains(appendRecord(nil, r), []byte("s3cret")) {
		t.Error("a record holds a value")
	}
}

func FuzzDecodeRecord(f *testing.F) {
	f.Add(appendRecord(nil, fullRecord()))
	f.Add(appendRecord(nil, &Record{}))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := decodeRecord(data)
		if err != nil {
			return
		}
		again, err := decodeRecord(appendRecord(nil, r))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(r, again); diff != "" {
			t.Errorf("(-first +again):\n%s", diff)
		}
	})
}

func FuzzDecodeInputList(f *testing.F) {
	f.Add(inputList().Encode())
	f.Add((&latest{id: 4, keyed: 3, stored: true}).encode())
	f.Fuzz(func(t *testing.T, data []byte) {
		if l, err := DecodeInputList(data); err == nil {
			again, err := DecodeInputList(l.Encode())
			if err != nil || !cmp.Equal(l, again) {
				t.Errorf("%v reads back as %v, %v", l, again, err)
			}
		}
		if l, err := decodeLatest(data); err == nil {
			if again, err := decodeLatest(l.encode()); err != nil || again != l {
				t.Errorf("%v reads back as %v, %v", l, again, err)
			}
		}
		if r, err := decodeRing(data); err == nil {
			if again, err := decodeRing(r.encode()); err != nil || again != r {
				t.Errorf("%v reads back as %v, %v", r, again, err)
			}
		}
	})
}

func BenchmarkAppendRecord(b *testing.B) {
	r := fullRecord()
	var buf []byte
	for b.Loop() {
		buf = appendRecord(buf[:0], r)
	}
	b.ReportMetric(float64(len(buf)), "bytes")
}

func TestTextForms(t *testing.T) {
	for _, id := range []ID{0, 1, 1042} {
		text, err := id.MarshalText()
		var got ID
		if err != nil || got.UnmarshalText(text) != nil || got != id {
			t.Errorf("%d reads back as %d", id, got)
		}
	}
	for o := HitLocal; o < numOutcomes; o++ {
		text, err := o.MarshalText()
		var got Outcome
		if err != nil || got.UnmarshalText(text) != nil || got != o {
			t.Errorf("%s reads back as %s", o, got)
		}
	}
	for c := range numCauses {
		text, err := c.MarshalText()
		var got Cause
		if err != nil || got.UnmarshalText(text) != nil || got != c {
			t.Errorf("%s reads back as %s", c, got)
		}
	}
	for _, bad := range []string{"r", "x1", "r0", "-1"} {
		if id, err := ParseID(bad); err == nil {
			t.Errorf("ParseID(%q) = %s", bad, id)
		}
	}
}
