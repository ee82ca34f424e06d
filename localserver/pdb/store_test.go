package pdb

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"testing"
)

// Records for tests. Numbers below FirstIndex are built in.
func pointerTo(i Index) []byte { return record(leafPointer, u32s(uint32(i), 0x1000c)...) }

func structure(name string, fields Index) []byte {
	head := join([]byte{1, 0, 0, 2}, u32s(uint32(fields), 0, 0), []byte{8, 0})
	return record(leafStructure, append(head, name+"\x00.?AU"+name+"@@\x00"...)...)
}

func text(s string) []byte { return record(leafStringID, append(u32s(0), s+"\x00"...)...) }

func function(name string, i Index) []byte {
	return record(leafFuncID, append(u32s(0, uint32(i)), name+"\x00"...)...)
}

func private(t testing.TB, types, items [][]byte) *Private {
	t.Helper()
	p, err := NewPrivate(join(types...), join(items...))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func merge(t testing.TB, s *Store, p *Private) *Map {
	t.Helper()
	m, err := s.Merge(p)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// committed commits s and reads its file as a compiler's PDB would be read.
func committed(t testing.TB, s *Store, file *Memory) *Private {
	t.Helper()
	if err := s.Commit(); err != nil {
		t.Fatal(err)
	}
	p, err := ReadPrivate(bytes.Clone(file.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestMerge(t *testing.T) {
	file := NewMemory(nil)
	s := Create(file, GUID{1})
	first := merge(t, s, private(t, [][]byte{pointerTo(0x74), structure("A", 0x1000)}, [][]byte{text("x"), function("f", 0x1001)}))
	second := merge(t, s, private(t,
		[][]byte{pointerTo(0x75), structure("B", 0x1000), pointerTo(0x74), structure("A", 0x1002)},
		[][]byte{function("g", 0x1001), function("f", 0x1003), text("x")},
	))
	for got, want := range map[string]string{
		fmt.Sprintf("%x", *first):  "{[1000 1001] [1000 1001]}",
		fmt.Sprintf("%x", *second): "{[1002 1003 1000 1001] [1002 1001 1000]}",
	} {
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	got := committed(t, s, file)
	want := private(t,
		[][]byte{pointerTo(0x74), structure("A", 0x1000), pointerTo(0x75), structure("B", 0x1002)},
		[][]byte{text("x"), function("f", 0x1001), function("g", 0x1003)},
	)
	if !bytes.Equal(got.Types, want.Types) || !bytes.Equal(got.Items, want.Items) {
		t.Errorf("%x %x, want\n%x %x", got.Types, got.Items, want.Types, want.Items)
	}
	if types, items := s.Records(); types != 4 || items != 3 || s.Pending() != 0 {
		t.Errorf("%d types, %d items, %d pending", types, items, s.Pending())
	}
}

// Records that stand before those that they refer to are merged all the same.
func TestMergeForwardReferences(t *testing.T) {
	file := NewMemory(nil)
	s := Create(file, GUID{1})
	m := merge(t, s, private(t, [][]byte{structure("A", 0x1001), pointerTo(0x1002), pointerTo(0x74)}, nil))
	if got := fmt.Sprintf("%x", m.Types); got != "[1002 1001 1000]" {
		t.Error(got)
	}
	got := committed(t, s, file)
	if want := join(pointerTo(0x74), pointerTo(0x1000), structure("A", 0x1001)); !bytes.Equal(got.Types, want) {
		t.Errorf("%x, want %x", got.Types, want)
	}
}

func TestMergeRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		types, items [][]byte
		unsupported  bool
	}{
		"unknown type":           {types: [][]byte{pointerTo(0x74), record(0x1999)}, unsupported: true},
		"unknown item":           {types: [][]byte{pointerTo(0x74)}, items: [][]byte{record(leafUDTModSrcLine, at(16)...)}, unsupported: true},
		"circle":                 {types: [][]byte{pointerTo(0x1001), pointerTo(0x1000)}},
		"itself":                 {types: [][]byte{pointerTo(0x1000)}},
		"beyond the end":         {types: [][]byte{pointerTo(0x1001)}},
		"type of an item beyond": {items: [][]byte{function("f", 0x1000)}},
		"item among types":       {types: [][]byte{text("x")}},
		"type among items":       {items: [][]byte{pointerTo(0x74)}},
	} {
		s := Create(NewMemory(nil), GUID{1})
		p, err := NewPrivate(join(c.types...), join(c.items...))
		if err == nil {
			_, err = s.Merge(p)
		}
		var unsupported *UnsupportedError
		if errors.As(err, &unsupported) != c.unsupported || !c.unsupported && !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
		if types, items := s.Records(); c.unsupported && types+items != 0 {
			t.Errorf("%s: %d types and %d items were added", name, types, items)
		}
	}
}

// many returns n different types with references among them.
func many(n int, salt string) [][]byte {
	var list [][]byte
	for i := range n / 2 {
		list = append(list, structure(fmt.Sprint(salt, i), 0), pointerTo(FirstIndex+Index(2*i)))
	}
	return list
}

// A PDB that grows step by step, closed and opened in between, holds what one made at
// once does; its types only ever become more; and each opening raises the age.
func TestGrowth(t *testing.T) {
	atOnce := NewMemory(nil)
	whole := Create(atOnce, GUID{7})
	file := NewMemory(nil)
	s := Create(file, GUID{7})
	var before *Private
	for i := range 12 {
		p := private(t, many(1500, fmt.Sprint("unit", i%10)), [][]byte{function(fmt.Sprint("f", i), 0x1001)})
		if got, want := merge(t, s, p), merge(t, whole, p); !slices.Equal(got.Types, want.Types) || !slices.Equal(got.Items, want.Items) {
			t.Fatalf("unit %d is numbered in another way", i)
		}
		after := committed(t, s, file)
		if before != nil && (!bytes.HasPrefix(after.Types, before.Types) || !bytes.HasPrefix(after.Items, before.Items)) {
			t.Fatalf("unit %d: older types have changed", i)
		}
		before = after
		if i%3 != 2 {
			continue
		}
		if after.Info.Age != uint32(1+i/3) || after.Info.GUID != (GUID{7}) {
			t.Errorf("unit %d: age %d, GUID %s", i, after.Info.Age, after.Info.GUID)
		}
		var err error
		if s, err = Open(file); err != nil {
			t.Fatal(err)
		}
	}
	committed(t, s, file)
	committed(t, whole, atOnce)
	for i := range storeStreams {
		if i != streamInfo && !bytes.Equal(contentOf(t, file, i), contentOf(t, atOnce, i)) {
			t.Errorf("stream %d differs", i)
		}
	}
}

func contentOf(t *testing.T, file *Memory, i int) []byte {
	t.Helper()
	m, err := ReadMSF(file)
	if err != nil {
		t.Fatal(err)
	}
	data, err := m.Stream(i)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// The streams of a small type server, byte by byte.
func TestStreams(t *testing.T) {
	file := NewMemory(nil)
	s := Create(file, GUID{0xA, 0xB})
	p := committedSmall(t, s, file)
	info := contentOf(t, file, streamInfo)
	wantInfo := join(u32s(20000404, 1, 1), append([]byte{0xA, 0xB}, at(14)...), u32s(7), []byte("/names\x00"),
		u32s(1, 2, 1, 2, 0, 0, streamNames, 0, 20140508))
	if !bytes.Equal(info, wantInfo) || len(info) != 75 {
		t.Errorf("info: %x", info)
	}
	names := join(u32s(0xEFFEEFFE, 1, 1), []byte{0}, u32s(1, 0, 0))
	if got := contentOf(t, file, streamNames); !bytes.Equal(got, names) || len(got) != 25 {
		t.Errorf("names: %x", got)
	}
	size := uint32(len(p.Types))
	wantHead := join(u32s(20040203, 56, 0x1000, 0x1002, size), []byte{streamTPIHash, 0, 0xFF, 0xFF},
		u32s(4, 0x3FFFF, 0, 8, 8, 8, 16, 0))
	if got := contentOf(t, file, streamTPI); !bytes.Equal(got[:56], wantHead) {
		t.Errorf("TPI: %x, want %x", got[:56], wantHead)
	}
	wantHashes := u32s(hashRecord(pointerTo(0x74)), hashString([]byte("A"))%0x3FFFF, 0x1000, 0)
	if got := contentOf(t, file, streamTPIHash); !bytes.Equal(got, wantHashes) {
		t.Errorf("hashes: %x, want %x", got, wantHashes)
	}
	if got := contentOf(t, file, streamIPIHash); len(got) != 4+8 {
		t.Errorf("item hashes: %x", got)
	}
	if len(contentOf(t, file, streamOld))+len(contentOf(t, file, streamDBI)) != 0 {
		t.Error("streams 0 and 3 are not empty")
	}
}

func committedSmall(t *testing.T, s *Store, file *Memory) *Private {
	t.Helper()
	merge(t, s, private(t, [][]byte{pointerTo(0x74), structure("A", 0x1000)}, [][]byte{text("x")}))
	return committed(t, s, file)
}

// The list of offsets has the first record and each first one at or past 8 KiB.
func TestOffsets(t *testing.T) {
	file := NewMemory(nil)
	s := Create(file, GUID{1})
	var list [][]byte
	for i := range 100 { // of 1 KiB but for the first, of 12 bytes
		list = append(list, text(fmt.Sprintf("%01014d", i)))
	}
	list[0] = text("abc")
	merge(t, s, private(t, nil, list))
	committed(t, s, file)
	hashes := contentOf(t, file, streamIPIHash)[400:]
	want := []uint32{0x1000, 0}
	for i, offset := 1, 12; i < 100; i, offset = i+1, offset+1024 {
		if offset/8192 != (offset-1024)/8192 && offset > 1024 {
			want = append(want, 0x1000+uint32(i), uint32(offset))
		}
	}
	if !bytes.Equal(hashes, u32s(want...)) {
		t.Errorf("%x, want %x", hashes, u32s(want...))
	}
}

// What is no Store that can be added to is refused with the kind of error that says so.
func TestOpenRefuses(t *testing.T) {
	file := NewMemory(nil)
	committedSmall(t, Create(file, GUID{1}), file)
	for name, c := range map[string]struct {
		stream int
		change func([]byte) []byte
		want   any
	}{
		"hash":               {streamTPIHash, func(d []byte) []byte { d[5]++; return d }, ErrMalformed},
		"record":             {streamTPI, func(d []byte) []byte { d[62]++; return d }, ErrMalformed},
		"record's length":    {streamTPI, func(d []byte) []byte { d[56]++; return d }, ErrMalformed},
		"count":              {streamIPI, func(d []byte) []byte { d[12]++; return d }, nil},
		"bytes":              {streamIPI, func(d []byte) []byte { d[16] += 4; return d }, ErrMalformed},
		"buckets":            {streamTPI, func(d []byte) []byte { d[29]++; return d }, nil},
		"adjusters":          {streamTPI, func(d []byte) []byte { d[52] = 8; return d }, nil},
		"hash stream":        {streamTPI, func(d []byte) []byte { d[20] = streamNames; return d }, nil},
		"same hash stream":   {streamIPI, func(d []byte) []byte { d[20] = streamTPIHash; return d }, nil},
		"version":            {streamInfo, func(d []byte) []byte { d[0]++; return d }, ErrMalformed},
		"no VC140":           {streamInfo, func(d []byte) []byte { return d[:71] }, nil},
		"minimal debug info": {streamInfo, func(d []byte) []byte { return append(d, "INIM"...) }, nil},
		"modules":            {streamDBI, func([]byte) []byte { return at(64) }, nil},
		"no types":           {streamTPI, func([]byte) []byte { return nil }, ErrMalformed},
	} {
		data := replaceStream(t, file, c.stream, c.change)
		_, err := Open(data)
		var unsupported *UnsupportedError
		switch {
		case err == nil:
			t.Errorf("%s: no error", name)
		case c.want != nil && !errors.Is(err, ErrMalformed):
			t.Errorf("%s: %v", name, err)
		case c.want == nil && !errors.As(err, &unsupported) && !errors.Is(err, ErrMalformed):
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Open(replaceStream(t, file, streamOld, func(d []byte) []byte { return d })); err != nil {
		t.Errorf("unchanged: %v", err)
	}
}

// replaceStream returns a copy of file with one stream changed.
func replaceStream(t *testing.T, file *Memory, i int, change func([]byte) []byte) *Memory {
	t.Helper()
	changed := NewMemory(bytes.Clone(file.Bytes()))
	data := change(contentOf(t, file, i))
	c, err := OpenContainer(changed)
	if err != nil {
		t.Fatal(err)
	}
	u := c.Begin()
	u.Truncate(i, 0)
	u.Write(i, 0, data)
	if err := u.Commit(); err != nil {
		t.Fatal(err)
	}
	return changed
}

// A process killed at any write of a commit leaves a PDB that can be opened and holds
// what it held before or holds after.
func TestStoreKilledAtEachWrite(t *testing.T) {
	base := NewMemory(nil)
	s := Create(base, GUID{1})
	merge(t, s, private(t, many(3000, "first"), [][]byte{text("first")}))
	before := committed(t, s, base)
	more := private(t, many(2000, "second"), [][]byte{text("second")})
	for kill := 1; ; kill++ {
		file := &mortal{Memory: NewMemory(bytes.Clone(base.Bytes())), writes: kill, part: 0.3}
		s, err := Open(file)
		if err != nil {
			t.Fatal(err)
		}
		merge(t, s, more)
		err = s.Commit()
		after, readErr := ReadPrivate(file.Bytes())
		if readErr != nil {
			t.Fatalf("write %d: %v", kill, readErr)
		}
		if err == nil {
			if !bytes.HasPrefix(after.Types, before.Types) || len(after.Types) == len(before.Types) {
				t.Error("nothing was added")
			}
			break
		}
		if !bytes.Equal(after.Types, before.Types) || !bytes.Equal(after.Items, before.Items) || after.Info.Age != before.Info.Age {
			t.Fatalf("write %d: other types", kill)
		}
		if _, err := Open(file.Memory); err != nil {
			t.Fatalf("write %d: %v", kill, err)
		}
	}
}

// A Store knows the fingerprint of its file; every commit changes it, as does another GUID.
func TestFingerprint(t *testing.T) {
	file := NewMemory(nil)
	s := Create(file, GUID{1})
	seen := map[Fingerprint]bool{}
	for i := range 5 {
		merge(t, s, private(t, nil, [][]byte{text(fmt.Sprint(i))}))
		committed(t, s, file)
		got, err := FingerprintOf(file)
		if err != nil || got != s.Fingerprint() || seen[got] {
			t.Errorf("%x, %v, the store has %x", got, err, s.Fingerprint())
		}
		seen[got] = true
		if s, err = Open(file); err != nil || s.Fingerprint() != got {
			t.Fatalf("opened: %v", err)
		}
	}
	data, err := Restamp(file.Bytes(), GUID{2})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := FingerprintOf(NewMemory(data)); err != nil || seen[got] {
		t.Errorf("restamped: %x, %v", got, err)
	}
}

func TestRestamp(t *testing.T) {
	file := NewMemory(nil)
	want := committedSmall(t, Create(file, GUID{1}), file)
	data, err := Restamp(file.Bytes(), GUID{9, 9})
	if err != nil {
		t.Fatal(err)
	}
	got, err := ReadPrivate(data)
	if err != nil || got.Info.GUID != (GUID{9, 9}) || !bytes.Equal(got.Types, want.Types) {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := Restamp([]byte("no PDB"), GUID{}); !errors.Is(err, ErrMalformed) {
		t.Error(err)
	}
}

// Keys are found again however many there are.
func TestKeySet(t *testing.T) {
	var s keySet
	keyOfNumber := func(i int) key { return keyOf(binary.LittleEndian.AppendUint32(nil, uint32(i))) }
	for i := range 20000 {
		if _, ok := s.find(keyOfNumber(i)); ok {
			t.Fatalf("%d is found before it is added", i)
		}
		s.add(keyOfNumber(i))
	}
	for i := range 20000 {
		if n, ok := s.find(keyOfNumber(i)); !ok || n != uint32(i) {
			t.Fatalf("%d is %d, %v", i, n, ok)
		}
	}
}

// Letters of either case hash alike; the values are those that llvm-pdbutil has too.
func TestHashString(t *testing.T) {
	for s, want := range map[string]uint32{"": 0x20240400, "A": 0x20240441, "abc": 0x2024460a, "_Foo": 0x6f62e4f1} {
		if got, lower := hashString([]byte(s)), hashString(bytes.ToLower([]byte(s))); got != want || lower != want {
			t.Errorf("%q: %#x, lower case %#x, want %#x", s, got, lower, want)
		}
	}
}

// A file that does not grow to the size that its container claims.
type fixedSize struct{ *Memory }

func (fixedSize) Truncate(int64) error { return nil }

// What does not fit into the format is refused before it is written.
func TestFull(t *testing.T) {
	p := private(t, [][]byte{pointerTo(0x74)}, [][]byte{text("x")})
	for name, fill := range map[string]func(s *Store){
		"numbers": func(s *Store) { s.spaces[Types].keys.count = uint32(maxIndex-FirstIndex) + 1 },
		"bytes":   func(s *Store) { s.spaces[Items].bytes = maxStream - tpiHeaderSize - 4 },
	} {
		s := Create(NewMemory(nil), GUID{1})
		fill(s)
		if _, err := s.Merge(p); !errors.Is(err, ErrFull) {
			t.Errorf("%s: %v", name, err)
		}
	}
	s := Create(fixedSize{NewMemory(nil)}, GUID{1})
	s.file.blocks = maxBlocks
	s.file.next = maxBlocks
	merge(t, s, p)
	if err := s.Commit(); !errors.Is(err, ErrFull) {
		t.Errorf("blocks: %v", err)
	}
}
