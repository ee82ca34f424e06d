//go:build linux

package wine

import (
	"strings"
	"testing"
)

// A compile gives what the bare compiler gives, the first time and the second.
func TestCompile(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for _, tt := range []struct{ args, object string }{
		{"/c a.c", "a.obj"},
		{"/nologo -c /Foout.obj a.c", "out.obj"},
		{"/c /DX /Foout a.c", "out.obj"},
		{"/c /showIncludes a.c", "a.obj"},
		{"/c|/DA=b c|a.c", "a.obj"},
		{`/c|/DA="b \"c\""|a.c`, "a.obj"},
		{`/c|/DB|..\src\a.c`, "a.obj"},
		{`/c|/DC|/Fo..\src\A.OBJ|A.C`, "A.OBJ"},
	} {
		args := strings.Fields(tt.args)
		if strings.Contains(tt.args, "|") {
			args = strings.Split(tt.args, "|")
		}
		want := s.bare(args...)
		object := s.read("src/" + tt.object)
		for range 2 {
			s.remove("src/" + tt.object)
			if got := s.compile(args...); got != want {
				t.Errorf("%s: %+v, want %+v", tt.args, got, want)
			}
			if got := s.read("src/" + tt.object); got != object {
				t.Errorf("%s: object %q, want %q", tt.args, got, object)
			}
		}
		s.remove("src/" + tt.object)
	}
	if got := s.stats(); got.HitsLocal+got.Merged+unstored(got) < 8 || got.SteppedAside+got.FellBack+got.Errors != 0 {
		t.Errorf("%+v", got)
	}
	s.noLitter()
}

// A changed header is a miss, and the old text a hit again.
func TestChange(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.compile("/c", "a.c")
	before := s.read("src/a.obj")
	s.write("src/a.h", "int other;\r\n")
	s.compile("/c", "a.c")
	if after := s.read("src/a.obj"); !strings.Contains(after, "other") {
		t.Errorf("object %q", after)
	}
	s.write("src/a.h", "int h;\r\n")
	s.compile("/c", "a.c")
	if again := s.read("src/a.obj"); again != before {
		t.Errorf("object %q, want %q", again, before)
	}
	s.want(1, 2)
}

// A failing compile is not remembered; its messages and status are the compiler's.
func TestFailure(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.write("src/bad.c", "#include \"a.h\"\r\n#error so it is\r\n")
	want := s.bare("/c", "bad.c")
	if want.Status != 2 || !strings.Contains(want.Stdout, "C1189") {
		t.Fatalf("%+v", want)
	}
	for range 2 {
		if got := s.compile("/c", "bad.c"); got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
	if n := s.runs(); n != 3 {
		t.Errorf("%d runs, want 3", n)
	}
}

// Response files are read in the encodings that build tools write.
func TestResponseFile(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for name, text := range map[string]string{
		"plain.rsp": "/c /Foout.obj a.c",
		"mark.rsp":  "\xEF\xBB\xBF/c /Foout.obj a.c",
		"wide.rsp":  "\xFF\xFE" + strings.Join(strings.Split("/c /Foout.obj a.c", ""), "\x00") + "\x00",
	} {
		s.write("src/"+name, text)
	}
	want := s.bare("/c", "/Foout.obj", "a.c")
	object := s.read("src/out.obj")
	for _, name := range []string{"plain.rsp", "wide.rsp"} {
		s.remove("src/out.obj")
		if got := s.compile("@" + name); got != want {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
		if got := s.read("src/out.obj"); got != object {
			t.Errorf("%s: object %q, want %q", name, got, object)
		}
	}
	s.want(1, 1)
}

// CL and _CL_ stand before and behind the arguments, and are part of the key.
func TestVariables(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.compile("/c", "a.c")
	s.set = append(s.set, "CL=/DX=1")
	s.compile("/c", "a.c")
	if got := s.read("src/a.obj"); !strings.Contains(got, "X=1") {
		t.Errorf("object %q", got)
	}
	s.want(0, 2)
}

// Long messages come whole, however slowly they are read.
func TestLongMessages(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.write("src/a.c", "#pragma lines 20000\r\nint x;\r\n")
	want := s.bare("/c", "a.c")
	for range 2 {
		if got := s.compile("/c", "a.c"); got != want {
			t.Errorf("%d bytes, want %d", len(got.Stdout), len(want.Stdout))
		}
	}
	s.want(1, 1)
}

// One pipe for both streams keeps their order.
func TestOneStream(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	together := func(argv ...string) string {
		got := s.run(append([]string{windows(s.in.dir + `/cl/together.exe`)}, argv...)...)
		if got.Status != 0 {
			t.Errorf("%+v", got)
		}
		return got.Stdout
	}
	want := together(s.cl(), "/c", "a.c")
	for range 2 {
		if got := together(s.rexwrap(), s.cl(), "/c", "a.c"); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	s.want(1, 1)
}
