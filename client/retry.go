package client

import (
	"context"
	"errors"
	"sync"
	"time"
)

// A budget bounds retries in relation to calls: an outage must not multiply
// the load. Each call that succeeds at once earns a tenth of a retry. Calls that
// fail together, as they do when a connection breaks under them, are one
// failure.
type budget struct {
	mu     sync.Mutex
	tokens float64
	spent  time.Time // last
}

const (
	budgetMax  = 20
	budgetEarn = 0.1
)

func newBudget() *budget { return &budget{tokens: budgetMax} }

func (b *budget) earn() {
	b.mu.Lock()
	b.tokens = min(b.tokens+budgetEarn, budgetMax)
	b.mu.Unlock()
}

// spend reports whether a call that began then may be tried again.
func (b *budget) spend(began time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if began.Before(b.spent) {
		return true
	}
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	b.spent = time.Now()
	return true
}

// Delays between tries: doubled each time, with jitter.
const (
	backoffFirst = 20 * time.Millisecond
	backoffLast  = 2 * time.Second
)

func retryDelay(try int) time.Duration {
	return jitter(min(backoffFirst<<min(try, 10), backoffLast))
}

// Retry calls f until it succeeds, fails of something that trying again does
// not cure, or the tries or the connection's budget of retries are used up. It
// is for streams, which the connection cannot repeat by itself; other calls
// are retried already. f must be idempotent, and may keep state between tries,
// such as how far it came.
func (c *Conn) Retry(ctx context.Context, f func(context.Context) error) error {
	for try := 0; ; try++ {
		began := time.Now()
		err := f(ctx)
		if err == nil || try+1 >= c.tries || !c.again(err, began) || ctx.Err() != nil {
			return err
		}
		if sleep(ctx, retryDelay(try)) != nil {
			return err
		}
	}
}

// again reports whether the connection affords another try after err, of which
// one failed that began then. A call
// that has waited for its whole time is not repeated, nor one that found
// nobody to connect to. An exhausted remote is waited for by the pace, which
// costs no budget.
func (c *Conn) again(err error, began time.Time) bool {
	if !IsRetryable(err) || errors.Is(err, ErrTimeout) || c.dead() {
		return false
	}
	return errors.Is(err, ErrExhausted) || c.budget.spend(began)
}
