//go:build linux

package shipped

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
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

// mostTimes is by how much sending the compiler may exceed leaving it to workers, on a
// machine that has other things to do. What is wanted, 0.3 ms for each compile, shows on
// an idle one; integration/relocation holds it for the part that differs.
const mostTimes = 1.5

// TestCost compares the CPU time of a machine that sends its compiler with that of one
// whose workers have it: for compiles by workers, once the compiler is there.
func TestCost(t *testing.T) {
	if !rig.Long() {
		t.Skip("set REXWRAP_TEST_LONG, or run make tables")
	}
	bin := t.TempDir()
	if err := rig.Build("../..", bin); err != nil {
		t.Fatal(err)
	}
	server := clienttest.New(t, clienttest.Options{})
	const rounds, batch = 10, 20
	var least [2]time.Duration // of a batch: what else runs only adds
	machines := [2]*files{}
	for i, setting := range []string{"host", "ship"} {
		f := &files{t: t, dir: t.TempDir()}
		var err error
		if f.rig, err = rig.New(bin, t.TempDir()); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(f.rig.Close)
		f.rig.Set = []string{"REXWRAP_REMOTE=" + server.Address, "REXWRAP_STRATEGY=remote", "REXWRAP_TOOLCHAIN=" + setting, "LC_ALL=C"}
		f.write()
		if err := os.WriteFile(filepath.Join(f.dir, "h.c"), []byte("#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\nint n = N;\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		f.warm("gcc")
		machines[i] = f
	}
	for round := range rounds {
		for i, f := range machines {
			if used, all := f.remotes(round*batch, batch); all && (least[i] == 0 || used < least[i]) {
				least[i] = used
			}
		}
	}
	if least[0] == 0 || least[1] == 0 {
		t.Fatal("in no batch did workers compile all")
	}
	each := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) / batch }
	host, ship := each(least[0]), each(least[1])
	t.Logf("CPU of the client for a compile by a worker: host %.2f ms, ship %.2f ms: %+.2f ms", host, ship, ship-host)
	if ship > mostTimes*host {
		t.Errorf("ship costs %.2f times as much", ship/host)
	}
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
