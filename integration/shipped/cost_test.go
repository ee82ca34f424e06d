//go:build linux

package shipped

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rexwrap/rexwrap/client/clienttest"
	"github.com/rexwrap/rexwrap/integration/rig"
)

// TestSizes holds what sending each toolchain takes, and the CPU time to pack gcc.
func TestSizes(t *testing.T) {
	f := newBare(t)
	table := []string{fmt.Sprintf("%-14s %8s %8s %8s", "MB", "raw", "zstd", "CPU s")}
	for _, c := range []struct {
		compiler, language string
		most               int64 // MB
		long               bool
	}{
		{"gcc", "c", 70, false},
		{"g++", "c++", 80, true},
		{"clang", "c", 260, true},
		{"/usr/bin/rustc", "all", 540, true},
	} {
		if c.long && !rig.Long() {
			continue
		}
		seen := f.cpu("rexwrap", "toolchain", "show", "--language", c.language, c.compiler)
		var p struct {
			Bytes  int64
			Stored int64 `json:"stored_bytes"`
		}
		text, err := f.rig.Verb("toolchain", "pack", c.compiler, "--language", c.language, "--json", "-o", filepath.Join(f.dir, "x.tar.zst"))
		if err == nil {
			err = json.Unmarshal(text, &p)
		}
		if err != nil {
			t.Fatal(err)
		}
		table = append(table, fmt.Sprintf("%-14s %8.1f %8.1f %8.2f", filepath.Base(c.compiler)+" "+c.language, float64(p.Bytes)/1e6, float64(p.Stored)/1e6, seen.Seconds()))
		if p.Bytes > c.most<<20 {
			t.Errorf("%s takes %d MB, at most %d are wanted", c.compiler, p.Bytes>>20, c.most)
		}
		if c.compiler == "gcc" && seen > 2*time.Second {
			t.Errorf("packing gcc took %s of CPU", seen)
		}
	}
	t.Log("what is sent, and what finding and packing it takes\n" + strings.Join(table, "\n"))
}

// cpu runs a command and returns the CPU time that it took.
func (f *files) cpu(argv ...string) time.Duration {
	f.t.Helper()
	res, err := rig.Command{Argv: argv, Dir: f.dir, Env: f.rig.Env()}.Run()
	if err != nil || res.Status != 0 {
		f.t.Fatalf("%q: %v: %s\n%s", argv, err, res.Ended(), res.Stderr)
	}
	return res.User + res.System
}

// BenchmarkShipCost compares the CPU time of a machine that sends its compiler with that
// of one whose workers have it: for compiles by workers, once the compiler is there. One
// operation is a round: a batch of compiles on each. A server's time is that of the whole
// round: what it takes to be there, idle or waiting for a worker, is in both. more-ms is
// what the one takes more than the other in the same round, since the speed of machines
// changes in between.
func BenchmarkShipCost(b *testing.B) {
	const batch = 10
	server := clienttest.New(b, clienttest.Options{})
	settings := []string{"host", "ship"}
	machines := make([]*files, len(settings))
	for i, setting := range settings {
		f := newFiles(b, server, "REXWRAP_TOOLCHAIN="+setting)
		if err := os.WriteFile(filepath.Join(f.dir, "h.c"), []byte("#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\nint n = N;\n"), 0o600); err != nil {
			b.Fatal(err)
		}
		f.warm("gcc")
		machines[i] = f
	}
	var used [2][]float64 // ms of each batch, for a compile
	var more []float64
	for round := 0; b.Loop(); round++ {
		began := [2]time.Duration{machines[0].serverTime(), machines[1].serverTime()}
		var spent [2]time.Duration
		remote := true
		for turn := range machines {
			i := (round + turn) % 2
			d, all := machines[i].remotes(round*batch, batch)
			spent[i], remote = d, remote && all
		}
		var ms [2]float64
		for i, f := range machines {
			ms[i] = float64(spent[i]+f.serverTime()-began[i]) / float64(time.Millisecond) / batch
		}
		if remote {
			used[0], used[1], more = append(used[0], ms[0]), append(used[1], ms[1]), append(more, ms[1]-ms[0])
		}
	}
	if len(more) == 0 {
		b.Fatal("in no batch did workers compile all")
	}
	for i, setting := range settings {
		b.ReportMetric(middle(used[i]), setting+"-ms")
	}
	b.ReportMetric(middle(more), "more-ms")
}

// middle is the mean of the middle half.
func middle(list []float64) float64 {
	slices.Sort(list)
	list = list[len(list)/4 : len(list)-len(list)/4]
	sum := 0.0
	for _, v := range list {
		sum += v
	}
	return sum / float64(len(list))
}

// remotes has n compiles done by workers, and returns the CPU time of the wrapper; all
// reports whether workers did them: a server that has no time is not waited for.
func (f *files) remotes(from, n int) (used time.Duration, all bool) {
	f.t.Helper()
	before := f.stats()
	for i := range n {
		used += f.cpu("rexwrap", "gcc", fmt.Sprint("-DN=", from+i), "-c", "h.c")
	}
	return used, f.stats().Sub(before).Remotely == int64(n)
}

func (f *files) serverTime() time.Duration {
	f.t.Helper()
	d, err := f.rig.ServerTime()
	if err != nil {
		f.t.Fatal(err)
	}
	return d
}
