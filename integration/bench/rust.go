//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/rexwrap/rexwrap/integration/rig"
)

// The targets of rustc: a cold build over a plain one, and so one whose crates wait
// for each other; a warm one over sccache's with what cargo and the build scripts cost
// taken off both; and how many milliseconds a hit may take over a copy of its outputs.
const (
	mostCold = 1.03
	mostWarm = 0.25
	mostHit  = 5
)

// Debian's compiler and build tool, which no proxy stands before.
const (
	rustc = "/usr/bin/rustc"
	cargo = "/usr/bin/cargo"
)

// A crates measures builds of a workspace.
type crates struct {
	*bench
	dir  string // the workspace
	rig  *rig.Rig
	stub string // see stubSource
}

// rust measures builds of the workspace of integration/rust, beside the plain ones
// and beside sccache's where there is one.
func (b *bench) rust() error {
	c := &crates{bench: b, dir: filepath.Join(b.dir, "workspace")}
	for _, program := range []string{rustc, cargo} {
		if _, err := os.Stat(program); err != nil {
			fmt.Fprintf(b.log, "bench: no %s: nothing of Rust is measured\n", program)
			return nil
		}
	}
	files, err := txtar.ParseFile(b.workspace)
	if err == nil {
		err = rig.Write(c.dir, files)
	}
	if err == nil {
		c.stub, err = b.program("stub", stubSource)
	}
	if err == nil {
		err = os.MkdirAll(c.recorded(), 0o755)
	}
	if err == nil {
		c.rig, err = b.newRig("rust.rig")
	}
	if err != nil {
		return err
	}
	defer c.rig.Close()
	for _, part := range []func() error{c.cold, c.pipelined, c.warm, c.hits, c.traced} {
		if err := part(); err != nil {
			return err
		}
	}
	return nil
}

// recorded is where the stub keeps what rustc has made.
func (c *crates) recorded() string { return filepath.Join(c.bench.dir, "stub") }

// env is that of a build with a wrapper, or none.
func (c *crates) env(r *rig.Rig, wrapper string) []string {
	return r.Env("PATH=/usr/bin:/bin", "CARGO_INCREMENTAL=0", "CARGO_NET_OFFLINE=true", "RUSTC_WRAPPER="+wrapper, "STUB="+c.recorded())
}

// A cargoBuilder is a way to have cargo build.
type cargoBuilder struct {
	builder
	env []string
	// used returns the CPU time of the server so far, if there is one.
	used func() (time.Duration, error)
}

// build builds the workspace from nothing and notes what it took.
func (c *crates) build(w *cargoBuilder) error {
	if err := context.Cause(c.ctx); err != nil {
		return err
	}
	if err := os.RemoveAll(filepath.Join(c.dir, "target")); err != nil {
		return err
	}
	var before, after time.Duration
	var err error
	if w.used != nil {
		if before, err = w.used(); err != nil {
			return err
		}
	}
	res, err := rig.Command{Argv: []string{cargo, "build", "-j2"}, Dir: c.dir, Env: w.env}.Run()
	if err != nil {
		return err
	}
	if res.Status != 0 {
		return fmt.Errorf("cargo build, %s: %s\n%s", w.name, res.Ended(), res.Stderr)
	}
	if w.used != nil {
		if after, err = w.used(); err != nil {
			return err
		}
	}
	w.wall = append(w.wall, res.Wall)
	w.cpu = append(w.cpu, res.User+res.System+after-before)
	w.server = append(w.server, after-before)
	return nil
}

// cold builds with an empty cache and without one, in turn.
func (c *crates) cold() error { return c.compare("cold cargo build -j2") }

// pipelined does so with a workspace of crates that wait for each other: in a chain,
// where each needs the one before, and in a fan. cargo starts a compile as soon as the
// metadata of what it needs are announced, while their code is still made.
func (c *crates) pipelined() error {
	w := *c
	w.dir = filepath.Join(c.bench.dir, "pipelined")
	crates := 12
	if c.quick {
		crates = 2
	}
	if err := writeChain(w.dir, crates); err != nil {
		return err
	}
	return w.compare(fmt.Sprintf("cold cargo build -j2, chain and fan of %d crates", crates))
}

