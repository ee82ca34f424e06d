//go:build linux

package slots

import (
	"syscall"
	"testing"

	"github.com/rexwrap/rexwrap/integration/rig"
	"github.com/rexwrap/rexwrap/localserver/parity"
)

const localJobs = 2

// TestOutage kills what carries a build, in the middle of it: the build ends with
// the plain objects, and this machine has no more compilers at once than it may.
func TestOutage(t *testing.T) {
	for name, kill := range map[string]func(b *build){
		"remote": func(b *build) { b.remote.Stop() },
		"server": func(b *build) { b.kill() },
		"both": func(b *build) {
			b.remote.Stop()
			b.kill()
		},
	} {
		for _, strategy := range []string{"remote", "auto"} {
			if !rig.Long() && name+strategy != "serverauto" && name+strategy != "bothremote" {
				continue
			}
			t.Run(name+" "+strategy, func(t *testing.T) {
				b := newBuild(t, slow(), "REXWRAP_STRATEGY="+strategy, "REXWRAP_LOCAL_JOBS=2", "REXWRAP_REMOTE_JOBS=4")
				count := countCompilers(b.dir)
				b.compile(14, 10, func(ended int) {
					if ended == 3 {
						kill(b)
					}
				})
				most := count.end()
				if most > localJobs || most == 0 {
					t.Errorf("%d compilers at once, want at most %d", most, localJobs)
				}
				if n := b.slotFiles(); n != localJobs {
					t.Errorf("%d slot files", n)
				}
			})
		}
	}
}

func (b *build) kill() {
	if err := b.rig.Signal(syscall.SIGKILL); err != nil {
		b.Error(err)
	}
}

// TestDeadFromTheStart is for a remote that nobody has ever reached.
func TestDeadFromTheStart(t *testing.T) {
	b := newBuild(t, slow(), "REXWRAP_LOCAL_JOBS=2")
	b.remote.Stop()
	count := countCompilers(b.dir)
	b.compile(8, 8, func(int) {})
	if most := count.end(); most > localJobs || most == 0 {
		t.Errorf("%d compilers at once, want at most %d", most, localJobs)
	}
}

// TestNoRemote: without a remote, how many run at once is the build's business.
func TestNoRemote(t *testing.T) {
	b := newBuild(t, slow(), "REXWRAP_LOCAL_JOBS=1", "REXWRAP_REMOTE=none")
	count := countCompilers(b.dir)
	b.compile(6, 6, func(int) {})
	if most := count.end(); most < 2 {
		t.Errorf("%d compilers at once of 6 jobs", most)
	}
	if n := b.slotFiles(); n != 0 {
		t.Errorf("%d slot files", n)
	}
}

// TestMany has very many compiles under way at once: none is left behind.
func TestMany(t *testing.T) {
	n := 60
	if rig.Long() {
		n = 1000
	}
	for _, strategy := range []string{"remote", "auto", "race"} {
		t.Run(strategy, func(t *testing.T) {
			b := newBuild(t, "int x;\n", "REXWRAP_STRATEGY="+strategy, "REXWRAP_LOCAL_JOBS=2", "REXWRAP_REMOTE_JOBS=8")
			if out, err := b.command("first", n).CombinedOutput(); err != nil { // starts the server, proves the worker
				t.Fatalf("%v: %s", err, out)
			}
			took := b.compile(n, n, func(int) {})
			median, p99 := took[n/2], took[n*99/100]
			if p99 > 3*median {
				t.Errorf("the 99th percentile %v is above 3 times the median %v", p99, median)
			}
			st, err := b.rig.Stats()
			if err != nil {
				t.Fatal(err)
			}
			// Workers on a machine that starts a thousand processes may be
			// too slow to count as alive; then the compiler runs here.
			t.Logf("%d at once, %d fell back: median %v, 99th percentile %v, last %v", n, st.FellBack, median, p99, took[n-1])
			if st.Remotely+st.Executed+st.FellBack != int64(n+1) || st.Errors+st.SteppedAside > 0 {
				t.Errorf("%+v", st)
			}
			// Now and then a result is compiled here too, to be compared.
			if strategy == "remote" && st.Executed > int64(1+n/parity.RecheckEvery) {
				t.Errorf("%d compiles ran here", st.Executed)
			}
		})
	}
}
