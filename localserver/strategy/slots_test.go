package strategy

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// many runs n copies of a task at once and returns how long each took, sorted.
func (b *bench) many(t *testing.T, n int, task *Task, legs Legs) ([]time.Duration, []Outcome) {
	t.Helper()
	took, outs := make([]time.Duration, n), make([]Outcome, n)
	begun := time.Now()
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			out, err := b.Run(t.Context(), task, legs)
			if err != nil {
				t.Error(err)
			}
			took[i], outs[i] = time.Since(begun), out
		})
	}
	all.Wait()
	slices.Sort(took)
	return took, outs
}

// The remote dies under a full build: no more local legs at once than slots.
func TestRemoteDies(t *testing.T) {
	for _, mode := range []Mode{ModeRemote, ModeAuto, ModeRace} {
		t.Run(string(mode), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(Options{LocalJobs: 3, RemoteJobs: 200})
				_, outs := b.many(t, 300, task(mode), Legs{b.local(time.Second, 0), b.remote(time.Minute, errDead)})
				if b.peak[Local] != 3 {
					t.Errorf("%d local legs at once, want 3", b.peak[Local])
				}
				if b.peak[Remote] > 200 {
					t.Errorf("%d remote legs at once", b.peak[Remote])
				}
				for _, out := range outs {
					if out.Leg != Local {
						t.Fatalf("%+v", out)
					}
				}
			})
		})
	}
}

// While all remote slots are taken, local ones are not left idle.
func TestAutoUsesBoth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(Options{LocalJobs: 2, RemoteJobs: 10})
		begun := time.Now()
		b.many(t, 120, task(ModeAuto), Legs{b.local(time.Second, 0), b.remote(time.Second, nil)})
		if b.peak[Local] != 2 || b.peak[Remote] != 10 {
			t.Errorf("peaks %v", b.peak)
		}
		if took := time.Since(begun); took != 10*time.Second {
			t.Errorf("took %v, want 10s", took)
		}
	})
}

func TestAutoPrefersTheFaster(t *testing.T) {
	for _, tt := range []struct {
		name          string
		local, remote time.Duration
		want          Leg
	}{
		{"local", time.Second, 3 * time.Second, Local},
		{"remote", 3 * time.Second, time.Second, Remote},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(Options{LocalJobs: 1, RemoteJobs: 1})
				legs := Legs{b.local(tt.local, 0), b.remote(tt.remote, nil)}
				for i := range 6 {
					out, err := b.Run(t.Context(), task(ModeAuto), legs)
					if err != nil {
						t.Fatal(err)
					}
					// The first two try each leg once.
					if i >= 2 && out.Leg != tt.want {
						t.Errorf("task %d ran %s", i, out.Leg)
					}
				}
			})
		})
	}
}

// A remote that stands still is noticed although it reports nothing.
func TestCongestion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(Options{LocalJobs: 1, RemoteJobs: 100})
		ctx := t.Context()
		now := time.Now()
		k := Kind{"gcc", 1000}
		b.Chooser.remote.learn(k, time.Second, now)
		b.Chooser.local.learn(k, 3*time.Second, now)
		stuck, err := b.acquire(ctx, &waiter{kind: k, remote: true})
		if err != nil {
			t.Fatal(err)
		}
		if leg := b.Chooser.better(k, time.Now()); leg != Remote {
			t.Errorf("at once: %s", leg)
		}
		<-time.After(2 * time.Second)
		if leg := b.Chooser.better(k, time.Now()); leg != Local {
			t.Errorf("after a stall: %s", leg)
		}
		b.release(stuck)
	})
}

// A slot goes to those who need it before those who only hope for it.
func TestSpareComesLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(Options{LocalJobs: 1, RemoteJobs: 10})
		var order []string
		leg := func(name string, d time.Duration) func(context.Context, bool) (Cost, error) {
			return func(ctx context.Context, _ bool) (Cost, error) {
				order = append(order, name)
				<-time.After(d)
				return Cost{}, nil
			}
		}
		var all sync.WaitGroup
		start := func(name string, task *Task, remote func(context.Context) error) {
			all.Go(func() {
				if _, err := b.Run(t.Context(), task, Legs{leg(name, time.Second), remote}); err != nil {
					t.Error(err)
				}
			})
			synctest.Wait()
		}
		start("first", task(ModeLocal), nil)
		start("racing", task(ModeRace), b.remote(time.Hour, nil))
		start("fallen back", task(ModeRace), b.remote(time.Millisecond, errDead))
		start("last", task(ModeLocal), nil)
		all.Wait()
		if want := []string{"first", "fallen back", "last", "racing"}; !slices.Equal(order, want) {
			t.Errorf("order %q, want %q", order, want)
		}
	})
}

func TestMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b *bench
		total := int64(250)
		free := func() (int64, bool) { // compiles grow evenly to 100 bytes in a second
			rest := total
			for g := range b.running[Local] {
				rest -= int64(100 * time.Since(g.since).Seconds())
			}
			return rest, true
		}
		b = newBench(Options{LocalJobs: 8, RemoteJobs: 1, FreeMemory: free})
		legs := Legs{Local: b.local(time.Second, 0)}
		if _, err := b.Run(t.Context(), task(ModeLocal), legs); err != nil {
			t.Fatal(err)
		}
		b.many(t, 10, task(ModeLocal), legs)
		if b.peak[Local] != 2 {
			t.Errorf("%d at once, memory is for 2", b.peak[Local])
		}
		total = 0
		begun := time.Now()
		b.many(t, 3, task(ModeLocal), legs)
		if took := time.Since(begun); took != 3*time.Second {
			t.Errorf("without memory 3 compiles took %v, want one after another", took)
		}
	})
}

// Memory that others give back is noticed.
func TestMemoryRetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var free atomic.Int64
		b := newBench(Options{LocalJobs: 2, RemoteJobs: 1, FreeMemory: func() (int64, bool) { return free.Load(), true }})
		b.memory.learn(Kind{"gcc", 1000}, 100)
		time.AfterFunc(time.Second, func() { free.Store(1000) })
		b.many(t, 2, task(ModeLocal), Legs{Local: b.local(time.Minute, 0)})
		if b.peak[Local] != 2 {
			t.Errorf("%d at once", b.peak[Local])
		}
	})
}

func TestFreeMemory(t *testing.T) {
	free, known := FreeMemory()
	if known && (free < 1<<20 || free > 1<<50) {
		t.Errorf("FreeMemory() = %d", free)
	}
}

func TestCancel(t *testing.T) {
	gone := errors.New("wrapper is gone")
	for _, mode := range []Mode{ModeLocal, ModeRemote, ModeRace, ModeAuto} {
		t.Run(string(mode), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(Options{LocalJobs: 1, RemoteJobs: 1})
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				var all sync.WaitGroup
				for range 3 { // two of them wait
					all.Go(func() {
						_, err := b.Run(ctx, task(mode), Legs{b.local(time.Hour, 0), b.remote(time.Hour, nil)})
						if !errors.Is(err, gone) {
							t.Errorf("err = %v", err)
						}
					})
				}
				<-time.After(time.Second)
				cancel(gone)
				all.Wait()
				if b.Load() != (Load{}) {
					t.Errorf("left behind: %+v", b.Load())
				}
			})
		})
	}
}

// A leg that has ended when it is told to stop has won.
func TestBothAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(Options{LocalJobs: 1, RemoteJobs: 1})
		local := func(ctx context.Context, _ bool) (Cost, error) {
			<-ctx.Done()
			return Cost{}, nil
		}
		out, err := b.Run(t.Context(), task(ModeRace), Legs{local, b.remote(time.Second, nil)})
		if err != nil || out.Leg != Local {
			t.Errorf("%+v, %v", out, err)
		}
	})
}

func TestResize(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(Options{LocalJobs: 1, RemoteJobs: 1})
		time.AfterFunc(2500*time.Millisecond, func() { b.Resize(4, 1) })
		took, _ := b.many(t, 7, task(ModeLocal), Legs{Local: b.local(time.Second, 0)})
		if b.peak[Local] != 4 || took[6] != 4*time.Second {
			t.Errorf("peak %d, took %v", b.peak[Local], took)
		}
	})
}

// A thousand misses at once: all are answered, and none waits much longer than
// the others, although one worker in twenty hangs.
func TestThousand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(Options{LocalJobs: 2, RemoteJobs: 200})
		n := 0
		remote := func(ctx context.Context) error {
			b.mu.Lock()
			n++
			d := time.Second
			if n%20 == 0 {
				d = time.Hour
			}
			b.mu.Unlock()
			return b.remote(d, nil)(ctx)
		}
		took, _ := b.many(t, 1000, task(ModeAuto), Legs{b.local(100*time.Millisecond, 0), remote})
		median, p99 := took[500], took[990]
		if p99 > 3*median {
			t.Errorf("median %v, 99th %v", median, p99)
		}
		t.Logf("median %v, 99th %v, last %v", median, p99, took[999])
	})
}
