//go:build linux

package keytable

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

// A row is one change and what it must do to the next compile.
type row struct {
	name string
	// on names the compilers to run it with, by space; $CC stands for each.
	on string
	// files are what the first compile finds, in txtar form.
	files string
	// cmd is the compile, a shell command. It makes out.o.
	cmd string
	// prep runs once before the first compile, with the bare compiler as
	// $CC; change runs between the two compiles.
	prep, change string
	// env and then are the variables of the first and of the second
	// compile; then follows env.
	env, then []string
	// thenCmd is the second compile where it is another one.
	thenCmd string
	want    want
	// back undoes change: the first entry answers again.
	back string
	root bool
}

// want is what the second compile must be.
type want int

const (
	miss want = iota
	hit
	// notHit is a miss, or a call that steps aside.
	notHit
	// never: the first compile is no entry either.
	never
)

func (w want) String() string { return [...]string{"a miss", "a hit", "no hit", "no hit ever"}[w] }

func TestKey(t *testing.T) {
	if err := rig.TrackSources("../.."); err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	if err := rig.Build("../..", bin); err != nil {
		t.Fatal(err)
	}
	rows := rows()
	shards := runtime.GOMAXPROCS(0)
	for i := range shards {
		t.Run(fmt.Sprintf("shard%d", i), func(t *testing.T) {
			t.Parallel()
			r, err := rig.New(bin, t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(r.Close)
			for n := i; n < len(rows); n += shards {
				for _, compiler := range rows[n].compilers(n) {
					t.Run(rows[n].name+"/"+compiler, func(t *testing.T) {
						s := stage{t: t, rig: r, row: rows[n], compiler: compiler, macro: fmt.Sprintf("ROW%d", n)}
						s.run(filepath.Join(t.TempDir(), "w"))
					})
				}
			}
		})
	}
}

// compilers are those of the n-th row: all of them in the long run, gcc or clang in
// turn in the ordinary one, and of the rows for one compiler every second.
func (r *row) compilers(n int) []string {
	all := strings.Fields(r.on)
	turn := n / runtime.GOMAXPROCS(0) % 2
	switch {
	case rig.Long():
		return all
	case len(all) == 1:
		return all[turn:]
	}
	clang := turn == 1
	return slices.DeleteFunc(all, func(name string) bool { return strings.HasPrefix(name, "clang") != clang })
}

// A stage is one row on its way.
type stage struct {
	t        *testing.T
	rig      *rig.Rig
	row      row
	compiler string
	macro    string
	dir      string
}

func (s *stage) run(dir string) {
	s.require()
	s.dir = dir
	if err := rig.Write(dir, txtar.Parse([]byte(s.row.files))); err != nil {
		s.t.Fatal(err)
	}
	s.shell(s.row.prep, s.row.env)
	s.compile("first compile", s.row.cmd, s.row.env)
	first := hit
	if s.row.want == never {
		first = never
	}
	s.check("the same again", s.compile("the same again", s.row.cmd, s.row.env), first)
	if s.t.Failed() {
		s.explain()
		return
	}
	then := append(s.row.env[:len(s.row.env):len(s.row.env)], s.row.then...)
	cmd := s.row.thenCmd
	if cmd == "" {
		cmd = s.row.cmd
	}
	s.shell(s.row.change, then)
	s.check("after the change", s.compile("after the change", cmd, then), s.row.want)
	s.explain()
	if s.row.want == notHit || s.row.want == never {
		return
	}
	s.check("and again", s.compile("and again", cmd, then), hit)
	if s.row.back != "" {
		s.shell(s.row.back, s.row.env)
		s.check("changed back", s.compile("changed back", s.row.cmd, s.row.env), hit)
	}
}

// explain shows what rexwrap has to say of the last call of a failed row.
func (s *stage) explain() {
	s.t.Helper()
	if s.t.Failed() {
		text, err := s.rig.Verb("explain", "--last")
		s.t.Logf("%s%v", text, err)
	}
}

func (s *stage) require() {
	s.t.Helper()
	_, err := exec.LookPath(s.compiler)
	if err == nil && s.row.root && os.Geteuid() != 0 {
		err = fmt.Errorf("needs root")
	}
	switch {
	case err == nil:
	case os.Getenv("REXWRAP_TEST_ALL_TOOLS") != "":
		s.t.Fatal(err)
	default:
		s.t.Skip(err)
	}
}

func (s *stage) check(when string, d rig.Stats, w want) {
	s.t.Helper()
	ok := false
	switch w {
	case hit:
		ok = d.HitsLocal == 1
	case miss:
		ok = d.Misses == 1 && d.HitsLocal == 0
	case notHit, never:
		ok = d.HitsLocal == 0 && d.Merged == 0
	}
	if !ok {
		s.t.Errorf("%s: want %s: %+v", when, w, d)
	}
}

// shell runs a command that is no compile.
func (s *stage) shell(script string, env []string) {
	s.t.Helper()
	if script == "" {
		return
	}
	res := s.exec(script, "", rig.BareEnv(s.dir, s.rig.Temp()), env)
	if res.Status != 0 {
		s.t.Fatalf("%s: %s: %s", script, res.Ended(), res.Stderr)
	}
}

// exec runs a script in which $CC is the compiler behind the program wrap, and
// $WRAP that program.
func (s *stage) exec(script, wrap string, env, set []string) *rig.Result {
	s.t.Helper()
	// The macro keeps the rows from answering each other.
	env = rig.Environ(env).Set("CC="+wrap+" "+s.compiler+" -D"+s.macro, "WRAP="+wrap, "PWD="+s.dir)
	env = rig.Environ(env).Set(set...)
	res, err := rig.Command{Argv: []string{"sh", "-c", script}, Dir: s.dir, Env: env}.Run()
	if err != nil {
		s.t.Fatal(err)
	}
	return res
}

// compile runs the command through rexwrap and returns what was counted, after
// it has compared the result with that of the bare compiler.
func (s *stage) compile(when, cmd string, set []string) rig.Stats {
	s.t.Helper()
	before, err := s.rig.Stats()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := rig.Settle(); err != nil {
		s.t.Fatal(err)
	}
	got := s.outcome(cmd, "rexwrap", s.rig.Env(), set)
	after, err := s.rig.Settled(before.Calls + 1)
	if err != nil {
		s.t.Fatal(err)
	}
	bare := rig.BareEnv(s.rig.Home(), s.rig.Temp())
	want := s.outcome(cmd, "", bare, set)
	if got != want && want == s.outcome(cmd, "", bare, set) {
		s.t.Errorf("%s: not what the bare compiler makes: %s", when, rig.DiffText([]byte(want), []byte(got)))
	}
	return after.Sub(before)
}

// outcome runs the compile where no object is and returns all it gave as text.
func (s *stage) outcome(cmd, wrap string, env, set []string) string {
	s.t.Helper()
	out := filepath.Join(s.dir, "out.o")
	if err := os.RemoveAll(out); err != nil {
		s.t.Fatal(err)
	}
	res := s.exec(cmd, wrap, env, set)
	object, err := os.ReadFile(out)
	if err != nil && !os.IsNotExist(err) {
		s.t.Fatal(err)
	}
	return fmt.Sprintf("%s\n%s%s%s", res.Ended(), res.Stdout, res.Stderr, object)
}
