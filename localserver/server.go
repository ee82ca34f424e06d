package localserver

import (
	"bytes"
	"context"
	"errors"
	"net"
	"runtime/debug"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/rexwrap/rexwrap/localserver/admin"
	"github.com/rexwrap/rexwrap/localserver/bug"
	"github.com/rexwrap/rexwrap/localserver/pipeline"
	"github.com/rexwrap/rexwrap/wrapper/endpoint/listen"
	"github.com/rexwrap/rexwrap/wrapper/wire"
)

// The causes of a Server's end by itself: a time without calls, or a socket
// that was removed under it.
var (
	ErrIdle = errors.New("idle")
	ErrLost = errors.New("socket was removed")
)

// firstFrame bounds how long a new connection may keep silent.
const firstFrame = 10 * time.Second

// A Calls answers the calls of wrappers; it is implemented by
// pipeline.Pipeline.
type Calls interface {
	Serve(ctx context.Context, call *wire.Call, conv pipeline.Conversation)
	Note(n *wire.Notice)
}

// A Listener accepts connections of the server's own user only; it is
// implemented by listen.Listener.
type Listener interface {
	Accept() (net.Conn, listen.Peer, error)
	// Left returns frames that wrappers have left since it was last called.
	Left() ([]byte, error)
	// Lost reports whether no wrapper can find the listener any more.
	Lost() bool
	// Retire makes Lost hold, and Accept fail once it has returned the
	// connections made before.
	Retire() error
}

// Options are what a Server is made of.
type Options struct {
	Listener Listener
	Calls    Calls
	Admin    admin.Handler
	// Namespace is the server's mount namespace, empty where there is none.
	Namespace string
	// IdleExit returns the time without calls after which the server ends;
	// 0 for never.
	IdleExit func() time.Duration
	// Drain bounds how long running compiles are waited for at the end.
	Drain time.Duration
	Log   zerolog.Logger
}

// A Server serves connections until it is told to stop or has been idle for
// long enough.
type Server struct {
	o     Options
	stop  context.CancelCauseFunc
	conns sync.WaitGroup

	mu   sync.Mutex
	live map[*conversation]struct{}
	open map[net.Conn]*visit
	last time.Time // the end of the last connection that was not only a look
}

// New returns a Server made of o.
func New(o Options) *Server {
	return &Server{
		o: o, live: make(map[*conversation]struct{}), open: make(map[net.Conn]*visit), last: time.Now(),
	}
}

// Running returns the number of compiles under way.
func (s *Server) Running() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.live)
}

// Serve accepts connections until ctx is done, Stop is called or the server has
// been idle, then waits for the running compiles. It returns the cause of the
// end: ErrIdle, that of ctx, or what Accept ran into.
func (s *Server) Serve(ctx context.Context) error {
	calls, abandon := context.WithCancel(context.WithoutCancel(ctx))
	defer abandon()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	s.mu.Lock()
	s.stop = cancel
	s.mu.Unlock()
	var keeper sync.WaitGroup
	keeper.Go(func() { s.keep(ctx, calls, cancel) })
	s.accept(ctx, calls, cancel)
	s.drain(abandon)
	s.collect()
	abandon()
	keeper.Wait()
	return context.Cause(ctx)
}

// Stop makes Serve end. It returns at once.
func (s *Server) Stop(cause error) {
	s.mu.Lock()
	stop := s.stop
	s.mu.Unlock()
	if stop != nil {
		stop(cause)
	}
}

// accept serves each connection in a goroutine of its own until the listener is
// retired. Verbs end with ctx, calls of wrappers with calls.
func (s *Server) accept(ctx, calls context.Context, fail context.CancelCauseFunc) {
	for {
		conn, _, err := s.o.Listener.Accept()
		if err != nil {
			fail(err)
			return
		}
		s.mu.Lock()
		s.open[conn] = newVisit()
		s.mu.Unlock()
		s.conns.Go(func() {
			defer s.closed(conn)
			defer s.survive()
			s.serve(ctx, calls, conn)
		})
	}
}

// survive keeps a panic over one call from ending all others. The connection
// closes, and its wrapper goes on by itself.
func (s *Server) survive() {
	if v := recover(); v != nil {
		bug.Report(s.o.Log, "panic: %v\n%s", v, debug.Stack())
	}
}

func (s *Server) closed(conn net.Conn) {
	_ = conn.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	v := s.open[conn]
	delete(s.open, conn)
	v.settle()
	if !v.looks {
		s.last = time.Now()
	}
}

// keep ends an idle server, retires the listener at its end, and sends heartbeats
// until all calls have ended.
func (s *Server) keep(ctx, calls context.Context, cancel context.CancelCauseFunc) {
	tick := time.NewTicker(pulse)
	defer tick.Stop()
	ending := ctx.Done()
	for {
		select {
		case <-calls.Done():
			return
		case <-ending:
			_ = s.o.Listener.Retire()
			ending = nil
		case now := <-tick.C:
			s.collect()
			if s.beat(now) {
				cancel(ErrIdle)
			}
			if s.o.Listener.Lost() {
				cancel(ErrLost)
			}
		}
	}
}

