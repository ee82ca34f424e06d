//go:build unix

package wrapper

import (
	"syscall"

	"github.com/rexwrap/rexwrap/wrapper/endpoint"
	"github.com/rexwrap/rexwrap/wrapper/proc"
	"github.com/rexwrap/rexwrap/wrapper/wire"
)

// end ends this process as the compiler ended; it returns an exit status where
// that was no death by a signal.
func (o *outcome) end() int {
	if o.Signal != 0 {
		dieBy(syscall.Signal(o.Signal))
		return statusSignalled + int(o.Signal)
	}
	return int(o.Status)
}

// A child is a compiler that runs under our eyes. One goroutine waits for its
// end and one receives signals; both only wake the one that does everything
// else, which is the caller of runChild.
type child struct {
	*plumbing
	capture
	limits limits
	pid    int

	wake    [2]int // a pipe
	ended   chan struct{}
	signals chan syscall.Signal

	// held is what lets the server end it without a trace, nil where the
	// server cannot, or what it has said is passed on.
	held      *hold
	cancelled bool // the server has ended it

	done     bool  // it has ended
	doneAt   int64 // then (monotonic)
	stop     syscall.Signal
	resendAt int64 // when stop is sent to it, 0 for never
	cut      bool  // stop came before the last of its output could be passed on
}

// runChild runs the compiler as run says: stdin is ours, stdout and stderr are
// passed on as they come (unless run holds them) and kept. It has the slot, which
// may be nil, until it ends. An error means that it was not started.
func runChild(s *session, run *wire.Run, slot *endpoint.Slot) (*outcome, error) {
	if slot != nil {
		slot.Inherit()
		defer slot.Release()
	}
	ends, err := plumb(s.frame, run)
	if err != nil {
		return nil, err
	}
	defer ends.close()
	ch := &child{
		plumbing: ends, limits: s.limits,
		ended: make(chan struct{}, 1), signals: make(chan syscall.Signal, 8),
	}
	if run.Hold && !ends.direct {
		ch.held = newHold(s)
		defer ch.held.close()
	}
	if ch.wake[0], ch.wake[1], err = pipe(); err != nil {
		return nil, err
	}
	defer ch.closeWake()
	if err := syscall.SetNonblock(ch.wake[0], true); err != nil {
		return nil, err
	}
	unwatch := ch.awaitSignals() // before there is a compiler that could outlive us
	begin := monotonic()
	env := s.env.with(run.Env...).with(ch.held.variables()...)
	if slot != nil {
		env = env.with(inSlot)
	}
	if ch.pid, err = forkExec(run, env, ends.out); err != nil {
		unwatch()
		return nil, err
	}
	ends.release()
	ch.awaitEnd()
	ch.watch()
	unwatch()
	ch.heed() // a signal that came with the end
	o := ch.reap()
	o.WallTime = (ch.doneAt - begin) / 1000
	return o, nil
}

func forkExec(run *wire.Run, env environ, out [2]int) (int, error) {
	attr := &syscall.ProcAttr{Env: env, Files: []uintptr{0, uintptr(out[0]), uintptr(out[1])}}
	pid, err := syscall.ForkExec(run.Program, run.Argv, attr)
	if err != nil {
		return 0, err
	}
	return pid, nil
}

// awaitEnd starts the goroutine that wakes watch when the compiler has ended.
func (c *child) awaitEnd() {
	go func() {
		awaitExit(c.pid)
		c.ended <- struct{}{}
		c.rouse()
	}()
}

// awaitSignals starts the goroutine that wakes watch when a signal comes; it
// ends with the process. After unwatch signals do what they do by default.
func (c *child) awaitSignals() (unwatch func()) {
	// What people and build tools end a compiler with.
	stops := []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT}
	return proc.Watch(stops, func(sig syscall.Signal) {
		select {
		case c.signals <- sig:
			c.rouse()
		default: // a flood; the first ones are being dealt with
		}
	})
}

func (c *child) rouse() { _, _ = syscall.Write(c.wake[1], []byte{0}) }

// closeWake leaves the writing end to the goroutines.
func (c *child) closeWake() { syscall.Close(c.wake[0]) }

// watch passes output on until the compiler has ended and its output has been
// read. A process that outlives the compiler and holds the pipe is not waited
// for: the shell would not have waited either.
func (c *child) watch() {
	for !c.cancelled && (!c.done || c.anyOpen() && !c.cut) {
		if c.held.pending() {
			c.hear()
			continue
		}
		fds, streams := c.pollSet()
		n := poll(fds, c.timeout())
		if n == 0 && c.done {
			break
		}
		c.resend()
		if n <= 0 {
			continue
		}
		for i, s := range streams {
			if fds[i+2].revents != 0 {
				c.read(s)
			}
		}
		if fds[0].revents != 0 {
			c.awake()
		}
		if fds[1].revents != 0 && c.held != nil {
			c.hear()
		}
	}
	for _, s := range c.streams {
		c.finish(s)
	}
}

func (c *child) anyOpen() bool {
	for _, s := range c.streams {
		if !s.closed {
			return true
		}
	}
	return false
}

func (c *child) pollSet() ([]pollFd, []*stream) {
	fds := []pollFd{{fd: int32(c.wake[0]), events: pollIn}, {fd: c.held.fd(), events: pollIn}}
	var streams []*stream
	for _, s := range c.streams {
		if !s.closed {
			fds = append(fds, pollFd{fd: int32(s.fd), events: pollIn})
			streams = append(streams, s)
		}
	}
	return fds, streams
}