// writeChain writes that workspace.
func writeChain(dir string, crates int) error {
	archive := &txtar.Archive{}
	add := func(name, text string) {
		archive.Files = append(archive.Files, txtar.File{Name: name, Data: []byte(text)})
	}
	var members []string
	crate := func(name, needs string) {
		members = append(members, strconv.Quote(name))
		manifest := fmt.Sprintf("[package]\nname = %q\nversion = \"0.1.0\"\nedition = \"2018\"\n[dependencies]\n", name)
		text := "pub fn all(n: &[u64]) -> String { f0(n) }\n"
		if needs != "" {
			manifest += needs + " = { path = \"../" + needs + "\" }\n"
			text = "pub fn all(n: &[u64]) -> String { " + needs + "::all(n) + &f0(n) }\n"
		}
		for i := range 60 {
			text += fmt.Sprintf("pub fn f%d(n: &[u64]) -> String { n.iter().map(|x| format!(\"{}-{}\", x, %d)).collect::<Vec<_>>().join(\",\") }\n", i, i)
		}
		add(name+"/Cargo.toml", manifest)
		add(name+"/src/lib.rs", text)
	}
	crate("c0", "")
	for i := 1; i < crates; i++ {
		crate(fmt.Sprint("c", i), fmt.Sprint("c", i-1))
		crate(fmt.Sprint("f", i), "c0")
	}
	add("Cargo.toml", "[workspace]\nmembers = ["+strings.Join(members, ", ")+"]\n")
	return rig.Write(dir, archive)
}

// compare builds with an empty cache and without one, in turn. The server knows the
// toolchain, whose files it reads once in its life.
func (c *crates) compare(name string) error {
	plain, ours := &cargoBuilder{builder: builder{name: "plain"}}, &cargoBuilder{builder: builder{name: "rexwrap"}}
	plain.env, ours.env = c.env(c.rig, ""), c.env(c.rig, filepath.Join(c.bin, "rexwrap"))
	used, err := newWatch(c.rig)
	if err != nil {
		return err
	}
	ours.used = func() (time.Duration, error) {
		_, err := c.rig.Verb("cache", "flush")
		if err != nil {
			return 0, err
		}
		return used.used()
	}
	first := 1 // warms caches of the system, and the server
	if c.quick {
		first = 0
	}
	for i := range c.pairs + first {
		if _, err := c.rig.Verb("cache", "clear"); err != nil {
			return err
		}
		for _, w := range []*cargoBuilder{plain, ours} {
			if err := c.build(w); err != nil {
				return err
			}
			if i < first {
				w.builder = builder{name: w.name}
			}
		}
	}
	base, figures := plain.figures(), ours.figures()
	c.rows = append(c.rows, Row{
		Name: name, Over: "plain", Unit: "s", Ours: figures, Base: &base, Verdicts: []Verdict{
			judge("cpu", "ratio", figures.CPU/base.CPU, mostCold), judge("wall", "ratio", figures.Wall/base.Wall, mostCold),
		},
		Note: fmt.Sprintf("%d builds", figures.Runs),
	})
	return nil
}

// warm builds with full caches. What is measured is above the stub's builds.
func (c *crates) warm() error {
	stub := &cargoBuilder{builder: builder{name: "stub"}, env: c.env(c.rig, c.stub)}
	ours := &cargoBuilder{builder: builder{name: "rexwrap"}, env: c.env(c.rig, filepath.Join(c.bin, "rexwrap"))}
	used, err := newWatch(c.rig)
	if err != nil {
		return err
	}
	ours.used = used.used
	builders := []*cargoBuilder{stub, ours}
	if path, err := exec.LookPath("sccache"); err == nil && !c.quick {
		rival := &cargoBuilder{builder: builder{name: versionOf(path)}}
		stop, err := c.sccache(path, rival)
		if err != nil {
			return err
		}
		defer stop()
		builders = append(builders, rival)
	}
	for i := range c.pairs + 1 {
		for _, w := range builders {
			if err := c.build(w); err != nil {
				return err
			}
			if i == 0 { // fills the caches
				w.builder = builder{name: w.name}
			}
		}
	}
	row := Row{Name: "warm cargo build -j2, over a stub", Unit: "s", Ours: above(ours, stub), Note: fmt.Sprintf("%d builds; the stub's %s", c.pairs, stub.figures())}
	if len(builders) > 2 {
		base := above(builders[2], stub)
		row.Over, row.Base = builders[2].name, &base
		row.Verdicts = []Verdict{judge("cpu", "ratio", row.Ours.CPU/base.CPU, mostWarm), judge("wall", "ratio", row.Ours.Wall/base.Wall, 0)}
	}
	c.rows = append(c.rows, row)
	return nil
}

// above are the figures of w without those of stub.
func above(w, stub *cargoBuilder) Figures {
	f, s := w.figures(), stub.figures()
	f.Wall, f.CPU = f.Wall-s.Wall, f.CPU-s.CPU
	return f
}

// versionOf returns what a program says of its version.
func versionOf(path string) string {
	out, err := exec.Command(path, "--version").Output()
	if err != nil {
		return filepath.Base(path)
	}
	return strings.ReplaceAll(strings.TrimSpace(string(out)), " ", "-")
}

