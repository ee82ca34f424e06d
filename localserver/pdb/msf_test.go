package pdb

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
)

// A model is what the streams of a container should hold.
type model map[int][]byte

func (m model) clone() model {
	c := model{}
	for i, data := range m {
		c[i] = bytes.Clone(data)
	}
	return c
}

// change makes the same random changes to an update and a model.
func (m model) change(u *Update, r *rand.Rand) {
	for range 1 + r.IntN(4) {
		i := r.IntN(6)
		data := make([]byte, r.IntN([]int{10, 5000, 40000}[r.IntN(3)]))
		for j := range data {
			data[j] = byte(r.Uint32())
		}
		at := r.IntN(len(m[i]) + 1)
		if r.IntN(2) == 0 {
			at = len(m[i])
		}
		u.Write(i, int64(at), data)
		m[i] = slices.Concat(m[i][:at], data, m[i][min(len(m[i]), at+len(data)):])
		if r.IntN(4) == 0 {
			length := r.IntN(len(m[i]) + 1)
			u.Truncate(i, int64(length))
			m[i] = m[i][:length]
		}
	}
}

func (m model) compare(file *Memory) error {
	read, err := ReadMSF(file)
	if err != nil {
		return err
	}
	for i := range read.Streams() {
		got, err := read.Stream(i)
		if err != nil {
			return err
		}
		if !bytes.Equal(got, m[i]) {
			return fmt.Errorf("stream %d has %d bytes, want %d, or others", i, len(got), len(m[i]))
		}
	}
	return checkFreeMap(read, file.Bytes())
}

// checkFreeMap compares the free map in force with what the directory says.
func checkFreeMap(m *MSF, data []byte) error {
	used, err := m.used()
	if err != nil {
		return err
	}
	for b := range m.blocks {
		at := (b/(8*m.size)*m.size + m.freeMap) * m.size
		free := data[at+b%(8*m.size)/8]&(1<<(b%8)) != 0
		if taken := used.has(b) || m.isMapBlock(b); taken == free {
			return fmt.Errorf("block %d: taken %v, free %v", b, taken, free)
		}
	}
	if int64(len(data)) < m.Bytes() || len(data)%int(m.size) != 0 {
		return fmt.Errorf("file of %d bytes, %d blocks", len(data), m.blocks)
	}
	return nil
}

