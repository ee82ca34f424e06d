package clienttest

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"time"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// A Fault is something that goes wrong: calls From to To of Method, counted
// from 1 since the fault was made, are delayed, hang, or fail.
type Fault struct {
	Method   string // last segment of the name; empty for all methods
	From, To int    // 0 for the first and the last there is
	Every    int    // 0 for each call between them

	Delay   time.Duration
	Hang    bool       // until the client goes away
	Reset   bool       // the connection breaks under this call and all others
	Code    codes.Code // OK for none
	Message string

	// After is how many messages a stream may carry, in either direction,
	// before it ends with Code. It has no effect on other calls.
	After int

	seen int // guarded by Server.mu
}

// Fault adds f, which must not be changed afterwards. Where several meet a
// call, the first one counts.
func (s *Server) Fault(f *Fault) {
	s.mu.Lock()
	s.faults = append(s.faults, f)
	s.mu.Unlock()
}

// Heal removes all faults.
func (s *Server) Heal() {
	s.mu.Lock()
	s.faults = nil
	s.mu.Unlock()
}

func (f *Fault) meets(method string) bool {
	if f.Method != "" && f.Method != method {
		return false
	}
	f.seen++
	return f.seen >= f.From && (f.To == 0 || f.seen <= f.To) && (f.Every == 0 || f.seen%f.Every == 0)
}

// before is what happens when a call arrives. f may be nil.
func (s *Server) before(ctx context.Context, f *Fault) error {
	if f == nil {
		return nil
	}
	if f.Reset {
		s.reset(ctx)
		return status.Error(codes.Unavailable, "the connection is gone")
	}
	if f.Hang {
		<-ctx.Done()
		return status.FromContextError(ctx.Err()).Err()
	}
	if f.Delay > 0 {
		select {
		case <-time.After(f.Delay):
		case <-ctx.Done():
		}
	}
	if f.After > 0 {
		return nil
	}
	return f.err()
}

// reset breaks the connection that a call came over.
func (s *Server) reset(ctx context.Context) {
	if p, ok := peer.FromContext(ctx); ok {
		s.conns.close(p.Addr.String())
	}
}

// conns is a listener that knows its connections by the address of their
// clients; those of Unix sockets have none.
type conns struct {
	net.Listener

	mu   sync.Mutex
	open map[string]net.Conn
}

// Accept implements net.Listener.
func (c *conns) Accept() (net.Conn, error) {
	conn, err := c.Listener.Accept()
	if err == nil {
		c.mu.Lock()
		c.open[conn.RemoteAddr().String()] = conn
		c.mu.Unlock()
	}
	return conn, err
}

func (c *conns) close(address string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if conn := c.open[address]; conn != nil {
		_ = conn.Close() // both ends see it
		delete(c.open, address)
	}
}

func (f *Fault) err() error {
	if f.Code == codes.OK {
		return nil
	}
	message := f.Message
	if message == "" {
		message = "fault made by the test"
	}
	return status.Error(f.Code, message)
}

// A cutStream ends after the number of messages its fault allows.
type cutStream struct {
	grpc.ServerStream
	fault *Fault // may be nil
	n     atomic.Int64
}

// SendMsg implements grpc.ServerStream.
func (s *cutStream) SendMsg(m any) error {
	if err := s.count(); err != nil {
		return err
	}
	return s.ServerStream.SendMsg(m)
}

// RecvMsg implements grpc.ServerStream.
func (s *cutStream) RecvMsg(m any) error {
	if err := s.ServerStream.RecvMsg(m); err != nil {
		return err
	}
	return s.count()
}

func (s *cutStream) count() error {
	if s.fault != nil && s.fault.After > 0 && int(s.n.Add(1)) > s.fault.After {
		return s.fault.err()
	}
	return nil
}

func requestMetadata(header metadata.MD) *repb.RequestMetadata {
	values := header.Get("build.bazel.remote.execution.v2.requestmetadata-bin")
	if len(values) != 1 {
		return nil
	}
	m := new(repb.RequestMetadata)
	if proto.Unmarshal([]byte(values[0]), m) != nil {
		return nil
	}
	return m
}
