package cpp

import (
	"fmt"
	"hash/maphash"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// closeLex is lex by closeText alone.
func closeLex(src []byte, mode lexMode, syms *symbols) *unit {
	l := &lexer{mode: mode, syms: syms, u: &unit{}, line: 1, pushes: true}
	l.src = l.prepare(src)
	l.whole = string(l.src)
	l.run()
	l.seal()
	return l.u
}

// sameDirectives compares two lexings of a text. The first may say more of what stands
// between the directives.
func sameDirectives(t *testing.T, name string, got, want *unit) {
	t.Helper()
	g, w := listed(got), listed(want)
	if len(g) != len(w) {
		t.Fatalf("%s: %+v, want %+v", name, g, w)
	}
	for i := range w {
		if g[i].kind != w[i].kind || g[i].line != w[i].line || w[i].flags&^g[i].flags != 0 {
			t.Fatalf("%s: directive %d: %+v, want %+v", name, i, g[i], w[i])
		}
	}
}

// listed are the directives of u but for texts, whose flags the next one gets.
func listed(u *unit) (list []directive) {
	var flags textFlags
	for _, d := range u.dirs {
		flags |= d.flags
		if d.kind != dirText {
			d.flags, flags = flags, 0
			list = append(list, d)
		}
	}
	return list
}

// headers calls f with the texts of headers that are installed.
func headers(t *testing.T, f func(path string, src []byte)) {
	t.Helper()
	n := 0
	for _, root := range []string{"/usr/include/c++", "/usr/include/x86_64-linux-gnu", "/usr/lib/gcc"} {
		_ = filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error { // what is not there has no files
			if err != nil || !e.Type().IsRegular() || strings.HasSuffix(path, ".a") || strings.HasSuffix(path, ".so") {
				return nil
			}
			if info, err := e.Info(); err != nil || info.Size() > 1<<20 || n >= 1500 {
				return nil
			}
			if src, err := os.ReadFile(path); err == nil {
				n++
				f(path, src)
			}
			return nil
		})
	}
	if n == 0 {
		t.Error("no header is installed")
	}
}

const modeCxx = modeRawStrings | modeSeparators | modeModules

// TestTextOfHeaders lexes what is installed by passing over most words, and by looking
// at all of them.
func TestTextOfHeaders(t *testing.T) {
	syms := newSymbols()
	headers(t, func(path string, src []byte) {
		if !strings.Contains(string(src), ".inc") && !strings.Contains(string(src), "_macro") {
			sameDirectives(t, path, lex([]byte(string(src)), modeCxx, syms), closeLex(src, modeCxx, syms))
		}
	})
}

// TestTextIsNotKept checks that a unit is the same when its text is overwritten, by the
// next file that is read.
func TestTextIsNotKept(t *testing.T) {
	syms, seed := newSymbols(), maphash.MakeSeed()
	headers(t, func(path string, src []byte) {
		u := lex(src, modeCxx, syms)
		before := u.directiveHash(seed)
		for i := range src {
			src[i] = '#'
		}
		if u.directiveHash(seed) != before {
			t.Errorf("%s: a directive changed with the text that it was made of", path)
		}
	})
}

// TestTextOfSoup does so with random texts.
func TestTextOfSoup(t *testing.T) {
	words := strings.Split(`_ __FILE__ __DATE__ x__FILE__ __FILE__x _Pragma("once") R"( )" R"a( )a" LR u8R" 0R" 1'000 1'0__FILE__ .5'0 5's don't 'a' u8'x' '\''`+
		` "a" "\"" "a\\" "// " /* */ // /*/ **/ *\ \ % $ $__FILE__ . 0x1.p+1'0 import module; export p pp a_b`, " ")
	words = append(words, "\n", "\n", "\\\n", "\\ \n", "\n#define A ", "\n#if 1\n", "\n#endif\n", " ", "*\\\n/", "/\\\n*", "/\\\n/", "\x00")
	r := rand.New(rand.NewPCG(5, 6))
	for range 20_000 {
		var b strings.Builder
		for range r.IntN(24) {
			b.WriteString(words[r.IntN(len(words))])
			if r.IntN(2) == 0 {
				b.WriteByte(' ')
			}
		}
		mode := lexMode(r.IntN(1<<4)) &^ modeAsm
		if r.IntN(2) == 0 {
			mode |= modeModules
		}
		if r.IntN(4) == 0 {
			mode |= modeDollars
		}
		syms := newSymbols()
		sameDirectives(t, fmt.Sprintf("%q, mode %b", b.String(), mode), lex([]byte(b.String()), mode, syms), closeLex([]byte(b.String()), mode, syms))
	}
}
