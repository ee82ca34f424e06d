//go:build linux

package differential

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/rexwrap/rexwrap/integration/rig"
)

// minCases is the size that the table must not fall below.
const minCases = 250

// TestDifferential runs the table in as many shards as there are processors,
// each with a server of its own, so that the counters of one case are not
// another's.
func TestDifferential(t *testing.T) {
	if err := rig.TrackSources("../.."); err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	if err := rig.Build("../..", bin); err != nil {
		t.Fatal(err)
	}
	base, err := txtar.ParseFile("testdata/tree.txtar")
	if err != nil {
		t.Fatal(err)
	}
	all := cases()
	if len(all) < minCases {
		t.Errorf("%d cases, want at least %d", len(all), minCases)
	}
	shards := runtime.GOMAXPROCS(0)
	for i := range shards {
		t.Run(fmt.Sprintf("shard%d", i), func(t *testing.T) {
			t.Parallel()
			s := newShard(t, bin, base)
			var mine []testCase
			for n := i; n < len(all); n += shards {
				mine = append(mine, all[n])
			}
			s.run(t, mine)
		})
	}
}

// A shard runs its share of the cases one after another.
type shard struct {
	rig  *rig.Rig
	base *txtar.Archive
	bare string // directory of the bare compiler's home and temp files
	work string // working directory of every run
	keep string // what a case keeps between its runs
}

func newShard(t *testing.T, bin string, base *txtar.Archive) *shard {
	t.Helper()
	dir := t.TempDir()
	r, err := rig.New(bin, filepath.Join(dir, "rig"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	s := &shard{rig: r, base: base, bare: filepath.Join(dir, "bare"), work: filepath.Join(dir, "w")}
	if err := os.MkdirAll(s.bare, 0o755); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *shard) run(t *testing.T, cases []testCase) {
	bare := make([]*bareRuns, len(cases))
	for i, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			tc.require(t)
			s.keep = t.TempDir()
			bare[i] = s.runBare(t, &tc)
			first := s.runWrapped(t, &tc, "first run", bare[i])
			tc.checkFirst(t, first)
			if first.HitsLocal > 0 { // of an entry that another row made
				tc.recache(t, s, bare[i])
			}
			second := s.runWrapped(t, &tc, "second run", bare[i])
			tc.checkSecond(t, second)
			s.explain(t)
		})
	}
	if err := s.rig.Stop(); err != nil {
		t.Fatal(err)
	}
	for i, tc := range cases {
		if bare[i] == nil || tc.want != hit || strings.Contains(tc.prep, "$KEEP") || !rig.Part(6).Takes(i) {
			continue
		}
		t.Run("restarted/"+tc.name, func(t *testing.T) {
			tc.checkSecond(t, s.runWrapped(t, &tc, "after restart", bare[i]))
			s.explain(t)
		})
	}
}

// recache runs the command as a miss.
func (tc *testCase) recache(t *testing.T, s *shard, bare *bareRuns) {
	t.Helper()
	forced := *tc
	forced.env = append(slices.Clone(tc.env), "REXWRAP_RECACHE=1")
	if d := s.runWrapped(t, &forced, "recached", bare); d.HitsLocal != 0 || d.Misses != tc.wantedCalls() {
		t.Errorf("recached: want a miss: %+v", d)
	}
}

// require skips or, where every tool is promised, fails.
func (tc *testCase) require(t *testing.T) {
	t.Helper()
	_, err := exec.LookPath(tc.compiler)
	if err == nil && tc.root && os.Geteuid() != 0 {
		err = fmt.Errorf("needs root")
	}
	if err == nil {
		return
	}
	if os.Getenv("REXWRAP_TEST_ALL_TOOLS") != "" {
		t.Fatal(err)
	}
	t.Skip(err)
}

// A left is what one run left.
type left struct {
	*rig.Result
	tree rig.Tree
}

// bareRuns are two runs of the bare compiler.
type bareRuns struct {
	left
	again left
	mask  rig.Mask
}

// once runs the command in a fresh working directory.
func (s *shard) once(t *testing.T, tc *testCase, cc string, env []string) left {
	t.Helper()
	if err := rig.Write(s.work, s.base, tc.archive()); err != nil {
		t.Fatal(err)
	}
	env = append(env, "CC="+cc, "PWD="+s.work, "KEEP="+s.keep)
	if tc.prep != "" {
		s.prepare(t, tc, env)
	}
	if err := rig.Settle(); err != nil {
		t.Fatal(err)
	}
	env = rig.Environ(env).Set(tc.env...)
	res, err := rig.Command{Argv: tc.argv(), Dir: s.work, Env: env, Terminal: tc.terminal}.Run()
	if err != nil {
		t.Fatal(err)
	}
	tree, err := rig.ReadTree(s.work)
	if err != nil {
		t.Fatal(err)
	}
	return left{res, tree}
}

