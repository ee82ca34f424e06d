//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"time"

	"github.com/rexwrap/rexwrap/integration/rig"
)

// A contender is a command that is run many times in turn with others.
type contender struct {
	name   string
	argv   []string
	dir    string
	env    []string
	status int      // how it ends
	remove []string // files to remove before each run
	rig    *rig.Rig // whose server works for it, if one does

	wall, cpu []time.Duration
	server    time.Duration // all runs together
}

// interleave runs the contenders n times, each in turn, with turns in both
// orders so that none always follows the same one.
func interleave(ctx context.Context, n int, contenders ...*contender) error {
	watches := make([]*watch, len(contenders))
	for i, c := range contenders {
		var err error
		if watches[i], err = c.watch(); err != nil {
			return err
		}
	}
	for range n {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		for _, c := range contenders {
			if err := c.run(); err != nil {
				return err
			}
		}
		slices.Reverse(contenders)
	}
	if n%2 == 1 {
		slices.Reverse(contenders)
	}
	for i, c := range contenders {
		used, err := watches[i].used()
		if err != nil {
			return err
		}
		c.server += used
	}
	return nil
}

// run runs the command once and notes what it took.
func (c *contender) run() error {
	for _, name := range c.remove {
		if err := os.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	cmd := exec.Command(c.argv[0], c.argv[1:]...)
	cmd.Dir, cmd.Env = c.dir, c.env
	start := time.Now()
	err := cmd.Run()
	took := time.Since(start)
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return err
	}
	if got := cmd.ProcessState.ExitCode(); got != c.status {
		return fmt.Errorf("%q: exit status %d, want %d", c.argv, got, c.status)
	}
	c.wall = append(c.wall, took)
	c.cpu = append(c.cpu, cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime())
	return nil
}

// forget drops what was noted so far, as after warming up.
func (c *contender) forget() { c.wall, c.cpu, c.server = nil, nil, 0 }

// figures are the medians in milliseconds, the server's share added to the CPU
// time of the command itself.
func (c *contender) figures() Figures {
	n := len(c.wall)
	share := milliseconds(c.server) / float64(n)
	return Figures{
		Wall: quantile(c.wall, 0.5), WallP99: quantile(c.wall, 0.99),
		CPU: quantile(c.cpu, 0.5) + share, CPUP99: quantile(c.cpu, 0.99) + share,
		Server: share, Runs: n,
	}
}

// quantile is in milliseconds.
func quantile(d []time.Duration, q float64) float64 {
	sorted := slices.Sorted(slices.Values(d))
	return milliseconds(sorted[min(int(q*float64(len(sorted))), len(sorted)-1)])
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
