package rustdeps

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rexwrap/rexwrap/toolchains"
)

const sample = `/t/deps/mycore-0f.rmeta: src/lib.rs a\ b.txt

/t/deps/libmycore-0f.rlib: src/lib.rs a\ b.txt

/t/deps/mycore-0f.d: src/lib.rs a\ b.txt

src/lib.rs:
a\ b.txt:

# env-dep:MULTI=x\ny\\n=z
# env-dep:NOPE
# env-dep:EMPTY=
`

func TestParseDepInfo(t *testing.T) {
	d, err := ParseDepInfo([]byte(sample))
	if err != nil {
		t.Fatal(err)
	}
	want := []Variable{{"MULTI", "x\ny\\n=z", true}, {"NOPE", "", false}, {"EMPTY", "", true}}
	if !slices.Equal(d.Files, []string{"src/lib.rs", "a b.txt"}) || !slices.Equal(d.Variables, want) {
		t.Errorf("%+v", d)
	}
	for _, bad := range []string{"", "# env-dep:X\n", "no rule\n"} {
		if d, err := ParseDepInfo([]byte(bad)); err == nil {
			t.Errorf("%q: %+v", bad, d)
		}
	}
}

func TestRetarget(t *testing.T) {
	got := string(Retarget([]byte(sample), "/t/deps", "/other dir/deps/"))
	want := strings.ReplaceAll(sample, "/t/deps/", `/other\ dir/deps/`)
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if back := string(Retarget([]byte(got), "/other dir/deps", "/t/deps")); back != sample {
		t.Errorf("and back: %s", back)
	}
	if got := string(Retarget([]byte("x.d: x.rs\n\nx.rs:\n"), "", "o")); got != "o/x.d: x.rs\n\nx.rs:\n" {
		t.Errorf("without a folder: %q", got)
	}
}

// TestRespell checks that files have other names and variables this call's values.
func TestRespell(t *testing.T) {
	const text = "/t/a b/x.d: src/lib.rs /t/a b/g.rs\n\nsrc/lib.rs:\n/t/a b/g.rs:\n\n# env-dep:MULTI=x\n# env-dep:NOPE\n# other: /t/\n"
	spaced := strings.ReplaceAll(text, "a b", `a\ b`)
	env := toolchains.Environ{"MULTI=y\nz\\", "OTHER=1"}
	got := string(Respell([]byte(spaced), func(p string) string { return strings.Replace(p, "/t/a b", "/u/c d", 1) }, env.Lookup))
	want := "/u/c d/x.d: src/lib.rs /u/c d/g.rs\n\nsrc/lib.rs:\n/u/c d/g.rs:\n\n# env-dep:MULTI=y\\nz\\\\\n# env-dep:NOPE\n# other: /t/\n"
	if want = strings.ReplaceAll(want, "c d", `c\ d`); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	same := string(Respell([]byte(sample), func(p string) string { return p }, toolchains.Environ{"MULTI=x\ny\\n=z", "EMPTY="}.Lookup))
	if same != sample {
		t.Errorf("the same: %s", same)
	}
}

func TestOnlyIncludes(t *testing.T) {
	for source, want := range map[string]bool{
		"": true, `env!("OTHER")`: true,
		`include!(concat!(env!("V"), "/x.rs"));`: true, "include_str ! [concat!{ env ! (\n\"V\"), \"/x\" }]": true,
		`include_bytes!(concat!(env!("V"), "/x")); env!("V")`: false,
		`env!("V")`: false, `option_env!("V")`: false, `concat!(env!("V"), "x")`: false, `include!(env!("V"))`: false,
		`my_include!(concat!(env!("V"), "/x"))`: false, `std::env::var("V")`: false,
	} {
		if OnlyIncludes([]byte(source), "V") != want {
			t.Errorf("%s: want %v", source, want)
		}
	}
}

func FuzzDepInfo(f *testing.F) {
	f.Add([]byte(sample))
	f.Add([]byte("a: \\ \\\n# env-dep:\\"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if d, err := ParseDepInfo(text); err == nil && d.Files == nil {
			t.Error("no files and no error")
		}
		if same := Retarget(text, "a", "a"); !bytes.Equal(same, text) {
			t.Errorf("%q became %q", text, same)
		}
	})
}

