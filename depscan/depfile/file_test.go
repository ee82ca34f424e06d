package depfile

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	tests := []struct {
		name, text string
		want       *File
	}{
		{"one line", "x.o: x.c\n", &File{Targets: []string{"x.o"}, Prereqs: []string{"x.c"}}},
		{"no prerequisite", "x.o:\n", &File{Targets: []string{"x.o"}}},
		{"gcc wraps", "x.o: x.c \\\n a.h b.h\n", &File{Targets: []string{"x.o"}, Prereqs: []string{"x.c", "a.h", "b.h"}}},
		{"clang wraps", "x.o: x.c \\\n  a.h\n", &File{Targets: []string{"x.o"}, Prereqs: []string{"x.c", "a.h"}}},
		{"wrapped targets", "a.o \\\n b\\ c.o: x.c\n", &File{Targets: []string{"a.o", `b\ c.o`}, Prereqs: []string{"x.c"}}},
		{
			"quoting", `x: a\ b.h c$$d.h e\#f.h g\h.h i\\\ j.h k\\#l.h m` + "\\\tn.h\n",
			&File{Targets: []string{"x"}, Prereqs: []string{"a b.h", "c$d.h", "e#f.h", `g\h.h`, `i\ j.h`, `k\#l.h`, "m\tn.h"}},
		},
		{
			"phony", "x.o: x.c a.h b\\ c.h\na.h:\nb\\ c.h:\n",
			&File{Targets: []string{"x.o"}, Prereqs: []string{"x.c", "a.h", "b c.h"}, Phony: []string{"a.h", "b c.h"}},
		},
		{
			"phony with blank lines", "x.o: x.c a.h\n\na.h:\n",
			&File{Targets: []string{"x.o"}, Prereqs: []string{"x.c", "a.h"}, Phony: []string{"a.h"}},
		},
		{"colon in a name", "c:/x.o: c:/x.c\n", &File{Targets: []string{"c:/x.o"}, Prereqs: []string{"c:/x.c"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Parse([]byte(tt.text))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestParseMalformed(t *testing.T) {
	for _, text := range []string{"", "no colon\n", "x.o: x.c\n\tcc -c x.c\n", "x.o: x.c\na.h: b.h\n"} {
		if f, err := Parse([]byte(text)); err == nil {
			t.Errorf("Parse(%q) = %+v, want an error", text, f)
		}
	}
}

func TestRewrite(t *testing.T) {
	const text = "a.o: /one/x.c /one/a.h\n/one/a.h:\n"
	rename := func(p string) string { return "/elsewhere" + p[len("/one"):] }
	got, ok := Rewrite("gcc", []byte(text), []string{"a.o"}, []string{"out/b.o", "all"}, rename)
	want := "out/b.o all: /elsewhere/x.c /elsewhere/a.h\n/elsewhere/a.h:\n"
	if !ok || string(got) != want {
		t.Errorf("Rewrite = %q, %v, want %q", got, ok, want)
	}
}

func TestRewriteRefuses(t *testing.T) {
	tests := []struct{ name, text, target string }{
		{"another target", "a.o: x.c\n", "b.o"},
		{"another layout", "a.o: x.c  a.h\n", "a.o"},
		{"a hand-written rule", "a.o: x.c\n\tcc x.c\n", "a.o"},
		{"no newline at the end", "a.o: x.c", "a.o"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, ok := Rewrite("gcc", []byte(tt.text), []string{tt.target}, []string{"c.o"}, nil); ok {
				t.Errorf("Rewrite = %q, want a refusal", got)
			}
		})
	}
}

// FuzzDepfile checks that what a style writes, Match reads and writes again
// with the same bytes, and that Rewrite there and back is the identity.
func FuzzDepfile(f *testing.F) {
	f.Add([]byte("x.o: x.c a.h\na.h:\n"), "x.o", "y.o")
	f.Add([]byte("x.o: x.c \\\n  a\\ b.h $$c.h\n\n\\#d.h:\n"), "x.o", "y z.o")
	f.Add([]byte("x.o: x\\\\\\ y.c\n"), "x.o", "")
	f.Fuzz(func(t *testing.T, text []byte, from, to string) {
		if file, err := Parse(text); err == nil {
			for _, s := range []Style{GCC, Clang14, Clang} {
				checkRoundTrip(t, s, file)
			}
		}
		for _, family := range []string{"gcc", "clang"} {
			there, ok := Rewrite(family, text, []string{from}, []string{to}, nil)
			if !ok {
				continue
			}
			back, ok := Rewrite(family, there, []string{to}, []string{from}, nil)
			if !ok || !bytes.Equal(back, text) {
				t.Errorf("%s: %q became %q, then %q (%v)", family, text, there, back, ok)
			}
		}
	})
}

// checkRoundTrip checks that reading what s writes of f, and writing it again,
// changes nothing.
func checkRoundTrip(t *testing.T, s Style, f *File) {
	t.Helper()
	text := s.Append(nil, f)
	again := &File{Targets: f.Targets}
	if err := again.parseBody(text[len(s.head(f.Targets)):]); err != nil {
		t.Fatalf("%v: read %q: %v", s, text, err)
	}
	if out := s.Append(nil, again); !bytes.Equal(out, text) && !ambiguous(f) {
		t.Errorf("%v: wrote %q, then %q", s, text, out)
	}
}

// ambiguous reports whether f has a name whose quoted form reads back as
// another name: one that is empty or that has backslashes at its end, as gcc
// and clang leave these as they are.
func ambiguous(f *File) bool {
	for _, list := range [][]string{f.Prereqs, f.Phony} {
		for _, n := range list {
			if n == "" || n[len(n)-1] == '\\' || bytes.ContainsAny([]byte(n), "\n\t") {
				return true
			}
		}
	}
	return false
}
