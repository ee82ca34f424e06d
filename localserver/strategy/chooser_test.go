package strategy

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A bench is a Chooser with scripted legs that counts what runs.
type bench struct {
	*Chooser
	mu         sync.Mutex
	busy, peak [Remote + 1]int
	calls      [Remote + 1]int
}

func newBench(o Options) *bench { return &bench{Chooser: New(o)} }

func (b *bench) enter(l Leg) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.calls[l]++
	b.busy[l]++
	b.peak[l] = max(b.peak[l], b.busy[l])
}

func (b *bench) leave(l Leg) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.busy[l]--
}

// local takes d; when it is stopped its process tree dies within dying.
func (b *bench) local(d, dying time.Duration) func(context.Context, bool) (Cost, error) {
	return func(ctx context.Context, stoppable bool) (Cost, error) {
		b.enter(Local)
		defer b.leave(Local)
		select {
		case <-time.After(d):
			return Cost{Wall: d, MaxRSS: 100}, nil
		case <-ctx.Done():
			if context.Cause(ctx) == ErrLost && !stoppable {
				panic("stopped what cannot be stopped")
			}
			<-time.After(dying)
			return Cost{}, context.Cause(ctx)
		}
	}
}

// remote takes d and ends with err.
func (b *bench) remote(d time.Duration, err error) func(context.Context) error {
	return func(ctx context.Context) error {
		b.enter(Remote)
		defer b.leave(Remote)
		select {
		case <-time.After(d):
			return err
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

var errDead = errors.New("remote is dead")

func task(mode Mode) *Task {
	return &Task{Mode: mode, Kind: Kind{"gcc", 1000}, Remotable: true, Stoppable: true}
}

func TestModes(t *testing.T) {
	const s = time.Second
	for _, tt := range []struct {
		name          string
		task          Task
		local, remote time.Duration
		err           error // of the remote leg
		want          Outcome
		took          time.Duration
	}{
		{"local", Task{Mode: ModeLocal, Remotable: true}, s, s, nil, Outcome{Leg: Local}, s},
		{"not remotable", Task{Mode: ModeRemote}, s, s, nil, Outcome{Leg: Local}, s},
		{"not remotable race", Task{Mode: ModeRace, Stoppable: true}, s, s, nil, Outcome{Leg: Local}, s},
		{"remote", *task(ModeRemote), s, 3 * s, nil, Outcome{Leg: Remote}, 3 * s},
		{"fallback", *task(ModeRemote), s, 3 * s, errDead, Outcome{Leg: Local, Trouble: errDead}, 4 * s},
		{"race, local first", *task(ModeRace), s, 3 * s, nil, Outcome{Leg: Local}, s},
		{"race, remote first", *task(ModeRace), 3 * s, s, nil, Outcome{Leg: Remote}, s + s/10},
		{"race, remote fails", *task(ModeRace), 3 * s, s, errDead, Outcome{Leg: Local, Trouble: errDead}, 3 * s},
		{"race, unstoppable", Task{Mode: ModeRace, Remotable: true}, s, 3 * s, nil, Outcome{Leg: Remote}, 3 * s},
		{"auto, nothing known", *task(ModeAuto), s, 3 * s, nil, Outcome{Leg: Remote}, 3 * s},
		{"auto, remote hangs", *task(ModeAuto), s, time.Hour, nil, Outcome{Leg: Local, Late: true}, maxPatience + s},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(Options{LocalJobs: 1, RemoteJobs: 1})
				begun := time.Now()
				out, err := b.Run(t.Context(), &tt.task, Legs{b.local(tt.local, s/10), b.remote(tt.remote, tt.err)})
				if err != nil {
					t.Fatal(err)
				}
				if took := time.Since(begun); out != tt.want || took != tt.took {
					t.Errorf("got %+v after %v, want %+v after %v", out, took, tt.want, tt.took)
				}
				if b.Load() != (Load{}) || b.busy != [Remote + 1]int{} {
					t.Errorf("left behind: %+v, %v", b.Load(), b.busy)
				}
			})
		})
	}
}
