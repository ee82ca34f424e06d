package pdb

import (
	"bytes"
	"errors"
	"testing"
)

// compiled is an object with a type server and two sections of symbols, that name type
// 1001 and item 1000 before translation.
func compiled(t *testing.T, ts TypeServer, item, udt uint32) []byte {
	t.Helper()
	section, err := ts.Section()
	if err != nil {
		t.Fatal(err)
	}
	function := record(0x1147, join(at(24), u32s(item), at(8))...)
	symbols := join(u32s(4), subsection(0xF1, join(function, record(0x1108, append(u32s(udt), "name\x00"...)...))...))
	inlinees := join(u32s(4), subsection(0xF6, u32s(0, item, 0, 0)...))
	return buildObject(false,
		part{".text", "code", 1}, part{".debug$S", string(symbols), 2}, part{".debug$T", string(section), 0},
		part{".debug$S", string(inlinees), 1},
	)
}

func TestRenumbered(t *testing.T) {
	from := TypeServer{GUID{1}, 3, `C:\private\x.pdb`}
	to := TypeServer{GUID{2}, 4, `C:\project\vc140.pdb`}
	c, err := ParseCompiled(compiled(t, from, 0x1000, 0x1001))
	if err != nil {
		t.Fatal(err)
	}
	if c.TypeServer() != from {
		t.Errorf("%+v", c.TypeServer())
	}
	got, err := c.Renumbered(&Map{Types: []Index{0, 0x2345}, Items: []Index{0x3456}}, to)
	if err != nil {
		t.Fatal(err)
	}
	if want := compiled(t, to, 0x3456, 0x2345); !bytes.Equal(got, want) {
		t.Errorf("%x, want\n%x", got, want)
	}
	if got, err = c.WithTypeServer(to); err != nil || !bytes.Equal(got, compiled(t, to, 0x1000, 0x1001)) {
		t.Errorf("type server alone: %x, %v", got, err)
	}
	for name, m := range map[string]*Map{
		"short":    {Types: []Index{0x1000}, Items: []Index{0x1000}},
		"no item":  {Types: []Index{0x1000, 0x1001}},
		"unmapped": {Types: []Index{0x1000, 0}, Items: []Index{0x1000}},
	} {
		if _, err := c.Renumbered(m, to); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestParseCompiledRefuses(t *testing.T) {
	types := string(join(u32s(4), record(leafModifier, at(8)...)))
	var unsupported *UnsupportedError
	server, err := TypeServer{}.Section()
	if err != nil {
		t.Fatal(err)
	}
	for name, second := range map[string]part{
		"precompiled types":   {".debug$P", types, 0},
		"hashes of types":     {".debug$H", types, 0},
		"unknown symbol":      {".debug$S", string(join(u32s(4), subsection(0xF1, record(0x1155)...))), 0},
		"unknown subsections": {".debug$S", string(join(u32s(4), subsection(0xF9))), 0},
	} {
		c, err := ParseCompiled(buildObject(false, part{".debug$T", string(server), 0}, second))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := c.Renumberable(); !errors.As(err, &unsupported) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := c.Renumbered(&Map{}, TypeServer{}); !errors.As(err, &unsupported) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := c.WithTypeServer(TypeServer{Path: "x"}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := ParseCompiled(buildObject(false, part{".debug$T", types, 0}, part{".debug$T", types, 0})); !errors.As(err, &unsupported) {
		t.Errorf("two type sections: %v", err)
	}
	for name, parts := range map[string][]part{"no types": {{".text", "x", 0}}, "types inside": {{".debug$T", types, 0}}} {
		if _, err := ParseCompiled(buildObject(true, parts...)); !errors.Is(err, ErrNoTypeServer) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := ParseCompiled(buildObject(false, part{".debug$T", "x", 0})); !errors.Is(err, ErrMalformed) {
		t.Error(err)
	}
}

func FuzzCompiled(f *testing.F) {
	section, _ := TypeServer{Path: "x.pdb"}.Section()
	symbols := join(u32s(4), subsection(0xF1, record(0x1108, append(u32s(0x1000), "name\x00"...)...)...))
	f.Add(buildObject(false, part{".debug$S", string(symbols), 1}, part{".debug$T", string(section), 0}))
	f.Add(buildObject(false, part{".debug$S", string(namedSection("/w/1/x.obj")), 2}, part{".debug$T", string(section), 0}))
	m := &Map{Types: []Index{0x1001}, Items: []Index{0x1002}}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := ParseCompiled(data)
		if err != nil {
			return
		}
		if named, err := c.Named(Names{Object: "/an/other.obj", File: elsewhere}); err == nil {
			if isAbsolute(c.ObjectName()) && named.ObjectName() != "/an/other.obj" || named.TypeServer() != c.TypeServer() {
				t.Fatalf("%q is %q", c.ObjectName(), named.ObjectName())
			}
		}
		to := TypeServer{GUID{1}, 2, "another.pdb"}
		changed, err := c.Renumbered(m, to)
		if err != nil {
			return
		}
		again, err := ParseCompiled(changed)
		if err != nil || again.TypeServer() != to {
			t.Errorf("%+v, %v", again, err)
		}
	})
}

func FuzzPrivate(f *testing.F) {
	file := NewMemory(nil)
	s := Create(file, GUID{1})
	s.file.size = 512
	p, err := NewPrivate(join(pointerTo(0x74), structure("A", 0x1000)), text("x"))
	if err != nil {
		f.Fatal(err)
	}
	if _, err := s.Merge(p); err != nil {
		f.Fatal(err)
	}
	if err := s.Commit(); err != nil {
		f.Fatal(err)
	}
	f.Add(file.Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := ReadPrivate(data)
		if err != nil {
			return
		}
		file := NewMemory(nil)
		s := Create(file, GUID{2})
		if _, err := s.Merge(p); err != nil {
			return
		}
		if err := s.Commit(); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(file); err != nil {
			t.Fatal(err)
		}
	})
}
