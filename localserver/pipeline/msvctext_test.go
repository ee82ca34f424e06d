package pipeline

import (
	"testing"

	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/wrapper/wire"
)

// What is said of headers moves to other checkouts; whatever else names this one does not.
func TestPlaced(t *testing.T) {
	at := func(root string) *request {
		return &request{call: &toolchains.Call{Dir: root + "/src"}, at: place{root: root, dir: root + "/src"}}
	}
	for _, c := range []struct {
		said, elsewhere string // the latter is empty where it is refused
	}{
		{"", ""},
		{"x.cpp\n", "x.cpp\n"},
		{"Note: including file: inc/a.h\n", "Note: including file: inc/a.h\n"},
		{"Note: including file:  /home/me/p/inc/a.h\n", "Note: including file:  /mnt/p/inc/a.h\n"},
		{"Hinweis: Einlesen der Datei: /home/me/p/a b.h\r\nx\n", "Hinweis: Einlesen der Datei: /mnt/p/a b.h\r\nx\n"},
		{"Note: including file: /usr/a.h\nNote: including file: /home/me/p/a.h", "Note: including file: /usr/a.h\nNote: including file: /mnt/p/a.h"},
		{"a.h(1): warning: x\n", "a.h(1): warning: x\n"},
		{"/home/me/p/a.h(1): warning: x\n", ""},
		{"Note: including file: /home/me/p/home/me/p/a.h\n", "Note: including file: /mnt/p/home/me/p/a.h\n"},
		{"Note: including file: /x/home/me/p/a.h\n", ""},
		{"x\x00y\n", ""},
	} {
		placed, ok := at("/home/me/p").placed([]wire.Chunk{{Fd: 1, Data: []byte(c.said)}})
		if !ok {
			if c.elsewhere != "" {
				t.Errorf("%q is refused", c.said)
			}
			continue
		}
		for root, want := range map[string]string{"/home/me/p": c.said, "/mnt/p": c.elsewhere} {
			if got := at(root).placedHere(placed); string(got[0].Data) != want || got[0].Fd != 1 {
				t.Errorf("%q becomes %q at %s, want %q", c.said, got[0].Data, root, want)
			}
		}
	}
}
