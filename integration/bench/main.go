//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/rexwrap/rexwrap/integration/debsrc"
)

func main() {
	var o options
	quick := flag.Bool("quick", false, "few runs and small trees: shows that all works, measures little")
	full := flag.Bool("full", false, "the generated tree in the size of the target")
	flag.StringVar(&o.bin, "bin", "bin", "the directory of rexwrap and rexd")
	flag.StringVar(&o.sources, "sources", ".cache/debsrc", "where source packages are kept")
	flag.StringVar(&o.project, "project", "lua5.4", "project of the first build: lua5.4, zlib, redis, protobuf or sample")
	flag.StringVar(&o.workspace, "workspace", "integration/rust/testdata/workspace.txtar", "the Rust workspace, an archive")
	flag.StringVar(&o.only, "only", "", "the parts to run, separated by commas: "+strings.Join(partNames(), ", "))
	flag.BoolVar(&o.json, "json", false, "print the rows as JSON")
	flag.Parse()
	o.counts = chooseCounts(*quick, *full)
	o.ccache = os.Getenv("REXWRAP_BENCH_CCACHE")
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// options say what to measure.
type options struct {
	bin     string
	sources string // source packages
	project string
	// workspace is the archive of the Rust workspace.
	workspace string
	only      string // parts, all where empty
	ccache    string // a static ccache, beside the one on PATH
	json      bool
	counts
}

// counts say how often something is measured, and how large it is.
type counts struct {
	starts  int // runs of each program that starts
	hits    int // hits of each kind by each cache
	tail    int // runs of each program at -j8, per job
	pairs   int // first builds
	units   int // translation units of the generated tree
	headers int // its headers
	quick   bool
}

func chooseCounts(quick, full bool) counts {
	c := counts{starts: 500, hits: 300, tail: 150, pairs: 5, units: 200, headers: 640}
	switch {
	case quick:
		c = counts{starts: 10, hits: 5, tail: 5, pairs: 1, units: 4, headers: 40, quick: true}
	case full:
		c.units, c.headers = 2500, 8000
	}
	return c
}

// A bench is one run of the program.
type bench struct {
	options
	ctx   context.Context // of the whole run; ended by a signal
	dir   string          // holds everything that is written
	store *debsrc.Store
	log   io.Writer
	rows  []Row
}

// A part measures some rows; its name is for -only.
type part struct {
	name    string
	measure func(*bench) error
}

func parts() []part {
	return []part{
		{"start", (*bench).start},
		{"hits", (*bench).hits},
		{"tail", (*bench).measureTail},
		{"build", (*bench).firstBuild},
		{"rust", (*bench).rust},
		{"memory", (*bench).memory},
	}
}

func partNames() []string {
	var names []string
	for _, p := range parts() {
		names = append(names, p.name)
	}
	return names
}

// chooseParts returns the parts named in only, all where it is empty.
func chooseParts(only string) ([]part, error) {
	all := parts()
	if only == "" {
		return all, nil
	}
	var chosen []part
	for name := range strings.SplitSeq(only, ",") {
		i := slices.Index(partNames(), name)
		if i < 0 {
			return nil, fmt.Errorf("no part %q", name)
		}
		chosen = append(chosen, all[i])
	}
	return chosen, nil
}

// run measures and prints the rows to stdout, those before an error too.
// Progress goes to log.
func run(ctx context.Context, o options, stdout, log io.Writer) (err error) {
	chosen, err := chooseParts(o.only)
	if err != nil {
		return err
	}
	if o.bin, err = filepath.Abs(o.bin); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "rexwrap-bench")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	b := &bench{options: o, ctx: ctx, dir: dir, log: log}
	if b.store, err = debsrc.Open(o.sources, io.Discard); err != nil {
		return err
	}
	before := load()
	failed := b.measure(chosen)
	if o.json {
		return errors.Join(failed, json.NewEncoder(stdout).Encode(b.rows))
	}
	return errors.Join(failed, printTable(stdout, b.rows, fmt.Sprintf("load average %s before, %s after", before, load())))
}

func (b *bench) measure(chosen []part) error {
	for _, p := range chosen {
		fmt.Fprintf(b.log, "bench: %s\n", p.name)
		if err := p.measure(b); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	return nil
}

// load is the machine's load average over a minute.
func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	first, _, _ := strings.Cut(string(text), " ")
	return first
}
