//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/rexwrap/rexwrap/integration/rig"
)

// mostFirst is how many times the CPU time of a plain build a first build may
// take. mostAfter is how many megabytes the server may have afterwards.
const (
	mostFirst = 1.04
	mostAfter = 150
)

// A project is what a first build builds, with make.
type project struct {
	title  string
	unpack func(dir string) error
	// configure is run first. Where launched says so it is cmake, and gets what
	// stands before compilers as their launcher.
	configure []string
	launched  bool
	args      []string // of make, besides CC
}

// chooseProject returns the project of that name, or the sample where its
// source cannot be had.
func (b *bench) chooseProject() project {
	p, known := map[string]project{
		"lua5.4": {title: "lua5.4", args: []string{"-C", "src", "linux"}},
		"zlib":   {title: "zlib", configure: []string{"sh", "./configure"}, args: []string{"libz.a"}},
		"redis":  {title: "redis", args: []string{"MALLOC=libc", "OPTIMIZATION=-O2", "DEBUG="}},
		"protobuf": {
			title: "protobuf's libprotobuf-lite", launched: true, args: []string{"-C", "build", "libprotobuf-lite"},
			configure: []string{"cmake", "-S", ".", "-B", "build", "-DCMAKE_BUILD_TYPE=Release", "-Dprotobuf_BUILD_TESTS=OFF"},
		},
	}[b.project]
	sample := project{title: "a sample of C", unpack: b.writeSample}
	if !known {
		return sample
	}
	p.unpack = func(dir string) error { return b.store.Unpack(b.project, dir) }
	probe := filepath.Join(b.dir, "probe")
	if err := p.unpack(probe); err != nil {
		fmt.Fprintf(b.log, "bench: no source package: %v: a sample instead\n", err)
		return sample
	}
	return p
}

// firstBuild builds a project plain, through rexwrap with an empty cache, and
// through ccache with one, in turn, from fresh sources at the same place.
func (b *bench) firstBuild() error {
	p := b.chooseProject()
	builders := []*builder{{name: "plain"}, {name: "rexwrap"}}
	if rivals := b.rivals(); len(rivals) > 0 {
		builders = append(builders, &builder{name: rivals[0].name, ccache: rivals[0].path})
	}
	failed := b.buildInTurn(p, builders)
	if slices.ContainsFunc(builders, func(w *builder) bool { return len(w.wall) == 0 }) {
		return failed
	}
	plain, ours := builders[0].figures(), builders[1].figures()
	row := Row{Name: "first build, " + p.title, Over: "plain", Unit: "s", Ours: ours, Base: &plain, Verdicts: []Verdict{
		judge("cpu", "ratio", ours.CPU/plain.CPU, mostFirst),
		judge("wall", "ratio", ours.Wall/plain.Wall, 0),
	}}
	row.Note = fmt.Sprintf("%d builds", ours.Runs)
	for _, w := range builders[2:] {
		row.Note += fmt.Sprintf("; %s: cpu ×%.2f, wall ×%.2f", w.name, w.figures().CPU/plain.CPU, w.figures().Wall/plain.Wall)
	}
	b.rows = append(b.rows, row, Row{
		Name: "server's memory after " + p.title, Unit: "MB", Ours: Figures{Wall: builders[1].memory, Runs: 1},
		Verdicts: []Verdict{judge("rss", "value", builders[1].memory, mostAfter)},
	})
	return failed
}

// prepare configures the sources in dir for compilers with a launcher, if any.
func (p *project) prepare(dir, launcher string, env []string) error {
	argv := p.configure
	if argv == nil {
		return nil
	}
	if p.launched && launcher != "" {
		argv = append(slices.Clone(argv), "-DCMAKE_C_COMPILER_LAUNCHER="+launcher, "-DCMAKE_CXX_COMPILER_LAUNCHER="+launcher)
	}
	return command(dir, env, argv...)
}

// buildInTurn lets all builders build as often as there are pairs to compare.
func (b *bench) buildInTurn(p project, builders []*builder) error {
	for range b.pairs {
		for _, w := range builders {
			fmt.Fprintf(b.log, "bench: %s, %s\n", p.title, w.name)
			if err := b.buildOnce(p, w); err != nil {
				return fmt.Errorf("%s, %s: %w", p.title, w.name, err)
			}
		}
	}
	return nil
}

