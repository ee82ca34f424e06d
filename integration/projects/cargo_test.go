//go:build linux

package projects

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rexwrap/rexwrap/integration/debsrc"
	"github.com/rexwrap/rexwrap/integration/rig"
)

// A crateProject is a Rust program whose crates are Debian's packages.
type crateProject struct {
	name string
	// source is a Debian source package, empty for the folder testdata/NAME.
	source string
	// verbs are cargo's, with arguments; prepare runs once before them.
	verbs   []string
	prepare string
}

func crateProjects() []crateProject {
	return []crateProject{
		{
			name:  "crates",
			verbs: []string{"build", "check", "clippy", "test --no-run"},
		},
		{
			// What it has for musl alone is no package of Debian.
			name: "ripgrep", source: "rust-ripgrep",
			prepare: `rm Cargo.lock && sed -i -e '/jemallocator/,+1d' -e '/simd-accel/d' Cargo.toml`,
			verbs:   []string{"build --release", "check", "clippy", "test --no-run"},
		},
	}
}

// packages are those of the crates that the projects name; others come along.
func packages() []string {
	names := []string{
		"anyhow", "bstr", "clap", "clap-2", "grep", "grep+pcre2", "ignore", "lazy-static", "log", "num-cpus", "regex", "serde",
		"serde+derive", "serde-json", "syn", "termcolor", "tokio", "tokio+full", "walkdir",
	}
	for i, name := range names {
		names[i] = "librust-" + name + "-dev"
	}
	return names
}

// TestCargo builds the programs plain, cold and warm after what cargo clean does:
// every artefact is the plain build's, and warm no compile runs but probes that
// have to fail. Each of cargo's verbs is a test of its own.
func TestCargo(t *testing.T) {
	wanted := os.Getenv("REXWRAP_TEST_PROJECTS")
	var table []string
	for _, p := range crateProjects() {
		if wanted != "all" && wanted != p.name {
			continue
		}
		t.Run(p.name, func(t *testing.T) {
			require(t, "/usr/bin/cargo", "/usr/bin/cargo-clippy", "strace")
			b := &cargoBuilds{t: t, project: p, dir: t.TempDir()}
			b.setUp()
			for _, verb := range p.verbs {
				t.Run(strings.ReplaceAll(verb, " ", "-"), func(t *testing.T) {
					b.t = t
					table = append(table, b.run(verb))
				})
			}
		})
	}
	if len(table) > 0 {
		t.Logf("seconds of wall time, warm under strace; compiles; hits\n%s\n%s",
			fmt.Sprintf(cargoFormat, "project", "cargo", "plain", "cold", "warm", "calls", "hits"), strings.Join(table, "\n"))
	}
}

const cargoFormat = "%-8s %-21s %7v %7v %7v %6v %6v"

// cargoBuilds are the builds of one crateProject.
type cargoBuilds struct {
	t       *testing.T
	project crateProject
	dir     string
	rig     *rig.Rig
}

func (b *cargoBuilds) checkout() string { return filepath.Join(b.dir, "checkout") }

func (b *cargoBuilds) setUp() {
	b.t.Helper()
	err := rig.TrackSources("../..")
	bin := filepath.Join(b.dir, "bin")
	if err == nil {
		err = os.Mkdir(bin, 0o755)
	}
	if err == nil {
		err = rig.Build("../..", bin)
	}
	if err == nil {
		b.rig, err = rig.New(bin, filepath.Join(b.dir, "rig"))
	}
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(b.rig.Close)
	b.unpack()
	if b.project.prepare != "" {
		b.command(b.plain(), "sh", "-c", b.project.prepare)
	}
}

// unpack makes the checkout, and points cargo to the crates.
func (b *cargoBuilds) unpack() {
	b.t.Helper()
	crates, err := debsrc.OpenRoot("../../.cache/crates", debsrc.Suite, io.Discard, packages()...)
	if err != nil {
		b.t.Fatal(err)
	}
	if b.project.source == "" {
		err = os.CopyFS(b.checkout(), os.DirFS(filepath.Join("testdata", b.project.name)))
	} else {
		var store *debsrc.Store
		if store, err = debsrc.Open("../../.cache/debsrc", io.Discard); err == nil {
			err = store.Unpack(b.project.source, b.checkout())
		}
	}
	if err != nil {
		b.t.Fatal(err)
	}
	config := fmt.Sprintf("[source.crates-io]\nreplace-with = \"debian\"\n[source.debian]\ndirectory = %q\n", crates.Path("usr/share/cargo/registry"))
	cargoHome := filepath.Join(b.rig.Home(), ".cargo")
	if err := os.MkdirAll(cargoHome, 0o755); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(cargoHome, "config.toml"), []byte(config), 0o644); err != nil {
		b.t.Fatal(err)
	}
}

