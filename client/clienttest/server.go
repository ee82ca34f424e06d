// Package clienttest is an REv2 server for tests, and the conformance suites
// that all implementations of client/cas, client/actioncache and
// client/execute must pass.
//
// The server really executes: its worker builds the InputRoot in an empty
// directory at a random absolute path, runs the Command there with the
// Command's environment and nothing else, and collects what output_paths name.
// A forgotten input fails the test as it would fail on a real worker. It does
// not hide the system: compilers and system headers are the host's.
//
// By default it behaves as Buildbarn does. What other servers do differently
// is a switch in Quirks; what goes wrong is a Fault. It keeps everything in
// memory and listens on a Unix or TCP socket until the test ends.
package clienttest

import (
	"context"
	"crypto/tls"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/status"

	"cloud.google.com/go/longrunning/autogen/longrunningpb"

	"github.com/rexwrap/rexwrap/client"
	"github.com/rexwrap/rexwrap/client/bytestream"
)

// Options say what server to start. The zero Options are a conformant server
// without transport security on a loopback port.
type Options struct {
	Quirks Quirks

	Unix          bool   // listen on a Unix socket
	Link          *Link  // listen in memory
	MaxStreams    int    // of each connection, 0 for any number
	TLS           bool   // with a certificate of its own making
	Expired       bool   // with TLS: the certificate was valid yesterday
	ClientCert    bool   // with TLS: refuse each call of a client without certificate, as bazel-remote does
	Authorization string // value that the header "authorization" must have; empty for any
}

// A Server is a running server. Its methods are safe for concurrent use.
type Server struct {
	Address string     // for client.Options
	TLS     client.TLS // for client.Options; of a server with TLS

	quirks  Quirks
	link    *Link
	conns   *conns
	grpc    *grpc.Server
	blobs   *blobs
	results *results
	worker  *worker

	mu            sync.Mutex
	authorization string
	clientCert    bool
	faults        []*Fault
	calls         map[string]int
	metadata      map[string]*repb.RequestMetadata // the last of each method

	sent, received atomic.Int64 // bytes of messages
}

// New starts a server that lives as long as the test.
func New(t testing.TB, o Options) *Server {
	t.Helper()
	s := &Server{
		quirks: o.Quirks, link: o.Link, authorization: o.Authorization, clientCert: o.ClientCert,
		calls: make(map[string]int), metadata: make(map[string]*repb.RequestMetadata),
	}
	s.blobs = newBlobs(t, o.Quirks)
	s.results = &results{blobs: s.blobs, quirks: o.Quirks, data: make(map[resultKey]*repb.ActionResult)}
	s.worker = newWorker(s.blobs, s.results, o.Quirks, t.TempDir())
	opts := []grpc.ServerOption{
		grpc.StatsHandler(traffic{s}),
		grpc.ForceServerCodecV2(bytestream.Codec()),
		grpc.UnaryInterceptor(s.unary), grpc.StreamInterceptor(s.stream),
	}
	if o.MaxStreams > 0 {
		opts = append(opts, grpc.MaxConcurrentStreams(uint32(o.MaxStreams)))
	}
	if o.TLS {
		pair := newPair(t, o.Expired)
		s.TLS = client.TLS{CA: pair.certFile, Cert: pair.certFile, Key: pair.keyFile, ServerName: pairName}
		opts = append(opts, grpc.Creds(credentials.NewTLS(&tls.Config{
			Certificates: []tls.Certificate{pair.cert}, ClientCAs: pair.pool, ClientAuth: tls.VerifyClientCertIfGiven,
		})))
	}
	s.grpc = grpc.NewServer(opts...)
	s.register()
	s.listen(t, o)
	return s
}

func (s *Server) register() {
	repb.RegisterCapabilitiesServer(s.grpc, capabilities{quirks: s.quirks})
	if !s.quirks.NoCache {
		repb.RegisterContentAddressableStorageServer(s.grpc, s.blobs)
		bytestream.Register(s.grpc, s.blobs)
		repb.RegisterActionCacheServer(s.grpc, s.results)
	}
	if !s.quirks.NoExecution {
		repb.RegisterExecutionServer(s.grpc, s.worker)
		longrunningpb.RegisterOperationsServer(s.grpc, operations{worker: s.worker})
	}
}

