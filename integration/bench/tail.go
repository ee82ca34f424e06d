//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
)

// jobs is how many commands run at a time where the tail is measured.
const jobs = 8

// mostTail is how many times an empty program's p99/median that of a hit may
// be, both with jobs at a time.
const mostTail = 1.5

// measureTail measures how far the slowest hits are from the middle ones when
// more run than there are processors, beside a program that does nothing.
func (b *bench) measureTail() error {
	empty, err := b.program("empty", emptySource)
	if err != nil {
		return err
	}
	u := b.units()[0]
	dir := filepath.Join(b.dir, "tail")
	if _, err := u.write(dir); err != nil {
		return err
	}
	r, err := b.newRig("tail.rig")
	if err != nil {
		return err
	}
	defer r.Close()
	var least, hits []*contender
	for i := range jobs {
		least = append(least, &contender{argv: []string{empty}, env: r.Env()})
		c := u.contender(fmt.Sprintf("job%d", i), filepath.Join(b.bin, "rexwrap"), dir, r.Env())
		if err := c.warm(); err != nil {
			return err
		}
		hits = append(hits, c)
	}
	used, err := newWatch(r)
	if err != nil {
		return err
	}
	const block = 10 // runs of a job before the others have their turn
	for done := 0; done < b.tail; done += block {
		if err := context.Cause(b.ctx); err != nil {
			return err
		}
		for _, side := range [][]*contender{least, hits} {
			if err := together(min(block, b.tail-done), side); err != nil {
				return err
			}
		}
	}
	ours, base := merge(hits), merge(least)
	if ours.server, err = used.used(); err != nil {
		return err
	}
	b.rows = append(b.rows, tailRow(ours.figures(), base.figures()))
	return nil
}

func tailRow(ours, base Figures) Row {
	row := Row{Name: fmt.Sprintf("hits at -j%d", jobs), Over: "empty Go program", Unit: "ms", Ours: ours, Base: &base}
	tail, baseTail := ours.WallP99/ours.Wall, base.WallP99/base.Wall
	row.Verdicts = []Verdict{judge("p99/median", "ratio", tail/baseTail, mostTail)}
	row.Note = fmt.Sprintf("p99/median %.1f and %.1f", tail, baseTail)
	return row
}

// together runs each command n times, all commands at the same time.
func together(n int, side []*contender) error {
	errs := make([]error, len(side))
	var group sync.WaitGroup
	for i, c := range side {
		group.Go(func() {
			for range n {
				errs[i] = errors.Join(errs[i], c.run())
			}
		})
	}
	group.Wait()
	return errors.Join(errs...)
}

// merge takes what all noted as one.
func merge(side []*contender) *contender {
	all := &contender{}
	for _, c := range side {
		all.wall, all.cpu = append(all.wall, c.wall...), append(all.cpu, c.cpu...)
	}
	return all
}
