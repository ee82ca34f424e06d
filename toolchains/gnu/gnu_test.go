package gnu

import (
	"os"
	"testing"
)

func TestNames(t *testing.T) {
	for _, c := range []struct{ path, base, suffix, strip, stripName string }{
		{"d/x.c", "x.c", ".c", "d/x", "d/x"},
		{"d.e/x", "x", "", "d.e/x", "d.e/x"},
		{"x.c.c", "x.c.c", ".c", "x.c", "x.c"},
		{"d/x.", "x.", ".", "d/x", "d/x"},
		{"d/.x", ".x", ".x", "d/", "d/.x"},
		{"d/.x.c", ".x.c", ".c", "d/.x", "d/.x"},
		{"", "", "", "", ""},
	} {
		if got := Base(c.path); got != c.base {
			t.Errorf("Base(%q) = %q", c.path, got)
		}
		if got := Suffix(c.path); got != c.suffix {
			t.Errorf("Suffix(%q) = %q", c.path, got)
		}
		if got := Strip(c.path); got != c.strip {
			t.Errorf("Strip(%q) = %q", c.path, got)
		}
		if got := StripName(c.path); got != c.stripName {
			t.Errorf("StripName(%q) = %q", c.path, got)
		}
	}
}

func TestIsDevice(t *testing.T) {
	for path, want := range map[string][2]bool{
		"-": {true, true}, os.DevNull: {false, true}, "/dev/stdout": {true, true}, "/dev/fd/3": {true, true},
		"/proc/self/fd/1": {true, true}, "x.o": {false, false}, "/device": {false, false}, "": {false, false},
	} {
		if got := [2]bool{IsStream(path), IsDevice(path)}; got != want {
			t.Errorf("%q: stream, device = %v, want %v", path, got, want)
		}
	}
}

func TestQuoteTarget(t *testing.T) {
	for name, want := range map[string]string{
		"x.o": "x.o", "a$b": "a$$b", "a#b": `a\#b`, "a b": `a\ b`, `a\ b`: `a\\\ b`, `a\b`: `a\b`, `a\\ b`: `a\\\\\ b`,
		"a\tb": "a\\\tb", `\#`: `\\#`, "a:b%": "a:b%",
	} {
		if got := QuoteTarget(name); got != want {
			t.Errorf("QuoteTarget(%q) = %q, want %q", name, got, want)
		}
	}
}
