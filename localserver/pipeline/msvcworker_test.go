package pipeline

import (
	"strings"
	"testing"

	"github.com/rexwrap/rexwrap/localserver/layout"
	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/wrapper/wire"
)

func printed(res *Result) string {
	var text strings.Builder
	for _, c := range res.Chunks {
		text.Write(c.Data)
	}
	return text.String()
}

// What a worker says of files is said of those here, in whatever language and whatever the
// worker calls its folder; what names others is refused.
func TestAcceptTexts(t *testing.T) {
	r := &request{
		call: &toolchains.Call{Dir: "/home/me/p/src"},
		at:   place{root: "/home/me/p", dir: "/home/me/p/src"},
	}
	const top = "/proc/self/cwd/.."
	for _, c := range []struct {
		said, want string // want is empty where it is refused
	}{
		{"x.cpp\n", "x.cpp\n"},
		{"Note: including file: /w/1/src/a.h\n", "Note: including file: /home/me/p/src/a.h\n"},
		{
			"x.cpp\nNote: including file: /w/1/src/a.h\nNote: including file:  /w/1/inc/a.h\nNote: including file:   /usr/include/a.h\n",
			"x.cpp\nNote: including file: /home/me/p/src/a.h\nNote: including file:  /home/me/p/inc/a.h\nNote: including file:   /usr/include/a.h\n",
		},
		{"Remarque : inclusion du fichier :  /w/1/src/a.h\r\n", "Remarque : inclusion du fichier :  /home/me/p/src/a.h\r\n"},
		{"注意: 包含文件:  /w/1/src/a.h\n", "注意: 包含文件:  /home/me/p/src/a.h\n"},
		{"Note: including file: a.h\n", "Note: including file: a.h\n"},
		{"Note: including file: ../inc/a.h\n", "Note: including file: ../inc/a.h\n"},
		{"Note: including file: " + top + "/inc/a.h\n", "Note: including file: /home/me/p/inc/a.h\n"},
		{
			"Note: including file: /w/1/src/a.h\n/w/1/inc/a.h(3): warning C4100: 'x'\n",
			"Note: including file: /home/me/p/src/a.h\n/home/me/p/inc/a.h(3): warning C4100: 'x'\n",
		},
		{"Note: including file: /home/me/p/inc/a.h\n", "Note: including file: /home/me/p/inc/a.h\n"},
		{"a.h(3): warning C4100: 'x': /W4\n", ""},
		{"/w/1/inc/a.h(3): warning C4100: 'x'\n", ""}, // nothing says where that is
		{"Note: including file: /w/1/src/b.h\n", ""},
		{"Note: including file: C:\\w\\src\\a.h\n", ""},
		{"Note: including file: /w/1/src/a.h\nNote: including file: /w/2/inc/a.h\n", ""},
		{"Note: including file: /w/1/src/a.h\nNote: including file: /w/1/src/b.h\n", ""},
		{"x.cpp\nsomething of /w/1/secret\n", ""},
	} {
		candidate := &Candidate{Files: []Input{{Path: "x.cpp"}, {Path: "a.h"}, {Path: rootMark + "inc/a.h"}, {Path: "/usr/include/a.h"}}}
		res := &Result{
			Spelling: SpelledRemotely, Chunks: []wire.Chunk{{Fd: 1, Data: []byte(c.said)}},
			Names: names{{Worker: top + "/.rexwrap-outside/root", Client: ""}, {Worker: top, Client: rootMark}},
		}
		err := r.acceptTexts(candidate, res)
		switch reason, _, _ := toolchains.ReasonOf(err); {
		case (err == nil) != (c.want != ""), err != nil && reason != reasonMessages:
			t.Errorf("%q: %v, then %q", c.said, err, printed(res))
		case err == nil:
			if got := string(layout.Names(res.Names.at(r.at)).ToClient([]byte(printed(res)))); got != c.want {
				t.Errorf("%q becomes %q, want %q", c.said, got, c.want)
			}
		}
	}
}

// A compile that printed to one of two streams serves calls for which they are one file,
// and others; one that printed to both, to one file or to a terminal, its own kind.
func TestServing(t *testing.T) {
	one := []wire.Chunk{{Fd: 1, Data: []byte("x.c\n")}}
	both := append(one[:1:1], wire.Chunk{Fd: 2, Data: []byte("bad\n")})
	for _, c := range []struct {
		made, asked string
		chunks      []wire.Chunk
		serves      bool
	}{
		{"", "", one, true},
		{"", oneFile(), one, true},
		{oneFile(), "", one, false},
		{oneFile(), oneFile(), both, true},
		{"", oneFile(), both, false},
		{oneFile(), "", both, false},
		{"", "tty", one, false},
		{"tty", oneFile(), one, false},
		{"tty", "tty", both, true},
		{"tty", "", nil, true},
	} {
		r, res, v := &request{streams: c.asked}, &Result{Chunks: c.chunks}, &Variant{Streams: c.made}
		if got := r.serves(v, res); got != c.serves {
			t.Errorf("%d chunks for %q serve %q: %v", len(c.chunks), c.made, c.asked, got)
		}
		candidate := &Candidate{Results: v.serving(res)}
		if found := candidate.result(c.asked) != nil; found != c.serves && !res.quiet() {
			t.Errorf("%d chunks for %q are found for %q: %v", len(c.chunks), c.made, c.asked, found)
		}
	}
}
