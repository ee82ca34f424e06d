//go:build linux

package faults

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rexwrap/rexwrap/integration/rig"
)

// The server dies at any point of a build, with an empty and with a full cache.
func TestServerKilled(t *testing.T) {
	s := newSite(t)
	random := seeded(t)
	start := time.Now()
	s.wrapped("undisturbed", s.rig.Env())
	longest := min(time.Since(start), time.Second)
	for i := range points(4, 100) {
		if i%2 == 0 {
			if _, err := s.rig.Verb("cache", "clear"); err != nil {
				t.Fatal(err)
			}
		}
		s.clean()
		after := time.Duration(random.Int64N(int64(longest)))
		j := s.make(s.rig.Env(), "rexwrap gcc")
		<-time.After(after)
		killed := s.servers()
		for _, p := range killed {
			_ = syscall.Kill(p.Pid, syscall.SIGKILL) // may be gone
		}
		j.wait().wantStatus(t, 0)
		// Its socket takes connections until the last of its threads is gone,
		// long after its command line is.
		s.eventually("a killed server goes on", func() bool {
			return !slices.ContainsFunc(killed, rig.Process.Alive)
		})
		s.check(fmt.Sprintf("server killed after %v", after))
	}
	s.usable("servers killed")
	s.noStrays()
}

// The server is told to stop, and the cache is emptied, while a build runs.
func TestServerToldToStop(t *testing.T) {
	s := newSite(t)
	random := seeded(t)
	s.wrapped("undisturbed", s.rig.Env())
	for i := range points(3, 100) {
		s.clean()
		j := s.make(s.rig.Env(), "rexwrap gcc")
		<-time.After(time.Duration(random.Int64N(int64(200 * time.Millisecond))))
		verb := []string{"server", "stop"}
		if i%3 == 2 {
			verb = []string{"cache", "clear"}
		}
		if _, err := s.rig.Verb(verb...); err != nil {
			t.Error(err)
		}
		j.wait().wantStatus(t, 0)
		s.check(strings.Join(verb, " "))
	}
	s.usable("after servers were told to stop")
	s.noStrays()
}

// servers are the rig's running servers.
func (s *site) servers() []rig.Process {
	var found []rig.Process
	for _, p := range s.rig.Processes() {
		if strings.Contains(p.Command, "rexd") {
			found = append(found, p)
		}
	}
	return found
}

// Wrappers die at any point: make stops there as with any killed compiler, and
// the next make ends with the plain objects.
func TestWrapperKilled(t *testing.T) {
	s := newSite(t)
	random := seeded(t)
	s.wrapped("undisturbed", s.rig.Env())
	for i := range points(4, 100) {
		if i%2 == 0 {
			if _, err := s.rig.Verb("cache", "clear"); err != nil {
				t.Fatal(err)
			}
		}
		s.clean()
		j := s.make(s.rig.Env(), "rexwrap gcc")
		<-time.After(time.Duration(random.Int64N(int64(200 * time.Millisecond))))
		for _, p := range s.rig.Processes() {
			if strings.HasPrefix(p.Command, "rexwrap gcc") {
				_ = syscall.Kill(p.Pid, syscall.SIGKILL)
			}
		}
		j.wait()
		s.noStrays()
		s.eventually("temp files are left: "+strings.Join(s.temps(), " "), func() bool { return len(s.temps()) == 0 })
		s.build(s.rig.Env(), "rexwrap gcc").wantStatus(t, 0)
		s.check("after wrappers were killed")
	}
	s.usable("wrappers killed")
}

// temps are the temp files in the project's folder.
func (s *site) temps() []string {
	found, err := filepath.Glob(filepath.Join(s.dir, ".rexwrap-*"))
	if err != nil {
		s.t.Fatal(err)
	}
	return found
}

// The compiler's processes die: what is said and left is what there is without
// rexwrap, and nothing is stored.
func TestCompilerKilled(t *testing.T) {
	for _, flags := range []string{"", "-pipe"} {
		for name, victims := range map[string][]string{"cc1": {"cc1"}, "all": {"gcc", "as", "cc1"}} {
			t.Run(strings.TrimSpace(name+" "+flags), func(t *testing.T) {
				s := newSite(t)
				writeSlow(t, s.dir)
				argv := strings.Fields("gcc -O2 " + flags + " -c slow.c")
				plain := s.killed(s.bare(), victims, argv)
				left := s.objects()
				_ = os.Remove(filepath.Join(s.dir, "slow.o"))
				got := s.killed(s.rig.Env(), victims, append([]string{"rexwrap"}, argv...))
				if p, g := plain.cmd.ProcessState.String(), got.cmd.ProcessState.String(); p != g {
					t.Errorf("%s, want %s", g, p)
				}
				if p, g := plain.output.String(), got.output.String(); p != g {
					t.Errorf("output %q, want %q", g, p)
				}
				s.noStrays()
				for name := range s.objects() {
					if _, ok := left[name]; !ok {
						t.Errorf("%s was left", name)
					}
				}
				if d := s.stats(); d.HitsLocal != 0 || d.BytesStored != 0 {
					t.Errorf("something was stored: %+v", d)
				}
				_ = os.Remove(filepath.Join(s.dir, "slow.o"))
				s.remove("slow.c")
				s.usable("compiler killed")
			})
		}
	}
}