// prepare runs the row's own preparation, with the bare compiler as $CC.
func (s *shard) prepare(t *testing.T, tc *testCase, env []string) {
	t.Helper()
	env = rig.Environ(env).Set("CC=" + tc.compiler)
	res, err := rig.Command{Argv: []string{"sh", "-ec", tc.prep}, Dir: s.work, Env: env}.Run()
	if err == nil && res.Status != 0 {
		err = fmt.Errorf("%s: %s", res.Ended(), res.Stderr)
	}
	if err == nil {
		err = rig.Age(s.work)
	}
	if err != nil {
		t.Fatalf("prepare: %v", err)
	}
}

func (s *shard) runBare(t *testing.T, tc *testCase) *bareRuns {
	t.Helper()
	env := rig.BareEnv(s.bare, s.bare)
	b := &bareRuns{left: s.once(t, tc, tc.compiler, env), again: s.once(t, tc, tc.compiler, env)}
	b.mask = rig.NewMask(b.tree, b.again.tree)
	for name, e := range b.tree {
		if tc.clock && e.Written {
			b.mask.Ignore(name)
		}
	}
	return b
}

// runWrapped runs the command through rexwrap, compares it with the bare runs
// and returns what was counted.
func (s *shard) runWrapped(t *testing.T, tc *testCase, stage string, bare *bareRuns) rig.Stats {
	t.Helper()
	before, err := s.rig.Stats()
	if err != nil {
		t.Fatal(err)
	}
	got := s.once(t, tc, "rexwrap "+tc.compiler, s.rig.Env())
	bare.compare(t, stage, got)
	s.checkLitter(t, stage)
	after, err := s.rig.Settled(before.Calls + tc.wantedCalls())
	if err != nil {
		t.Fatal(err)
	}
	return after.Sub(before)
}

// compare reports every difference, except where the bare compiler differs
// from itself.
func (b *bareRuns) compare(t *testing.T, stage string, got left) {
	t.Helper()
	if b.Ended() == b.again.Ended() && got.Ended() != b.Ended() {
		t.Errorf("%s: %s, want %s; stderr: %s", stage, got.Ended(), b.Ended(), got.Stderr)
	}
	if d := rig.DiffText(b.Stdout, b.again.Stdout); d == "" {
		if d = rig.DiffText(b.Stdout, got.Stdout); d != "" {
			t.Errorf("%s: stdout: %s", stage, d)
		}
	}
	if d := rig.DiffText(b.Stderr, b.again.Stderr); d == "" {
		if d = rig.DiffText(b.Stderr, got.Stderr); d != "" {
			t.Errorf("%s: stderr: %s", stage, d)
		}
	}
	for _, d := range b.mask.Apply(b.tree).Diff(b.mask.Apply(got.tree)) {
		t.Errorf("%s: %s", stage, d)
	}
}

// checkLitter reports temp files that outlive the call.
func (s *shard) checkLitter(t *testing.T, stage string) {
	t.Helper()
	entries, err := os.ReadDir(s.rig.Temp())
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		t.Errorf("%s: %s left in TMPDIR", stage, e.Name())
	}
}

// explain shows what rexwrap has to say of the last call of a failed case.
func (s *shard) explain(t *testing.T) {
	t.Helper()
	if !t.Failed() {
		return
	}
	text, err := s.rig.Verb("explain", "--last")
	t.Logf("%s%v", text, err)
}

func (tc *testCase) checkFirst(t *testing.T, d rig.Stats) {
	t.Helper()
	switch {
	case d.Calls != tc.wantedCalls():
		t.Errorf("first run: %d calls counted, want %d", d.Calls, tc.wantedCalls())
	case (tc.want == hit || tc.want == run) && d.SteppedAside != 0:
		t.Errorf("first run: stepped aside: %v", d.Reasons)
	case tc.want != hit && d.HitsLocal != 0:
		t.Errorf("first run: %d hits", d.HitsLocal)
	}
	if (d.FellBack != 0 || d.Errors != 0) && tc.want != broken {
		t.Errorf("first run: %d fell back, %d errors: %v", d.FellBack, d.Errors, d.Reasons)
	}
}

func (tc *testCase) checkSecond(t *testing.T, d rig.Stats) {
	t.Helper()
	n := tc.wantedCalls()
	switch {
	case tc.want == hit && d.HitsLocal != n:
		t.Errorf("second run: %d of %d calls are hits: %+v", d.HitsLocal, n, d)
	case tc.want == broken:
	case tc.want == run && (d.HitsLocal != 0 || d.SteppedAside != 0):
		t.Errorf("second run: want it run by the compiler and not stored: %+v", d)
	case tc.want == aside && d.SteppedAside != n:
		t.Errorf("second run: %d of %d calls stepped aside: %+v", d.SteppedAside, n, d)
	case tc.want == special && d.Reasons[special]+d.NotStored[special]+d.NotStored[tc.fails] != n:
		t.Errorf("second run: %d of %d calls stepped aside or were not stored: %v, %v", d.Reasons[special]+d.NotStored[special], n, d.Reasons, d.NotStored)
	case tc.want != hit && tc.want != run && tc.want != aside && tc.want != special && d.Reasons[tc.want] != n:
		t.Errorf("second run: %d of %d calls stepped aside as %s: %v", d.Reasons[tc.want], n, tc.want, d.Reasons)
	}
}
