package digest

import (
	"bytes"
	"errors"
	"testing"
)

func TestParseString(t *testing.T) {
	for _, data := range [][]byte{nil, []byte("a"), bytes.Repeat([]byte("x"), 1<<16)} {
		want := Of(data)
		got, err := Parse(want.String())
		if err != nil || got != want {
			t.Errorf("Parse(%s) = %v, %v", want, got, err)
		}
	}
}

func TestParseRejects(t *testing.T) {
	h := Of(nil).Hex()
	for _, s := range []string{"", h, h + "/", h + "/-1", h + "/+1", h + "/01", h[1:] + "/0", h + "0/0", "G" + h[1:] + "/0", "E3" + h[2:] + "/0"} {
		if _, err := Parse(s); !errors.Is(err, ErrMalformed) {
			t.Errorf("Parse(%q): %v, want ErrMalformed", s, err)
		}
	}
}

func TestRead(t *testing.T) {
	data := bytes.Repeat([]byte("rexwrap"), 1000)
	got, err := Read(bytes.NewReader(data), make([]byte, 100))
	if err != nil || got != Of(data) {
		t.Errorf("Read = %v, %v, want %v", got, err, Of(data))
	}
}

func TestEmptyIsSHA256(t *testing.T) {
	const want = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855/0"
	if got := Empty().String(); got != want {
		t.Errorf("Empty() = %s", got)
	}
}

func TestBLAKE3(t *testing.T) {
	const want = "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262/0"
	if got := BLAKE3.Of(nil).String(); got != want {
		t.Errorf("BLAKE3 of nothing = %s", got)
	}
}

func TestNewHashAgreesWithOf(t *testing.T) {
	for _, f := range []Function{SHA256, BLAKE3} {
		h := f.NewHash()
		_, _ = h.Write([]byte("rex"))
		_, _ = h.Write([]byte("wrap"))
		if want := f.Of([]byte("rexwrap")); [Size]byte(h.Sum(nil)) != want.Hash {
			t.Errorf("%s: in parts %x, at once %s", f, h.Sum(nil), want)
		}
	}
}

func TestBuilderKeepsPartsApart(t *testing.T) {
	sum := func(parts ...string) Digest {
		b := NewBuilder("test")
		for _, p := range parts {
			b.String(p)
		}
		return b.Sum()
	}
	list := func(parts ...string) Digest {
		b := NewBuilder("test")
		b.Strings(parts)
		return b.Sum()
	}
	distinct := map[Digest]string{}
	for name, d := range map[string]Digest{
		"ab": sum("ab"), "a b": sum("a", "b"), "b a": sum("b", "a"), "none": sum(),
		"one empty": sum(""), "list a b": list("a", "b"), "list ab": list("ab"), "other domain": NewBuilder("other").Sum(),
	} {
		if other, ok := distinct[d]; ok {
			t.Errorf("%q and %q have one digest", name, other)
		}
		distinct[d] = name
	}
}

func FuzzParse(f *testing.F) {
	f.Add(Of(nil).String())
	f.Add("x/1")
	f.Fuzz(func(t *testing.T, s string) {
		d, err := Parse(s)
		if err == nil && d.String() != s {
			t.Errorf("Parse(%q).String() = %q", s, d)
		}
	})
}
