package pdbsession

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"github.com/rexwrap/rexwrap/localserver/pdb"
)

func TestMemoEntries(t *testing.T) {
	m := newMemo(1 << 20)
	for name, to := range map[string]*pdb.Map{
		"none":  {Types: []pdb.Index{}, Items: []pdb.Index{}},
		"runs":  {Types: []pdb.Index{0x1000, 0x1001, 0x1002, 0x5000, 0x5001, 0x1002}, Items: []pdb.Index{0xFFFFFF}},
		"types": {Types: []pdb.Index{0x2000}, Items: []pdb.Index{}},
	} {
		m.add(name, &remembered{pdb.GUID{1}, 300, to})
		if _, ok := m.find(name); ok {
			t.Errorf("%s is found before it is settled", name)
		}
		m.settle()
		r, ok := m.find(name)
		if !ok || r.guid != (pdb.GUID{1}) || r.age != 300 || !slices.Equal(r.to.Types, to.Types) || !slices.Equal(r.to.Items, to.Items) {
			t.Errorf("%s: %+v, %v", name, r, ok)
		}
	}
	m.add("dropped", &remembered{to: &pdb.Map{}})
	m.drop()
	m.settle()
	if _, ok := m.find("dropped"); ok {
		t.Error("a dropped entry is found")
	}
	m.add("", &remembered{to: &pdb.Map{}})
	m.settle()
	if _, ok := m.find(""); ok {
		t.Error("an entry without a key is found")
	}
}

func TestMemoIsBounded(t *testing.T) {
	m := newMemo(1000)
	for i := range 200 {
		m.add(fmt.Sprint(i), &remembered{to: &pdb.Map{}})
		m.settle()
	}
	if _, ok := m.find("199"); !ok || m.bytes > 1000 || len(m.entries) != len(m.order) {
		t.Errorf("%d bytes, %d entries, %d in order, last one found %v", m.bytes, len(m.entries), len(m.order), ok)
	}
	if _, ok := m.find("0"); ok {
		t.Error("the oldest is still there")
	}
}

func TestPage(t *testing.T) {
	p := &page{guid: pdb.GUID{1, 2}, age: 3, types: 400, items: 50, prefix: [32]byte{9}, sealed: true, boot: 1e9, memo: newMemo(1 << 10)}
	p.memo.put("key", []byte("entry"))
	p.memo.put("second", nil)
	data := p.encode()
	got, ok := decodePage(data, 1<<10)
	if !ok || !bytes.Equal(got.encode(), data) || string(got.memo.entries["key"]) != "entry" || !got.sealed || got.boot != 1e9 {
		t.Errorf("%+v, %v", got, ok)
	}
	for cut := range data {
		if _, ok := decodePage(data[:cut], 1<<10); ok && cut != len(data)-len("\x06second\x00") && cut != len(data)-len("\x06second\x00\x03key\x05entry") {
			t.Errorf("cut at %d of %d", cut, len(data))
		}
	}
}

// A page that has an entry twice is none of ours.
func TestPageWithEqualKeys(t *testing.T) {
	p := &page{memo: newMemo(1 << 10)}
	p.memo.put("key", []byte("entry"))
	const field = "\x03key\x05entry"
	data := p.encode()
	if _, ok := decodePage(append(data, field...), 1<<10); ok || !bytes.HasSuffix(data, []byte(field)) {
		t.Error("taken")
	}
}

func FuzzPage(f *testing.F) {
	p := &page{memo: newMemo(1 << 10)}
	p.memo.put("key", (&remembered{to: &pdb.Map{Types: []pdb.Index{0x1000}}}).encode())
	f.Add(p.encode())
	f.Fuzz(func(t *testing.T, data []byte) {
		p, ok := decodePage(data, 1<<10)
		if !ok {
			return
		}
		for key := range p.memo.entries {
			p.memo.find(key)
		}
		again, ok := decodePage(p.encode(), 1<<10)
		if !ok || !bytes.Equal(again.encode(), p.encode()) {
			t.Errorf("%+v, %v, want %+v", again, ok, p)
		}
	})
}
