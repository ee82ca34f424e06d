package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"google.golang.org/grpc"
)

// Invoke implements grpc.ClientConnInterface: one call with all its tries.
func (c *Conn) Invoke(ctx context.Context, method string, args, reply any, opts ...grpc.CallOption) error {
	if err := c.admit(method); err != nil {
		return err
	}
	renewed := false
	for try := 0; ; try++ {
		began := time.Now()
		err := c.try(ctx, method, args, reply, opts)
		if err == nil {
			if try == 0 {
				c.budget.earn()
			}
			return nil
		}
		if !renewed && c.renew(err, began) {
			renewed = true
			continue
		}
		if try+1 >= c.tries || ctx.Err() != nil || !c.again(err, began) || sleep(ctx, retryDelay(try)) != nil {
			c.note(ctx, err)
			return err
		}
	}
}

// renew reports whether err, of a try that began then, may be cured by fresh
// credentials.
func (c *Conn) renew(err error, began time.Time) bool {
	if c.helper == nil || !errors.Is(err, ErrUnauthenticated) {
		return false
	}
	c.helper.forget(began)
	return true
}

func (c *Conn) try(ctx context.Context, method string, args, reply any, opts []grpc.CallOption) error {
	if err := c.pace.wait(ctx); err != nil {
		return c.translate(method, err)
	}
	ctx, cancel := context.WithTimeout(c.metadata.attach(ctx, c.headers), c.timeout)
	defer cancel()
	return c.leave(c.translate(method, c.cc.Invoke(ctx, method, args, reply, opts...)))
}

// admit returns why a call may not start.
func (c *Conn) admit(method string) error {
	err := c.breaker.admit()
	if err == nil {
		return nil
	}
	err.Method = shortMethod(method)
	return err
}

// leave takes notice of how a try ended.
func (c *Conn) leave(err error) error {
	switch {
	case err == nil:
		c.pace.faster()
		c.alive()
	case errors.Is(err, ErrExhausted):
		c.pace.slower()
	case IsRetryable(err), errors.Is(err, ErrUnauthenticated), errors.Is(err, context.Canceled):
	default:
		c.alive() // it answered
	}
	return err
}

func (c *Conn) alive() {
	if c.breaker.succeeded() {
		c.notify(fmt.Sprintf("%s: is back", c.address))
	}
}

// note tells the breaker of a call that failed for good. A caller who gave up
// says nothing about the remote.
func (c *Conn) note(ctx context.Context, err error) {
	var e *Error
	if !errors.As(err, &e) || gaveUp(ctx) {
		return
	}
	if c.breaker.failed(e, c.dead(), c.timeout) {
		c.notify(e.Error())
	}
}

// early is how much before the caller a server may think that the caller's
// deadline has passed, of which it was told (casd).
const early = 100 * time.Millisecond

// gaveUp reports whether ctx ended, or is as good as ended.
func gaveUp(ctx context.Context) bool {
	deadline, ok := ctx.Deadline()
	return ctx.Err() != nil || (ok && time.Until(deadline) < early)
}

// NewStream implements grpc.ClientConnInterface. A stream is not retried: see
// Retry. It must be received from to its end, or ctx be cancelled. It fails
// when it waits for the server for as long as a call may take, unless ctx is
// made by Unhurried.
func (c *Conn) NewStream(ctx context.Context, desc *grpc.StreamDesc, method string, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	if err := c.admit(method); err != nil {
		return nil, err
	}
	if err := c.pace.wait(ctx); err != nil {
		return nil, c.translate(method, err)
	}
	s := &stream{conn: c, caller: ctx, method: method, single: !desc.ServerStreams}
	streamCtx, cancel := context.WithCancelCause(c.metadata.attach(ctx, c.headers))
	s.cancel = cancel
	cc := c.long
	if ctx.Value(unhurriedKey{}) == nil {
		cc = c.cc
		s.watchdog = time.AfterFunc(c.timeout, func() { cancel(errStalled) })
	}
	inner, err := cc.NewStream(streamCtx, desc, method, opts...)
	if err != nil {
		return nil, s.end(streamCtx, err)
	}
	s.rest()
	s.ClientStream = inner
	return s, nil
}

var errStalled = errors.New("stream stalled")

type unhurriedKey struct{}

// Unhurried returns a context whose streams may be silent for any time, up to
// the deadline that ctx should have.
func Unhurried(ctx context.Context) context.Context {
	return context.WithValue(ctx, unhurriedKey{}, true)
}

// A stream watches over a stream of gRPC and translates its errors.
type stream struct {
	grpc.ClientStream
	conn     *Conn
	caller   context.Context
	method   string
	single   bool // the server answers once
	cancel   context.CancelCauseFunc
	watchdog *time.Timer // nil for unhurried streams
}

// SendMsg implements grpc.ClientStream. io.EOF means that the server has ended
// the stream: RecvMsg says why.
func (s *stream) SendMsg(m any) error {
	s.watch()
	err := s.ClientStream.SendMsg(m)
	s.rest()
	if err == nil || errors.Is(err, io.EOF) {
		return err
	}
	return s.end(s.Context(), err)
}

// RecvMsg implements grpc.ClientStream.
func (s *stream) RecvMsg(m any) error {
	s.watch()
	err := s.ClientStream.RecvMsg(m)
	s.rest()
	switch {
	case err == nil && !s.single:
		return nil
	case err == nil:
		return s.end(s.Context(), nil)
	case errors.Is(err, io.EOF):
		_ = s.end(s.Context(), nil)
		return err
	default:
		return s.end(s.Context(), err)
	}
}

// watch and rest enclose what waits for the server: what the caller does
// between, on a machine that may be busy, is not the server's time.
func (s *stream) watch() {
	if s.watchdog != nil {
		s.watchdog.Reset(s.conn.timeout)
	}
}

func (s *stream) rest() {
	if s.watchdog != nil {
		s.watchdog.Stop()
	}
}

// end stops the watch and tells the connection how the stream ended.
func (s *stream) end(ctx context.Context, err error) error {
	s.rest()
	if err != nil && errors.Is(context.Cause(ctx), errStalled) {
		err = context.DeadlineExceeded
	}
	s.cancel(nil)
	err = s.conn.leave(s.conn.translate(s.method, err))
	s.conn.note(s.caller, err)
	return err
}