// beat sends the heartbeats that are due and reports whether the server has
// been idle for long enough.
func (s *Server) beat(now time.Time) bool {
	s.mu.Lock()
	live := make([]*conversation, 0, len(s.live))
	for c := range s.live {
		live = append(live, c)
	}
	idle := true
	for _, v := range s.open {
		idle = idle && v.looks
	}
	since := now.Sub(s.last)
	s.mu.Unlock()
	for _, c := range live {
		c.beat(now)
	}
	limit := s.o.IdleExit()
	return idle && limit > 0 && since >= limit
}

// drain waits for the connections to end, then has calls abandoned and ends them.
// A wrapper whose connection breaks goes on by itself, so nothing is lost but its
// result.
func (s *Server) drain(abandon context.CancelFunc) {
	done := make(chan struct{})
	go func() {
		s.conns.Wait()
		close(done)
	}()
	timer := time.NewTimer(s.o.Drain)
	defer timer.Stop()
	select {
	case <-done:
		return
	case <-timer.C:
	}
	abandon()
	s.mu.Lock()
	for conn := range s.open {
		_ = conn.Close()
	}
	s.mu.Unlock()
	<-done
}

// serve reads the first frame of a connection and acts on it.
func (s *Server) serve(ctx, calls context.Context, conn net.Conn) {
	if err := conn.SetReadDeadline(time.Now().Add(firstFrame)); err != nil {
		return
	}
	frames := wire.NewReader(conn)
	typ, payload, err := frames.Next()
	if err != nil {
		return
	}
	switch typ {
	case wire.TypeCall:
		call := &wire.Call{}
		if wire.Decode(payload, call) == nil {
			s.settled(conn)
			s.collect() // what came before it is recorded before it
			s.call(calls, call, newConversation(conn, frames, func() { s.unsettled(conn) }))
		}
	case wire.TypeNotice:
		s.note(payload)
	case wire.TypeAdmin:
		request := &wire.Admin{}
		if wire.Decode(payload, request) == nil {
			s.settled(conn)
			if request.Verb == admin.VerbStatus {
				s.looking(conn)
			} else {
				s.settle(ctx)
				s.collect()
			}
			s.admin(ctx, conn, request)
		}
	default:
		s.o.Log.Debug().Uint8("type", uint8(typ)).Msg("connection does not start with a request")
	}
}

// collect takes the notices that wrappers have left.
func (s *Server) collect() {
	text, err := s.o.Listener.Left()
	if err != nil {
		s.o.Log.Debug().Err(err).Msg("notices stay where they are")
	}
	for frames := wire.NewReader(bytes.NewReader(text)); ; {
		typ, payload, err := frames.Next()
		if err != nil {
			return // what follows a broken frame is lost
		}
		if typ == wire.TypeNotice {
			s.note(payload)
		}
	}
}

func (s *Server) note(payload []byte) {
	notice := &wire.Notice{}
	if wire.Decode(payload, notice) == nil && notice.Version == wire.Version {
		s.o.Calls.Note(notice)
	}
}

// call has the pipeline answer a call that this server may answer.
func (s *Server) call(ctx context.Context, call *wire.Call, conv *conversation) {
	if call.Version != wire.Version {
		_ = conv.StepAside("version", "")
		if call.Version > wire.Version {
			s.Stop(errors.New("a newer wrapper called"))
		}
		return
	}
	if call.Namespace != s.o.Namespace {
		s.o.Log.Warn().Msg("call from another mount namespace")
		_ = conv.StepAside("other-namespace", "")
		return
	}
	s.mu.Lock()
	s.live[conv] = struct{}{}
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.live, conv)
		s.mu.Unlock()
	}()
	ctx, cancel := conv.watched(ctx)
	defer cancel(nil)
	s.o.Calls.Serve(ctx, call, conv)
}

// admin answers a management request. A client that goes away ends it.
func (s *Server) admin(ctx context.Context, conn net.Conn, request *wire.Admin) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	_ = conn.SetReadDeadline(time.Time{})
	go func() {
		defer cancel()
		var one [1]byte
		_, _ = conn.Read(one[:])
	}()
	err := s.o.Admin.Handle(ctx, request.Verb, request.Body, func(reply *wire.AdminReply) error {
		if err := conn.SetWriteDeadline(time.Now().Add(writeLimit)); err != nil {
			return err
		}
		return wire.Write(conn, reply)
	})
	if err != nil {
		s.o.Log.Debug().Err(err).Str("verb", request.Verb).Msg("management client left")
	}
}
