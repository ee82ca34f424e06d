package argtable

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
)

func TestSplit(t *testing.T) {
	for _, c := range []struct {
		quoting Quoting
		text    string
		want    []string
	}{
		{GNU, "  -c  x.c\n\t-O2\r\n", []string{"-c", "x.c", "-O2"}},
		{GNU, `-DA="b c" -D'B=" "' a\ b "\"\\"`, []string{"-DA=b c", `-DB=" "`, "a b", `"\`}},
		{GNU, `"" ''`, []string{"", ""}},
		{GNU, " \n", nil},
		{Windows, `-DA="b c" C:\x\y.c "C:\a b\\" \"q\" "a""b"`, []string{"-DA=b c", `C:\x\y.c`, `C:\a b\`, `"q"`, `a"b`}},
		{Windows, `"" 'a b'`, []string{"", "'a", "b'"}},
	} {
		got, err := c.quoting.Split(c.text)
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%d, %q: %q, %v, want %q", c.quoting, c.text, got, err, c.want)
		}
	}
	for _, text := range []string{`a\`, "a\\\nb", `'a\b'`, `"a\b"`, "a\fb", "a\x00", `"a`} {
		if got, err := GNU.Split(text); !errors.Is(err, ErrAmbiguous) {
			t.Errorf("%q: %q, %v, want ErrAmbiguous", text, got, err)
		}
	}
}

func expander(files map[string]string) *Expander {
	return &Expander{ReadFile: func(name string) ([]byte, error) {
		text, ok := files[name]
		if !ok {
			return nil, fs.ErrNotExist
		}
		return []byte(text), nil
	}}
}

func TestExpand(t *testing.T) {
	x := expander(map[string]string{"a": "-c @b x.c", "b": "-O2 '-DX= '", "loop": "@loop", "e": `""`, "bom": "\xef\xbb\xbf-c"})
	got, some, err := x.Expand([]string{"@a", "@", "-v"})
	want := []string{"-c", "-O2", "-DX= ", "x.c", "@", "-v"}
	if err != nil || !some || !slices.Equal(got, want) {
		t.Errorf("got %q, %v, %v, want %q", got, some, err, want)
	}
	if got, some, err := x.Expand([]string{"-c"}); some || err != nil || !slices.Equal(got, []string{"-c"}) {
		t.Errorf("without a response file: %q, %v, %v", got, some, err)
	}
	x.DropsEmpty = true
	for _, name := range []string{"missing", "loop", "e", "bom"} {
		_, _, err := x.Expand([]string{"@" + name})
		var re *ResponseError
		if !errors.As(err, &re) || re.Name != name || !strings.Contains(err.Error(), name) {
			t.Errorf("@%s: %v, want a ResponseError with its name", name, err)
		}
	}
	if _, _, err := x.Expand([]string{"@missing"}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("@missing: %v, want ErrNotExist", err)
	}
}

// TestExpandBounded checks that files which name each other ever more often end
// in an error at once, although they hold no words.
func TestExpandBounded(t *testing.T) {
	files := map[string]string{}
	for i := range 40 {
		files[fmt.Sprint(i)] = fmt.Sprintf("@%d @%d", i+1, i+1)
	}
	files["40"] = ""
	reads := 0
	x := expander(files)
	read := x.ReadFile
	x.ReadFile = func(name string) ([]byte, error) { reads++; return read(name) }
	if _, _, err := x.Expand([]string{"@0"}); err == nil || reads > maxResponseFiles {
		t.Errorf("%v after %d reads", err, reads)
	}
}

func FuzzResponseFile(f *testing.F) {
	f.Add("-c\x00a b\x00\\\"\x00'\x00")
	f.Add("\x00\n\x00\\\\ \\\x00\v")
	f.Fuzz(func(t *testing.T, joined string) {
		words := strings.Split(joined, "\x00")
		for _, q := range []Quoting{GNU, Windows} {
			got, err := q.Split(q.Quote(words))
			if strings.ContainsAny(joined, "\v\f") && q == GNU {
				if err == nil {
					t.Errorf("%q: no error", words)
				}
				continue
			}
			if err != nil || !slices.Equal(got, words) {
				t.Errorf("quoting %d: %q became %q by way of %q, %v", q, words, got, q.Quote(words), err)
			}
		}
	})
}

// FuzzSplit checks that any text splits without panic, and that what it splits
// into survives quoting.
func FuzzSplit(f *testing.F) {
	f.Add(`-DA="b c" C:\x "a""b" \\" '`)
	f.Fuzz(func(t *testing.T, text string) {
		for _, q := range []Quoting{GNU, Windows} {
			words, err := q.Split(text)
			if err != nil || strings.ContainsAny(text, "\v\f") {
				continue
			}
			again, err := q.Split(q.Quote(words))
			if err != nil || !slices.Equal(again, words) {
				t.Errorf("quoting %d: %q became %q, then %q, %v", q, text, words, again, err)
			}
		}
	})
}