// killed runs a compile of slow.c and kills some of its processes, in their order, as
// soon as cc1 is there, and the assembler where a pipe leads to it: without its
// driver that would leave what it makes of nothing.
func (s *site) killed(env []string, victims, argv []string) *job {
	s.t.Helper()
	j := s.start(env, argv...)
	s.eventually("no compiler to kill", func() bool {
		found := s.compilers()
		if len(found["cc1"]) == 0 || len(found["as"]) == 0 && slices.Contains(argv, "-pipe") {
			return false
		}
		for _, victim := range victims {
			for _, pid := range found[victim] {
				_ = syscall.Kill(pid, syscall.SIGKILL)
			}
		}
		return true
	})
	return j.wait()
}

// compilers are the rig's running compiler processes by name.
func (s *site) compilers() map[string][]int {
	found := map[string][]int{}
	for _, p := range s.rig.Processes() {
		program, _, _ := strings.Cut(p.Command, " ")
		name := filepath.Base(program)
		found[name] = append(found[name], p.Pid)
	}
	return found
}

// writeSlow writes a source that takes seconds to compile.
func writeSlow(t *testing.T, dir string) {
	t.Helper()
	var b strings.Builder
	for i := range 3000 {
		fmt.Fprintf(&b, "int f%d(int *p, int n) { for (int i = 0; i < n; i++) p[i] = p[i] * %d + (p[i] >> 3); return p[n / 2]; }\n", i, i)
	}
	if err := os.WriteFile(filepath.Join(dir, "slow.c"), []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

func (s *site) remove(name string) {
	s.t.Helper()
	if err := os.Remove(filepath.Join(s.dir, name)); err != nil {
		s.t.Fatal(err)
	}
}

// A signal to the whole group, as from Ctrl-C, ends everything.
func TestInterrupted(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		t.Run(sig.String(), func(t *testing.T) {
			s := newSite(t)
			writeSlow(t, s.dir)
			s.interrupt(sig, s.bare(), "gcc", "-O2", "-MD", "-c", "slow.c")
			plain := s.objects()
			got := s.interrupt(sig, s.rig.Env(), "rexwrap", "gcc", "-O2", "-MD", "-c", "slow.c")
			for _, d := range plain.Diff(s.objects()) {
				t.Error(d)
			}
			if ws := got.cmd.ProcessState.Sys().(syscall.WaitStatus); !ws.Signaled() || ws.Signal() != sig {
				t.Errorf("%v, want death by %v", got.cmd.ProcessState, sig)
			}
			s.noStrays()
		})
	}
}

// interrupt runs a compile and signals its group when cc1 is at work.
func (s *site) interrupt(sig syscall.Signal, env []string, argv ...string) *job {
	s.t.Helper()
	j := s.start(env, argv...)
	s.eventually("no compiler to interrupt", func() bool {
		return len(s.compilers()["cc1"]) > 0 && syscall.Kill(-j.cmd.Process.Pid, sig) == nil
	})
	return j.wait()
}

// A server that is stopped, not dead: wrappers give up and compile; when it goes
// on it changes nothing of what they have made.
func TestServerStopped(t *testing.T) {
	s := newSite(t)
	s.wrapped("undisturbed", s.rig.Env())
	if err := s.rig.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	s.wrapped("server stopped", s.rig.Env())
	for _, p := range s.servers() {
		if err := syscall.Kill(p.Pid, syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.rig.Server(); err != nil {
		t.Fatal(err)
	}
	s.check("server goes on")
	s.eventually("temp files are left", func() bool { return len(s.temps()) == 0 })
}

// A server that stops while a compile waits for it must not plant an old object
// over that of a newer source.
func TestServerStoppedDuringCompile(t *testing.T) {
	s := newSite(t)
	s.wrapped("undisturbed", s.rig.Env())
	for range points(2, 20) {
		s.clean()
		j := s.make(s.rig.Env(), "rexwrap gcc")
		for _, p := range s.servers() {
			_ = syscall.Kill(p.Pid, syscall.SIGSTOP)
		}
		j.wait().wantStatus(t, 0)
		s.check("stopped during the build")
		for _, p := range s.servers() {
			_ = syscall.Kill(p.Pid, syscall.SIGCONT)
		}
		if _, err := s.rig.Server(); err != nil {
			t.Fatal(err)
		}
		s.check("server goes on")
	}
}
