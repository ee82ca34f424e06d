package pdb

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
)

// elsewhere has the files of /w/1 lie in /home/me.
func elsewhere(name string) string {
	if rest, ok := strings.CutPrefix(name, "/w/1/"); ok {
		return "/home/me/" + rest
	}
	return name
}

// namedSection is a .debug$S of an object with a name, three symbols, and two files.
func namedSection(name string) []byte {
	own := record(symObjName, join(u32s(0), []byte(name), []byte{0})...)
	symbols := join(own, record(0x1108, append(u32s(0x1000), "t\x00\x00\x00"...)...), record(0x0006))
	table := []byte("\x00/w/1/a.cpp\x00/usr/h.h\x00") // of 21 bytes
	list := join(u32s(1), []byte{2, 1, 7, 7}, u32s(12), []byte{0, 0, 0, 0}, u32s(1), []byte{0, 0})
	return join(u32s(4), subsection(0xF1, symbols...), subsection(0xF3, table...), subsection(0xF4, list...), subsection(0xF2, make([]byte, 12)...))
}

func filesOf(t *testing.T, section []byte) (names []string) {
	t.Helper()
	var table []byte
	for range 2 {
		err := eachSubsection(section, func(b debugPart) error {
			if b.kind == subsectionStrings {
				table = b.data
			}
			if b.kind != subsectionFiles || table == nil || names != nil {
				return nil
			}
			for at := range fileEntries(b.data) {
				name, _, _ := bytes.Cut(table[binary.LittleEndian.Uint32(b.data[at:]):], []byte{0})
				names = append(names, string(name))
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return names
}

// An object with other names has them all, everything else as it was, and its relocations
// where what they belong to has gone.
func TestNamed(t *testing.T) {
	server, err := TypeServer{Path: "/w/1/x.pdb"}.Section()
	if err != nil {
		t.Fatal(err)
	}
	for _, old := range []string{"/w/1/x.obj", `C:\w\a.obj`, "/a much longer name than the one that it will have/x.obj"} {
		section := namedSection(old)
		data := buildObject(false, part{".debug$S", string(section), 3}, part{".debug$T", string(server), 0})
		relocations := data[len(section)+headerSize+2*sectionHeaderSize:]
		symbol, lines := bytes.Index(section, []byte("t\x00\x00\x00")), len(section)-12
		for i, at := range []int{0, symbol, lines} {
			binary.LittleEndian.PutUint32(relocations[10*i:], uint32(at))
		}
		c, err := ParseCompiled(data)
		if err != nil || c.ObjectName() != old {
			t.Fatalf("%q, %v", c.ObjectName(), err)
		}
		named, err := c.Named(Names{Object: "/home/me/x/y.obj", File: elsewhere})
		if err != nil {
			t.Fatal(err)
		}
		now := named.object.Sections()[0].Data
		if got := named.ObjectName(); got != "/home/me/x/y.obj" {
			t.Errorf("%s is %q", old, got)
		}
		if got := strings.Join(filesOf(t, now), " "); got != "/home/me/a.cpp /usr/h.h /home/me/a.cpp" {
			t.Errorf("files %q", got)
		}
		at := binary.LittleEndian.Uint32(named.object.header(0)[24:])
		moved := named.object.data[at:]
		want := []int{0, bytes.Index(now, []byte("t\x00\x00\x00")), len(now) - 12}
		for i := range want {
			if got := binary.LittleEndian.Uint32(moved[10*i:]); int(got) != want[i] {
				t.Errorf("relocation %d is at %#x, not %#x", i, got, want[i])
			}
		}
		if want[1]%4 != symbol%4 {
			t.Errorf("symbols have moved by %d", want[1]-symbol)
		}
		again, err := named.Named(Names{Object: "/home/me/x/y.obj", File: elsewhere})
		if err != nil || again != named {
			t.Errorf("again: %v", err)
		}
	}
}

// Names that are relative stay, and so does all of an object that has none to change.
func TestNamedKeeps(t *testing.T) {
	server, err := TypeServer{Path: "/w/1/x.pdb"}.Section()
	if err != nil {
		t.Fatal(err)
	}
	data := buildObject(true, part{".debug$S", string(namedSection("x.obj")), 1}, part{".debug$T", string(server), 0})
	c, err := ParseCompiled(data)
	if err != nil {
		t.Fatal(err)
	}
	same := func(name string) string { return name }
	if named, err := c.Named(Names{Object: "/y.obj", File: same}); err != nil || named != c {
		t.Errorf("%v", err)
	}
	symbols := subsection(0xF1, record(symObjName, join(u32s(0), []byte("/x.obj\x00"))...)...)
	c, err = ParseCompiled(buildObject(false, part{".debug$S", string(join(u32s(4), symbols)), 0}, part{".debug$T", string(server), 0}))
	if err != nil {
		t.Fatal(err)
	}
	if named, err := c.Named(Names{Object: "/y/z.obj", File: elsewhere}); err != nil || named.ObjectName() != "/y/z.obj" {
		t.Errorf("no files: %v", err)
	}
}

// A relocation of what is replaced is not understood; so many that they are counted
// elsewhere are.
func TestRelocations(t *testing.T) {
	by := shifts{{8, 20, 4}, {40, 40, -8}}
	for offset, want := range map[uint32]uint32{0: 0, 7: 7, 20: 24, 39: 43, 40: 36, 60: 56} {
		if got, err := by.move(offset); err != nil || got != want {
			t.Errorf("%d is at %d, not %d: %v", offset, got, want, err)
		}
	}
	if _, err := by.move(12); err == nil {
		t.Error("relocation of what is replaced")
	}
	const count = 0x10001
	data := buildObject(false, part{".debug$S", "data", count + 1})
	o := &Object{data: data, headers: headerSize, sections: make([]Section, 1)}
	le := binary.LittleEndian
	le.PutUint16(o.header(0)[32:], 0xFFFF)
	le.PutUint32(o.header(0)[36:], manyRelocations)
	at := le.Uint32(o.header(0)[24:])
	le.PutUint32(data[at:], count+1)
	for i := range uint32(count) {
		le.PutUint32(data[at+relocationSize*(i+1):], 100)
	}
	if err := o.relocate(0, by); err != nil {
		t.Fatal(err)
	}
	if first, last := le.Uint32(data[at:]), le.Uint32(data[at+relocationSize*count:]); first != count+1 || last != 96 {
		t.Errorf("the first is %d, the last %d", first, last)
	}
	le.PutUint32(o.data[at:], 1<<31)
	if err := o.relocate(0, by); err == nil {
		t.Error("more relocations than bytes")
	}
}

// Texts of items change, numbers stay.
func TestPrivateNamed(t *testing.T) {
	p, err := NewPrivate(pointerTo(0x74), join(text("/w/1/a.cpp"), record(leafFuncID, join(u32s(0, 0x1000), []byte("/w/1/f\x00\x00"))...), text("x")))
	if err != nil {
		t.Fatal(err)
	}
	named := p.Named(elsewhere)
	if err := named.check(); err != nil || named.counts != p.counts {
		t.Errorf("%v, %v", named.counts, err)
	}
	want := join(text("/home/me/a.cpp"), record(leafFuncID, join(u32s(0, 0x1000), []byte("/w/1/f\x00\x00"))...), text("x"))
	if !bytes.Equal(named.Items, want) {
		t.Errorf("%q, want %q", named.Items, want)
	}
	if same := p.Named(func(s string) string { return s }); same != p {
		t.Error("nothing changes, and something does")
	}
	if long := p.Named(func(string) string { return strings.Repeat("x", 1<<16) }); !bytes.Equal(long.Items, p.Items) {
		t.Error("a text that is longer than a record")
	}
}
