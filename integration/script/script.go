//go:build linux

package script

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/rexwrap/rexwrap/integration/rig"
)

// A Script is what the commands of one script share.
type Script struct {
	// Rig is the installation.
	Rig *rig.Rig

	// counted is what `stat` saw last.
	counted map[string]int64
	// want is what the last `bare` did.
	want *effect
}

// key finds the script in the values of a testscript.
type key struct{}

// Of returns the script that ts runs.
func Of(ts *testscript.TestScript) *Script { return ts.Value(key{}).(*Script) }

// Commands are those that scripts have beside testscript's own.
func Commands() map[string]func(*testscript.TestScript, bool, []string) {
	return map[string]func(*testscript.TestScript, bool, []string){
		"bare":   cmdBare,
		"like":   cmdLike,
		"settle": cmdSettle,
		"stat":   cmdStat,
	}
}

// Setup makes dir an installation of rexwrap, of the binaries in bin, for the
// script of e. The files of the script are aged, so that the compiles are stored.
func Setup(bin, dir string, e *testscript.Env) (*Script, error) {
	s := &Script{}
	e.Values[key{}] = s
	if err := s.Install(bin, dir, e.Setenv); err != nil {
		return nil, err
	}
	e.Defer(func() { s.Rig.Close() })
	if err := rig.Age(e.WorkDir); err != nil {
		return nil, err
	}
	return s, rig.Settle()
}

// Install makes dir a new installation, which the commands use from now on:
// another machine. The caller closes the one before.
func (s *Script) Install(bin, dir string, setenv func(name, value string)) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	r, err := rig.New(bin, dir)
	if err != nil {
		return err
	}
	r.Set = []string{"LC_ALL=C"}
	for _, kv := range r.Env() {
		name, value, _ := strings.Cut(kv, "=")
		setenv(name, value)
	}
	setenv("BIN", bin)
	s.Rig, s.counted = r, map[string]int64{}
	return nil
}

// Have is the condition [have:PROGRAM]: [exec:PROGRAM], except that a missing
// program fails the script where every tool is promised.
func Have(cond string) (bool, error) {
	program, ok := strings.CutPrefix(cond, "have:")
	if !ok {
		return false, fmt.Errorf("unknown condition %q", cond)
	}
	_, err := exec.LookPath(program)
	if err != nil && os.Getenv("REXWRAP_TEST_ALL_TOOLS") == "1" {
		return false, fmt.Errorf("%s is not installed", program)
	}
	return err == nil, nil
}

// cmdBare runs a command that has no rexwrap in it, remembers what it did, and
// puts the directory back as it was:
//
//	bare gcc -c x.c
func cmdBare(ts *testscript.TestScript, neg bool, args []string) {
	s := Of(ts)
	if neg || len(args) == 0 {
		ts.Fatalf("usage: bare COMMAND...")
	}
	s.want = run(ts, args)
	ts.Check(rig.Settle())
}

// cmdLike runs a command, which must do what the last `bare` did: same end,
// stdout, stderr and files. Then it puts the directory back as it was:
//
//	like rexwrap gcc -c x.c
func cmdLike(ts *testscript.TestScript, neg bool, args []string) {
	s := Of(ts)
	if neg || len(args) == 0 || s.want == nil {
		ts.Fatalf("usage: like COMMAND..., after bare")
	}
	got := run(ts, args)
	diffs := s.want.tree.Diff(got.tree)
	for _, text := range []struct{ name, want, got string }{
		{"end", s.want.end, got.end}, {"stdout", s.want.stdout, got.stdout}, {"stderr", s.want.stderr, got.stderr},
	} {
		if d := rig.DiffText([]byte(text.want), []byte(text.got)); d != "" {
			diffs = append(diffs, text.name+": "+d)
		}
	}
	if len(diffs) > 0 {
		ts.Fatalf("%s: not like the bare command:\n%s", strings.Join(args, " "), strings.Join(diffs, "\n"))
	}
}

// An effect is what a command did.
type effect struct {
	end, stdout, stderr string
	tree                rig.Tree
}

