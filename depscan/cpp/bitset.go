package cpp

import "math/bits"

// A bitset is a set of small numbers.
type bitset struct{ words []uint64 }

func (b *bitset) reset() { clear(b.words) }

func (b *bitset) add(i int32) {
	b.grow(int(i)/64 + 1)
	b.words[i/64] |= 1 << (i % 64)
}

// grow makes room for n words.
func (b *bitset) grow(n int) {
	if n > len(b.words) {
		b.words = append(b.words, make([]uint64, n+n/4-len(b.words))...)
	}
}

// addAll adds the members of o.
func (b *bitset) addAll(o *bitset) {
	b.grow(len(o.words))
	for i, w := range o.words {
		b.words[i] |= w
	}
}

// len returns the number of members.
func (b *bitset) len() (n int) {
	for _, w := range b.words {
		n += bits.OnesCount64(w)
	}
	return n
}

// all yields the members in ascending order.
func (b *bitset) all(yield func(int) bool) {
	for i, w := range b.words {
		for ; w != 0; w &= w - 1 {
			if !yield(i*64 + bits.TrailingZeros64(w)) {
				return
			}
		}
	}
}

// clipped returns a copy without empty words at the end.
func (b *bitset) clipped() bitset {
	n := len(b.words)
	for n > 0 && b.words[n-1] == 0 {
		n--
	}
	return bitset{append([]uint64(nil), b.words[:n]...)}
}
