package strategy

import (
	"context"
	"errors"
	"time"
)

// A contest is one task on its way to an answer.
type contest struct {
	chooser *Chooser
	task    *Task
	legs    Legs
	begun   time.Time
	out     Outcome
}

// localOnly runs the local leg, which nothing stops but ctx.
func (x *contest) localOnly(ctx context.Context) (Outcome, error) {
	g, err := x.chooser.acquire(ctx, &waiter{kind: x.task.Kind, local: true})
	if err != nil {
		return x.out, err
	}
	return x.localIn(ctx, g)
}

func (x *contest) localIn(ctx context.Context, g *grant) (Outcome, error) {
	x.out.Waited = g.since.Sub(x.begun)
	err := x.runLocal(ctx, g, false)
	return x.out, err
}

// auto waits for a slot of either leg.
func (x *contest) auto(ctx context.Context) (Outcome, error) {
	g, err := x.chooser.acquire(ctx, &waiter{kind: x.task.Kind, local: true, remote: true})
	if err != nil {
		return x.out, err
	}
	if g.leg == Local {
		return x.localIn(ctx, g)
	}
	if !x.task.Stoppable {
		return x.both(ctx, g, onFailure)
	}
	return x.both(ctx, g, whenLate)
}

// joining says when the local leg joins a remote one. It always does when that
// has failed.
type joining uint8

const (
	onFailure joining = iota
	whenLate
	atOnce
)

// both runs the remote leg, in the slot g where there is one already, and the
// local one where it has to join.
func (x *contest) both(ctx context.Context, g *grant, join joining) (Outcome, error) {
	local, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	w := &waiter{kind: x.task.Kind, local: true, spare: true}
	remote := x.startRemote(ctx, g, func(err error) {
		if err == nil {
			stop(ErrLost)
		} else {
			x.chooser.press(w)
		}
	})
	err := x.joinLocal(local, remote, w, join)
	remote.stop()
	<-remote.done
	return x.settle(remote, err)
}

// joinLocal waits until the local leg has to join and has a slot, and runs it.
func (x *contest) joinLocal(ctx context.Context, remote *remoteLeg, w *waiter, join joining) error {
	late, err := x.awaitTurn(ctx, remote, join)
	if err != nil {
		return err
	}
	g, err := x.chooser.acquire(ctx, w)
	if err != nil {
		return err
	}
	if ctx.Err() != nil { // both were ready
		x.chooser.release(g)
		return context.Cause(ctx)
	}
	x.out.Late, x.out.Waited = late, g.since.Sub(x.begun)
	return x.runLocal(ctx, g, !remote.hasFailed())
}

// awaitTurn returns when the local leg has to join. late is set where that is
// because the remote one takes long, which is judged by what is known by then.
func (x *contest) awaitTurn(ctx context.Context, remote *remoteLeg, join joining) (late bool, err error) {
	if join == atOnce {
		return false, nil
	}
	var due <-chan time.Time
	if join == whenLate {
		ticker := time.NewTicker(patienceStep)
		defer ticker.Stop()
		due = ticker.C
	}
	begun := time.Now()
	for {
		select {
		case <-remote.failed:
			return false, nil
		case now := <-due:
			if now.Sub(begun) >= x.chooser.patience(x.task.Kind, now) {
				return true, nil
			}
		case <-ctx.Done():
			return false, context.Cause(ctx)
		}
	}
}

// runLocal runs the local leg in the slot g.
func (x *contest) runLocal(ctx context.Context, g *grant, stoppable bool) error {
	defer x.chooser.release(g)
	begun := time.Now()
	cost, err := x.legs.Local(ctx, stoppable)
	if err != nil {
		return err
	}
	x.chooser.learnLocal(x.task.Kind, cost, time.Since(begun))
	x.out.Leg = Local
	return nil
}

// settle says how a contest ended whose local part ended with err.
func (x *contest) settle(remote *remoteLeg, err error) (Outcome, error) {
	if waited := remote.since.Sub(x.begun); !remote.since.IsZero() {
		if x.out.Leg != Local || waited < x.out.Waited {
			x.out.Waited = waited
		}
	}
	if remote.hasFailed() {
		x.out.Trouble = remote.err
	}
	if errors.Is(err, ErrLost) {
		x.out.Leg, err = Remote, nil
	}
	return x.out, err
}

// A remoteLeg is the remote part of a contest, on a goroutine of its own.
type remoteLeg struct {
	stop   context.CancelFunc
	failed chan struct{} // closed where it failed without having been stopped
	done   chan struct{} // closed at its end
	since  time.Time     // when it got its slot; to be read after its end
	err    error         // likewise
}

// startRemote starts the remote leg; ended is told how it ended.
func (x *contest) startRemote(ctx context.Context, g *grant, ended func(error)) *remoteLeg {
	r := &remoteLeg{failed: make(chan struct{}), done: make(chan struct{})}
	ctx, r.stop = context.WithCancel(ctx)
	go func() {
		defer close(r.done)
		r.err = x.runRemote(ctx, g, r)
		if r.err != nil && ctx.Err() == nil {
			close(r.failed)
		}
		ended(r.err)
	}()
	return r
}

func (r *remoteLeg) hasFailed() bool {
	select {
	case <-r.failed:
		return true
	default:
		return false
	}
}

// runRemote learns nothing of a leg that was stopped: if it did, the patience
// with those that hang would grow with each of them.
func (x *contest) runRemote(ctx context.Context, g *grant, r *remoteLeg) error {
	if g == nil {
		var err error
		if g, err = x.chooser.acquire(ctx, &waiter{kind: x.task.Kind, remote: true}); err != nil {
			return err
		}
	}
	defer x.chooser.release(g)
	r.since = g.since
	begun := time.Now()
	err := x.legs.Remote(ctx)
	if err == nil {
		x.chooser.learnRemote(x.task.Kind, time.Since(begun))
	}
	return err
}