// What is written is read back after every commit, and dropped updates leave no trace.
func TestUpdate(t *testing.T) {
	for seed := range uint64(30) {
		r := rand.New(rand.NewPCG(seed, 1))
		file := NewMemory(nil)
		c := NewContainer(file, 6)
		want := model{}
		for range 20 {
			if r.IntN(5) == 0 {
				want.clone().change(c.Begin(), r)
				continue
			}
			u := c.Begin()
			want.change(u, r)
			if err := u.Commit(); err != nil {
				t.Fatal(err)
			}
			if err := want.compare(file); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			if r.IntN(5) == 0 {
				var err error
				if c, err = OpenContainer(file); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

// Blocks that are replaced are used again: a stream rewritten many times does not make
// the file grow.
func TestBlocksAreReused(t *testing.T) {
	file := NewMemory(nil)
	c := NewContainer(file, 1)
	for i := range 100 {
		u := c.Begin()
		u.Write(0, 0, bytes.Repeat([]byte{byte(i)}, 10*blockSize))
		if err := u.Commit(); err != nil {
			t.Fatal(err)
		}
	}
	if got, most := len(file.Bytes())/blockSize, 3+3*12; got > most {
		t.Errorf("%d blocks, want at most %d", got, most)
	}
}

// More than 32,768 blocks need a second block of the free map.
func TestLargeContainer(t *testing.T) {
	file := NewMemory(nil)
	c := NewContainer(file, 2)
	want := model{0: make([]byte, 140<<20), 1: []byte("small")}
	for i := range want[0] {
		want[0][i] = byte(i >> 12)
	}
	for i, data := range want {
		u := c.Begin()
		u.Write(i, 0, data)
		if err := u.Commit(); err != nil {
			t.Fatal(err)
		}
	}
	if err := want.compare(file); err != nil {
		t.Error(err)
	}
}

// errKilled ends a process that is killed at a write.
var errKilled = errors.New("killed")

// A mortal is a file of a process that is killed at its nth write, of which only the
// first part of reaches the file.
type mortal struct {
	*Memory
	writes int // that are left
	part   float64
	syncs  int
	log    []int64 // offsets written
}

func (m *mortal) WriteAt(p []byte, at int64) (int, error) {
	m.log = append(m.log, at)
	m.writes--
	switch {
	case m.writes > 0:
		return m.Memory.WriteAt(p, at)
	case m.writes == 0 && at != 0: // a superblock lies in one sector
		n, _ := m.Memory.WriteAt(p[:int(float64(len(p))*m.part)], at)
		return n, errKilled
	}
	return 0, errKilled
}

func (m *mortal) Truncate(size int64) error {
	if m.writes <= 0 {
		return errKilled
	}
	return m.Memory.Truncate(size)
}

func (m *mortal) Sync() error {
	m.syncs++
	if m.writes <= 0 {
		return errKilled
	}
	return nil
}

// A process killed at any write of a commit leaves the content from before; killed after
// the last one, that from after.
func TestKilledAtEachWrite(t *testing.T) {
	for seed := range uint64(8) {
		r := rand.New(rand.NewPCG(seed, 2))
		base := NewMemory(nil)
		before := model{}
		grow(t, base, before, r)
		grow(t, base, before, r)
		image := bytes.Clone(base.Bytes())
		for kill := 1; ; kill++ {
			file := &mortal{Memory: NewMemory(bytes.Clone(image)), writes: kill, part: r.Float64()}
			after := before.clone()
			err := growIn(file, after, rand.New(rand.NewPCG(seed, 3)))
			if err == nil {
				if err := after.compare(file.Memory); err != nil {
					t.Fatalf("seed %d, all %d writes: %v", seed, kill, err)
				}
				if kill < 5 {
					t.Errorf("only %d writes", kill)
				}
				break
			}
			if !errors.Is(err, errKilled) {
				t.Fatal(err)
			}
			if err := survives(before, file.Memory); err != nil {
				t.Fatalf("seed %d, killed at write %d: %v", seed, kill, err)
			}
		}
	}
}

// survives compares the streams only: a torn write at the file's end may leave a length
// that is no number of blocks.
func survives(want model, file *Memory) error {
	m, err := ReadMSF(file)
	if err != nil {
		return err
	}
	for i := range m.Streams() {
		if got, err := m.Stream(i); err != nil || !bytes.Equal(got, want[i]) {
			return fmt.Errorf("stream %d: %d bytes, want %d; %w", i, len(got), len(want[i]), err)
		}
	}
	return nil
}

func grow(t *testing.T, file *Memory, m model, r *rand.Rand) {
	t.Helper()
	if err := growIn(file, m, r); err != nil {
		t.Fatal(err)
	}
}

func growIn(file File, m model, r *rand.Rand) error {
	c := NewContainer(file, 6)
	if len(m) > 0 {
		var err error
		if c, err = OpenContainer(file); err != nil {
			return err
		}
	}
	c.Durable = true
	u := c.Begin()
	m.change(u, r)
	return u.Commit()
}

// The order of writes: the superblock is the last, with the disk waited for before and
// after it; and none touches a block that the old superblock refers to.
func TestOrderOfWrites(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	base := NewMemory(nil)
	m := model{}
	for range 5 {
		grow(t, base, m, r)
		file := &mortal{Memory: NewMemory(bytes.Clone(base.Bytes())), writes: 1 << 30}
		old, err := ReadMSF(file)
		if err != nil {
			t.Fatal(err)
		}
		used, err := old.used()
		if err != nil {
			t.Fatal(err)
		}
		if err := growIn(file, m.clone(), r); err != nil {
			t.Fatal(err)
		}
		last := len(file.log) - 1
		for i, at := range file.log {
			if b := uint32(at / blockSize); (b == 0) != (i == last) || b != 0 && used.has(b) || b%blockSize == old.freeMap {
				t.Errorf("write %d of %d goes to block %d", i, last+1, b)
			}
		}
		if file.syncs != 2 {
			t.Errorf("%d syncs", file.syncs)
		}
	}
}

// A commit that fails leaves a container that can be committed again, whichever of the
// two superblocks the file holds.
func TestCommitAfterFailure(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 4))
		file := &mortal{Memory: NewMemory(nil), writes: 1 << 30}
		c := NewContainer(file, 6)
		c.Durable = true
		m := model{}
		for range 6 {
			file.writes, file.part = r.IntN(30), r.Float64()
			u, tried := c.Begin(), m.clone()
			tried.change(u, r)
			if u.Commit() == nil {
				m = tried
			} else if len(m) > 0 {
				if err := survives(m, file.Memory); err != nil {
					if err := survives(tried, file.Memory); err != nil {
						t.Fatalf("seed %d: %v", seed, err)
					}
				}
			}
		}
		file.writes = 1 << 30
		u := c.Begin()
		m.change(u, r)
		if err := u.Commit(); err != nil {
			t.Fatal(err)
		}
		if err := m.compare(file.Memory); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
}

func TestReadMSFRefuses(t *testing.T) {
	file := NewMemory(nil)
	grow(t, file, model{}, rand.New(rand.NewPCG(1, 1)))
	good := file.Bytes()
	le := binary.LittleEndian
	for name, change := range map[string]func([]byte) []byte{
		"empty":            func([]byte) []byte { return nil },
		"magic":            func(d []byte) []byte { d[3] = 'x'; return d },
		"free map":         func(d []byte) []byte { d[36] = 3; return d },
		"blocks":           func(d []byte) []byte { le.PutUint32(d[40:], 2); return d },
		"directory size":   func(d []byte) []byte { le.PutUint32(d[44:], 1<<31); return d },
		"no directory":     func(d []byte) []byte { le.PutUint32(d[44:], 0); return d },
		"directory list":   func(d []byte) []byte { le.PutUint32(d[52:], 1<<20); return d },
		"file cut":         func(d []byte) []byte { return d[:3*blockSize] },
		"list in free map": func(d []byte) []byte { le.PutUint32(d[52:], 1); return d },
		"streams": func(d []byte) []byte {
			list := le.Uint32(d[52:])
			le.PutUint32(d[le.Uint32(d[list*blockSize:])*blockSize:], 1<<30)
			return d
		},
	} {
		if _, err := ReadMSF(NewMemory(change(bytes.Clone(good)))); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	var unsupported *UnsupportedError
	large := bytes.Clone(good)
	le.PutUint32(large[32:], 8192)
	if _, err := ReadMSF(NewMemory(large)); !errors.As(err, &unsupported) {
		t.Errorf("large blocks: %v", err)
	}
}

// Two streams that share a block are an error, not a trap for later updates.
func TestSharedBlock(t *testing.T) {
	file := NewMemory(nil)
	c := NewContainer(file, 2)
	u := c.Begin()
	u.Write(0, 0, []byte("one"))
	u.Write(1, 0, []byte("two"))
	if err := u.Commit(); err != nil {
		t.Fatal(err)
	}
	directory := c.directory[0] * blockSize
	copy(file.data[directory+16:], file.data[directory+12:directory+16])
	if _, err := ReadMSF(file); !errors.Is(err, ErrMalformed) {
		t.Error(err)
	}
}

func FuzzMSF(f *testing.F) {
	file := NewMemory(nil)
	c := NewContainer(file, 3)
	c.size = 512 // keeps inputs small
	u := c.Begin()
	u.Write(0, 0, bytes.Repeat([]byte("stream"), 100))
	u.Write(2, 0, []byte("another"))
	if err := u.Commit(); err != nil {
		f.Fatal(err)
	}
	f.Add(file.Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		file := NewMemory(bytes.Clone(data))
		c, err := OpenContainer(file)
		if err != nil || c.Streams() == 0 {
			return
		}
		streams := model{}
		for i := range c.Streams() {
			if streams[i], err = c.Stream(i); err != nil {
				return
			}
		}
		grown := maps.Clone(streams)
		grown[0] = append(bytes.Clone(streams[0]), "appended"...)
		u := c.Begin()
		u.Write(0, int64(len(streams[0])), []byte("appended"))
		if err := u.Commit(); err != nil {
			return
		}
		if err := survives(grown, file); err != nil {
			t.Error(err)
		}
	})
}
