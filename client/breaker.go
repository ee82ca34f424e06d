package client

import (
	"errors"
	"math/rand/v2"
	"sync"
	"time"
)

// How the breaker reacts. A remote that cannot be connected to, that does not
// know us, or that lets a call wait for its whole time is left alone at once;
// one that says that it is unavailable, after a few times in a row. Each time
// it is found dead again it is left alone twice as long.
const (
	breakerFailures = 4
	breakerTimeouts = 1
	breakerFirst    = time.Second
	breakerLast     = time.Minute
)

// A breaker spares callers the wait for a remote that is known to be dead. It
// is safe for concurrent use. The zero breaker is closed: it lets calls pass.
type breaker struct {
	mu       sync.Mutex
	failures int       // in a row
	timeouts int       // in a row
	heard    time.Time // when a call last succeeded
	cause    *Error    // nil while closed
	pause    time.Duration
	until    time.Time
	probed   bool // a call has passed since the pause began
}

// admit returns the reason why a call is refused, or nil. While the breaker is
// open one call passes at the end of each pause, to see whether the remote is
// back.
func (b *breaker) admit() *Error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.cause == nil {
		return nil
	}
	if now := time.Now(); !now.Before(b.until) {
		b.until, b.probed = now.Add(b.pause), true
		return nil
	}
	return b.refusal()
}

// refuses is admit for callers who do not call now: it lets nothing pass that
// others then must wait for.
func (b *breaker) refuses() *Error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.cause == nil || !time.Now().Before(b.until) {
		return nil
	}
	return b.refusal()
}

func (b *breaker) refusal() *Error {
	refused := *b.cause
	refused.open = true
	return &refused
}

// succeeded closes the breaker and reports whether it was open.
func (b *breaker) succeeded() (closed bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	closed = b.cause != nil
	b.heard = time.Now()
	b.failures, b.timeouts, b.cause, b.pause, b.probed = 0, 0, nil, 0, false
	return closed
}

// failed counts a call that failed of err, the last of its tries. dead says
// that there is no connection. patience is how long a call may take: where
// another has succeeded while one timed out, the remote or this machine is busy,
// not dead. failed reports whether err opened the breaker.
func (b *breaker) failed(err *Error, dead bool, patience time.Duration) (opened bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	final := dead
	switch {
	case errors.Is(err, ErrUnauthenticated):
		final = true
	case errors.Is(err, ErrTimeout):
		if !dead && time.Since(b.heard) < patience {
			return false
		}
		b.timeouts++
	case errors.Is(err, ErrUnavailable):
		b.failures++
	default:
		return false
	}
	if b.cause != nil { // one that started before the breaker opened, or the probe
		if b.probed {
			b.open(err)
		}
		return false
	}
	if !final && b.failures < breakerFailures && b.timeouts < breakerTimeouts {
		return false
	}
	if errors.Is(err, ErrUnauthenticated) {
		b.pause = breakerLast
	}
	b.open(err)
	return true
}

func (b *breaker) open(err *Error) {
	b.pause = min(max(2*b.pause, breakerFirst), breakerLast)
	b.until = time.Now().Add(jitter(b.pause))
	b.cause, b.probed = err, false
}

// jitter returns a random duration between 3/4 and 5/4 of d.
func jitter(d time.Duration) time.Duration {
	return d*3/4 + rand.N(d/2+1)
}