// A builder is a way to build a project.
type builder struct {
	name      string
	ccache    string // its path, where it is one
	wall, cpu []time.Duration
	server    []time.Duration
	memory    float64 // of the server, megabytes
}

// figures are in seconds.
func (w *builder) figures() Figures {
	f := Figures{Wall: quantile(w.wall, 0.5) / 1000, CPU: quantile(w.cpu, 0.5) / 1000, Runs: len(w.wall)}
	if len(w.server) > 0 {
		f.Server = quantile(w.server, 0.5) / 1000
	}
	return f
}

// buildOnce builds p from nothing. The server of rexwrap has started before the
// clock, and its CPU time counts until all it has learned is stored.
func (b *bench) buildOnce(p project, w *builder) error {
	if err := context.Cause(b.ctx); err != nil {
		return err
	}
	src := filepath.Join(b.dir, "project")
	if err := os.RemoveAll(src); err != nil {
		return err
	}
	if err := p.unpack(src); err != nil {
		return err
	}
	launcher := map[string]string{"rexwrap": filepath.Join(b.bin, "rexwrap")}[w.name]
	if w.ccache != "" {
		launcher = w.ccache
	}
	r, err := b.newRig("first.rig")
	if err != nil {
		return err
	}
	defer func() {
		r.Close()
		_ = os.RemoveAll(r.Dir)
	}()
	env := r.Env("CCACHE_DIR=" + filepath.Join(r.Dir, "ccache"))
	if err := p.prepare(src, launcher, env); err != nil {
		return err
	}
	if err := rig.Settle(); err != nil {
		return err
	}
	used, err := newWatch(r)
	if err != nil {
		return err
	}
	cc := strings.TrimSpace(launcher + " gcc")
	res, err := rig.Command{
		Argv: append([]string{"make", "-s", "-j2", "CC=" + cc}, p.args...), Dir: src,
		Env: env,
	}.Run()
	if err != nil {
		return err
	}
	if res.Status != 0 {
		return fmt.Errorf("make: %s\n%s", res.Ended(), res.Stderr)
	}
	cpu := res.User + res.System
	if w.name == "rexwrap" {
		server, err := w.settle(r, used)
		if err != nil {
			return err
		}
		cpu += server
	}
	w.wall, w.cpu = append(w.wall, res.Wall), append(w.cpu, cpu)
	return nil
}

// settle waits until the server has stored what it learned, and returns its CPU
// time.
func (w *builder) settle(r *rig.Rig, used *watch) (time.Duration, error) {
	if _, err := r.Verb("cache", "flush"); err != nil {
		return 0, err
	}
	server, err := used.used()
	if err != nil {
		return 0, err
	}
	w.server = append(w.server, server)
	now, _, err := memoryOf(used.pid)
	w.memory = now
	return server, err
}

// command runs one to its end and fails where it does.
func command(dir string, env []string, argv ...string) error {
	res, err := rig.Command{Argv: argv, Dir: dir, Env: env}.Run()
	if err != nil {
		return err
	}
	if res.Status != 0 || res.Signal != 0 {
		return fmt.Errorf("%q: %s\n%s", argv, res.Ended(), res.Stderr)
	}
	return nil
}

// writeSample writes a project of as many sources as there are units in the
// generated tree, but at most 24, with a Makefile.
func (b *bench) writeSample(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	var objects strings.Builder
	for i := range min(b.counts.units, 24) {
		fmt.Fprintf(&objects, " f%d.o", i)
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("f%d.c", i)), []byte(sampleSource(i)), 0o644); err != nil {
			return err
		}
	}
	rules := "CFLAGS = -O2\nall:" + objects.String() + "\n"
	return os.WriteFile(filepath.Join(dir, "Makefile"), []byte(rules), 0o644)
}

// sampleSource is a source that keeps a compiler busy for a moment.
func sampleSource(i int) string {
	var text strings.Builder
	text.WriteString("#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n")
	for j := range 40 {
		fmt.Fprintf(&text, "int f%d_%d(const char *s, int n)\n{\n\tchar text[64];\n\tfor (int k = 0; k < n; k++)\n\t\tn ^= snprintf(text, sizeof text, \"%%s-%%d\", s, k * %d) + (int)strlen(text);\n\treturn n;\n}\n", i, j, i+j)
	}
	return text.String()
}
