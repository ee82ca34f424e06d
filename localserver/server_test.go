package localserver

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"github.com/rexwrap/rexwrap/localserver/pipeline"
	"github.com/rexwrap/rexwrap/wrapper/endpoint/listen"
	"github.com/rexwrap/rexwrap/wrapper/wire"
)

// pipeListener hands out the server's ends of in-memory connections.
type pipeListener struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
	left  chan []byte
}

func newPipeListener() *pipeListener {
	return &pipeListener{conns: make(chan net.Conn), done: make(chan struct{}), left: make(chan []byte, 1)}
}

func (l *pipeListener) Accept() (net.Conn, listen.Peer, error) {
	select {
	case c := <-l.conns:
		return c, listen.Peer{}, nil
	case <-l.done:
		return nil, listen.Peer{}, net.ErrClosed
	}
}

func (l *pipeListener) Left() ([]byte, error) {
	select {
	case text := <-l.left:
		return text, nil
	default:
		return nil, nil
	}
}

func (l *pipeListener) Lost() bool { return false }

func (l *pipeListener) Retire() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

func (l *pipeListener) dial() net.Conn {
	client, server := net.Pipe()
	l.conns <- server
	return client
}

// calls answers every call by its function and keeps the notices.
type calls struct {
	serve   func(context.Context, *wire.Call, pipeline.Conversation)
	notices []string
}

func (c *calls) Serve(ctx context.Context, call *wire.Call, conv pipeline.Conversation) {
	c.serve(ctx, call, conv)
}
func (c *calls) Note(n *wire.Notice) { c.notices = append(c.notices, n.Reason) }

type echoAdmin struct{}

func (echoAdmin) Handle(_ context.Context, verb string, body []byte, reply func(*wire.AdminReply) error) error {
	return reply(&wire.AdminReply{Body: append([]byte(verb+" "), body...)})
}

// start runs a server over l until the returned function has ended it.
func start(t *testing.T, l *pipeListener, c *calls, idle time.Duration) (*Server, chan error) {
	t.Helper()
	s := New(Options{
		Listener: l, Calls: c, Admin: echoAdmin{}, Namespace: "ns", Drain: 5 * time.Second,
		IdleExit: func() time.Duration { return idle }, Log: zerolog.Nop(),
	})
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(t.Context()) }()
	return s, ended
}

func send(t *testing.T, conn net.Conn, m wire.Message) {
	t.Helper()
	if err := wire.Write(conn, m); err != nil {
		t.Fatal(err)
	}
}

// receive reads frames up to one that is no heartbeat, decodes it into m, and
// returns the number of heartbeats.
func receive(t *testing.T, frames *wire.Reader, m wire.Message) int {
	t.Helper()
	for beats := 0; ; beats++ {
		typ, payload, err := frames.Next()
		if err != nil {
			t.Fatal(err)
		}
		if typ == wire.TypeHeartbeat {
			continue
		}
		if typ != m.Type() {
			t.Fatalf("frame of type %d, want %T", typ, m)
		}
		if err := wire.Decode(payload, m); err != nil {
			t.Fatal(err)
		}
		return beats
	}
}

func call() *wire.Call { return &wire.Call{Version: wire.Version, Namespace: "ns"} }

// A heartbeat finds out that the wrapper has died, and ends what runs for it.
func TestDeadWrapperEndsItsCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newPipeListener()
		cause := make(chan error, 1)
		s, ended := start(t, l, &calls{serve: func(ctx context.Context, _ *wire.Call, _ pipeline.Conversation) {
			<-ctx.Done()
			cause <- context.Cause(ctx)
		}}, 0)
		conn := l.dial()
		send(t, conn, call())
		synctest.Wait()
		if err := conn.Close(); err != nil {
			t.Fatal(err)
		}
		if err := <-cause; !errors.Is(err, errGone) {
			t.Errorf("the call ended by %v", err)
		}
		s.Stop(ErrStopped)
		<-ended
	})
}

