//go:build linux

package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/rexwrap/rexwrap/integration/rig"
)

// The least that a Go program costs, and one that only becomes another program.
const (
	emptySource   = "package main\n\nfunc main() {}\n"
	execingSource = `package main

import (
	"os"
	"syscall"
)

func main() { _ = syscall.Exec(os.Args[1], os.Args[1:], os.Environ()) }
`
)

// mostStart is how many milliseconds the thin binary may take over the least.
const mostStart = 0.3

// start measures the thin binary where it has nothing to do and where it steps
// aside: by itself, and after asking the server. What it steps aside for is the
// empty program, under names that make it a linker and no compiler at all.
func (b *bench) start() error {
	empty, err := b.program("empty", emptySource)
	if err != nil {
		return err
	}
	execing, err := b.program("execing", execingSource)
	if err != nil {
		return err
	}
	linker := filepath.Join(filepath.Dir(empty), "gcc")
	if err := os.Link(empty, linker); err != nil {
		return err
	}
	r, err := b.newRig("start")
	if err != nil {
		return err
	}
	defer r.Close()
	rexwrap, env := filepath.Join(b.bin, "rexwrap"), r.Env()
	least := &contender{argv: []string{empty}, env: env}
	thin := &contender{argv: []string{rexwrap}, env: env, status: 2}
	execs := &contender{argv: []string{execing, linker, "x.o"}, env: env}
	aside := &contender{argv: []string{rexwrap, linker, "x.o"}, env: env, rig: r}
	if err := interleave(b.ctx, b.starts, least, thin, execs, aside); err != nil {
		return err
	}
	// Apart, so that the server's time is that of the one kind of call.
	asks := &contender{argv: []string{rexwrap, empty, "-c", "x.c"}, env: env, rig: r}
	execsAgain := &contender{argv: []string{execing, empty, "-c", "x.c"}, env: env}
	if err := interleave(b.ctx, b.starts, execsAgain, asks); err != nil {
		return err
	}
	b.rows = append(b.rows,
		difference("thin binary start", "empty Go program", thin.figures(), least.figures(), mostStart),
		difference("stepping aside (a link)", "Go program that execs", aside.figures(), execs.figures(), mostStart),
		difference("stepping aside (server asked)", "Go program that execs", asks.figures(), execsAgain.figures(), mostStart))
	return nil
}

// program builds a Go program the way rexwrap is built, or returns the one that
// was.
func (b *bench) program(name, source string) (string, error) {
	dir := filepath.Join(b.dir, "programs", name)
	path := filepath.Join(dir, name)
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	if err := os.WriteFile(path+".go", []byte(source), 0o644); err != nil {
		return "", err
	}
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", path, path+".go")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", name, err, bytes.TrimSpace(out))
	}
	return path, nil
}

// newRig returns an installation with a running server, for the caller to
// close.
func (b *bench) newRig(name string) (*rig.Rig, error) {
	dir := filepath.Join(b.dir, name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	r, err := rig.New(b.bin, dir)
	if err != nil {
		return nil, err
	}
	if _, err := r.Verb("server", "start"); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}
