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
// operation is a batch of compiles on each.
func BenchmarkShipCost(b *testing.B) {
	const batch = 20
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
	used := make([][]float64, len(settings)) // ms of each batch, for a compile
	for round := 0; b.Loop(); round++ {
		for i, f := range machines {
			if spent, all := f.remotes(round*batch, batch); all {
				used[i] = append(used[i], float64(spent)/float64(time.Millisecond)/batch)
			}
		}
	}
	for i, setting := range settings {
		if len(used[i]) == 0 {
			b.Fatalf("%s: in no batch did workers compile all", setting)
		}
		b.ReportMetric(middle(used[i]), setting+"-ms")
	}
}

// middle is the mean of the middle half: the server's time is told in ticks, so that a
// median would be one of few values.
func middle(list []float64) float64 {
	slices.Sort(list)
	list = list[len(list)/4 : len(list)-len(list)/4]
	sum := 0.0
	for _, v := range list {
		sum += v
	}
	return sum / float64(len(list))
}

// remotes has n compiles done by workers, and returns the CPU time of wrapper and
// server; all reports whether workers did them: a server that has no time is not
// waited for.
func (f *files) remotes(from, n int) (used time.Duration, all bool) {
	f.t.Helper()
	before, began := f.stats(), f.serverTime()
	for i := range n {
		used += f.cpu("rexwrap", "gcc", fmt.Sprint("-DN=", from+i), "-c", "h.c")
	}
	used += f.serverTime() - began
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
