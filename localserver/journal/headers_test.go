package journal

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rexwrap/rexwrap/client/digest"
)

// TestHeaders ranks headers by the latest compile of each output.
func TestHeaders(t *testing.T) {
	m := newMemory()
	j := open(t, m, Options{})
	add := func(r *Record, source string, files ...string) {
		list := &InputList{}
		for _, f := range append(files, source) {
			list.Files = append(list.Files, Input{Path: f, Digest: digest.OfString(f)})
		}
		r.Dir, r.Source, r.Key.Inputs = "/s", source, m.putBlob(list.Encode())
		j.Add(r)
	}
	add(miss("/b/a.o", 9*time.Second), "a.c", "i/old.h")
	add(miss("/b/a.o", time.Second), "a.c", "i/x.h", "/usr/include/stdio.h")
	add(hit("/b/b.o", 2*time.Second), "b.c", "i/x.h", "i/y.h")
	j.Add(aside("link"))
	gone := miss("/b/gone.o", time.Hour)
	j.Add(gone)

	want := &HeaderReport{Compiles: 2, Headers: []Header{
		{Path: "/s/i/x.h", Compiles: 2, Seconds: 3},
		{Path: "/s/i/y.h", Compiles: 1, Seconds: 2},
		{Path: "/usr/include/stdio.h", Compiles: 1, Seconds: 1},
	}}
	if diff := cmp.Diff(want, j.Headers("")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	want.Headers = want.Headers[:2]
	if diff := cmp.Diff(want, j.Headers("/s/i")); diff != "" {
		t.Errorf("below a directory (-want +got):\n%s", diff)
	}
}
