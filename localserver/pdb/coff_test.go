package pdb

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"testing"
)

// part is a section of an object to be built. Its relocations are any bytes.
type part struct {
	name        string
	data        string
	relocations int
}

// buildObject lays out sections each followed by its relocations, then a symbol for each
// section with a checksum where the number is odd, then strings.
func buildObject(big bool, parts ...part) []byte {
	le := binary.LittleEndian
	out := make([]byte, headerSize)
	size := symbolSize
	if big {
		size = bigSymbolSize
		out = make([]byte, bigHeaderSize)
		copy(out, "\x00\x00\xff\xff\x02\x00\x64\x86")
		copy(out[12:], bigObjClass)
		le.PutUint32(out[44:], uint32(len(parts)))
	} else {
		copy(out, "\x64\x86")
		le.PutUint16(out[2:], uint16(len(parts)))
	}
	headers := len(out)
	out = append(out, make([]byte, len(parts)*sectionHeaderSize)...)
	for i, p := range parts {
		h := headers + i*sectionHeaderSize
		copy(out[h:h+8], p.name)
		le.PutUint32(out[h+16:], uint32(len(p.data)))
		le.PutUint32(out[h+20:], uint32(len(out)))
		le.PutUint16(out[h+32:], uint16(p.relocations))
		at := len(out) + len(p.data)
		out = append(append(out, p.data...), bytes.Repeat([]byte{0xAA}, 10*p.relocations)...)
		if p.relocations > 0 {
			le.PutUint32(out[h+24:], uint32(at))
		}
	}
	table := len(out)
	for i, p := range parts {
		symbol := make([]byte, 2*size)
		copy(symbol[:8], p.name)
		le.PutUint16(symbol[12:], uint16(i+1))
		symbol[size-2], symbol[size-1] = classStatic, 1
		le.PutUint32(symbol[size:], uint32(len(p.data)))
		if i%2 == 1 {
			le.PutUint32(symbol[size+8:], ^crc32.ChecksumIEEE([]byte(p.data)))
		}
		out = append(out, symbol...)
	}
	field := 8
	if big {
		field = 48
	}
	le.PutUint32(out[field:], uint32(table))
	le.PutUint32(out[field+4:], uint32(2*len(parts)))
	return append(out, "\x0c\x00\x00\x00strings\x00"...)
}

// Replacing sections gives the object that would have been built with them.
func TestReplace(t *testing.T) {
	before := []part{{".text", "code", 2}, {".debug$S", "symbols", 3}, {".debug$T", "types", 0}, {".bss", "x", 1}, {".debug$S", "more", 0}}
	for _, big := range []bool{false, true} {
		for name, content := range map[string]map[int][]byte{
			"nothing": {},
			"longer":  {1: []byte("a longer one"), 2: []byte("much longer than it was")},
			"shorter": {1: []byte("s"), 2: nil, 4: []byte("m")},
			"mixed":   {2: []byte("t"), 4: bytes.Repeat([]byte("long"), 99)},
		} {
			o, err := ParseObject(buildObject(big, before...))
			if err != nil {
				t.Fatal(err)
			}
			after := append([]part{}, before...)
			for i, data := range content {
				after[i].data = string(data)
			}
			got, err := o.Replace(content)
			if err != nil {
				t.Fatalf("big=%v %s: %v", big, name, err)
			}
			if want := buildObject(big, after...); !bytes.Equal(got, want) {
				t.Errorf("big=%v %s:\n%x, want\n%x", big, name, got, want)
			}
		}
	}
}

func TestParseObjectRefuses(t *testing.T) {
	good := buildObject(false, part{".text", "code", 1}, part{".debug$T", "types", 0})
	change := func(at int, b ...byte) []byte {
		data := bytes.Clone(good)
		copy(data[at:], b)
		return data
	}
	for name, data := range map[string][]byte{
		"empty":          nil,
		"short":          good[:headerSize+10],
		"sections":       change(2, 0xFF, 0xFE),
		"section beyond": change(headerSize+16, 0xFF, 0xFF, 0xFF, 0x7F),
		"symbols":        change(12, 0xFF, 0xFF, 0xFF, 0xFF),
	} {
		if _, err := ParseObject(data); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	var unsupported *UnsupportedError
	for name, data := range map[string][]byte{
		"import library":            append([]byte("\x00\x00\xff\xff\x00\x00\x64\x86"), make([]byte, 60)...),
		"link-time code generation": append([]byte("\x00\x00\xff\xff\x01\x00\x64\x86"), make([]byte, 60)...),
	} {
		if _, err := ParseObject(data); !errors.As(err, &unsupported) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A pointer into what is replaced, or sections that share bytes, leave nothing to be
// sure of.
func TestReplaceRefuses(t *testing.T) {
	data := buildObject(false, part{".text", "code", 1}, part{".debug$T", "types", 0})
	second := headerSize + sectionHeaderSize
	raw := binary.LittleEndian.Uint32(data[second+20:])
	for name, at := range map[string]int{"relocations": headerSize + 24, "raw data": headerSize + 20, "symbols": 8} {
		bad := bytes.Clone(data)
		binary.LittleEndian.PutUint32(bad[at:], raw+1)
		binary.LittleEndian.PutUint32(bad[headerSize+16:], 1)
		o, err := ParseObject(bad)
		if err == nil {
			_, err = o.Replace(map[int][]byte{1: []byte("other")})
		}
		if !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzObject(f *testing.F) {
	f.Add(buildObject(false, part{".text", "code", 2}, part{".debug$T", "types", 0}, part{".debug$S", "s", 1}))
	f.Add(buildObject(true, part{".text", "code", 2}, part{".debug$T", "types", 0}))
	f.Fuzz(func(t *testing.T, data []byte) {
		o, err := ParseObject(data)
		if err != nil {
			return
		}
		if same, err := o.Replace(nil); err == nil && !bytes.Equal(same, data) {
			t.Fatal("replacing nothing makes a difference")
		}
		for i := range o.Sections() {
			changed, err := o.Replace(map[int][]byte{i: []byte("some other content")})
			if err != nil {
				continue
			}
			again, err := ParseObject(changed)
			if err != nil {
				t.Fatalf("section %d replaced: %v", i, err)
			}
			if got := again.Sections()[i].Data; string(got) != "some other content" {
				t.Fatalf("section %d is %q", i, got)
			}
		}
	})
}