// run runs a command in the script's directory and environment, looks at what
// it did, and puts the directory back as it was.
func run(ts *testscript.TestScript, args []string) *effect {
	dir := ts.MkAbs(".")
	before, err := snapshot(dir)
	ts.Check(err)
	e := &effect{end: "exit status 0"}
	if err := ts.Exec(args[0], args[1:]...); err != nil {
		e.end = err.Error()
	}
	e.stdout, e.stderr = ts.ReadFile("stdout"), ts.ReadFile("stderr")
	e.tree, err = rig.ReadTree(dir)
	ts.Check(err)
	ts.Check(before.restore())
	return e
}

// cmdSettle waits until what was written counts as settled.
func cmdSettle(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: settle")
	}
	ts.Check(rig.Settle())
}

// cmdStat checks what was counted since the last `stat`; a dot reaches into the
// maps, and "hits" are those of all kinds:
//
//	stat hits 2 misses 1 reasons.config 0
func cmdStat(ts *testscript.TestScript, neg bool, args []string) {
	s := Of(ts)
	if neg || len(args) == 0 || len(args)%2 != 0 {
		ts.Fatalf("usage: stat KEY N...")
	}
	now, err := counts(ts)
	ts.Check(err)
	var diffs []string
	for pair := range slices.Chunk(args, 2) {
		want, err := strconv.ParseInt(pair[1], 10, 64)
		ts.Check(err)
		if got := now[pair[0]] - s.counted[pair[0]]; got != want {
			diffs = append(diffs, fmt.Sprintf("%s is %d, want %d", pair[0], got, want))
		}
	}
	if len(diffs) > 0 {
		ts.Fatalf("%s", strings.Join(diffs, "\n"))
	}
	s.counted = now
}

// counts are the counters, those in maps with their map's name and a dot
// before their own.
func counts(ts *testscript.TestScript) (map[string]int64, error) {
	if err := ts.Exec("rexwrap", "stats", "--json"); err != nil {
		return nil, fmt.Errorf("stats: %w", err)
	}
	var stats map[string]any
	if err := json.Unmarshal([]byte(ts.ReadFile("stdout")), &stats); err != nil {
		return nil, fmt.Errorf("stats: %w", err)
	}
	all := map[string]int64{}
	flatten(all, "", stats)
	all["hits"] = all["hits_local"] + all["hits_remote"] + all["merged"]
	return all, nil
}

func flatten(counts map[string]int64, prefix string, values map[string]any) {
	for name, v := range values {
		switch v := v.(type) {
		case float64:
			counts[prefix+name] = int64(v)
		case map[string]any:
			flatten(counts, prefix+name+".", v)
		}
	}
}

// A state is what a directory held at a moment.
type state struct {
	dir   string
	files map[string]file
}

type file struct {
	info os.FileInfo
	data []byte // of regular files
}

func snapshot(dir string) (state, error) {
	s := state{dir, map[string]file{}}
	err := filepath.WalkDir(dir, func(name string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		f := file{info: info}
		if info.Mode().IsRegular() {
			f.data, err = os.ReadFile(name)
		}
		s.files[name] = f
		return err
	})
	return s, err
}

// restore removes what is new and writes again what was changed or removed.
func (s state) restore() error {
	now, err := snapshot(s.dir)
	if err != nil {
		return err
	}
	for _, name := range slices.Backward(slices.Sorted(maps.Keys(now.files))) {
		if _, ok := s.files[name]; !ok {
			if err := os.Remove(name); err != nil {
				return err
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.files)) {
		if err := s.files[name].restore(name, now.files[name]); err != nil {
			return err
		}
	}
	return nil
}

func (f file) restore(name string, now file) error {
	if !f.info.Mode().IsRegular() || now.info != nil && os.SameFile(f.info, now.info) && f.info.ModTime().Equal(now.info.ModTime()) {
		return nil
	}
	if err := os.WriteFile(name, f.data, f.info.Mode()); err != nil {
		return err
	}
	return os.Chtimes(name, f.info.ModTime(), f.info.ModTime())
}

// Count makes the next `stat` count from now on.
func Count(ts *testscript.TestScript) error {
	now, err := counts(ts)
	Of(ts).counted = now
	return err
}
