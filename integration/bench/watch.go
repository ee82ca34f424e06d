//go:build linux

package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/rexwrap/rexwrap/integration/rig"
)

// A watch counts the CPU time of a rig's server from its start on.
type watch struct {
	pid   int
	begin time.Duration
}

// watch starts one for the contender's server; that of a contender without a
// server counts nothing.
func (c *contender) watch() (*watch, error) {
	if c.rig == nil {
		return &watch{}, nil
	}
	return newWatch(c.rig)
}

func newWatch(r *rig.Rig) (*watch, error) {
	s, err := r.Server()
	if err != nil {
		return nil, err
	}
	begin, err := cpuOf(s.Pid)
	return &watch{s.Pid, begin}, err
}

func (w *watch) used() (time.Duration, error) {
	if w.pid == 0 {
		return 0, nil
	}
	now, err := cpuOf(w.pid)
	return now - w.begin, err
}

// tick is the unit of times in /proc/PID/stat, the same on all of Linux's
// systems (USER_HZ).
const tick = 10 * time.Millisecond

// cpuOf returns the user and system time of a process, to a tick.
func cpuOf(pid int) (time.Duration, error) { return cpuFields(pid, 2) }

// cpuWithChildren is cpuOf with the time of children that have ended.
func cpuWithChildren(pid int) (time.Duration, error) { return cpuFields(pid, 4) }

// cpuFields adds up the first count of user time, system time, and the children's.
func cpuFields(pid, count int) (time.Duration, error) {
	name := fmt.Sprintf("/proc/%d/stat", pid)
	text, err := os.ReadFile(name)
	if err != nil {
		return 0, err
	}
	// Fields count from the end of the command's name, which may hold
	// anything: the third one comes first.
	const user, afterChildren = 14 - 3, 18 - 3
	fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
	if len(fields) < afterChildren {
		return 0, fmt.Errorf("%s: %d fields", name, len(fields))
	}
	var total time.Duration
	for _, field := range fields[user:][:count] {
		n, err := strconv.ParseInt(string(field), 10, 64)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", name, err)
		}
		total += time.Duration(n) * tick
	}
	return total, nil
}

// memoryOf returns the resident size of a process in megabytes, now and at its
// largest.
func memoryOf(pid int) (now, peak float64, err error) {
	name := fmt.Sprintf("/proc/%d/status", pid)
	text, err := os.ReadFile(name)
	if err != nil {
		return 0, 0, err
	}
	for line := range bytes.Lines(text) {
		key, value, _ := bytes.Cut(line, []byte(":"))
		into := map[string]*float64{"VmRSS": &now, "VmHWM": &peak}[string(key)]
		if into == nil {
			continue
		}
		kilobytes, err := strconv.ParseFloat(string(bytes.TrimSuffix(bytes.TrimSpace(value), []byte(" kB"))), 64)
		if err != nil {
			return 0, 0, fmt.Errorf("%s: %w", name, err)
		}
		*into = kilobytes * 1024 / 1e6
	}
	return now, peak, nil
}
