//go:build linux

package slots

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rexwrap/rexwrap/client/clienttest"
	"github.com/rexwrap/rexwrap/integration/rig"
)

// bin holds rexwrap and rexd.
var bin string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "rexwrap-slots")
	if err == nil {
		defer func() { _ = os.RemoveAll(dir) }()
		bin = dir
		err = rig.Build(filepath.Join("..", ".."), dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// A build is a folder of sources that are compiled on a machine with a remote.
type build struct {
	*testing.T
	rig    *rig.Rig
	remote *clienttest.Server
	dir    string
	plain  []byte // the object of every source
}

// newBuild makes a build of sources with the given text. They are equal, so that
// one plain object tells all; -D tells the compiles apart.
func newBuild(t *testing.T, source string, set ...string) *build {
	t.Helper()
	// Here, not in TestMain: what is opened before a test runs is not remembered.
	if err := rig.TrackSources("../.."); err != nil {
		t.Fatal(err)
	}
	base := t.TempDir()
	b := &build{T: t, remote: clienttest.New(t, clienttest.Options{}), dir: filepath.Join(base, "src")}
	machine := filepath.Join(base, "m")
	for _, dir := range []string{machine, filepath.Join(b.dir, ".git")} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	var err error
	if b.rig, err = rig.New(bin, machine); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.rig.Close)
	b.rig.Set = append([]string{"REXWRAP_REMOTE=" + b.remote.Address}, set...)
	if err := os.WriteFile(filepath.Join(b.dir, "x.c"), []byte(source), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := rig.Settle(); err != nil {
		t.Fatal(err)
	}
	cmd := b.command("plain", 0)
	cmd.Path, cmd.Args = "/usr/bin/gcc", cmd.Args[1:]
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	b.plain = b.object("plain", 0)
	return b
}

// command is the nth compile; outputs of compiles of one prefix differ.
func (b *build) command(prefix string, n int) *exec.Cmd {
	cmd := exec.Command(filepath.Join(bin, "rexwrap"), "gcc", "-O2", fmt.Sprint("-DN=", n), "-c", "x.c", "-o", fmt.Sprint(prefix, n, ".o"))
	cmd.Dir, cmd.Env = b.dir, b.rig.Env()
	return cmd
}

func (b *build) object(prefix string, n int) []byte {
	b.Helper()
	data, err := os.ReadFile(filepath.Join(b.dir, fmt.Sprint(prefix, n, ".o")))
	if err != nil {
		b.Error(err)
	}
	return data
}

// compile runs n compiles, jobs of them at once, and checks what they leave.
// between is called after each with how many have ended. It returns when each
// ended, counted from the start, sorted.
func (b *build) compile(n, jobs int, between func(ended int)) []time.Duration {
	b.Helper()
	var all sync.WaitGroup
	var mu sync.Mutex
	var took []time.Duration
	begun := time.Now()
	next := make(chan int)
	for range jobs {
		all.Go(func() {
			for i := range next {
				out, err := b.command("x", i).CombinedOutput()
				if err != nil || len(out) > 0 {
					b.Errorf("compile %d: %v: %s", i, err, out)
				}
				mu.Lock()
				took = append(took, time.Since(begun))
				between(len(took))
				mu.Unlock()
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	all.Wait()
	for i := range n {
		if !bytes.Equal(b.object("x", i), b.plain) {
			b.Errorf("object %d differs from the plain compiler's", i)
		}
	}
	slices.Sort(took)
	return took
}

// slotFiles returns how many slots the server keeps.
func (b *build) slotFiles() int {
	b.Helper()
	found, err := filepath.Glob(filepath.Join(b.rig.Dir, "run", "rexwrap", "*.slot*"))
	if err != nil {
		b.Fatal(err)
	}
	return len(found)
}

// A census counts compilers that run in a directory; those of workers run in
// others.
type census struct {
	stop chan struct{}
	done chan struct{}
	most int
}

// countCompilers counts until the end of the census.
func countCompilers(dir string) *census {
	c := &census{stop: make(chan struct{}), done: make(chan struct{})}
	tick := time.NewTicker(5 * time.Millisecond)
	go func() {
		defer close(c.done)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				c.most = max(c.most, compilersIn(dir))
			case <-c.stop:
				return
			}
		}
	}()
	return c
}

// end returns how many ran at once at most.
func (c *census) end() int {
	close(c.stop)
	<-c.done
	return c.most
}

func compilersIn(dir string) (n int) {
	names, err := filepath.Glob("/proc/[0-9]*/comm")
	if err != nil {
		return 0
	}
	for _, name := range names {
		comm, err := os.ReadFile(name)
		if err != nil || strings.TrimSpace(string(comm)) != "cc1" {
			continue
		}
		if cwd, err := os.Readlink(filepath.Dir(name) + "/cwd"); err == nil && cwd == dir {
			n++
		}
	}
	return n
}

// slow is a source that takes a compiler a tenth of a second.
func slow() string {
	var b strings.Builder
	for i := range 20 {
		fmt.Fprintf(&b, "int f%d(int *p, int n) { int s = 0; for (int i = 0; i < n; i++) { s += p[i] * %d; p[i] ^= s; if (s > %d) s /= 3; } return s; }\n", i, i+3, i*7)
	}
	return b.String()
}
