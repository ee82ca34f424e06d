//go:build linux

package wine

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rexwrap/rexwrap/integration/rig"
)

// A site is a folder to compile in, with a cache and a server of its own.
type site struct {
	*testing.T
	in  *installation
	dir string
	set []string // of the environment
}

// newSite returns a site whose server runs.
func newSite(t *testing.T) *site {
	t.Helper()
	s := newBareSite(t)
	s.eventually("a server", func() bool { return s.rexd("server", "start").Status == 0 }) // on a slow machine
	return s
}

// newBareSite returns a site without a server.
func newBareSite(t *testing.T) *site {
	t.Helper()
	in, err := shared()
	switch {
	case errors.Is(err, errNotRun):
		t.Skip(err)
	case err != nil:
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp(in.dir, "site")
	if err != nil {
		t.Fatal(err)
	}
	s := &site{T: t, in: in, dir: dir}
	s.set = []string{
		"REXWRAP_CACHE_DIR=" + windows(dir+"/cache"), "REXWRAP_SOCKET=" + windows(dir+"/server"), "FAKECL_LOG=" + windows(dir+"/runs"),
	}
	s.write("src/a.c", "#include \"a.h\"\r\nint main;\r\n#pragma message said\r\n#pragma stderr shouted\r\n")
	s.write("src/a.h", "int h;\r\n")
	t.Cleanup(func() {
		s.rexd("server", "stop")
		if t.Failed() {
			log, _ := os.ReadFile(dir + "/cache/rexd.log")
			t.Logf("rexd.log:\n%s", log)
		}
	})
	return s
}

func (s *site) write(name, text string) {
	s.Helper()
	path := filepath.Join(s.dir, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o777), os.WriteFile(path, []byte(text), 0o666)); err != nil {
		s.Fatal(err)
	}
}

// read returns the text of a file, and a word of its own where there is none.
func (s *site) read(name string) string {
	s.Helper()
	text, err := os.ReadFile(filepath.Join(s.dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return "(absent)"
	}
	if err != nil {
		s.Fatal(err)
	}
	return string(text)
}

func (s *site) remove(names ...string) {
	s.Helper()
	for _, name := range names {
		if err := os.Remove(filepath.Join(s.dir, name)); err != nil {
			s.Fatal(err)
		}
	}
}

// limit bounds every command: one that hangs is a failure.
const limit = 60 * time.Second

// command returns a program for Windows, ready to run in src.
func (s *site) command(argv ...string) *exec.Cmd {
	cmd := exec.Command(s.in.loader, argv...)
	cmd.Dir = s.dir + "/src"
	cmd.Env = s.in.env(s.set...)
	return cmd
}

// rexwrap is our program, and cl the compiler, both by their paths.
func (s *site) rexwrap() string { return windows(s.in.bin + `/rexwrap.exe`) }
func (s *site) cl() string      { return windows(s.in.dir + `/cl/cl.exe`) }

// An outcome is what a caller sees of a run.
type outcome struct {
	Status         int
	Stdout, Stderr string
}

func (s *site) run(argv ...string) outcome {
	s.Helper()
	return s.finish(s.command(argv...))
}

// finish runs cmd with files for its output: Wine lets every process that is started
// below have the pipe that would be stderr.
func (s *site) finish(cmd *exec.Cmd) outcome {
	s.Helper()
	return s.start(cmd)()
}

// start starts cmd and returns what waits for its end.
func (s *site) start(cmd *exec.Cmd) (wait func() outcome) {
	s.Helper()
	var files [2]*os.File
	for i := range files {
		f, err := os.CreateTemp(s.dir, "output")
		if err != nil {
			s.Fatal(err)
		}
		files[i] = f
	}
	cmd.Stdout, cmd.Stderr = files[0], files[1]
	if err := cmd.Start(); err != nil {
		s.Fatal(err)
	}
	timer := time.AfterFunc(limit, func() { _ = cmd.Process.Kill() })
	return func() outcome {
		s.Helper()
		defer timer.Stop()
		err := cmd.Wait()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			s.Fatal(err)
		}
		return outcome{cmd.ProcessState.ExitCode(), s.taken(files[0]), s.taken(files[1])}
	}
}

// taken returns what a file holds, and removes it.
func (s *site) taken(f *os.File) string {
	s.Helper()
	text, err := os.ReadFile(f.Name())
	if err := errors.Join(err, f.Close(), os.Remove(f.Name())); err != nil {
		s.Fatal(err)
	}
	return string(text)
}

func (s *site) verb(args ...string) outcome {
	s.Helper()
	return s.run(append([]string{s.rexwrap()}, args...)...)
}

// rexd runs a verb without rexwrap, which would only start rexd.
func (s *site) rexd(args ...string) outcome {
	s.Helper()
	return s.run(append([]string{windows(s.in.bin + `/rexd.exe`)}, args...)...)
}

// compile runs the compiler through rexwrap, and bare without it.
func (s *site) compile(args ...string) outcome {
	s.Helper()
	return s.run(append([]string{s.rexwrap(), s.cl()}, args...)...)
}

func (s *site) bare(args ...string) outcome {
	s.Helper()
	return s.run(append([]string{s.cl()}, args...)...)
}

func (s *site) stats() rig.Stats {
	s.Helper()
	var stats rig.Stats
	if err := json.Unmarshal([]byte(s.rexd("stats", "--json").Stdout), &stats); err != nil {
		s.Fatal(err)
	}
	return stats
}

// want checks the counters. What was not stored costs hits.
func (s *site) want(hits, misses int64) {
	s.Helper()
	got := s.stats()
	n := got.HitsLocal + got.Merged
	if n > hits || n < hits-unstored(got) || n+got.Misses != hits+misses || got.Errors != 0 {
		s.Errorf("%d hits and %d misses, want %d and %d: %+v", n, got.Misses, hits, misses, got)
	}
}

// unstored is how many results were not stored: on a slow machine so much time may pass
// between two looks at the clock that it seems to have been set.
func unstored(stats rig.Stats) int64 { return stats.NotStored["modified-during-compile"] }

// runs is how often the compiler was run.
func (s *site) runs() int { return strings.Count(s.read("runs"), "\n") }

// noLitter checks that nothing of ours is left in the folder of the sources.
func (s *site) noLitter() {
	s.Helper()
	entries, err := os.ReadDir(s.dir + "/src")
	if err != nil {
		s.Fatal(err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".rexwrap") {
			s.Errorf("%s is left behind", e.Name())
		}
	}
}

// eventually waits until something holds.
func (s *site) eventually(what string, holds func() bool) {
	s.Helper()
	end := time.After(limit)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-end:
			s.Fatalf("waited in vain for %s", what)
		}
	}
}