// sccache starts a server of sccache for w. The compilers that it starts count as
// its own CPU time.
func (c *crates) sccache(path string, w *cargoBuilder) (stop func(), err error) {
	w.env = rig.Environ(c.env(c.rig, path)).Set("SCCACHE_DIR="+filepath.Join(c.bench.dir, "sccache"), "SCCACHE_IDLE_TIMEOUT=0",
		"SCCACHE_SERVER_PORT="+strconv.Itoa(20000+os.Getpid()%20000))
	server := exec.Command(path)
	server.Env = append(slices.Clone(w.env), "SCCACHE_START_SERVER=1", "SCCACHE_NO_DAEMON=1")
	if err := server.Start(); err != nil {
		return nil, err
	}
	stop = func() {
		_ = server.Process.Signal(syscall.SIGTERM)
		_ = server.Wait() // by the signal
	}
	w.used = func() (time.Duration, error) { return cpuWithChildren(server.Process.Pid) }
	for deadline := time.Now().Add(10 * time.Second); ; {
		stats := exec.Command(path, "--show-stats")
		stats.Env = w.env
		err := stats.Run()
		if err == nil {
			return stop, nil
		}
		if time.Now().After(deadline) {
			stop()
			return nil, fmt.Errorf("sccache's server: %w", err)
		}
	}
}

// hits measures each call of the build by itself: how much longer a hit takes than
// a copy of its outputs.
func (c *crates) hits() error {
	calls, err := c.calls()
	if err != nil {
		return err
	}
	copies := filepath.Join(c.bench.dir, "copies")
	if err := os.MkdirAll(copies, 0o755); err != nil {
		return err
	}
	var all, plain []*contender
	var over []time.Duration
	before, err := c.rig.Stats()
	if err != nil {
		return err
	}
	for _, call := range calls {
		hit := &contender{argv: append([]string{filepath.Join(c.bin, "rexwrap")}, call.argv...), dir: call.dir, env: call.env, remove: call.outputs, rig: c.rig}
		var made []string
		for _, path := range call.outputs {
			made = append(made, filepath.Join(copies, filepath.Base(path)))
		}
		cp := &contender{argv: slices.Concat([]string{"/bin/cp"}, call.kept, []string{copies}), dir: call.dir, env: call.env, remove: made}
		if err := errors.Join(hit.warm(), cp.warm()); err != nil {
			return err
		}
		if err := interleave(c.ctx, max(1, c.counts.hits/10), hit, cp); err != nil {
			return err
		}
		all, plain = append(all, hit), append(plain, cp)
		over = append(over, time.Duration((quantile(hit.wall, 0.5)-quantile(cp.wall, 0.5))*float64(time.Millisecond)))
	}
	if err := c.checkCalls(before, all); err != nil {
		return err
	}
	base, ours := merge(plain), merge(all)
	for _, hit := range all {
		ours.server += hit.server
	}
	figures := base.figures()
	c.rows = append(c.rows, Row{
		Name: fmt.Sprintf("hit, rustc (%d calls)", len(calls)), Over: "cp of the outputs", Unit: "ms", Ours: ours.figures(), Base: &figures,
		Verdicts: []Verdict{judge("wall, median call", "difference", quantile(over, 0.5), mostHit), judge("wall, slowest call", "difference", quantile(over, 1), 0)},
	})
	return nil
}

// traced measures compiles that load a procedural macro, which are traced where they
// run: each one, with nothing taken from the cache, beside the bare compiler's. What
// storing costs is in it as it is in a cold build.
func (c *crates) traced() error {
	calls, err := c.calls()
	if err != nil {
		return err
	}
	var bare, ours []*contender
	for _, call := range calls {
		if !slices.ContainsFunc(call.argv, func(word string) bool { return strings.HasSuffix(word, ".so") }) {
			continue
		}
		plain := &contender{argv: append([]string{rustc}, call.argv[1:]...), dir: call.dir, env: call.env, remove: call.outputs}
		miss := &contender{
			argv: append([]string{filepath.Join(c.bin, "rexwrap")}, call.argv...), dir: call.dir, remove: call.outputs, rig: c.rig,
			env: rig.Environ(slices.Clone(call.env)).Set("REXWRAP_RECACHE=1"),
		}
		if err := interleave(c.ctx, c.pairs, plain, miss); err != nil {
			return err
		}
		bare, ours = append(bare, plain), append(ours, miss)
	}
	if len(ours) == 0 {
		return errors.New("no call loads a procedural macro")
	}
	base, all := merge(bare), merge(ours)
	for _, miss := range ours {
		all.server += miss.server
	}
	row := difference(fmt.Sprintf("traced compile, rustc (%d calls)", len(ours)), "plain", all.figures(), base.figures(), 0)
	c.rows = append(c.rows, row)
	return nil
}

