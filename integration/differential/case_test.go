//go:build linux

package differential

import (
	"fmt"
	"strings"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/rexwrap/rexwrap/integration/rig"
)

// A row is one command line, for one or more compilers.
type row struct {
	name string
	// on names the compilers to run it with, by space; $CC stands for each.
	on string
	// cmd is a shell command. A simple command is run by exec, so that its
	// end is the compiler's.
	cmd string
	// files are added to the tree, in txtar form.
	files string
	// prep is a shell command, run before the files get their age. What it
	// puts into $KEEP is there again at the case's next run.
	prep string
	env  []string
	// want is what becomes of the second run; see the constants. clang's
	// answer is wantClang where it differs.
	want, wantClang string
	// fails is why a special output's run is not stored where the compiler fails.
	fails string
	// calls is how often cmd runs the compiler, if not once.
	calls int64
	// terminal adds a run with a terminal as the standard streams.
	terminal bool
	// clock: the second at which it runs, or the order of addresses, is in the
	// outputs, so that their content is not compared.
	clock bool
	// root: only root can prepare this.
	root bool
}

// What a row can want besides the name of a reason to step aside.
const (
	hit   = ""      // answered from the cache
	run   = "run"   // understood, never answered from the cache
	aside = "aside" // any reason; where the wrapper or a missing file decides
	// special is for an output that is no plain file: a call that finds a result steps
	// aside, one that finds none is run and not stored.
	special = "special-output"
	// broken: the wrapper cannot deliver the result, which counts as an error.
	broken = "broken"
)

// Compilers by language.
const (
	c    = "gcc clang"
	cxx  = "g++ clang++"
	both = "gcc clang g++ clang++"
)

// A testCase is a row with one compiler.
type testCase struct {
	row
	name     string
	compiler string
	want     string
	terminal bool
}

// cases expands the table.
func cases() []testCase {
	var all []testCase
	for _, group := range table() {
		for n, r := range group.rows {
			for _, compiler := range r.compilers(n) {
				tc := testCase{row: r, name: group.name + "/" + r.name + "/" + compiler, compiler: compiler, want: r.want}
				if strings.HasPrefix(compiler, "clang") && r.wantClang != "" {
					tc.want = r.wantClang
				}
				if tc.want == "hit" {
					tc.want = hit
				}
				all = append(all, tc)
				if r.terminal {
					tc.name += "/terminal"
					tc.terminal = true
					all = append(all, tc)
				}
			}
		}
	}
	return all
}

// compilers are those that the n-th row of a group is run with: all of a long run;
// else rows take one of theirs in turn, of the rows for one compiler every fourth is
// taken, of the others two of five.
func (r *row) compilers(n int) []string {
	all := strings.Fields(r.on)
	switch {
	case rig.Long():
		return all
	case len(all) == 1 && n%4 != 0, len(all) > 1 && n%5 > 1:
		return nil
	}
	return all[n%len(all):][:1]
}

// archive returns the row's own files.
func (r *row) archive() *txtar.Archive { return txtar.Parse([]byte(r.files)) }

// argv returns the command with cc in place of $CC.
func (tc *testCase) argv() []string {
	script := tc.cmd
	if !strings.ContainsAny(script, ";&|") {
		script = "exec " + script
	}
	return []string{"sh", "-c", script}
}

// wantedCalls is how many compiler calls one run of the command makes.
func (tc *testCase) wantedCalls() int64 { return max(tc.calls, 1) }

// includes returns n include lines for what headers makes.
func includes(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "#include \"h/header_number_%d.h\"\n", i)
	}
	return b.String()
}

// headers returns n headers in txtar form.
func headers(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "-- h/header_number_%d.h --\n#define H%d %d\n", i, i, i)
	}
	return b.String()
}