func TestEnvironment(t *testing.T) {
	base := Environment(toolchains.Environ{"A=1", "B=2"}, nil)
	for _, same := range []toolchains.Environ{
		{"B=2", "A=1"}, {"A=1", "B=2", "PWD=/x", "_=/bin/x", "TERM=xterm", "REXWRAP_X=1", "SSH_TTY=/dev/pts/1", "CARGO_MAKEFLAGS=-j"},
	} {
		if Environment(same, nil) != base {
			t.Errorf("%q differs", same)
		}
	}
	for _, other := range []toolchains.Environ{{"A=1"}, {"A=1", "B=3"}, {"A=1", "B=2", "WHO=x"}, {"A=1", "B=2", "PWDX=/x"}} {
		if Environment(other, nil) == base {
			t.Errorf("%q is the same", other)
		}
	}
	if list := ignoredVariables(); !slices.IsSorted(list) {
		t.Errorf("%q is not sorted", list)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

func TestPackage(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"Cargo.toml", "src/lib.rs", ".git/HEAD", "target/CACHEDIR.TAG", "target/x"} {
		write(t, filepath.Join(dir, name), "")
	}
	list, err := listPackage(dir)
	if err != nil || !slices.Equal(list.files, []string{dir + "/Cargo.toml", dir + "/src/lib.rs"}) {
		t.Errorf("%q, %v", list, err)
	}
	before := PackageListing(dir)
	write(t, filepath.Join(dir, "target/y"), "")
	if PackageListing(dir) != before {
		t.Error("the target folder counts")
	}
	write(t, filepath.Join(dir, "src/new.txt"), "")
	if PackageListing(dir) == before {
		t.Error("a new file does not count")
	}
	before = PackageListing(dir)
	if err := os.Mkdir(filepath.Join(dir, "empty"), 0o777); err != nil {
		t.Fatal(err)
	}
	if PackageListing(dir) == before {
		t.Error("a new folder does not count")
	}
	if err := os.Symlink("src", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	if _, err := listPackage(dir); err == nil || !PackageListing(dir).IsZero() {
		t.Error("a link to a folder is taken")
	}
	if got := PackageDir(&toolchains.Call{Dir: "/w", Env: toolchains.Environ{"CARGO_MANIFEST_DIR=/w/p"}}, "p/src/lib.rs"); got != "/w/p" {
		t.Error(got)
	}
	if got := PackageDir(&toolchains.Call{Dir: "/w"}, "p/lib.rs"); got != "/w/p" {
		t.Error(got)
	}
}

func TestMentions(t *testing.T) {
	text := []byte("rust\x00core\x11-0123456789abcdef\x00util\x00-odd-\x00--0123456789abcde")
	n := &names{extras: extras(text), text: text}
	for stem, want := range map[string]bool{
		"core-0123456789abcdef": true, "x-0123456789abcdee": false, "util": true, "other": false, "x-odd-": true, "x-even": false,
	} {
		if n.mentions(stem) != want {
			t.Errorf("%s: %v", stem, !want)
		}
	}
}

func TestLinkedFiles(t *testing.T) {
	got := linkedFiles([]byte("/o/x: \\\n  /usr/lib/crti.o \\\n  /a b/libx.a \\\n  last.o\n\n/usr/lib/crti.o:\n\nlast.o:\n"))
	if !slices.Equal(got, []string{"/usr/lib/crti.o", "/a b/libx.a", "last.o"}) {
		t.Errorf("%q", got)
	}
	if got := unquoteMake(`/a\ b/$$x\#`); got != "/a b/$x#" {
		t.Error(got)
	}
}

func TestMetadata(t *testing.T) {
	dir := t.TempDir()
	header := func(name string, size string) string {
		return name + strings.Repeat(" ", 48-len(name)) + size + strings.Repeat(" ", 10-len(size)) + "`\n"
	}
	for name, c := range map[string]struct {
		text, want string
		bad        bool
	}{
		"rmeta":     {text: "rust\x00\x00\x00\x06more", want: "rust\x00\x00\x00\x06more"},
		"other":     {text: "something else", bad: true},
		"empty":     {bad: true},
		"rlib":      {text: archiveMagic + header("x.o/", "3") + "abc\n" + header("lib.rmeta/", "4") + "text", want: "text"},
		"long name": {text: archiveMagic + header("//", "20") + "rust.metadata.bin/\n\n" + header("/0", "2") + "ab", want: "ab"},
		"no member": {text: archiveMagic + header("x.o/", "2") + "ab", bad: true},
		"cut short": {text: archiveMagic + header("lib.rmeta/", "9") + "ab", bad: true},
		"too large": {text: archiveMagic + header("lib.rmeta/", "9999999999"), bad: true},
		"no number": {text: archiveMagic + header("lib.rmeta/", "x"), bad: true},
	} {
		path := filepath.Join(dir, name)
		write(t, path, c.text)
		got, err := metadata(path)
		if (err != nil) != c.bad || !c.bad && string(got) != c.want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}