// timeout is how long watch may sleep, in milliseconds; negative is for ever.
// After the compiler's end it counts down to 0, with which everything that was
// written by then is still read.
func (c *child) timeout() int {
	switch {
	case c.done:
		return max(0, c.limits.drain-int((monotonic()-c.doneAt)/1e6))
	case c.resendAt != 0:
		return max(1, int((c.resendAt-monotonic())/1e6))
	}
	return -1
}

// awake is called when something may have come through wake.
func (c *child) awake() {
	var buf [16]byte
	_, _ = syscall.Read(c.wake[0], buf[:]) // how many does not matter
	c.heed()
}

// heed takes what the goroutines have to tell.
func (c *child) heed() {
	select {
	case <-c.ended:
		c.done, c.doneAt = true, monotonic()
	default:
	}
	for {
		select {
		case sig := <-c.signals:
			c.told(sig)
		default:
			return
		}
	}
}

// told passes a signal on. What a terminal sends, it sends to the compiler as
// well, and a second one could catch it cleaning up; but it cannot be told from
// a kill of this process alone, so that the compiler gets it after a while.
func (c *child) told(sig syscall.Signal) {
	c.stop = sig
	if (sig == syscall.SIGINT || sig == syscall.SIGQUIT) && inForeground() {
		c.resendAt = monotonic() + int64(c.limits.signal)*1e6
		return
	}
	c.kill()
}

func (c *child) resend() {
	if c.resendAt != 0 && monotonic() >= c.resendAt {
		c.resendAt = 0
		c.kill()
	}
}

// kill is safe against a reused process number: the compiler is not reaped
// before reap.
func (c *child) kill() {
	if !c.done {
		_ = syscall.Kill(c.pid, c.stop)
	}
}

// read passes on what one read gives. On Linux the end of a terminal is EIO.
func (c *child) read(s *stream) {
	var buf [32 << 10]byte
	n, err := syscall.Read(s.fd, buf[:])
	switch {
	case err == syscall.EINTR || err == syscall.EAGAIN:
	case err != nil || n == 0:
		c.finish(s)
	case s.filter != nil:
		c.pass(s, s.filter.take(buf[:n]))
	default:
		c.pass(s, buf[:n])
	}
}

// finish closes a stream. What its filter held back was the compiler's own.
func (c *child) finish(s *stream) {
	if s.filter != nil {
		c.pass(s, s.filter.rest())
	}
	s.close()
}

// pass keeps data and, unless the compiler is held, writes it to where the
// compiler would have written it.
func (c *child) pass(s *stream, data []byte) {
	if c.held != nil && c.size+len(data) > wire.MaxStream {
		c.letGo()
	}
	c.add(s.to, data)
	if c.held == nil {
		c.forward(s, data)
	}
}

// forward writes what came through s. While a reader keeps us waiting (a pager) signals are still heard, and once
// the compiler has ended they cut its output short. Where nobody reads any more
// the stream is closed, so that the compiler learns of it as it would have.
func (c *child) forward(s *stream, data []byte) {
	for len(data) > 0 && !c.cut {
		switch c.await(s.to) {
		case canWrite:
			n, err := syscall.Write(s.to, data[:min(len(data), atomicWrite)])
			if err != nil && err != syscall.EINTR && err != syscall.EAGAIN {
				c.drop()
				s.close()
				return
			}
			data = data[max(n, 0):]
		case mustStop:
			c.drop()
			c.cut = true
		}
	}
}

// What await found.
type awaited int

const (
	nothingYet awaited = iota
	canWrite
	mustStop // the call was stopped and the output waits for its reader
)

// await waits until something can be written to fd or something else happens.
func (c *child) await(fd int) awaited {
	fds := []pollFd{{fd: int32(c.wake[0]), events: pollIn}, {fd: int32(fd), events: pollOut}}
	stopped := c.done && c.stop != 0
	n := poll(fds, c.passTimeout(stopped))
	c.resend()
	switch {
	case n < 0:
		return nothingYet
	case fds[1].revents != 0:
		return canWrite
	case stopped:
		return mustStop
	case fds[0].revents != 0:
		c.awake()
	}
	return nothingYet
}

// atomicWrite is as much as a pipe that poll calls writable takes without
// waiting (PIPE_BUF).
const atomicWrite = 4096

func (c *child) passTimeout(stopped bool) int {
	switch {
	case stopped:
		return 0
	case c.done:
		return -1
	}
	return c.timeout()
}

// reap collects the compiler and says how it ended.
func (c *child) reap() *outcome {
	if c.cancelled {
		return &outcome{Ran: wire.Ran{Cancelled: true, Killed: c.stop != 0, Signal: uint32(c.stop)}}
	}
	var status syscall.WaitStatus
	var usage syscall.Rusage
	for {
		_, err := syscall.Wait4(c.pid, &status, 0, &usage)
		if err != syscall.EINTR {
			break
		}
	}
	o := &outcome{kept: c.held != nil, Ran: wire.Ran{
		Chunks: c.chunks, Truncated: c.truncated || c.direct, Killed: c.stop != 0,
		UserTime: micros(usage.Utime), SysTime: micros(usage.Stime), MaxRSS: int64(usage.Maxrss) * rssUnit,
	}}
	switch {
	case status.Signaled():
		o.Signal = uint32(status.Signal())
	case c.cut: // without us, it would have had to wait, and got the signal
		o.Signal = uint32(c.stop)
	default:
		o.Status = uint32(status.ExitStatus())
	}
	for _, s := range c.streams {
		if f, ok := s.filter.(*headerFilter); ok {
			o.Headers = append(o.Headers, f.entries...)
		}
	}
	return o
}

func micros(t syscall.Timeval) int64 { return t.Nano() / 1000 }
