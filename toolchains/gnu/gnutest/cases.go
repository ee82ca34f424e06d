package gnutest

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/argtable"
)

// Aside checks that f steps aside from every call of cases with the reason it
// is listed under. A call is one line of words separated by blanks; ” is an
// empty word.
func Aside(t *testing.T, f toolchains.Family, tc *toolchains.Toolchain, cases map[string][]string) {
	t.Helper()
	dir := Tree(t)
	for reason, calls := range cases {
		for _, args := range calls {
			_, err := f.Parse(Call(dir, f.Name(), split(args)), tc)
			got, arg, ok := toolchains.ReasonOf(err)
			if !ok || got != reason {
				t.Errorf("%s: %v, want %s", args, err, reason)
			}
			if reason == "unknown-argument" && arg == "" {
				t.Errorf("%s: the argument is not named", args)
			}
		}
	}
}

// Parse parses one call and fails the test if f steps aside.
func Parse(t testing.TB, f toolchains.Family, tc *toolchains.Toolchain, args string) *toolchains.Compile {
	t.Helper()
	c, err := f.Parse(Call(Tree(t), f.Name(), split(args)), tc)
	if err != nil {
		t.Fatalf("%s: %v", args, err)
	}
	return c
}

// NoKey checks for each of flags, which f must leave out of the key, that the
// compiler makes the same object and says the same without it.
func NoKey(t *testing.T, f toolchains.Family, tc *toolchains.Toolchain, program string, flags ...string) {
	t.Helper()
	const call = "-c x.c -Wall -g -o "
	dir := Tree(t)
	compile := func(args string) string {
		stderr := Stderr(t, Call(dir, program, split(args)))
		object, err := os.ReadFile(filepath.Join(dir, args[strings.LastIndexByte(args, ' ')+1:]))
		if err != nil {
			t.Fatal(err)
		}
		return stderr + string(object)
	}
	want := compile(call + "plain.o")
	for _, flag := range flags {
		c := Parse(t, f, tc, flag+" "+call+"x.o")
		if !c.Args[0].Class.Has(argtable.NoKey) {
			t.Errorf("%s is in the key", flag)
		}
		if compile(flag+" "+call+"x.o") != want {
			t.Errorf("%s makes a difference", flag)
		}
	}
	for _, o := range f.(interface{ Table() *argtable.Table }).Table().Rows() {
		tested := func(flag string) bool { return strings.HasPrefix(flag, strings.TrimSuffix(o.Name, "=")) }
		if o.Class.Has(argtable.NoKey) && !slices.ContainsFunc(flags, tested) {
			t.Errorf("%s is left out of the key untested", o.Name)
		}
	}
}

// PassThrough checks that the compiler sees -Wp,-D after all other macros, as
// gnu.Options yields it.
func PassThrough(t *testing.T, program string) {
	t.Helper()
	dir := Tree(t)
	source := "#if X != 4\n#error X\n#endif\n"
	if err := os.WriteFile(filepath.Join(dir, "w.c"), []byte(source), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, ok := Run(t, Call(dir, program, split("-c w.c -Wp,-DX=4 -DX=5 -UX"))); !ok {
		t.Error("-Wp,-D does not come last")
	}
}

func split(args string) []string {
	words := strings.Fields(args)
	for i, word := range words {
		if word == "''" {
			words[i] = ""
		}
	}
	return words
}

// Typical is a call with forty arguments as build systems make them.
func Typical() []string {
	return strings.Fields("-DNDEBUG -DHAVE_CONFIG_H -D_GNU_SOURCE -DVERSION=\"1.2\" -I. -I../include -I../lib/include " +
		"-isystem /opt/x/include -iquote src -std=gnu11 -Wall -Wextra -Wno-unused-parameter -Werror=implicit -Wshadow " +
		"-Wformat=2 -O2 -g -gdwarf-4 -fPIC -fno-strict-aliasing -fstack-protector-strong -fvisibility=hidden -ffunction-sections " +
		"-fdata-sections -fno-omit-frame-pointer -march=x86-64-v2 -mtune=generic -pipe -pthread -D_FORTIFY_SOURCE=2 -MD -MT obj/x.o " +
		"-MF obj/x.o.d -o obj/x.o -c src/x.c")
}

// Fuzz checks that a parsed call loses no word.
func Fuzz(f *testing.F, family toolchains.Family, tc *toolchains.Toolchain) {
	f.Add(strings.Join(Typical(), "\n"))
	f.Add("-c\nx.c\n-Wp,-MD,x\n-Xclang\n-include\n-Xclang\nh\n-fopt-info-vec=x\n-fno-lto\n--sysroot\n/\n-o\n")
	f.Add("-x\nc++-header\nx\n-Wa,-a=x,-g\n-arch\nx\n-mllvm\n-x=1\n-g3\n-MT\n\n--")
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, joined string) {
		words := strings.Split(joined, "\n")
		for _, word := range words {
			if strings.HasPrefix(word, "@") || strings.ContainsRune(word, 0) {
				return // it would name a file
			}
		}
		call := &toolchains.Call{Argv: append([]string{"cc"}, words...), Dir: dir}
		c, err := family.Parse(call, tc)
		if err != nil {
			if _, _, ok := toolchains.ReasonOf(err); !ok {
				t.Errorf("%q: %v is no UnsupportedError", words, err)
			}
			return
		}
		if got := Words(c); strings.Join(got, "\n") != joined || len(got) != len(words) {
			t.Errorf("%q became %q", words, got)
		}
		if len(c.Outputs) == 0 && c.Mode != toolchains.SyntaxOnly || c.Source == "" {
			t.Errorf("%q: %+v", words, c)
		}
	})
}

// Benchmark parses a call of forty arguments.
func Benchmark(b *testing.B, family toolchains.Family, tc *toolchains.Toolchain) {
	call := &toolchains.Call{Argv: append([]string{"cc"}, Typical()...), Dir: b.TempDir(), Env: []string{"PATH=/bin", "LANG=C"}}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := family.Parse(call, tc); err != nil {
			b.Fatal(err)
		}
	}
}
