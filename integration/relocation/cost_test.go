//go:build linux

package relocation

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/rexwrap/rexwrap/localserver/layout"
	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/pack"
)

// shipLimit is what a compile may cost more, in CPU time of this machine, when
// its toolchain is shipped, once that is packed; packLimit is what packing gcc may.
const (
	shipLimit = 300 * time.Microsecond
	packLimit = 2 * time.Second
)

// TestShipCost lays one compile out for workers that have the compiler, and for
// those that have nothing: its system headers then are inputs.
func TestShipCost(t *testing.T) {
	r, s := newRig(t), newShipper(t)
	dir := t.TempDir()
	text := "#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n#include <unistd.h>\n#include <math.h>\n#include <signal.h>\nint x;\n"
	if err := os.WriteFile(filepath.Join(dir, "x.c"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	program := compilerFor(t, "gcc")
	call := &toolchains.Call{Program: program, Argv: []string{"gcc", "-g", "-c", "x.c", "-o", "x.o"}, Dir: dir, Env: []string{"PATH=" + os.Getenv("PATH")}}
	host := r.request(t, call, dir)
	before := cpu(t)
	p, err := pack.New(host.Compile.Toolchain, "c", s.launcher, readFiles{})
	if err != nil {
		t.Fatal(err)
	}
	tree, err := layout.PackTree(p)
	if err != nil {
		t.Fatal(err)
	}
	packing := cpu(t) - before
	ship := *host
	ship.HostFile, ship.Ship = nil, &layout.Ship{Pack: p, Tree: tree, Facts: r.factsOf(t, host.Compile)}
	onHost, shipped := cheapest(t, host), cheapest(t, &ship)
	for try := 0; shipped-onHost > shipLimit && try < 10; try++ { // others use the processor too
		onHost, shipped = min(onHost, cheapest(t, host)), min(shipped, cheapest(t, &ship))
	}
	t.Logf("%d inputs: %v on workers with the compiler, %v shipped; packing %v for %d MB", len(host.Inputs.Files), onHost, shipped, packing, p.Size()>>20)
	if shipped-onHost > shipLimit {
		t.Errorf("shipping costs %v more, want at most %v", shipped-onHost, shipLimit)
	}
	if packing > packLimit {
		t.Errorf("packing costs %v, want at most %v", packing, packLimit)
	}
}

// cheapest is what it takes to lay a compile out, without what other processes
// took meanwhile.
func cheapest(t *testing.T, r *layout.Request) time.Duration {
	t.Helper()
	const tries = 1000
	best := time.Hour
	for range tries {
		begin := time.Now()
		if _, err := layout.New(r); err != nil {
			t.Fatal(err)
		}
		best = min(best, time.Since(begin))
	}
	return best
}

// cpu is the CPU time of this process.
func cpu(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
