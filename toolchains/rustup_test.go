package toolchains

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rexwrap/rexwrap/client/digest"
)

// noFiles digests nothing.
type noFiles struct{}

func (noFiles) Digest(string) (digest.Digest, error) { return digest.Digest{}, os.ErrNotExist }

// TestProxy holds the ways by which rustup's proxies choose a toolchain.
func TestProxy(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	write("bin/rustup", "proxy")
	if err := os.Symlink("rustup", filepath.Join(dir, "bin/rustc")); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(filepath.Join(dir, "bin/rustup"), filepath.Join(dir, "bin/clippy-driver")); err != nil {
		t.Fatal(err)
	}
	write("home/settings.toml", "version = \"12\"\ndefault_toolchain = \"stable\" # comment\n[overrides]\n\""+dir+"/over\" = \"own\"\n")
	for _, name := range []string{"stable-x86_64-unknown-linux-gnu", "1.70-x86_64-unknown-linux-gnu", "own", "nightly-2024-01-01-x86_64-unknown-linux-gnu", "two-a-b-c", "two-d-e-f"} {
		write("home/toolchains/"+name+"/bin/rustc", "x")
	}
	write("file/rust-toolchain", "1.70\n")
	write("toml/rust-toolchain.toml", "[toolchain]\nchannel = '1.70'\ncomponents = [\"rustfmt\"]\n")
	write("path/rust-toolchain.toml", "[toolchain]\npath = \""+dir+"/custom\"\n")
	write("bad/rust-toolchain.toml", "[toolchain]\n")
	write("over/sub/x", "")
	for _, c := range []struct{ dir, plus, variable, want string }{
		{"/", "", "", "home/toolchains/stable-x86_64-unknown-linux-gnu/bin/rustc"},
		{"/", "", "1.70", "home/toolchains/1.70-x86_64-unknown-linux-gnu/bin/rustc"},
		{"/", "own", "1.70", "home/toolchains/own/bin/rustc"},
		{dir + "/over/sub", "", "", "home/toolchains/own/bin/rustc"},
		{dir + "/file", "", "", "home/toolchains/1.70-x86_64-unknown-linux-gnu/bin/rustc"},
		{dir + "/toml", "", "", "home/toolchains/1.70-x86_64-unknown-linux-gnu/bin/rustc"},
		{dir + "/path", "", "", "custom/bin/rustc"},
		{dir + "/bad", "", "", ""},
		{"/", "", "nightly", ""},
		{"/", "", "two", ""},
	} {
		p := &proxyCall{plus: c.plus, variable: c.variable, home: dir + "/home", dir: c.dir}
		got, err := p.driver(newObserver(noFiles{}), dir+"/bin/rustc")
		if want := filepath.Join(dir, c.want); err == nil && got != want || (err != nil) != (c.want == "") {
			t.Errorf("%+v: %s, %v", c, got, err)
		}
	}
	p := proxyOf(&Call{Argv: []string{"rustc", "+own", "x.rs"}, Dir: "/", Env: Environ{"HOME=" + dir}})
	if p.plus != "own" || p.home != dir+"/.rustup" {
		t.Errorf("%+v", p)
	}
	if !isProxy(dir+"/bin/clippy-driver") || isProxy(dir+"/home/toolchains/own/bin/rustc") {
		t.Error("a hard link to rustup is a proxy, a compiler is none")
	}
}
