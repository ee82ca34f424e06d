package journal

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rexwrap/rexwrap/client/digest"
)

// longList is one of n headers and as many absent names.
func longList(n int) *InputList {
	l := &InputList{}
	for i := range n {
		name := fmt.Sprintf("/usr/include/dir%d/header%05d.h", i/40, i)
		l.Files = append(l.Files, Input{Path: name, Digest: digest.OfString(name)})
		l.Absent = append(l.Absent, fmt.Sprintf("/usr/local/include/dir%d/header%05d.h", i/40, i))
	}
	return l
}

// keep stores parts in m.
func keep(m *memory) func([]byte) (digest.Digest, error) {
	return func(part []byte) (digest.Digest, error) {
		d := digest.Of(part)
		m.blobs[d] = part
		return d, nil
	}
}

func TestDividedListReadsBack(t *testing.T) {
	for _, want := range []*InputList{{}, inputList(), longList(1), longList(31), longList(3000)} {
		m := newMemory()
		d, err := want.Put(keep(m))
		if err != nil {
			t.Fatal(err)
		}
		j := &Journal{blobs: m}
		if diff := cmp.Diff(want, j.list(d)); diff != "" {
			t.Errorf("%d files (-want +got):\n%s", len(want.Files), diff)
		}
		for gone := range m.blobs {
			part := m.blobs[gone]
			delete(m.blobs, gone)
			if got := j.list(d); got != nil {
				t.Errorf("%d files: a list without one of its parts is read", len(want.Files))
			}
			m.blobs[gone] = part
		}
	}
}

// Another compile's list costs little where it has the same headers.
func TestDividedListsShareParts(t *testing.T) {
	m := newMemory()
	one := longList(1000)
	if _, err := one.Put(keep(m)); err != nil {
		t.Fatal(err)
	}
	before, largest := len(m.blobs), 0
	for _, part := range m.blobs {
		largest = max(largest, len(part))
	}
	other := &InputList{Files: append([]Input{{Path: "/home/x.c", Digest: digest.OfString("x")}}, one.Files...), Absent: one.Absent[1:]}
	if _, err := other.Put(keep(m)); err != nil {
		t.Fatal(err)
	}
	if more := len(m.blobs) - before; more > 4 {
		t.Errorf("%d of %d blobs are other ones", more, before)
	}
	if largest > 4<<10 {
		t.Errorf("a part of %d bytes", largest)
	}
}

func TestDividedListIsMalformed(t *testing.T) {
	m := newMemory()
	d, err := longList(100).Put(keep(m))
	if err != nil {
		t.Fatal(err)
	}
	for cut := range m.blobs[d] {
		if _, err := decodeDivided(m.blobs[d][:cut]); err == nil {
			t.Errorf("the first %d bytes are accepted", cut)
		}
	}
	if _, err := decodeDivided(append(m.blobs[d], 0)); err == nil {
		t.Error("a byte too many is accepted")
	}
}
