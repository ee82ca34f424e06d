package wrapper

import (
	"strings"
	"testing"
)

// TestReplacing checks that a text is replaced wherever it is cut.
func TestReplacing(t *testing.T) {
	const text = `{"file_name":"/canon/a/b.rs","also":"/canon/c /cano"}` + "\n"
	want := `{"file_name":"/here/a/b.rs","also":"/here/c /cano"}` + "\n"
	for size := 1; size <= len(text); size++ {
		f := &textFilter{texts: []string{"/canon/", "gone"}, instead: []string{"/here/"}}
		var got strings.Builder
		for rest := text; rest != ""; {
			n := min(size, len(rest))
			got.Write(f.take([]byte(rest[:n])))
			rest = rest[n:]
		}
		got.Write(f.rest())
		if got.String() != want {
			t.Errorf("in pieces of %d: %q, want %q", size, got.String(), want)
		}
	}
}

func TestTextFilter(t *testing.T) {
	const text = `note: "cc" "a" "-Wl,x" "-Wl,y" \"-Wl,x\" "-Wl,x` + "\n"
	want := `note: "cc" "a" "-Wl,y" "-Wl,x` + "\n"
	for size := 1; size <= len(text); size++ {
		f := &textFilter{texts: []string{` "-Wl,x"`, ` \"-Wl,x\"`}}
		var got strings.Builder
		for rest := text; rest != ""; {
			n := min(size, len(rest))
			got.Write(f.take([]byte(rest[:n])))
			rest = rest[n:]
		}
		got.Write(f.rest())
		if got.String() != want {
			t.Errorf("in pieces of %d: %q, want %q", size, got.String(), want)
		}
	}
	// A complete line is not held: cargo waits for it.
	f := &textFilter{texts: []string{` "-Wl,x"`}}
	if got := string(f.take([]byte("{\"artifact\":\"x\"}\n"))); got != "{\"artifact\":\"x\"}\n" {
		t.Errorf("held back of a line: %q", got)
	}
}
