package client

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/keepalive"

	"github.com/rexwrap/rexwrap/client/bytestream"
)

// Options say how to reach a server. Only Address is needed.
type Options struct {
	Address  string // see ParseAddress
	Instance string // name of the instance, sent with every call
	TLS      TLS
	Headers  map[string]string // sent with every call; secret
	Helper   *Helper           // supplies further headers; may be nil
	Metadata Metadata

	ConnectTimeout time.Duration // 0 for 2 s
	CallTimeout    time.Duration // of each try of a call; 0 for 10 s
	Tries          int           // of each call, 0 for 4

	// Dialer, if set, makes the connections, to a host and port. It is for
	// tunnels and tests.
	Dialer func(ctx context.Context, hostport string) (net.Conn, error)

	// Notify, if set, is told when the remote is given up for a while and why,
	// and when it is back. It is called seldom, and must not block.
	Notify func(text string)
}

// A Conn is a connection to one address, made when it is first used and again
// whenever it broke. Streams that may be silent for long have a second one:
// proxies limit the streams of a connection, often to 100, and as many actions
// under way must not keep all other calls waiting. All its methods are safe for concurrent use. It
// implements grpc.ClientConnInterface: stubs made from it get what the package
// comment promises. Calls that are no streams must be idempotent, as all of
// REv2 are.
type Conn struct {
	address  Address
	instance string
	headers  []string // names and values
	helper   *Helper
	metadata Metadata
	timeout  time.Duration
	tries    int
	notify   func(string)

	cc      *grpc.ClientConn
	long    *grpc.ClientConn // of unhurried streams
	breaker breaker
	pace    pace
	budget  *budget
	offer   offer
}

const (
	defaultConnectTimeout = 2 * time.Second
	defaultCallTimeout    = 10 * time.Second
	defaultTries          = 4

	// Servers of gRPC close connections that are pinged more often, unless
	// told otherwise (grpc/grpc doc/keepalive.md). It matters for Execute
	// alone, where nothing may come for long; and where other calls use the
	// connection, the system finds out within seconds that nobody acknowledges
	// them, since gRPC sets TCP_USER_TIMEOUT with keepalive.
	pingInterval = 5 * time.Minute

	// Servers answer BatchRead and BatchUpdate in up to 4 MiB and a little,
	// and stream in parts of up to 2 MiB.
	maxReceive = 16 << 20

	// What may be under way to us, per stream and in all. gRPC starts with
	// 64 KiB, and so waits a round trip for every 64 KiB of a download.
	streamWindow = 4 << 20
	connWindow   = 16 << 20
)

// Dial returns a Conn by o. It fails of what is wrong with o only: that nobody
// listens is found out by the first call.
func Dial(o Options) (*Conn, error) {
	address, err := ParseAddress(o.Address)
	if err != nil {
		return nil, err
	}
	c := &Conn{
		address: address, instance: o.Instance, headers: pairs(o.Headers), helper: o.Helper, metadata: o.Metadata,
		timeout: orDefault(o.CallTimeout, defaultCallTimeout), tries: orDefault(o.Tries, defaultTries),
		notify: o.Notify, budget: newBudget(), offer: offer{asking: make(chan struct{}, 1)},
	}
	if c.notify == nil {
		c.notify = func(string) {}
	}
	creds, err := o.TLS.credentials(address)
	if err != nil {
		return nil, err
	}
	dial := []grpc.DialOption{
		grpc.WithTransportCredentials(creds),
		grpc.WithUserAgent(strings.TrimSpace(o.Metadata.ToolName + " " + o.Metadata.ToolVersion)),
		grpc.WithConnectParams(connectParams(orDefault(o.ConnectTimeout, defaultConnectTimeout))),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: pingInterval, Timeout: 10 * time.Second}),
		grpc.WithDefaultCallOptions(grpc.ForceCodecV2(bytestream.Codec()), grpc.MaxCallRecvMsgSize(maxReceive)),
		grpc.WithDisableServiceConfig(),
		grpc.WithDisableRetry(), // retried here, by a budget
		grpc.WithInitialWindowSize(streamWindow), grpc.WithInitialConnWindowSize(connWindow),
	}
	if o.Helper != nil {
		dial = append(dial, grpc.WithPerRPCCredentials(o.Helper))
	}
	target := address.target
	if o.Dialer != nil {
		target = "passthrough:///" + address.host
		dial = append(dial, grpc.WithContextDialer(o.Dialer))
	}
	for _, cc := range []**grpc.ClientConn{&c.cc, &c.long} {
		if *cc, err = grpc.NewClient(target, dial...); err != nil {
			return nil, fmt.Errorf("dial %s: %w", address, err)
		}
	}
	return c, nil
}

func connectParams(timeout time.Duration) grpc.ConnectParams {
	b := backoff.DefaultConfig
	b.BaseDelay, b.MaxDelay = 200*time.Millisecond, 5*time.Second
	return grpc.ConnectParams{Backoff: b, MinConnectTimeout: timeout}
}

func orDefault[T time.Duration | int](v, otherwise T) T {
	if v == 0 {
		return otherwise
	}
	return v
}

func pairs(headers map[string]string) []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		out = append(out, strings.ToLower(name), headers[name])
	}
	return out
}

// Close ends the connection and all calls under way.
func (c *Conn) Close() error { return errors.Join(c.cc.Close(), c.long.Close()) }

// Address returns where the server is.
func (c *Conn) Address() Address { return c.address }

// Instance returns the instance name to put into requests.
func (c *Conn) Instance() string { return c.instance }

// dead reports whether there is no connection, after an attempt to make one.
func (c *Conn) dead() bool {
	return c.cc.GetState() == connectivity.TransientFailure || c.long.GetState() == connectivity.TransientFailure
}
