//go:build linux

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/rexwrap/rexwrap/integration/rig"
)

// What the server may have resident, in megabytes: with nothing to do, and
// after the generated tree in its full size.
const (
	mostIdle = 60
	mostTree = 300
)

// memory measures the server's size when it has started and after it has seen a
// large tree twice: stored, and found again.
func (b *bench) memory() error {
	tree := filepath.Join(b.dir, "tree")
	if err := b.writeTree(tree); err != nil {
		return err
	}
	r, err := b.newRig("memory.rig")
	if err != nil {
		return err
	}
	defer r.Close()
	idle, err := b.resident(r, "server's memory, idle", mostIdle)
	if err != nil {
		return err
	}
	for range 2 {
		err := command(tree, r.Env(), "make", "-s", "-B", "-j2", "CC="+filepath.Join(b.bin, "rexwrap")+" gcc")
		if err != nil {
			return err
		}
	}
	name := fmt.Sprintf("server's memory after %d units over %d headers", b.counts.units, b.headers)
	after, err := b.resident(r, name, mostTree)
	if err != nil {
		return err
	}
	stats, err := r.Stats()
	if err != nil {
		return err
	}
	after.Note += fmt.Sprintf("; %d misses, %d hits", stats.Misses, stats.HitsLocal)
	b.rows = append(b.rows, idle, after)
	return nil
}

func (b *bench) resident(r *rig.Rig, name string, most float64) (Row, error) {
	s, err := r.Server()
	if err != nil {
		return Row{}, err
	}
	now, peak, err := memoryOf(s.Pid)
	if err != nil {
		return Row{}, err
	}
	return Row{
		Name: name, Unit: "MB", Ours: Figures{Wall: now, Runs: 1},
		Verdicts: []Verdict{judge("rss", "value", now, most)},
		Note:     fmt.Sprintf("peak %.0f MB", peak),
	}, nil
}

// spread is how many headers a unit of the generated tree includes itself; each
// includes two more.
const spread = 60

// writeTree writes units and headers, each header including the two after the
// one of twice its number, so that units share most of what they read.
func (b *bench) writeTree(dir string) error {
	include := filepath.Join(dir, "include")
	if err := os.MkdirAll(include, 0o755); err != nil {
		return err
	}
	for i := range b.headers {
		var text strings.Builder
		text.WriteString(fmt.Sprintf("#ifndef H%d_H\n#define H%d_H\n", i, i))
		for next := 2*i + 1; next <= 2*i+2 && next < b.headers; next++ {
			if next%7 == 0 {
				text.WriteString(fmt.Sprintf("#include \"h%d.h\"\n", next))
			}
		}
		text.WriteString(declarations(i, 15) + "#endif\n")
		if err := os.WriteFile(filepath.Join(include, fmt.Sprintf("h%d.h", i)), []byte(text.String()), 0o644); err != nil {
			return err
		}
	}
	var objects strings.Builder
	for i := range b.counts.units {
		var text strings.Builder
		for j := range spread {
			text.WriteString(fmt.Sprintf("#include \"h%d.h\"\n", (i*31+j*j*17)%b.headers))
		}
		text.WriteString(fmt.Sprintf("int unit%d(void) { return g%d(%d); }\n", i, i*31%b.headers, i))
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("u%d.c", i)), []byte(text.String()), 0o644); err != nil {
			return err
		}
		fmt.Fprintf(&objects, " u%d.o", i)
	}
	rules := "CFLAGS = -Iinclude\nall:" + objects.String() + "\n"
	if err := os.WriteFile(filepath.Join(dir, "Makefile"), []byte(rules), 0o644); err != nil {
		return err
	}
	return rig.Settle()
}