func TestServerRunsACall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newPipeListener()
		s, ended := start(t, l, &calls{serve: func(ctx context.Context, _ *wire.Call, conv pipeline.Conversation) {
			<-time.After(3*pulse + pulse/4) // the server is at work
			ran, err := conv.Run(ctx, &wire.Run{Program: "/usr/bin/gcc"})
			if err != nil || ran.Status != 7 {
				t.Errorf("Run = %v, %v", ran, err)
			}
			if err := conv.Done(&wire.Done{}); err != nil {
				t.Error(err)
			}
		}}, 0)
		conn := l.dial()
		frames := wire.NewReader(conn)
		send(t, conn, call())
		run := &wire.Run{}
		if beats := receive(t, frames, run); beats < 2 || run.Program != "/usr/bin/gcc" {
			t.Errorf("%d heartbeats before %v, want 2 or more", beats, run)
		}
		send(t, conn, &wire.Ran{Status: 7})
		receive(t, frames, &wire.Done{})
		send(t, conn, &wire.Committed{})
		synctest.Wait()
		s.Stop(ErrStopped)
		if err := <-ended; !errors.Is(err, ErrStopped) {
			t.Errorf("ended by %v", err)
		}
	})
}

func TestServerRefuses(t *testing.T) {
	for want, change := range map[string]func(*wire.Call){
		"other-namespace": func(c *wire.Call) { c.Namespace = "other" },
		"version":         func(c *wire.Call) { c.Version = 0 },
	} {
		synctest.Test(t, func(t *testing.T) {
			l := newPipeListener()
			s, ended := start(t, l, &calls{}, 0)
			conn := l.dial()
			c := call()
			change(c)
			send(t, conn, c)
			aside := &wire.StepAside{}
			receive(t, wire.NewReader(conn), aside)
			if aside.Reason != want {
				t.Errorf("stepped aside as %q, want %q", aside.Reason, want)
			}
			s.Stop(ErrStopped)
			<-ended
		})
	}
}

func TestServerEndsWhenIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		_, ended := start(t, newPipeListener(), &calls{}, time.Minute)
		if err := <-ended; !errors.Is(err, ErrIdle) {
			t.Errorf("ended by %v, want ErrIdle", err)
		}
		if d := time.Since(begin); d < time.Minute || d > time.Minute+2*pulse {
			t.Errorf("ended after %v, want a minute", d)
		}
	})
}

func TestServerMakesWayForANewerOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newPipeListener()
		_, ended := start(t, l, &calls{}, 0)
		conn := l.dial()
		c := call()
		c.Version = wire.Version + 1
		send(t, conn, c)
		receive(t, wire.NewReader(conn), &wire.StepAside{})
		<-ended
	})
}

func TestServerDrains(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newPipeListener()
		s, ended := start(t, l, &calls{serve: func(ctx context.Context, _ *wire.Call, conv pipeline.Conversation) {
			if _, err := conv.Run(ctx, &wire.Run{}); err == nil {
				t.Error("a compile outlived the drain")
			}
		}}, 0)
		conn := l.dial()
		send(t, conn, call())
		receive(t, wire.NewReader(conn), &wire.Run{})
		begin := time.Now()
		s.Stop(ErrStopped)
		<-ended
		if d := time.Since(begin); d != 5*time.Second {
			t.Errorf("drained for %v, want 5s", d)
		}
	})
}

// What is under way when the server is told to stop ends as if it were not.
func TestServerFinishesItsCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newPipeListener()
		s, ended := start(t, l, &calls{serve: func(ctx context.Context, _ *wire.Call, conv pipeline.Conversation) {
			<-time.After(3*pulse + pulse/4)
			if err := ctx.Err(); err != nil {
				t.Errorf("the call was cancelled: %v", err)
			}
			if err := conv.Done(&wire.Done{}); err != nil {
				t.Errorf("done: %v", err)
			}
		}}, 0)
		conn := l.dial()
		send(t, conn, call())
		synctest.Wait()
		s.Stop(ErrStopped)
		if beats := receive(t, wire.NewReader(conn), &wire.Done{}); beats != 3 {
			t.Errorf("%d heartbeats, want 3", beats)
		}
		send(t, conn, &wire.Committed{})
		if err := <-ended; !errors.Is(err, ErrStopped) {
			t.Errorf("ended by %v", err)
		}
	})
}

