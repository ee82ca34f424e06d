//go:build linux

package integration

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/rexwrap/rexwrap/client/clienttest"
	"github.com/rexwrap/rexwrap/integration/rig"
	"github.com/rexwrap/rexwrap/integration/script"
)

// A mention is a command line in a fenced block of README.md.
type mention struct {
	line    int
	section string
	command string
}

// mentions returns the command lines of the README: the lines of its fenced
// blocks but for diagrams, which have characters that no command has.
func mentions(readme string) []mention {
	var all []mention
	section, fenced := "", false
	for i, line := range strings.Split(readme, "\n") {
		switch {
		case strings.HasPrefix(line, "```"):
			fenced = !fenced
		case strings.HasPrefix(line, "#") && !fenced:
			section = strings.TrimLeft(line, "# ")
		case fenced && strings.TrimSpace(line) != "" && isASCII(line) && !strings.HasPrefix(line, " "):
			all = append(all, mention{i + 1, section, line})
		}
	}
	return all
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= 0x80 })
}

// readmeSample are the project in which the README's commands run, one folder
// for each build system: a command runs in the folder that its words name.
var readmeSample = txtar.Parse([]byte(`
-- make/Makefile --
prog: main.o one.o
	$(CC) -o $@ main.o one.o
-- make/configure --
#!/bin/sh
${CC:-gcc} --version >config.log && echo configured
-- cmake/CMakeLists.txt --
cmake_minimum_required(VERSION 3.10)
project(sample C CXX)
add_executable(prog main.c one.c)
-- meson/meson.build --
project('sample', 'c')
executable('prog', 'main.c', 'one.c')
`))

// readmeSources are in each of the folders.
const readmeSources = `
-- main.c --
int one(void);
int main(void) { return one() - 1; }
-- one.c --
int one(void) { return 1; }
`

// targets are commands that build or test this repository: what is checked is
// that make knows them.
var targets = []string{"make demo", "make test"}

// folderOf says in which folder of the sample a command runs.
func folderOf(command string) string {
	for _, f := range []struct{ word, folder string }{
		{"cmake", "cmake"}, {"meson", "meson"}, {"ninja", "meson"},
	} {
		if strings.Contains(command, f.word) {
			return f.folder
		}
	}
	return "make"
}

// TestReadme runs every command of the README, in its order.
func TestReadme(t *testing.T) {
	if err := rig.TrackSources(".."); err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	commands := mentions(string(readme))
	if len(commands) < 15 {
		t.Fatalf("README.md has %d commands", len(commands))
	}
	s := newSample(t)
	for _, m := range commands {
		switch {
		case slices.Contains(targets, m.command):
			s.repository(m, "make", "-n", strings.Fields(m.command)[1])
		case strings.HasPrefix(m.command, "make install"):
			s.install(m)
		case strings.HasPrefix(m.command, "make uninstall"):
			s.uninstall(m)
		case strings.HasPrefix(m.command, "rm "):
			s.remove(m)
		case s.possible(m):
			s.run(m)
		}
	}
}

// possible reports whether the build system that a command names is installed;
// where all are promised, a missing one fails the test.
func (s *sample) possible(m mention) bool {
	s.t.Helper()
	for _, tool := range []string{"cmake", "meson", "ninja"} {
		if !strings.Contains(m.command, tool) {
			continue
		}
		if ok, err := script.Have("have:" + tool); err != nil {
			s.t.Fatalf("README.md:%d: %v", m.line, err)
		} else if !ok {
			return false
		}
	}
	return true
}

// A sample is the project and the installation that README commands run in.
type sample struct {
	t      *testing.T
	rig    *rig.Rig
	dir    string
	server *clienttest.Server // stands for the README's remote
}