func (s *Server) listen(t testing.TB, o Options) {
	t.Helper()
	l, err := o.listen(t)
	if err != nil {
		t.Fatal(err)
	}
	switch {
	case o.Unix:
		s.Address = "unix:" + l.Addr().String()
	case o.Link != nil:
		s.Address = "grpc://link"
	case o.TLS:
		s.Address = "grpcs://" + l.Addr().String()
	default:
		s.Address = "grpc://" + l.Addr().String()
	}
	s.conns = &conns{Listener: l, open: make(map[string]net.Conn)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.grpc.Serve(s.conns) // ends by Stop
	}()
	t.Cleanup(func() {
		s.Stop()
		<-done
		s.worker.stop()
	})
}

func (o *Options) listen(t testing.TB) (net.Listener, error) {
	switch {
	case o.Unix:
		return net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	case o.Link != nil:
		o.Link.open()
		return o.Link, nil
	default:
		return net.Listen("tcp", "127.0.0.1:0")
	}
}

// Stop ends the server as a crash would: all connections break.
func (s *Server) Stop() { s.grpc.Stop() }

// Dial returns a connection to s that lives as long as the test. Address and
// TLS of o are filled in.
func (s *Server) Dial(t testing.TB, o client.Options) *client.Conn {
	t.Helper()
	o.Address, o.TLS = s.Address, s.TLS
	if s.link != nil {
		o.Dialer = s.link.Dial
	}
	conn, err := client.Dial(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// SetAuthorization changes what the header must be.
func (s *Server) SetAuthorization(value string) {
	s.mu.Lock()
	s.authorization = value
	s.mu.Unlock()
}

// Calls returns how often a method, such as "FindMissingBlobs", was called.
// ByteStream's methods are "Read" and "Write".
func (s *Server) Calls(method string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[method]
}

// Sent returns how many bytes of messages the server has sent.
func (s *Server) Sent() int64 { return s.sent.Load() }

// Received returns how many bytes of messages the server has received.
func (s *Server) Received() int64 { return s.received.Load() }

// traffic counts bytes.
type traffic struct{ server *Server }

// TagRPC implements stats.Handler.
func (traffic) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context { return ctx }

// TagConn implements stats.Handler.
func (traffic) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }

// HandleConn implements stats.Handler.
func (traffic) HandleConn(context.Context, stats.ConnStats) {}

// HandleRPC implements stats.Handler.
func (t traffic) HandleRPC(_ context.Context, s stats.RPCStats) {
	switch s := s.(type) {
	case *stats.InPayload:
		t.server.received.Add(int64(s.WireLength))
	case *stats.OutPayload:
		t.server.sent.Add(int64(s.WireLength))
	}
}

// Metadata returns the RequestMetadata of the last call of a method, or nil.
func (s *Server) Metadata(method string) *repb.RequestMetadata {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.metadata[method]
}

func (s *Server) unary(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	fault, err := s.arrive(ctx, info.FullMethod)
	if err != nil {
		return nil, err
	}
	if err := s.checkInstance(req); err != nil {
		return nil, err
	}
	if err := s.before(ctx, fault); err != nil {
		return nil, err
	}
	return next(ctx, req)
}

func (s *Server) stream(srv any, ss grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
	fault, err := s.arrive(ss.Context(), info.FullMethod)
	if err != nil {
		return err
	}
	if err := s.before(ss.Context(), fault); err != nil {
		return err
	}
	return next(srv, &cutStream{ServerStream: ss, fault: fault})
}

// arrive counts a call, checks who calls and returns the fault it meets.
func (s *Server) arrive(ctx context.Context, full string) (*Fault, error) {
	method := full[strings.LastIndexByte(full, '/')+1:]
	header, _ := metadata.FromIncomingContext(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls[method]++
	s.metadata[method] = requestMetadata(header)
	if s.authorization != "" && !slices.Equal(header.Get("authorization"), []string{s.authorization}) {
		return nil, status.Error(codes.Unauthenticated, "who are you?")
	}
	if s.clientCert && !showsCertificate(ctx) {
		return nil, status.Error(codes.Unauthenticated, "could not verify peer certificate")
	}
	for _, f := range s.faults {
		if f.meets(method) {
			return f, nil
		}
	}
	return nil, nil
}

func showsCertificate(ctx context.Context) bool {
	p, _ := peer.FromContext(ctx)
	info, ok := p.AuthInfo.(credentials.TLSInfo)
	return ok && len(info.State.VerifiedChains) > 0
}

func (s *Server) checkInstance(req any) error {
	r, ok := req.(interface{ GetInstanceName() string })
	if ok && s.quirks.StrictInstance && r.GetInstanceName() != "" {
		return status.Errorf(codes.InvalidArgument, "unknown instance %q", r.GetInstanceName())
	}
	return nil
}
