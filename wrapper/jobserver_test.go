//go:build unix

package wrapper

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/rexwrap/rexwrap/wrapper/wire"
)

// A pool is a jobserver with a number of tokens in it.
type tokens struct {
	*fixture
	r, w *os.File
}

// fifo makes a pool as make 4.4 does.
func (f *fixture) fifo(content string) *tokens {
	f.Helper()
	path := f.dir + "/fifo"
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		f.Fatal(err)
	}
	both, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { both.Close() })
	f.env = append(f.env, "MAKEFLAGS= -j4 --jobserver-auth=fifo:"+path)
	p := &tokens{f, both, both}
	p.put(content)
	return p
}

func (p *tokens) put(content string) {
	p.Helper()
	if _, err := p.w.WriteString(content); err != nil {
		p.Fatal(err)
	}
}

// take returns what is in the pool once at least n tokens are.
func (p *tokens) take(n int) string {
	p.Helper()
	buf := make([]byte, 100)
	got, err := p.r.Read(buf)
	for got < n && err == nil {
		var more int
		more, err = p.r.Read(buf[got:])
		got += more
	}
	if err != nil {
		p.Fatal(err)
	}
	return string(buf[:got])
}

// away tells the wrapper that a worker has its call, and waits until the token
// is in the pool; script goes on from there.
func (f *fixture) away(pool *tokens, script func(p *peer)) {
	f.Helper()
	f.serveCalls(func(p *peer) {
		p.send(&wire.Away{})
		p.send(&wire.Away{})
		if got := pool.take(1); got != "+" {
			f.Errorf("lent %q", got)
		}
		script(p)
	})
}

// TestLend checks that the token is lent while a worker has the call, and taken
// back before the wrapper ends, however it ends.
func TestLend(t *testing.T) {
	for name, tt := range map[string]struct {
		script func(p *peer)
		runs   int
	}{
		"done": {func(p *peer) {
			p.send(&wire.Done{})
			p.receive(&wire.Committed{})
		}, 0},
		"step aside": {func(p *peer) { p.send(&wire.StepAside{Reason: "test"}) }, 1},
		"run": {func(p *peer) {
			p.send(p.asIs())
			p.receive(&wire.Ran{}) // without a token
			p.send(&wire.Done{})
			p.receive(&wire.Committed{})
		}, 1},
		"broken": {func(*peer) {}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			pool := f.fifo("")
			ended := make(chan struct{})
			f.away(pool, func(p *peer) {
				tt.script(p)
				close(ended)
			})
			cmd := f.command("rexwrap", "cc", "-c", "x.c")
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			<-ended
			if err := cmd.Process.Signal(syscall.Signal(0)); err != nil {
				t.Errorf("ended without its token: %v", err)
			}
			pool.put("+") // another job ends
			if err := cmd.Wait(); err != nil {
				t.Error(err)
			}
			pool.put(".")
			if got := pool.take(1); got != "." || f.runs() != tt.runs {
				t.Errorf("%q is left; compiler ran %d times", got, f.runs())
			}
		})
	}
}

// TestLendOthers is for a pool whose tokens are told apart: each stays in it.
func TestLendOthers(t *testing.T) {
	f := newFixture(t)
	pool := f.fifo("")
	f.away(pool, func(p *peer) {
		pool.put("ab")
		p.send(&wire.Done{})
		p.receive(&wire.Committed{})
		pool.put("+")
	})
	f.want(f.wrap("rexwrap", "cc", "-c", "x.c"), result{})
	if got := pool.take(2); got != "ab" && got != "ba" {
		t.Errorf("%q is left", got)
	}
}

// TestLendLost is for a token that never comes back: the build goes on.
func TestLendLost(t *testing.T) {
	f := newFixture(t)
	f.limits = hasty
	pool := f.fifo("")
	f.away(pool, func(p *peer) {
		p.send(&wire.Done{Status: 4})
		p.receive(&wire.Committed{})
	})
	f.want(f.wrap("rexwrap", "cc", "-c", "x.c"), result{status: 4})
}

// TestNothingToLend is for variables that lead to no jobserver, or to something
// else that has its descriptors' numbers.
func TestNothingToLend(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	other, file, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	defer file.Close()
	log, err := os.Create(t.TempDir() + "/log")
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	number := func(f *os.File) string { return strconv.Itoa(int(f.Fd())) }
	for _, flags := range []string{
		"", "-j4", "--jobserver-auth=", "--jobserver-auth=3", "--jobserver-auth=-2,-2", "--jobserver-auth=0,1",
		"--jobserver-auth=" + number(w) + "," + number(r),
		"--jobserver-auth=" + number(r) + "," + number(file),
		"--jobserver-auth=" + number(r) + "," + number(log),
		"--jobserver-auth=" + number(log) + "," + number(log),
		"--jobserver-auth=" + number(r) + ",999999",
		"--jobserver-auth=fifo:/nonexistent", "--jobserver-auth=fifo:" + log.Name(), "--jobserver-auth=fifo:/dev/null",
		"--jobserver-auth=" + number(r) + "," + number(w) + " --jobserver-auth=fifo:",
	} {
		if pool := findJobserver(flags); pool != nil {
			t.Errorf("%q: %+v", flags, pool)
		}
	}
	for _, flags := range []string{
		"w -j4 --jobserver-auth=" + number(r) + "," + number(w),
		" --jobserver-fds=" + number(r) + "," + number(w) + " -j",
	} {
		if pool := findJobserver(flags); pool == nil || pool.write != int(w.Fd()) {
			t.Errorf("%q: %+v", flags, pool)
		}
	}
}

// TestMake builds with the make at hand. A recipe that is marked as starting a
// make has the jobserver: then more calls are with workers at once than there
// are jobs, and make finds all its tokens at the end. Other recipes have not:
// then there are as many as jobs.
func TestMake(t *testing.T) {
	make4, err := exec.LookPath("make")
	if err != nil {
		t.Fatal(err)
	}
	const n = 6
	for mark, all := range map[string]bool{"+": true, "": false} {
		t.Run("recipe"+mark, func(t *testing.T) {
			f := newFixture(t)
			if err := os.Symlink(f.command("x").Path, f.dir+"/rexwrap"); err != nil {
				t.Fatal(err)
			}
			f.write("Makefile", "all: 1 2 3 4 5 6\n1 2 3 4 5 6:\n\t"+mark+"@"+f.dir+"/rexwrap cc -c $@.c\n")
			var mu sync.Mutex
			atOnce, most := 0, 0
			full := make(chan struct{})
			f.serveCalls(func(p *peer) {
				p.send(&wire.Away{})
				mu.Lock()
				atOnce++
				most = max(most, atOnce)
				if atOnce == n {
					close(full)
				}
				mu.Unlock()
				if all {
					<-full
				} else {
					p.silence(20)
				}
				mu.Lock()
				atOnce--
				mu.Unlock()
				p.send(&wire.Done{})
				p.receive(&wire.Committed{})
			})
			cmd := f.command("make", "-j2")
			cmd.Path = make4
			got := f.finish(cmd)
			if got.status != 0 || strings.TrimSpace(got.stderr) != "" {
				t.Errorf("make: %+v", got)
			}
			if want := map[bool]int{true: n, false: 2}[all]; most != want {
				t.Errorf("%d calls at once, want %d", most, want)
			}
		})
	}
}
