//go:build unix

package wrapper

import (
	"bytes"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/rexwrap/rexwrap/wrapper/endpoint"
	"github.com/rexwrap/rexwrap/wrapper/wire"
)

// slots makes n slot files, as a server would that has a remote.
func (f *fixture) slots(n int) endpoint.Place {
	f.Helper()
	p := endpoint.Place{Socket: f.dir + "/s"}
	for i := range n {
		f.write("s.slot"+strconv.Itoa(i), "")
	}
	return p
}

// take takes a slot as another wrapper would.
func (f *fixture) take(p endpoint.Place) *endpoint.Slot {
	f.Helper()
	slot, _ := p.TrySlot()
	if slot == nil {
		f.Fatal("no slot is free")
	}
	return slot
}

// counting is a compiler that notes how many of it run. A directory is made by
// one process only.
const counting = `n=0; while ! mkdir "run$n" 2>/dev/null; do n=$((n+1)); done
echo $n >> seen; sleep 0.02; rmdir "run$n"`

// TestSlots starts many wrappers at once, with and without a server: never more
// compilers than slots.
func TestSlots(t *testing.T) {
	for name, script := range map[string]func(p *peer){
		"no server": nil,
		"aside":     func(p *peer) { p.send(&wire.StepAside{Reason: "test"}) },
		"run": func(p *peer) {
			p.send(p.asIs())
			p.receive(&wire.Ran{})
			p.send(&wire.Done{})
			p.receive(&wire.Committed{})
		},
		"killed while it runs": func(p *peer) { p.send(p.asIs()) },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.compiler("cc", counting)
			f.slots(2)
			if script != nil {
				f.serveCalls(script)
			}
			const n = 20
			var running [n]*exec.Cmd
			for i := range running {
				running[i] = f.command("rexwrap", "cc", "-c", "x.c")
				if err := running[i].Start(); err != nil {
					t.Fatal(err)
				}
			}
			for _, cmd := range running {
				if err := cmd.Wait(); err != nil {
					t.Error(err)
				}
			}
			seen := strings.Fields(f.text("seen"))
			if len(seen) != n {
				t.Errorf("%d compiles, want %d", len(seen), n)
			}
			for _, s := range seen {
				if s != "0" && s != "1" {
					t.Errorf("compiler number %s beside others", s)
				}
			}
		})
	}
}

// TestSlotHeld checks how long a compiler has its slot, and what it is told.
func TestSlotHeld(t *testing.T) {
	f := newFixture(t)
	p := f.slots(1)
	f.compiler("cc", `echo "in slot: $REXWRAP_SLOT"; read x; exit 3`)
	cmd := f.command("rexwrap", "cc", "-c", "x.c")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 100)
	if n, err := out.Read(buf); err != nil || string(buf[:n]) != "in slot: 1\n" {
		t.Errorf("read %q, %v", buf[:n], err)
	}
	if slot, _ := p.TrySlot(); slot != nil {
		t.Error("the slot is free while the compiler runs")
	}
	if got := f.text("s.slot0"); got != strconv.Itoa(cmd.Process.Pid)+"\n" {
		t.Errorf("signed %q", got)
	}
	in.Close()
	if err := cmd.Wait(); cmd.ProcessState.ExitCode() != 3 {
		t.Error(err)
	}
	f.take(p).Release()
}

// TestSlotReleased is for a process that outlives its compiler: the slot does
// not stay with it.
func TestSlotReleased(t *testing.T) {
	f := newFixture(t)
	p := f.slots(1)
	f.compiler("cc", `sleep 600 </dev/null >/dev/null 2>&1 & echo $! > sleeper`)
	f.serveCalls(func(p *peer) {
		p.send(p.asIs())
		p.receive(&wire.Ran{})
		p.send(&wire.Done{})
		p.receive(&wire.Committed{})
	})
	f.want(f.wrap("rexwrap", "cc", "-c", "x.c"), result{})
	f.take(p).Release()
	if n, ok := decimal(strings.TrimSpace(f.text("sleeper"))); ok {
		_ = syscall.Kill(n, syscall.SIGKILL)
	}
}

