package chunking

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/iotest"

	"github.com/rexwrap/rexwrap/client/digest"
)

// random returns n bytes, always the same ones of a seed.
func random(seed byte, n int) []byte {
	out := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{seed}).Read(out) // never fails
	return out
}

func cut(t *testing.T, f Function, data []byte) (chunks [][]byte) {
	t.Helper()
	err := f.Cut(iotest.OneByteReader(bytes.NewReader(data)), func(chunk []byte) error {
		chunks = append(chunks, bytes.Clone(chunk))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return chunks
}

func functions(t *testing.T) map[string]Function {
	t.Helper()
	fast, err1 := NewFastCDC(16<<10, 0)
	seeded, err2 := NewFastCDC(16<<10, 666)
	rep, err3 := NewRepMaxCDC(8<<10, 64<<10)
	uniform, err4 := NewRepMaxCDC(8<<10, 0)
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		t.Fatal(err)
	}
	return map[string]Function{"FastCDC": fast, "seeded": seeded, "RepMaxCDC": rep, "uniform": uniform}
}

func TestChunksMakeTheBlob(t *testing.T) {
	for name, f := range functions(t) {
		for _, n := range []int{0, 1, 63, 4095, 4096, 4097, 16 << 10, 1<<20 + 1} {
			data := random(1, n)
			chunks := cut(t, f, data)
			if !bytes.Equal(slices.Concat(chunks...), data) {
				t.Errorf("%s: chunks of %d bytes make another blob", name, n)
			}
			for i, c := range chunks {
				if len(c) == 0 || len(c) > 64<<10 || (len(c) < 4<<10 && i+1 < len(chunks)) {
					t.Errorf("%s: %d bytes: chunk %d has %d", name, n, i, len(c))
				}
			}
		}
		if got := cut(t, f, make([]byte, 1<<20)); len(got) < 16 {
			t.Errorf("%s: a blob of zeros has %d chunks", name, len(got))
		}
	}
}

// What follows an insertion has the chunks that it had without.
func TestChunksSurviveAnInsertion(t *testing.T) {
	for name, f := range functions(t) {
		if name == "uniform" {
			continue
		}
		data := random(2, 2<<20)
		known := map[digest.Digest]bool{}
		for _, c := range cut(t, f, data) {
			known[digest.Of(c)] = true
		}
		changed := cut(t, f, slices.Concat(data[:1<<20], []byte("more"), data[1<<20:]))
		fresh := 0
		for _, c := range changed {
			if !known[digest.Of(c)] {
				fresh++
			}
		}
		if fresh == 0 || fresh > 8 {
			t.Errorf("%s: %d of %d chunks are new", name, fresh, len(changed))
		}
	}
}

// The cuts are those of the implementations that REv2 names. FastCDC was
// compared with remote-apis' fastcdc2020_test_vectors.txt, whose input is an
// image; these are the same code's cuts of bytes that need no file.
func TestCutsAreStable(t *testing.T) {
	want := map[string][]int{
		"FastCDC":   {17120, 23444, 16770, 14122, 19613, 4684, 4186, 61},
		"seeded":    {21680, 16607, 18729, 17084, 13821, 10588, 1491},
		"RepMaxCDC": {8975, 14587, 8219, 8374, 9543, 9951, 12496, 14974, 12881},
		"uniform":   {8192, 8192, 8192, 8192, 8192, 8192, 8192, 8192, 8192, 8192, 8192, 9888},
	}
	for name, f := range functions(t) {
		var got []int
		for _, c := range cut(t, f, random(3, 100_000)) {
			got = append(got, len(c))
		}
		if !slices.Equal(got, want[name]) {
			t.Errorf("%s: %#v", name, got)
		}
	}
}

func TestParameters(t *testing.T) {
	for _, average := range []uint64{0, 1023, 8<<20 + 1, 1 << 63} {
		if f, err := NewFastCDC(average, 0); !errors.Is(err, ErrParameters) {
			t.Errorf("FastCDC of %d: %v, %v", average, f, err)
		}
	}
	for _, p := range [][2]uint64{{0, 0}, {63, 100}, {1 << 40, 0}, {1 << 18, 1 << 40}} {
		if f, err := NewRepMaxCDC(p[0], p[1]); !errors.Is(err, ErrParameters) {
			t.Errorf("RepMaxCDC of %v: %v, %v", p, f, err)
		}
	}
	for average := uint64(fastLeast); average <= fastMost; average += average / 3 { // each has its masks
		f, err := NewFastCDC(average, 0)
		if err != nil || len(cut(t, f, random(4, 4096))) == 0 {
			t.Errorf("FastCDC of %d: %v", average, err)
		}
	}
}

func TestErrors(t *testing.T) {
	broken := errors.New("broken")
	for name, f := range functions(t) {
		if err := f.Cut(iotest.ErrReader(broken), func([]byte) error { return nil }); !errors.Is(err, broken) {
			t.Errorf("%s: the reader's error becomes %v", name, err)
		}
		if err := f.Cut(bytes.NewReader([]byte("x")), func([]byte) error { return broken }); !errors.Is(err, broken) {
			t.Errorf("%s: the caller's error becomes %v", name, err)
		}
	}
	if err := (Function{}).Cut(bytes.NewReader([]byte("x")), func([]byte) error { return io.EOF }); err != nil {
		t.Errorf("the zero Function: %v", err)
	}
}

func BenchmarkCut(b *testing.B) {
	data := random(5, 16<<20)
	fast, err := NewFastCDC(512<<10, 0)
	if err != nil {
		b.Fatal(err)
	}
	for name, f := range map[string]Function{"FastCDC": fast, "RepMaxCDC": Default()} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				if err := f.Cut(bytes.NewReader(data), func([]byte) error { return nil }); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
