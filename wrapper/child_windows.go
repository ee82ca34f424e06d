package wrapper

import (
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/rexwrap/rexwrap/wrapper/endpoint"
	"github.com/rexwrap/rexwrap/wrapper/proc"
	"github.com/rexwrap/rexwrap/wrapper/wire"
)

// end returns the exit status of the compiler: nothing dies by a signal here.
func (o *outcome) end() int { return int(o.Status) }

// A child is a compiler that runs under our eyes. A goroutine for each of its
// streams passes on what comes.
type child struct {
	streams []*stream
	readers sync.WaitGroup
	killed  atomic.Bool // Ctrl-C, which the compiler has got as well

	mu      sync.Mutex // guards the capture
	capture capture
}

// runChild runs the compiler as run says: stdin is ours, stdout and stderr are
// passed on as they come and kept. It has the slot, which may be nil, until it
// ends. An error means that it was not started.
func runChild(s *session, run *wire.Run, slot *endpoint.Slot) (*outcome, error) {
	if slot != nil {
		defer slot.Release()
	}
	c := &child{}
	theirs, err := c.plumb(s.frame, run)
	if err != nil {
		return nil, err
	}
	env := s.env.with(run.Env...)
	if slot != nil {
		env = env.with(inSlot)
	}
	unwatch := proc.Watch(endings(), func(syscall.Signal) { c.killed.Store(true) })
	defer unwatch()
	begin := monotonic()
	p, err := startProcess(run.Program, run.Argv, env, [3]*os.File{os.Stdin, theirs[0], theirs[1]})
	for _, f := range theirs {
		_ = f.Close() // where both are one the second time fails
	}
	if err != nil {
		c.close()
		return nil, err
	}
	job := confine(run, p)
	for _, st := range c.streams {
		c.readers.Go(func() { c.pass(st) })
	}
	state, err := p.Wait()
	job.end()
	if err != nil {
		c.close()
		return nil, err
	}
	o := c.outcome(state)
	o.WallTime = (monotonic() - begin) / 1000
	c.drain(s.limits)
	o.Chunks, o.Truncated = c.capture.chunks, c.capture.truncated
	return o, nil
}

// endings are what people end a compiler with: Ctrl-C, Ctrl-Break, and closing the
// console.
func endings() []syscall.Signal { return []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} }

func (c *child) outcome(state *os.ProcessState) *outcome {
	return &outcome{Ran: wire.Ran{
		Status: uint32(state.ExitCode()), Killed: c.killed.Load(),
		UserTime: state.UserTime().Microseconds(), SysTime: state.SystemTime().Microseconds(),
	}}
}

// drain waits until what the compiler has written is passed on. A process that
// outlives it and holds the pipes (a type server) is not waited for.
func (c *child) drain(limits limits) {
	for _, st := range c.streams {
		_ = st.pipe.SetReadDeadline(time.Now().Add(milliseconds(limits.drain)))
	}
	done := make(chan struct{})
	go func() {
		c.readers.Wait()
		close(done)
	}()
	for {
		select {
		case <-done:
			c.close()
			return
		case <-time.After(milliseconds(limits.signal)):
			if c.killed.Load() { // and nobody reads any more
				c.mu.Lock()
				c.capture.drop()
				c.mu.Unlock()
				c.close()
				return
			}
		}
	}
}

func milliseconds(n int) time.Duration { return time.Duration(n) * time.Millisecond }

func (c *child) close() {
	for _, st := range c.streams {
		_ = st.pipe.Close()
	}
}

// pass passes on what comes through st until its end.
func (c *child) pass(st *stream) {
	defer st.pipe.Close()
	buf := make([]byte, 32<<10)
	for {
		n, err := st.pipe.Read(buf)
		if n > 0 && !c.take(st, buf[:n]) {
			return
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			c.passRest(st, buf)
		}
		if err != nil {
			break
		}
	}
	if st.filter != nil {
		c.say(st, st.filter.rest())
	}
}

// passRest passes on what the pipe holds, once the compiler has ended: a slow
// reader may have kept us from it.
func (c *child) passRest(st *stream, buf []byte) {
	left, err := st.available()
	if err != nil || st.pipe.SetReadDeadline(time.Time{}) != nil {
		return
	}
	for left > 0 {
		n, err := st.pipe.Read(buf[:min(left, len(buf))])
		if err != nil || !c.take(st, buf[:n]) {
			return
		}
		left -= n
	}
}

func (c *child) take(st *stream, data []byte) bool {
	if st.filter != nil {
		data = st.filter.take(data)
	}
	return c.say(st, data)
}

// say keeps data and writes it to where the compiler would have written it. It
// reports false where nobody reads it: the pipe is closed then, so that the
// compiler learns of it as it would have.
func (c *child) say(st *stream, data []byte) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.capture.add(st.to, data)
	err := writeStream(st.to, data)
	if err == nil || errors.Is(err, errorInvalidHandle) {
		return true // without a handle nobody was meant to read
	}
	c.capture.drop()
	return false
}

const errorInvalidHandle = syscall.Errno(6)