// TestNoSlotNeeded is for compilers that must not wait while all slots are
// taken.
func TestNoSlotNeeded(t *testing.T) {
	f := newFixture(t)
	p := f.slots(1)
	f.compiler("cc", `echo "in slot: $REXWRAP_SLOT"`)
	defer f.take(p).Release()
	f.want(f.wrap("rexwrap", "cc", "-c", "-x", "c", "-"), result{stdout: "in slot: \n"})
	if err := syscall.Mkfifo(f.dir+"/fifo", 0o600); err != nil {
		t.Fatal(err)
	}
	f.want(f.wrap("rexwrap", "cc", "-E", "x.c", "-o", "fifo"), result{stdout: "in slot: \n"})
	f.env = append(f.env, "REXWRAP_SLOT=1")
	f.want(f.wrap("rexwrap", "cc", "-c", "x.c"), result{stdout: "in slot: 1\n"})
}

func TestNoSlotFiles(t *testing.T) {
	f := newFixture(t)
	f.compiler("cc", `echo "in slot: $REXWRAP_SLOT"`)
	f.want(f.wrap("rexwrap", "cc", "-c", "x.c"), result{stdout: "in slot: \n"})
	if f.text("s.queue") != "-" {
		t.Error("a queue for nothing")
	}
}

// waiting starts a wrapper that waits for a slot; the queue shows that it does.
func (f *fixture) waiting(p endpoint.Place, out *bytes.Buffer) *exec.Cmd {
	f.Helper()
	cmd := f.command("rexwrap", "cc", "-c", "x.c")
	cmd.Stdout = out
	if err := cmd.Start(); err != nil {
		f.Fatal(err)
	}
	queue, err := p.OpenQueue()
	if err != nil {
		f.Fatal(err)
	}
	defer queue.Close()
	for queue.TryEnter() {
		queue.Close()
		if queue, err = p.OpenQueue(); err != nil {
			f.Fatal(err)
		}
	}
	return cmd
}

// TestSlotsGone takes the files away from under a waiting wrapper: no limit is
// left to wait for.
func TestSlotsGone(t *testing.T) {
	f := newFixture(t)
	p := f.slots(1)
	f.compiler("cc", `echo ran`)
	defer f.take(p).Release()
	var out bytes.Buffer
	cmd := f.waiting(p, &out)
	if err := os.Remove(p.SlotFile(0)); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil || out.String() != "ran\n" {
		t.Errorf("%q, %v", out.String(), err)
	}
}

// TestSlotsStuck is for slots that never change hands.
func TestSlotsStuck(t *testing.T) {
	f := newFixture(t)
	f.limits = hasty
	p := f.slots(2)
	f.compiler("cc", `echo ran`)
	defer f.take(p).Release()
	defer f.take(p).Release()
	queue, err := p.OpenQueue()
	if err != nil || !queue.TryEnter() {
		t.Fatal(err)
	}
	defer queue.Close()
	f.want(f.wrap("rexwrap", "cc", "-c", "x.c"), result{stdout: "ran\n"}) // not even the queue moves
	queue.Close()
	f.want(f.wrap("rexwrap", "cc", "-c", "x.c"), result{stdout: "ran\n"})
}

// TestSlotsOfTheHolder is for a build whose own place is not where the server
// was that had the cache.
func TestSlotsOfTheHolder(t *testing.T) {
	f := newFixture(t)
	f.compiler("cc", `echo "in slot: $REXWRAP_SLOT"`)
	f.write("other.slot0", "")
	f.write("cache/lock", f.dir+"/other\n")
	f.want(f.wrap("rexwrap", "cc", "-c", "x.c"), result{stdout: "in slot: 1\n"})
}