func TestServerAnswersAdminAndNotices(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, c := newPipeListener(), &calls{}
		s, ended := start(t, l, c, 0)
		notice := l.dial()
		send(t, notice, &wire.Notice{Version: wire.Version, Reason: "link"})
		synctest.Wait()
		left := wire.Append(nil, &wire.Notice{Version: wire.Version, Reason: "query"})
		l.left <- append(wire.Append(left, &wire.Notice{Version: wire.Version + 1}), "broken"...)
		conn := l.dial()
		send(t, conn, &wire.Admin{Version: wire.Version, Verb: "status", Body: []byte("x")})
		reply := &wire.AdminReply{}
		receive(t, wire.NewReader(conn), reply)
		if string(reply.Body) != "status x" {
			t.Errorf("reply %q", reply.Body)
		}
		s.Stop(ErrStopped)
		<-ended
		if !slices.Equal(c.notices, []string{"link", "query"}) {
			t.Errorf("notices %q", c.notices)
		}
	})
}

// TestNoticesAreInOrder: a notice that was left before a call came is recorded
// before the call.
func TestNoticesAreInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, c := newPipeListener(), &calls{}
		c.serve = func(_ context.Context, _ *wire.Call, conv pipeline.Conversation) {
			c.notices = append(c.notices, "call")
			if err := conv.StepAside("x", ""); err != nil {
				t.Error(err)
			}
		}
		s, ended := start(t, l, c, 0)
		synctest.Wait()
		l.left <- wire.Append(nil, &wire.Notice{Version: wire.Version, Reason: "link"})
		conn := l.dial()
		send(t, conn, call())
		receive(t, wire.NewReader(conn), &wire.StepAside{})
		s.Stop(ErrStopped)
		<-ended
		if !slices.Equal(c.notices, []string{"link", "call"}) {
			t.Errorf("recorded %q", c.notices)
		}
	})
}

// TestServerSettlesBeforeItAnswers: what a verb reports holds the call whose
// wrapper has just ended, though its result is still being stored.
func TestServerSettlesBeforeItAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newPipeListener()
		var stored atomic.Bool
		s, ended := start(t, l, &calls{serve: func(_ context.Context, _ *wire.Call, conv pipeline.Conversation) {
			if err := conv.Done(&wire.Done{}); err != nil {
				t.Error(err)
			}
			<-time.After(time.Second) // it is stored
			stored.Store(true)
		}}, 0)
		conn := l.dial()
		send(t, conn, call())
		receive(t, wire.NewReader(conn), &wire.Done{})
		send(t, conn, &wire.Committed{})
		look := l.dial()
		send(t, look, &wire.Admin{Version: wire.Version, Verb: "status"})
		receive(t, wire.NewReader(look), &wire.AdminReply{})
		if stored.Load() {
			t.Error("the status has waited")
		}
		verb := l.dial()
		send(t, verb, &wire.Admin{Version: wire.Version, Verb: "stats"})
		receive(t, wire.NewReader(verb), &wire.AdminReply{})
		if !stored.Load() {
			t.Error("stats has not waited")
		}
		s.Stop(ErrStopped)
		<-ended
	})
}

// TestLookingIsNoUse: a server that is only looked at is idle.
func TestLookingIsNoUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin, l := time.Now(), newPipeListener()
		_, ended := start(t, l, &calls{}, time.Minute)
		<-time.After(50 * time.Second)
		conn := l.dial()
		send(t, conn, &wire.Admin{Version: wire.Version, Verb: "status"})
		receive(t, wire.NewReader(conn), &wire.AdminReply{})
		<-ended
		if d := time.Since(begin); d > time.Minute+2*pulse {
			t.Errorf("ended after %v, want a minute", d)
		}
	})
}

func TestDoneRemovesWhatIsNotCommitted(t *testing.T) {
	temp := filepath.Join(t.TempDir(), "temp")
	writeFile(t, temp)
	client, server := net.Pipe()
	conv := newConversation(server, wire.NewReader(server), func() {})
	go func() {
		frames := wire.NewReader(client)
		receive(t, frames, &wire.Prepare{})
		receive(t, frames, &wire.Done{})
		client.Close()
	}()
	if err := conv.Prepare([]string{temp}); err != nil {
		t.Fatal(err)
	}
	if err := conv.Done(&wire.Done{}); err == nil {
		t.Error("no error though the wrapper is gone")
	}
	if exists(temp) {
		t.Error("the temp file is still there")
	}
}

func writeFile(t *testing.T, path string) {
	t.Helper()
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