func (b *cargoBuilds) plain() []string {
	env := rig.BareEnv(b.rig.Home(), b.rig.Temp())
	env[0] = "PATH=/usr/bin:/bin"
	return append(env, "CARGO_INCREMENTAL=0", "CARGO_NET_OFFLINE=true")
}

func (b *cargoBuilds) wrapped() []string {
	return b.rig.Env("PATH=/usr/bin:/bin", "CARGO_INCREMENTAL=0", "CARGO_NET_OFFLINE=true", "RUSTC_WRAPPER="+filepath.Join(b.rig.Bin, "rexwrap"))
}

// command runs a command in the checkout and returns how long it took.
func (b *cargoBuilds) command(env []string, argv ...string) time.Duration {
	b.t.Helper()
	res, err := rig.Command{Argv: argv, Dir: b.checkout(), Env: env, Limit: buildLimit}.Run()
	if err != nil {
		b.t.Fatal(err)
	}
	if res.Status != 0 {
		b.t.Fatalf("%q: %s: %s", argv, res.Ended(), tail(res.Stderr))
	}
	return res.Wall
}

// run builds with one verb and returns a line for the table.
func (b *cargoBuilds) run(verb string) string {
	b.t.Helper()
	argv := append([]string{"/usr/bin/cargo"}, strings.Fields(verb)...)
	b.clean()
	plain := b.command(b.plain(), argv...)
	want := b.target()

	b.clean()
	cold := b.command(b.wrapped(), argv...)
	b.compare(verb+", cold", want)

	b.clean()
	before := b.stats()
	trace := filepath.Join(b.dir, "trace")
	warm := b.command(b.wrapped(), append([]string{"strace", "-f", "-qq", "-e", "trace=execve", "-e", "abbrev=none", "-s", "4096", "-o", trace}, argv...)...)
	b.compare(verb+", warm", want)
	d := b.stats().Sub(before)
	// A probe that has to fail is run each time.
	if hits := d.HitsLocal + d.Merged; hits == 0 || d.Executed != d.NotStored["compile-failed"] || d.FellBack+d.Errors != 0 {
		why, err := b.rig.Verb("explain", "--build")
		b.t.Errorf("%s, warm: %+v\n%s%v", verb, d, why, err)
	}
	if ran := b.compilers(trace); ran != d.Executed {
		b.t.Errorf("%s, warm: %d compiles were run, want %d", verb, ran, d.Executed)
	}
	return fmt.Sprintf(cargoFormat, b.project.name, verb, seconds(plain), seconds(cold), seconds(warm), d.Calls-d.SteppedAside, d.HitsLocal+d.Merged)
}

// compilers counts the compiles of cargo's, and of probes like them, in a trace of
// execve: those that rexwrap runs bear the name that it was given, those that build
// scripts run by themselves read the source from stdin.
func (b *cargoBuilds) compilers(trace string) (n int64) {
	b.t.Helper()
	text, err := os.ReadFile(trace)
	if err != nil {
		b.t.Fatal(err)
	}
	for line := range bytes.Lines(text) {
		call, _, _ := bytes.Cut(line, []byte("], ["))
		program, args, ok := bytes.Cut(call, []byte(`", [`))
		compiler := bytes.HasSuffix(program, []byte("/rustc")) || bytes.HasSuffix(program, []byte("/clippy-driver"))
		if ok && compiler && bytes.Contains(args, []byte(`"--crate-name`)) && !bytes.Contains(args, []byte(`"-"`)) {
			n++
		}
	}
	return n
}

// clean does what cargo clean does.
func (b *cargoBuilds) clean() {
	b.t.Helper()
	if err := os.RemoveAll(filepath.Join(b.checkout(), "target")); err != nil {
		b.t.Fatal(err)
	}
}

// target is what a build left, but for cargo's own book-keeping.
func (b *cargoBuilds) target() rig.Tree {
	b.t.Helper()
	tree, err := rig.ReadTree(filepath.Join(b.checkout(), "target"))
	if err != nil {
		b.t.Fatal(err)
	}
	for name, e := range tree {
		if strings.Contains("/"+name, "/.") || filepath.Base(name) == "invoked.timestamp" {
			delete(tree, name)
			continue
		}
		e.Written = false
		tree[name] = e
	}
	return tree
}

func (b *cargoBuilds) compare(build string, want rig.Tree) {
	b.t.Helper()
	for _, d := range want.Diff(b.target()) {
		b.t.Errorf("%s: %s", build, d)
	}
}

func (b *cargoBuilds) stats() rig.Stats {
	b.t.Helper()
	s, err := b.rig.Stats()
	if err != nil {
		b.t.Fatal(err)
	}
	return s
}
