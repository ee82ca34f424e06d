package localserver

import (
	"context"
	"errors"
	"net"
	"os"
	"sync"
	"time"

	"github.com/rexwrap/rexwrap/localserver/materialize"
	"github.com/rexwrap/rexwrap/wrapper/wire"
)

const (
	// pulse is the time between two heartbeats; the wrapper gives up after
	// several have failed to come.
	pulse = time.Second
	// writeLimit bounds how long a wrapper that does not read holds us up.
	writeLimit = 10 * time.Second
	// commitLimit bounds the wait for a wrapper to rename its files. A
	// wrapper that is stopped for longer finds its temp files gone and
	// compiles by itself.
	commitLimit = time.Minute
)

var errProtocol = errors.New("unexpected frame")

// A conversation is one call's connection. It implements pipeline.Conversation.
// Heartbeats come from the pulse of the server, everything else from the one
// goroutine that serves the connection.
type conversation struct {
	conn   net.Conn
	frames *wire.Reader
	// ending is called when the wrapper may end soon.
	ending func()

	mu      sync.Mutex
	gone    func(error) // is told that the wrapper is gone
	ran     bool        // Run was called
	waiting bool        // the server works and the wrapper waits
	begun   time.Time
	temps   []string
}

func newConversation(conn net.Conn, frames *wire.Reader, ending func()) *conversation {
	return &conversation{conn: conn, frames: frames, ending: ending, waiting: true, begun: time.Now(), gone: func(error) {}}
}

// watched returns a context that ends when a heartbeat finds the wrapper gone.
func (c *conversation) watched(ctx context.Context) (context.Context, context.CancelCauseFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gone = cancel
	return ctx, cancel
}

// errGone is the cause of the end of a call whose wrapper has died.
var errGone = errors.New("wrapper is gone")

// beat sends a heartbeat if the wrapper has been waiting for long enough. A
// wrapper that is only slow to read shows when the next frame is written.
func (c *conversation) beat(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.waiting || now.Sub(c.begun) < pulse/2 {
		return
	}
	_ = c.conn.SetWriteDeadline(now.Add(pulse / 2))
	if err := wire.Write(c.conn, &wire.Heartbeat{}); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		c.gone(errGone)
	}
}

// send writes m. waiting says whether the wrapper waits for another frame
// after it.
func (c *conversation) send(m wire.Message, waiting bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waiting, c.begun = waiting, time.Now()
	if err := c.conn.SetWriteDeadline(c.begun.Add(writeLimit)); err != nil {
		return err
	}
	return wire.Write(c.conn, m)
}

// StepAside implements pipeline.Conversation.
func (c *conversation) StepAside(reason, arg string) error {
	c.ending()
	return c.send(&wire.StepAside{Reason: reason, Arg: arg}, false)
}

// Run implements pipeline.Conversation. A compile takes as long as it takes: the
// wrapper's death ends the wait.
func (c *conversation) Run(ctx context.Context, m *wire.Run) (*wire.Ran, error) {
	c.mu.Lock()
	c.ran = true
	c.mu.Unlock()
	if err := c.send(m, false); err != nil {
		return nil, err
	}
	if m.Hold {
		defer context.AfterFunc(ctx, c.cancel)()
	}
	if err := c.conn.SetReadDeadline(time.Time{}); err != nil {
		return nil, err
	}
	ran := &wire.Ran{}
	if err := c.receive(ran); err != nil {
		return nil, err
	}
	c.ending()
	c.mu.Lock()
	c.waiting, c.begun = true, time.Now()
	c.mu.Unlock()
	return ran, nil
}

// cancel ends a run, unless its end is known already. That the wrapper is gone is
// found out by who waits for it.
func (c *conversation) cancel() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.waiting {
		_ = c.conn.SetWriteDeadline(time.Now().Add(writeLimit))
		_ = wire.Write(c.conn, &wire.Cancel{})
	}
}

// Away implements pipeline.Conversation. That the wrapper is gone shows when the
// next frame is written.
func (c *conversation) Away() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.ran {
		_ = c.conn.SetWriteDeadline(time.Now().Add(pulse / 2))
		_ = wire.Write(c.conn, &wire.Away{})
	}
}

// Prepare implements pipeline.Conversation.
func (c *conversation) Prepare(temps []string) error {
	c.temps = append(c.temps, temps...)
	return c.send(&wire.Prepare{Temps: temps}, true)
}

// Done implements pipeline.Conversation. Temp files that the wrapper has not
// renamed are removed, as it may be gone.
func (c *conversation) Done(m *wire.Done) error {
	c.ending()
	err := c.send(m, false)
	if err == nil {
		err = c.conn.SetReadDeadline(time.Now().Add(commitLimit))
	}
	if err == nil {
		err = c.receive(&wire.Committed{})
	}
	if err != nil {
		materialize.Remove(c.temps)
	}
	return err
}

func (c *conversation) receive(m wire.Message) error {
	typ, payload, err := c.frames.Next()
	if err != nil {
		return err
	}
	if typ != m.Type() {
		return errProtocol
	}
	return wire.Decode(payload, m)
}
