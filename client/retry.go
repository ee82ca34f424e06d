package client

import (
	"context"
	"errors"
	"sync"
	"time"
)

// A budget bounds retries in relation to calls: an outage must not multiply
// the load. Each call that succeeds at once earns a tenth of a retry.
type budget struct {
	mu     sync.Mutex
	tokens float64
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

func (b *budget) spend() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.tokens < 1 {
		return false
	}
	b.tokens--
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
		err := f(ctx)
		if err == nil || try+1 >= c.tries || !c.again(err) || ctx.Err() != nil {
			return err
		}
		if sleep(ctx, retryDelay(try)) != nil {
			return err
		}
	}
}

// again reports whether the connection affords another try after err. A call
// that has waited for its whole time is not repeated, nor one that found
// nobody to connect to. An exhausted remote is waited for by the pace, which
// costs no budget.
func (c *Conn) again(err error) bool {
	if !IsRetryable(err) || errors.Is(err, ErrTimeout) || c.dead() {
		return false
	}
	return errors.Is(err, ErrExhausted) || c.budget.spend()
}