func newSample(t *testing.T) *sample {
	t.Helper()
	bin, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	r, err := rig.New(bin, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	r.Set = []string{"REXWRAP_CACHE_DIR=" + filepath.Join(r.Home(), ".cache/rexwrap")}
	s := &sample{t, r, t.TempDir(), clienttest.New(t, clienttest.Options{})}
	sources := &txtar.Archive{}
	for _, folder := range []string{"make", "cmake", "meson"} {
		for _, f := range txtar.Parse([]byte(readmeSources)).Files {
			sources.Files = append(sources.Files, txtar.File{Name: folder + "/" + f.Name, Data: f.Data})
		}
	}
	if err := rig.Write(s.dir, readmeSample, sources); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(s.dir, "make/configure"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := rig.Settle(); err != nil {
		t.Fatal(err)
	}
	return s
}

// dockerRun matches a RUN line of a Dockerfile with a cache mount.
var dockerRun = regexp.MustCompile(`^RUN --mount=type=cache,target=(\S+) (.*)$`)

// run runs a command as a user's shell does. Objects that an earlier command
// made are removed first, so that there is something to build.
func (s *sample) run(m mention) {
	s.t.Helper()
	command := m.command
	env := s.rig.Env()
	command = strings.ReplaceAll(command, "grpc://cache.example:9092", s.server.Address)
	if run := dockerRun.FindStringSubmatch(command); run != nil {
		command = strings.ReplaceAll(run[2], run[1], filepath.Join(s.rig.Dir, "mounted"))
	}
	dir := filepath.Join(s.dir, folderOf(command))
	for _, pattern := range []string{"*.o", "prog"} {
		made, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			s.t.Fatal(err)
		}
		for _, name := range made {
			if err := os.Remove(name); err != nil {
				s.t.Fatal(err)
			}
		}
	}
	before, err := s.rig.Stats()
	if err != nil {
		s.t.Fatal(err)
	}
	res, err := rig.Command{Argv: []string{"bash", "-euc", command}, Dir: dir, Env: env}.Run()
	if err != nil {
		s.t.Fatal(err)
	}
	if res.Status != 0 || res.Signal != 0 {
		s.t.Fatalf("README.md:%d: %s: %s\n%s%s", m.line, m.command, res.Ended(), res.Stdout, res.Stderr)
	}
	s.mustCache(m, command, before)
}

// mustCache checks that a command that builds has built through rexwrap.
func (s *sample) mustCache(m mention, command string, before rig.Stats) {
	s.t.Helper()
	builds := regexp.MustCompile(`\bmake\b|--build\b|^ninja\b`).MatchString(command) && !strings.HasPrefix(command, "rexwrap explain")
	if !builds || strings.Contains(command, "REXWRAP_CACHE_DIR=") {
		return
	}
	after, err := s.rig.Stats()
	if err != nil {
		s.t.Fatal(err)
	}
	d := after.Sub(before)
	if d.HitsLocal+d.Merged+d.Misses == 0 || d.Errors+d.FellBack > 0 {
		s.t.Errorf("README.md:%d: %s: nothing was cached: %+v", m.line, m.command, d)
	}
}

// repository runs a command of this repository.
func (s *sample) repository(m mention, argv ...string) {
	s.t.Helper()
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir = ".."
	if out, err := cmd.CombinedOutput(); err != nil {
		s.t.Fatalf("README.md:%d: %s: %v\n%s", m.line, m.command, err, out)
	}
}

// prefix stands for $HOME/.local in the commands that install and remove.
func (s *sample) prefix() string { return filepath.Join(s.rig.Home(), ".local") }

// install runs the installation below a folder of the test.
func (s *sample) install(m mention) {
	s.t.Helper()
	prefix, built := s.prefix(), s.t.TempDir()
	s.repository(m, "make", "install", "PREFIX="+prefix, "BIN="+built)
	for _, name := range []string{"rexwrap", "rexd"} {
		want, err := os.ReadFile(filepath.Join(built, name))
		if err != nil {
			s.t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join(prefix, "bin", name))
		if err != nil || !bytes.Equal(want, got) {
			s.t.Errorf("README.md:%d: %s is not what was built: %v", m.line, name, err)
		}
	}
}

// uninstall removes what install has put there.
func (s *sample) uninstall(m mention) {
	s.t.Helper()
	prefix := s.prefix()
	s.repository(m, "make", "uninstall", "PREFIX="+prefix)
	left, err := rig.ReadTree(prefix)
	if err != nil {
		s.t.Fatal(err)
	}
	for name, e := range left {
		if !e.Mode.IsDir() {
			s.t.Errorf("make uninstall has left %s", name)
		}
	}
}

// remove checks that removing what the README says removes the cache.
func (s *sample) remove(m mention) {
	s.t.Helper()
	cmd := exec.Command("bash", "-euc", m.command)
	cmd.Env = s.rig.Env()
	if out, err := cmd.CombinedOutput(); err != nil {
		s.t.Fatalf("README.md:%d: %s: %v\n%s", m.line, m.command, err, out)
	}
	if left, err := os.ReadDir(filepath.Join(s.rig.Home(), ".cache")); err != nil || len(left) > 0 {
		s.t.Errorf("README.md:%d: %s has left %v, %v", m.line, m.command, left, err)
	}
}
