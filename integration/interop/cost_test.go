//go:build linux

package interop

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rexwrap/rexwrap/integration/rig"
)

// calls is how many compiles are counted.
const calls = 10

// leastTimes is by how much recc's CPU time for a remote hit is to exceed that
// of rexwrap and rexd together, also on a machine whose every core has ten
// others to serve: 15 was measured there.
const leastTimes = 8

// What a remote hit costs, beside recc's in the same run, on the same server.
// Both find their results by the same inputs.
func TestCostBesideRecc(t *testing.T) {
	root := open(t)
	if os.Getenv("REXWRAP_TEST_INTEROP") != "all" {
		t.Skip("set REXWRAP_TEST_INTEROP=all, or run make interop INTEROP=all")
	}
	address := kinds()[0].run(t, root)
	dir := sources(t)

	recc := append(command(t, root, "recc"), "g++")
	env := append(rig.BareEnv(dir, dir), "RECC_SERVER="+address, "RECC_PROJECT_ROOT="+dir)
	compileAll(t, dir, recc, env) // executed, by its workers
	hit := compileAll(t, dir, recc, env)
	objects := readObjects(t, dir)

	first, second := machine(t, address, "first"), machine(t, address, "second")
	rexwrap := []string{"rexwrap", "g++"}
	compileAll(t, dir, rexwrap, first.Env())
	if out, err := first.Verb("cache", "flush"); err != nil {
		t.Fatalf("flush: %v: %s", err, out)
	}
	warmUp(t, dir, second)
	before := serverTime(t, second)
	ours := compileAll(t, dir, rexwrap, second.Env())
	server := serverTime(t, second) - before

	stats, err := second.Settled(calls + 1)
	if err != nil {
		t.Fatal(err)
	}
	if stats.HitsRemote < calls {
		t.Fatalf("want %d remote hits: %+v", calls, stats)
	}
	if got := readObjects(t, dir); !maps.Equal(got, objects) {
		t.Error("rexwrap's objects are not recc's")
	}
	each := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) / calls }
	times := float64(hit) / float64(ours+server)
	t.Logf("CPU of a remote hit: recc %.1f ms, rexwrap %.2f ms and rexd %.2f ms: %.0f times less", each(hit), each(ours), each(server), times)
	if times < leastTimes {
		t.Errorf("recc costs %.1f times as much, want %d times", times, leastTimes)
	}
}

// sources are files that include what C++ files do.
func sources(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for i := range calls + 1 {
		text := fmt.Sprintf("#include <iostream>\n#include <map>\n#include <string>\n#include \"k.h\"\nvoid f%d() { std::cout << K; }\n", i)
		write(t, filepath.Join(dir, fmt.Sprintf("f%d.cc", i)), text)
	}
	write(t, filepath.Join(dir, "k.h"), "#define K \"k\"\n")
	if err := rig.Settle(); err != nil {
		t.Fatal(err)
	}
	return dir
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// compileAll compiles each source after removing its object, and returns the
// CPU time of the commands.
func compileAll(t *testing.T, dir string, prefix, env []string) (cpu time.Duration) {
	t.Helper()
	for i := range calls {
		cpu += compileOne(t, dir, i, prefix, env)
	}
	return cpu
}

func compileOne(t *testing.T, dir string, i int, prefix, env []string) time.Duration {
	t.Helper()
	object := fmt.Sprintf("f%d.o", i)
	_ = os.Remove(filepath.Join(dir, object)) // may not be there
	argv := append(append([]string(nil), prefix...), "-c", fmt.Sprintf("f%d.cc", i), "-o", object)
	res, err := rig.Command{Argv: argv, Dir: dir, Env: env}.Run()
	if err != nil {
		t.Fatal(err)
	}
	if res.Status != 0 {
		t.Fatalf("%q: %s: %s", argv, res.Ended(), res.Stderr)
	}
	return res.User + res.System
}

// warmUp starts the server and lets it learn the compiler, with a source that
// is not counted.
func warmUp(t *testing.T, dir string, r *rig.Rig) {
	t.Helper()
	compileOne(t, dir, calls, []string{"rexwrap", "g++"}, r.Env())
}

func readObjects(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	for i := range calls {
		name := fmt.Sprintf("f%d.o", i)
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		found[name] = string(data)
	}
	return found
}

// machine is one with an empty cache.
func machine(t *testing.T, address, name string) *rig.Rig {
	t.Helper()
	bin, err := released()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), name)
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	r, err := rig.New(bin, dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	r.Set = []string{"REXWRAP_REMOTE=" + address, "REXWRAP_STRATEGY=remote"}
	return r
}

func serverTime(t *testing.T, r *rig.Rig) time.Duration {
	t.Helper()
	cpu, err := r.ServerTime()
	if err != nil {
		t.Fatal(err)
	}
	return cpu
}