// checkCalls fails where what was measured were not hits.
func (c *crates) checkCalls(before rig.Stats, all []*contender) error {
	n := 0
	for _, hit := range all {
		n += len(hit.wall)
	}
	after, err := c.rig.Settled(before.Calls + int64(n))
	if err != nil {
		return err
	}
	if d := after.Sub(before); d.HitsLocal < int64(n) {
		return fmt.Errorf("%d hits of %d calls: %+v", d.HitsLocal, n, d)
	}
	return nil
}

// A rustCall is one that the stub has seen.
type rustCall struct {
	argv, env []string
	dir       string
	outputs   []string // absolute
	kept      []string // the stub's copies
}

// calls are the successful compiles that the stub has recorded.
func (c *crates) calls() ([]rustCall, error) {
	found, err := filepath.Glob(filepath.Join(c.recorded(), "*.call"))
	if err != nil {
		return nil, err
	}
	var calls []rustCall
	for _, path := range found {
		stem := strings.TrimSuffix(path, ".call")
		call, err1 := os.ReadFile(path)
		files, err2 := os.ReadFile(stem + ".files")
		if err := errors.Join(err1, err2); err != nil {
			return nil, err
		}
		parts := strings.Split(string(call), "\x01")
		lines := strings.Split(string(files), "\n")
		if len(parts) != 3 || lines[0] != "0" || len(lines) < 2 {
			continue
		}
		one := rustCall{dir: parts[0], argv: strings.Split(parts[1], "\x00")}
		one.env = rig.Environ(strings.Split(parts[2], "\x00")).Set("CARGO_MAKEFLAGS", "MAKEFLAGS", "MFLAGS")
		for i, output := range lines[1:] {
			one.outputs = append(one.outputs, output)
			one.kept = append(one.kept, stem+"."+strconv.Itoa(i))
		}
		calls = append(calls, one)
	}
	if len(calls) == 0 {
		return nil, errors.New("no calls were recorded")
	}
	return calls, nil
}

// stubSource is a wrapper that runs rustc the first time that it sees a call, and
// repeats from then on what it left and said.
const stubSource = `package main

import (
	"bytes"
	"hash/fnv"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

func main() {
	dir, _ := os.Getwd()
	h := fnv.New64a()
	h.Write([]byte(dir + "\x00" + strings.Join(os.Args[1:], "\x00")))
	stem := filepath.Join(os.Getenv("STUB"), strconv.FormatUint(h.Sum64(), 16))
	text, err := os.ReadFile(stem + ".files")
	if err != nil {
		record(stem, dir)
		text, _ = os.ReadFile(stem + ".files")
	}
	lines := strings.Split(string(text), "\n")
	for i, output := range lines[1:] {
		copyFile(stem+"."+strconv.Itoa(i), output)
	}
	for suffix, to := range map[string]*os.File{".out": os.Stdout, ".err": os.Stderr} {
		text, _ := os.ReadFile(stem + suffix)
		to.Write(text)
	}
	status, _ := strconv.Atoi(lines[0])
	os.Exit(status)
}

func record(stem, dir string) {
	var out, errs bytes.Buffer
	cmd := exec.Command(os.Args[1], os.Args[2:]...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	cmd.Run()
	lines := []string{strconv.Itoa(cmd.ProcessState.ExitCode())}
	if lines[0] == "0" {
		for i, output := range outputs(dir) {
			copyFile(output, stem+"."+strconv.Itoa(i))
			lines = append(lines, output)
		}
	}
	os.WriteFile(stem+".out", out.Bytes(), 0o644)
	os.WriteFile(stem+".err", errs.Bytes(), 0o644)
	call := dir + "\x01" + strings.Join(os.Args[1:], "\x00") + "\x01" + strings.Join(os.Environ(), "\x00")
	os.WriteFile(stem+".call", []byte(call), 0o644)
	os.WriteFile(stem+".files", []byte(strings.Join(lines, "\n")), 0o644)
}

func outputs(dir string) (found []string) {
	var name, extra, out string
	for i, word := range os.Args[:len(os.Args)-1] {
		switch next := os.Args[i+1]; {
		case word == "--crate-name":
			name = next
		case word == "--out-dir":
			out = next
		case strings.HasPrefix(next, "extra-filename="):
			extra = strings.TrimPrefix(next, "extra-filename=")
		}
	}
	if name == "" || out == "" {
		return nil
	}
	if !filepath.IsAbs(out) {
		out = filepath.Join(dir, out)
	}
	for _, pattern := range []string{name + extra, name + extra + ".*", "lib" + name + extra + ".*"} {
		made, _ := filepath.Glob(filepath.Join(out, pattern))
		found = append(found, made...)
	}
	return found
}

func copyFile(from, to string) {
	src, err := os.Open(from)
	if err != nil {
		panic(err)
	}
	info, _ := src.Stat()
	os.Remove(to)
	dst, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, info.Mode())
	if err != nil {
		panic(err)
	}
	dst.ReadFrom(src)
	dst.Close()
}
`
