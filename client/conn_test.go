package client_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/grpc/codes"

	"github.com/rexwrap/rexwrap/client"
	"github.com/rexwrap/rexwrap/client/clienttest"
	"github.com/rexwrap/rexwrap/client/digest"
)

// missing makes a call that succeeds wherever there is a CAS.
func missing(ctx context.Context, c *client.Conn) error {
	_, err := repb.NewContentAddressableStorageClient(c).FindMissingBlobs(ctx, &repb.FindMissingBlobsRequest{InstanceName: c.Instance()})
	return err
}

func TestTransports(t *testing.T) {
	for name, o := range map[string]clienttest.Options{
		"tcp": {}, "unix": {Unix: true}, "tls": {TLS: true}, "mtls": {TLS: true, ClientCert: true},
	} {
		t.Run(name, func(t *testing.T) {
			s := clienttest.New(t, o)
			if err := missing(t.Context(), s.Dial(t, client.Options{})); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestMissingClientCertificateIsToldOnce(t *testing.T) {
	s := clienttest.New(t, clienttest.Options{TLS: true, ClientCert: true})
	s.TLS.Cert, s.TLS.Key = "", ""
	var notices notices
	conn := s.Dial(t, client.Options{Notify: notices.add})
	for range 3 {
		if err := missing(t.Context(), conn); !errors.Is(err, client.ErrUnauthenticated) || client.IsRetryable(err) {
			t.Errorf("error %v", err)
		}
	}
	if s.Calls("FindMissingBlobs") != 1 || len(notices.all()) != 1 {
		t.Errorf("%d calls, notices %q", s.Calls("FindMissingBlobs"), notices.all())
	}
}

func TestPlaintextToTLSIsExplained(t *testing.T) {
	s := clienttest.New(t, clienttest.Options{TLS: true})
	s.Address = strings.Replace(s.Address, "grpcs:", "grpc:", 1)
	err := missing(t.Context(), s.Dial(t, client.Options{}))
	if !errors.Is(err, client.ErrUnavailable) || !strings.Contains(err.Error(), "grpcs://") {
		t.Errorf("error %v", err)
	}
}

func TestTLSToPlaintextIsExplained(t *testing.T) {
	s := clienttest.New(t, clienttest.Options{})
	s.Address = strings.Replace(s.Address, "grpc:", "grpcs:", 1)
	err := missing(t.Context(), s.Dial(t, client.Options{}))
	if !errors.Is(err, client.ErrUnavailable) || !strings.Contains(err.Error(), "grpcs://") {
		t.Errorf("error %v", err)
	}
}

func TestExpiredCertificate(t *testing.T) {
	s := clienttest.New(t, clienttest.Options{TLS: true, Expired: true})
	err := missing(t.Context(), s.Dial(t, client.Options{}))
	if !errors.Is(err, client.ErrUnavailable) || !strings.Contains(err.Error(), "expired") {
		t.Errorf("error %v", err)
	}
}

func TestGarbageIsNoServer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = c.Write([]byte("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"))
			_ = c.Close()
		}
	}()
	conn, err := client.Dial(client.Options{Address: "grpc://" + l.Addr().String(), ConnectTimeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := missing(t.Context(), conn); !errors.Is(err, client.ErrUnavailable) {
		t.Errorf("error %v", err)
	}
}

func TestRemoteThatComesBack(t *testing.T) {
	s := clienttest.New(t, clienttest.Options{})
	s.Fault(&clienttest.Fault{Method: "FindMissingBlobs", Code: codes.Unavailable})
	told := make(chan string, 10)
	conn := s.Dial(t, client.Options{Tries: 1, Notify: func(text string) { told <- text }})
	for len(told) == 0 {
		if err := missing(t.Context(), conn); !errors.Is(err, client.ErrUnavailable) {
			t.Fatalf("error %v", err)
		}
	}
	<-told
	s.Heal()
	for tick := time.NewTicker(20 * time.Millisecond); missing(t.Context(), conn) != nil; <-tick.C { // until the pause is over
	}
	if text := <-told; !strings.Contains(text, "is back") {
		t.Errorf("notice %q", text)
	}
}

func TestHeaders(t *testing.T) {
	s := clienttest.New(t, clienttest.Options{Authorization: "Basic c2VjcmV0"})
	conn := s.Dial(t, client.Options{Headers: map[string]string{"Authorization": "Basic c2VjcmV0"}})
	if err := missing(t.Context(), conn); err != nil {
		t.Error(err)
	}
	s.SetAuthorization("other")
	if err := missing(t.Context(), conn); err == nil || strings.Contains(err.Error(), "c2VjcmV0") {
		t.Errorf("error %v", err)
	}
}

func TestMetadata(t *testing.T) {
	s := clienttest.New(t, clienttest.Options{})
	conn := s.Dial(t, client.Options{Metadata: client.Metadata{ToolName: "rexwrap", ToolVersion: "1", InvocationID: "outer"}})
	ctx := client.WithMetadata(t.Context(), client.Metadata{InvocationID: "build", Mnemonic: "CppCompile"})
	ctx = client.WithMetadata(ctx, client.Metadata{ActionID: "abc"})
	if err := missing(ctx, conn); err != nil {
		t.Fatal(err)
	}
	m := s.Metadata("FindMissingBlobs")
	if m.GetToolDetails().GetToolName() != "rexwrap" || m.GetToolInvocationId() != "build" || m.GetActionMnemonic() != "CppCompile" || m.GetActionId() != "abc" {
		t.Errorf("metadata %v", m)
	}
}

func TestRetries(t *testing.T) {
	for _, test := range []struct {
		name  string
		fault clienttest.Fault
		calls int
		want  error
	}{
		{"unavailable twice", clienttest.Fault{To: 2, Code: codes.Unavailable}, 3, nil},
		{"exhausted twice", clienttest.Fault{To: 2, Code: codes.ResourceExhausted}, 3, nil},
		{"always unavailable", clienttest.Fault{Code: codes.Unavailable}, 4, client.ErrUnavailable},
		{"no workers", clienttest.Fault{Code: codes.Unavailable, Message: "No workers exist for x"}, 1, client.ErrNoWorkers},
		{"too large", clienttest.Fault{Code: codes.ResourceExhausted, Message: "grpc: received message larger than max"}, 1, client.ErrTooLarge},
		{"not found", clienttest.Fault{Code: codes.NotFound}, 1, client.ErrNotFound},
		{"denied", clienttest.Fault{Code: codes.PermissionDenied}, 1, client.ErrDenied},
		{"unimplemented", clienttest.Fault{Code: codes.Unimplemented}, 1, client.ErrUnimplemented},
		{"precondition", clienttest.Fault{Code: codes.FailedPrecondition}, 1, client.ErrPrecondition},
		{"internal", clienttest.Fault{Code: codes.Internal}, 1, client.ErrFault},
		{"unknown", clienttest.Fault{Code: codes.Unknown}, 1, client.ErrFault},
		{"hangs", clienttest.Fault{Hang: true}, 1, client.ErrTimeout},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := clienttest.New(t, clienttest.Options{})
			s.Fault(&test.fault)
			conn := s.Dial(t, client.Options{CallTimeout: 300 * time.Millisecond})
			if err := missing(t.Context(), conn); !errors.Is(err, test.want) {
				t.Errorf("error %v, want %v", err, test.want)
			}
			if n := s.Calls("FindMissingBlobs"); n != test.calls {
				t.Errorf("%d calls, want %d", n, test.calls)
			}
		})
	}
}

func TestInstanceIsNamed(t *testing.T) {
	s := clienttest.New(t, clienttest.Options{Quirks: clienttest.Quirks{StrictInstance: true}})
	err := missing(t.Context(), s.Dial(t, client.Options{Instance: "mine"}))
	if !errors.Is(err, client.ErrInvalid) || !strings.Contains(err.Error(), `instance name "mine"`) {
		t.Errorf("error %v", err)
	}
}

func TestDeadRemoteCostsOneConnect(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	var notices notices
	conn, err := client.Dial(client.Options{Address: "grpc://" + l.Addr().String(), Notify: notices.add})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	attempts := 0
	for range 50 {
		err := missing(t.Context(), conn)
		if !errors.Is(err, client.ErrUnavailable) {
			t.Fatal(err)
		}
		if !errors.Is(err, client.ErrOpen) {
			attempts++
		}
	}
	if attempts > 2 { // the second after the breaker's first pause
		t.Errorf("%d attempts to connect", attempts)
	}
	if got := notices.all(); len(got) != 1 {
		t.Errorf("notices %q", got)
	}
}

func TestSilentRemoteCostsItsConnectTimeout(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0") // accepts and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	conn, err := client.Dial(client.Options{Address: "grpc://" + l.Addr().String(), ConnectTimeout: 200 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	start := time.Now()
	if err := missing(t.Context(), conn); !errors.Is(err, client.ErrUnavailable) {
		t.Errorf("error %v", err)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("it took %s", took)
	}
}

func TestHangingRemoteHoldsUpOnce(t *testing.T) {
	s := clienttest.New(t, clienttest.Options{})
	s.Fault(&clienttest.Fault{Hang: true})
	conn := s.Dial(t, client.Options{CallTimeout: 200 * time.Millisecond})
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			if caps, err := conn.Capabilities(t.Context()); !errors.Is(err, client.ErrTimeout) {
				t.Errorf("%+v, %v", caps, err)
			}
		})
	}
	all.Wait()
	if n := s.Calls("GetCapabilities"); n > 2 { // the second after the breaker's first pause
		t.Errorf("asked %d times", n)
	}
}

func TestCapabilitiesOfServers(t *testing.T) {
	for name, test := range map[string]struct {
		quirks           clienttest.Quirks
		cache, execution bool
	}{
		"all":           {clienttest.Quirks{}, true, true},
		"cache only":    {clienttest.Quirks{NoExecution: true}, true, false},
		"workers only":  {clienttest.Quirks{NoCache: true}, false, true},
		"unimplemented": {clienttest.Quirks{NoCapabilities: true}, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := clienttest.New(t, clienttest.Options{Quirks: test.quirks})
			conn := s.Dial(t, client.Options{})
			for range 2 {
				caps, err := conn.Capabilities(t.Context())
				if err != nil || caps.Cache != test.cache || caps.Execution != test.execution || caps.Functions[0] != digest.SHA256 {
					t.Errorf("capabilities %+v, %v", caps, err)
				}
			}
			if n := s.Calls("GetCapabilities"); n != 1 {
				t.Errorf("asked %d times", n)
			}
		})
	}
}

// notices collects what a connection tells.
type notices struct {
	mu   sync.Mutex
	text []string
}

func (n *notices) add(s string) {
	n.mu.Lock()
	n.text = append(n.text, s)
	n.mu.Unlock()
}

func (n *notices) all() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.text
}
