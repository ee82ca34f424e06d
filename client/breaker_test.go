package client

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func failure(code codes.Code) *Error {
	return &Error{Endpoint: "grpc://x", cause: status.New(code, "test")}
}

func TestBreakerOpensAtOnceForADeadRemote(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b breaker
		if !b.failed(failure(codes.Unavailable), true, time.Second) {
			t.Fatal("it stayed closed")
		}
		err := b.admit()
		if !errors.Is(err, ErrOpen) || !errors.Is(err, ErrUnavailable) || IsRetryable(err) {
			t.Errorf("admit = %v", err)
		}
		<-time.After(2 * breakerFirst)
		if err := b.admit(); err != nil {
			t.Errorf("after the pause no call passes: %v", err)
		}
		if b.admit() == nil || b.refuses() == nil {
			t.Error("after the pause more than one call passes")
		}
		if !b.succeeded() || b.admit() != nil {
			t.Error("a success did not close it")
		}
	})
}

func TestBreakerPausesGrow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b breaker
		b.failed(failure(codes.Unavailable), true, time.Second)
		for want := 2 * breakerFirst; want <= breakerLast; want *= 2 {
			<-time.After(want) // longer than the pause with its jitter
			if err := b.admit(); err != nil {
				t.Fatalf("before the pause of %s: %v", want, err)
			}
			b.failed(failure(codes.Unavailable), true, time.Second)
			if b.pause != want {
				t.Fatalf("pause %s, want %s", b.pause, want)
			}
			b.failed(failure(codes.Unavailable), true, time.Second) // a call that was under way
			if b.pause != want {
				t.Fatalf("a late failure made the pause %s", b.pause)
			}
		}
	})
}

func TestBreakerCounts(t *testing.T) {
	for _, test := range []struct {
		code  codes.Code
		opens int // after so many failures, 0 for never
	}{
		{codes.Unavailable, breakerFailures},
		{codes.DeadlineExceeded, breakerTimeouts},
		{codes.Unauthenticated, 1},
		{codes.NotFound, 0},
		{codes.ResourceExhausted, 0},
		{codes.Internal, 0},
		{codes.PermissionDenied, 0},
	} {
		var b breaker
		opened := 0
		for i := 1; i <= 10 && opened == 0; i++ {
			if b.failed(failure(test.code), false, time.Second) {
				opened = i
			}
		}
		if opened != test.opens {
			t.Errorf("%s: opened after %d failures, want %d", test.code, opened, test.opens)
		}
	}
}

// A busy remote, or a busy machine, lets single calls time out.
func TestBreakerStaysClosedWhileOthersSucceed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b breaker
		const patience = 10 * time.Second
		b.succeeded()
		<-time.After(patience - time.Millisecond)
		if b.failed(failure(codes.DeadlineExceeded), false, patience) || b.admit() != nil {
			t.Error("it opened although a call has succeeded while this one waited")
		}
		<-time.After(time.Millisecond)
		if !b.failed(failure(codes.DeadlineExceeded), false, patience) || b.admit() == nil {
			t.Error("it stayed closed although no call has succeeded while this one waited")
		}
	})
}

func TestPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p pace
		start := time.Now()
		if err := p.wait(t.Context()); err != nil || time.Since(start) != 0 {
			t.Errorf("a fresh pace waits %s, %v", time.Since(start), err)
		}
		p.slower()
		p.slower() // of the same exhaustion
		if err := p.wait(t.Context()); err != nil || time.Since(start) > 2*paceFirst || time.Since(start) < paceFirst/2 {
			t.Errorf("it waits %s, %v, want about %s", time.Since(start), err, paceFirst)
		}
		p.slower()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := p.wait(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("wait under a cancelled context = %v", err)
		}
	})
}

func TestBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBudget()
		spend := func() bool {
			<-time.After(time.Millisecond)
			return b.spend(time.Now())
		}
		n := 0
		for spend() {
			n++
		}
		if n != budgetMax {
			t.Errorf("%d retries, want %d", n, budgetMax)
		}
		for range 11 {
			b.earn()
		}
		if !spend() || spend() {
			t.Error("eleven calls did not earn one retry")
		}
	})
}

func TestCallsThatFailTogetherCostOneRetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBudget()
		began := time.Now()
		<-time.After(time.Second)
		for range 10 * budgetMax {
			if !b.spend(began) {
				t.Fatal("the budget is used up")
			}
		}
		if b.tokens != budgetMax-1 {
			t.Errorf("%v tokens are left", b.tokens)
		}
	})
}
