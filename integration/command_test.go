//go:build linux

package integration

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/rexwrap/rexwrap/integration/rig"
)

// A script is what the commands of one script share.
type script struct {
	rig *rig.Rig
	// counted is what `stat` saw last.
	counted map[string]int64
	// want is what the last `bare` did, and wantTree what it left.
	want     *rig.Result
	wantTree rig.Tree
}

// scriptKey finds the script in the values of a testscript.
type scriptKey struct{}

func of(ts *testscript.TestScript) *script { return ts.Value(scriptKey{}).(*script) }

// newScript makes dir an installation of rexwrap for the script of e. The files
// of the script are aged, so that the compiles are stored.
func newScript(bin, dir string, e *testscript.Env) (*script, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	r, err := rig.New(bin, dir)
	if err != nil {
		return nil, err
	}
	r.Set = []string{"LC_ALL=C"}
	for _, kv := range r.Env() {
		name, value, _ := strings.Cut(kv, "=")
		e.Setenv(name, value)
	}
	e.Setenv("BIN", bin)
	if err := rig.Age(e.WorkDir); err != nil {
		return nil, err
	}
	return &script{rig: r, counted: map[string]int64{}}, rig.Settle()
}

// cmdBare runs a command without rexwrap in its environment, remembers what it
// did, and puts the directory back as it was:
//
//	bare gcc -c x.c
func cmdBare(ts *testscript.TestScript, neg bool, args []string) {
	s := of(ts)
	if neg || len(args) == 0 {
		ts.Fatalf("usage: bare COMMAND...")
	}
	before, err := snapshot(ts.MkAbs("."))
	ts.Check(err)
	s.want, err = rig.Command{Argv: args, Dir: ts.MkAbs("."), Env: s.environ(ts, true)}.Run()
	ts.Check(err)
	s.wantTree, err = rig.ReadTree(ts.MkAbs("."))
	ts.Check(err)
	ts.Check(before.restore())
	ts.Check(rig.Settle())
}

// cmdLike runs a command, which must do what the last `bare` did: same end,
// stdout, stderr and files. Then it puts the directory back as it was:
//
//	like rexwrap gcc -c x.c
func cmdLike(ts *testscript.TestScript, neg bool, args []string) {
	s := of(ts)
	if neg || len(args) == 0 || s.want == nil {
		ts.Fatalf("usage: like COMMAND..., after bare")
	}
	before, err := snapshot(ts.MkAbs("."))
	ts.Check(err)
	got, err := rig.Command{Argv: args, Dir: ts.MkAbs("."), Env: s.environ(ts, false)}.Run()
	ts.Check(err)
	tree, err := rig.ReadTree(ts.MkAbs("."))
	ts.Check(err)
	diffs := s.wantTree.Diff(tree)
	if got.Ended() != s.want.Ended() {
		diffs = append(diffs, fmt.Sprintf("%s, want %s", got.Ended(), s.want.Ended()))
	}
	if d := rig.DiffText(s.want.Stdout, got.Stdout); d != "" {
		diffs = append(diffs, "stdout: "+d)
	}
	if d := rig.DiffText(s.want.Stderr, got.Stderr); d != "" {
		diffs = append(diffs, "stderr: "+d)
	}
	if len(diffs) > 0 {
		ts.Fatalf("%s: not like the bare command:\n%s", strings.Join(args, " "), strings.Join(diffs, "\n"))
	}
	ts.Check(before.restore())
}

// environ is the environment of the script, without rexwrap in it if bare.
func (s *script) environ(ts *testscript.TestScript, bare bool) []string {
	var env []string
	for _, name := range []string{"HOME", "TMPDIR", "LC_ALL", "TERM", "XDG_RUNTIME_DIR", "REXWRAP_CACHE_DIR"} {
		env = append(env, name+"="+ts.Getenv(name))
	}
	path := ts.Getenv("PATH")
	if bare {
		path = strings.TrimPrefix(path, s.rig.Bin+string(filepath.ListSeparator))
		env = env[:len(env)-1]
	}
	return append(env, "PATH="+path)
}

// cmdSettle waits until what was written counts as settled.
func cmdSettle(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: settle")
	}
	ts.Check(rig.Settle())
}

// cmdStat checks what was counted since the last `stat`; a dot reaches into the
// maps:
//
//	stat misses 1 reasons.config 0
func cmdStat(ts *testscript.TestScript, neg bool, args []string) {
	s := of(ts)
	if neg || len(args) == 0 || len(args)%2 != 0 {
		ts.Fatalf("usage: stat KEY N...")
	}
	// Calls that the wrapper decides are told to the server without waiting.
	var diffs []string
	for deadline := time.Now().Add(5 * time.Second); ; {
		counts, err := s.counts(ts)
		ts.Check(err)
		diffs = diffs[:0]
		for pair := range slices.Chunk(args, 2) {
			want, err := strconv.ParseInt(pair[1], 10, 64)
			ts.Check(err)
			if got := counts[pair[0]] - s.counted[pair[0]]; got != want {
				diffs = append(diffs, fmt.Sprintf("%s is %d, want %d", pair[0], got, want))
			}
		}
		if len(diffs) == 0 {
			s.counted = counts
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("%s\ncounted: %v\nbefore: %v", strings.Join(diffs, "\n"), counts, s.counted)
		}
	}
}

// counts are the counters, those in maps with their map's name and a dot
// before their own.
func (s *script) counts(ts *testscript.TestScript) (map[string]int64, error) {
	res, err := rig.Command{Argv: []string{"rexwrap", "stats", "--json"}, Dir: ts.MkAbs("."), Env: s.environ(ts, false)}.Run()
	if err != nil {
		return nil, err
	}
	var stats map[string]any
	if err := json.Unmarshal(res.Stdout, &stats); err != nil {
		return nil, fmt.Errorf("stats: %w: %s", err, res.Stderr)
	}
	counts := map[string]int64{}
	flatten(counts, "", stats)
	return counts, nil
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
