//go:build linux

package rust

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/rexwrap/rexwrap/client/clienttest"
	"github.com/rexwrap/rexwrap/integration/rig"
)

// A checkout is the workspace at a place, with a cargo home and a target directory
// of its own.
type checkout struct {
	*site
	cargo, target string // absolute
}

// checkouts returns two of them that share a server.
func checkouts(t *testing.T, set ...string) (one, two *checkout) {
	t.Helper()
	files, err := txtar.ParseFile("testdata/workspace.txtar")
	if err != nil {
		t.Fatal(err)
	}
	s := newSite(t, files)
	s.rig.Set = append([]string{"REXWRAP_PATHS=relocatable"}, set...)
	base := filepath.Dir(s.dir)
	one = &checkout{s, filepath.Join(base, "cargo"), filepath.Join(s.dir, "target")}
	other := s.beside(t, "some/where/else", files)
	two = &checkout{other, filepath.Join(base, "another/home"), filepath.Join(base, "elsewhere")}
	for _, c := range []*checkout{one, two} {
		c.write(".git/HEAD", "")
		if err := os.MkdirAll(c.cargo, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	return one, two
}

func (c *checkout) env() []string {
	env := []string{"CARGO_HOME=" + c.cargo}
	if c.target != filepath.Join(c.dir, "target") {
		env = append(env, "CARGO_TARGET_DIR="+c.target)
	}
	return env
}

// canonical is a wrapper that adds the options which relocation makes necessary.
func (c *checkout) canonical() string {
	c.t.Helper()
	path := filepath.Join(filepath.Dir(c.cargo), "canonical-"+filepath.Base(c.dir))
	text := fmt.Sprintf("#!/bin/sh\ncase \"$*\" in *--crate-name\\ ___*|*-vV*) exec \"$@\";; esac\nexec \"$@\" --remap-path-prefix=/=/"+
		" --remap-path-prefix=%s=/proc/self/cwd/. --remap-path-prefix=%s=/rexwrap/cargo --remap-path-prefix=%s=/rexwrap/target\n", c.dir, c.cargo, c.target)
	if err := os.WriteFile(path, []byte(text), 0o777); err != nil {
		c.t.Fatal(err)
	}
	return path
}

// build builds from nothing and returns what cargo said.
func (c *checkout) build(env []string, argv ...string) *rig.Result {
	c.t.Helper()
	if err := os.RemoveAll(c.target); err != nil {
		c.t.Fatal(err)
	}
	r := c.run(env, argv...)
	if r.Status != 0 {
		c.t.Fatalf("%q: %s\n%s", argv, r.Ended(), r.Stderr)
	}
	return r
}

// made returns what stands in the target directory.
func (c *checkout) made() []string {
	rel, err := filepath.Rel(c.dir, c.target)
	if err != nil {
		c.t.Fatal(err)
	}
	return c.artefacts(rel)
}

// names reports an error for each file of the target directory that holds a text.
func (c *checkout) names(text string) {
	c.t.Helper()
	err := filepath.WalkDir(c.target, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if bytes.Contains(data, []byte(text)) {
			c.t.Errorf("%s names %s", path, text)
		}
		return err
	})
	if err != nil {
		c.t.Fatal(err)
	}
}

// TestSecondCheckout builds at another place, with another cargo home and target
// directory: all is found, and is what the compiler makes there.
func TestSecondCheckout(t *testing.T) {
	t.Parallel()
	// A test that holds the path of the program that it starts is not found.
	argv, missed := []string{cargo, "build"}, int64(0)
	if rig.Long() {
		argv, missed = append(argv, "--all-targets"), 1
	}
	one, two := checkouts(t)
	one.build(one.wrapped(one.env()...), argv...)
	plain := two.build(two.bare(append(two.env(), "RUSTC_WRAPPER="+two.canonical())...), argv...)
	want, before := two.made(), two.stats()
	got := two.build(two.wrapped(two.env()...), argv...)
	for _, line := range differences(want, two.made()) {
		t.Error(line)
	}
	// Nor is the probe that fails.
	if now := two.stats().Sub(before); now.Executed != 1+missed || now.Errors != 0 || now.HitsLocal == 0 {
		t.Errorf("%+v", now)
	}
	if a, b := warnings(plain), warnings(got); a != b {
		t.Errorf("cargo said %s, want %s", b, a)
	}
	for _, foreign := range []string{one.dir, one.cargo} {
		two.names(foreign)
		if strings.Contains(string(got.Stderr), foreign) {
			t.Errorf("cargo named %s:\n%s", foreign, got.Stderr)
		}
	}
}

// warnings are the lines that cargo has from the compiler.
func warnings(r *rig.Result) string {
	var out []string
	for line := range strings.Lines(string(r.Stderr)) {
		if word := strings.TrimSpace(line); !strings.HasPrefix(word, "Compiling") && !strings.HasPrefix(word, "Finished") {
			out = append(out, line)
		}
	}
	return strings.Join(out, "")
}

// placeFiles are a folder as cargo arranges it, with what a build script has made.
const placeFiles = "-- target/CACHEDIR.TAG --\n-- target/debug/deps/keep --\n-- target/debug/build/x-1/out/gen.rs --\npub const G: u8 = 1;\nfn never() {}\n"

// A placed crate is compiled at one place and then at another.
type placed struct {
	name, source string
	check        bool // no code is made
	macros       bool
	hit          bool // at the other place
}

func placedCrates() []placed {
	const include = `include!(concat!(env!("OUT_DIR"), "/gen.rs"));`
	return []placed{
		{name: "nothing", source: "pub fn f() {}", hit: true},
		{name: "a panic", source: "pub fn f(x: Option<u8>) -> u8 { x.unwrap() }\npub fn file() -> &'static str { file!() }", hit: true},
		{name: "a generated file", source: include, hit: true},
		{name: "a generated file to check", source: include, check: true, hit: true},
		{name: "a generated text", source: `pub const T: &str = include_str ! [ concat! (env!("OUT_DIR"), "/gen.rs") ];`, hit: true},
		{name: "a path", source: `pub const D: &str = env!("OUT_DIR");`},
		{name: "a path to check", source: `pub const D: &str = env!("OUT_DIR");`, check: true},
		{name: "the length of a path", source: `pub const D: usize = env!("OUT_DIR").len();`},
		{name: "a path and a generated file", source: include + ` pub const D: usize = env!("OUT_DIR").len();`},
		{name: "another variable", source: `pub const D: Option<&str> = option_env!("OTHER");`, hit: true},
		{name: "a macro", source: `pub const T: &str = m::file!();`, macros: true, hit: true},
		{name: "a macro to check", source: `pub const T: &str = m::file!();`, macros: true, check: true},
		{name: "a macro that takes a path", source: `pub const T: Option<&str> = m::who!();`, macros: true},
	}
}

// TestPlaces checks that a compile leaves at each of two places what the compiler
// makes there, with its messages, and that it is found at the second one only
// where no path can have reached the result.
func TestPlaces(t *testing.T) {
	t.Parallel()
	first := newSite(t, &txtar.Archive{})
	first.rig.Set = []string{"REXWRAP_PATHS=relocatable"}
	for i, c := range placedCrates() {
		if !rig.Part(3).Takes(i) {
			continue
		}
		t.Run(strings.ReplaceAll(c.name, " ", "-"), func(t *testing.T) {
			text := placeFiles + strings.TrimPrefix(macros, "\n") + "-- x.rs --\n" + c.source + "\nfn unused() {}\n"
			for n, name := range []string{fmt.Sprint("place", i), fmt.Sprintf("at/another/place%d", i)} {
				s := first.beside(t, name, txtar.Parse([]byte(text)))
				before := s.stats()
				s.place(c)
				if now := s.stats().Sub(before); now.HitsLocal == 1 != (n == 1 && c.hit) || now.Calls != 1 {
					t.Errorf("place %d: %+v", n, now)
				}
			}
		})
	}
}

// place compiles c, bare and through rexwrap, and compares.
func (s *site) place(c placed) {
	s.t.Helper()
	deps, out := s.dir+"/target/debug/deps", s.dir+"/target/debug/build/x-1/out"
	options := " --remap-path-prefix=/=/ --remap-path-prefix=" + s.dir + "=/proc/self/cwd/." +
		" --remap-path-prefix=" + s.rig.Home() + "/.cargo=/rexwrap/cargo --remap-path-prefix=" + s.dir + "/target=/rexwrap/target"
	args := "--crate-name x x.rs --crate-type lib --error-format=json --json=diagnostic-rendered-ansi,artifacts" +
		" --emit=dep-info,metadata,link --out-dir " + deps + " -L dependency=" + deps
	if c.check {
		args = strings.Replace(args, ",link", "", 1)
	}
	if c.macros {
		s.compile("--crate-name m m.rs --crate-type proc-macro --emit=link --extern proc_macro -Cextra-filename=-00000000000000aa --out-dir " + deps + options)
		args += " --extern m=" + deps + "/libm-00000000000000aa.so"
	}
	if err := rig.Age(s.dir); err != nil {
		s.t.Fatal(err)
	}
	vars := []string{"OUT_DIR=" + out, "WHO=" + s.dir}
	compile := func(env []string, more string, through ...string) outcome {
		made, err := filepath.Glob(deps + "/*x.*")
		if err != nil {
			s.t.Fatal(err)
		}
		for _, path := range made {
			if err := os.Remove(path); err != nil {
				s.t.Fatal(err)
			}
		}
		r := s.run(env, slices.Concat(through, []string{rustc, "--edition=2018"}, strings.Fields(args+more))...)
		return outcome{r.Ended(), string(r.Stdout), string(r.Stderr), s.artefacts("target/debug/deps")}
	}
	want := compile(s.bare(vars...), "")
	want.files = compile(s.bare(vars...), options).files
	s.check("at "+s.dir, want, compile(s.wrapped(vars...), "", filepath.Join(bin, "rexwrap")))
}

// TestSecondMachine builds at another place with an empty cache: what another
// machine made, or had made by workers, is found by way of the remote.
func TestSecondMachine(t *testing.T) {
	t.Parallel()
	runs := map[string]string{"shared": "REXWRAP_STRATEGY=local"}
	if rig.Long() {
		runs["executed"] = "REXWRAP_STRATEGY=remote"
	}
	for name, strategy := range runs {
		t.Run(name, func(t *testing.T) {
			server := clienttest.New(t, clienttest.Options{})
			one, two := checkouts(t, "REXWRAP_REMOTE="+server.Address, strategy)
			one.known()
			one.build(one.wrapped(one.env()...), cargo, "build")
			if out, err := one.rig.Verb("cache", "flush"); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			if now := one.stats(); now.Errors != 0 || (now.Remotely > 0) != (name == "executed") {
				t.Errorf("the first machine: %+v", now)
			}
			two.build(two.bare(append(two.env(), "RUSTC_WRAPPER="+two.canonical())...), cargo, "build")
			want := two.made()
			one.forget()
			got := two.build(two.wrapped(two.env()...), cargo, "build")
			for _, line := range differences(want, two.made()) {
				t.Error(line)
			}
			// Not found is the probe that fails.
			if now := two.stats(); now.HitsRemote != now.Calls-now.SteppedAside-1 || now.Errors != 0 {
				t.Errorf("the second machine: %+v", now)
			}
			for _, foreign := range []string{one.dir, one.cargo, "/proc/self/cwd/.."} {
				two.names(foreign)
				if strings.Contains(string(got.Stderr), foreign) {
					t.Errorf("cargo named %s:\n%s", foreign, got.Stderr)
				}
			}
		})
	}
}
