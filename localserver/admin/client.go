package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/rexwrap/rexwrap/localserver/journal"
	"github.com/rexwrap/rexwrap/wrapper/wire"
)

// ErrNoServer is returned, perhaps wrapped, by a Dialer that found no server
// and was not to start one.
var ErrNoServer = errors.New("no server is running")

// A Dialer connects to the local server.
type Dialer func(ctx context.Context) (io.ReadWriteCloser, error)

// A Client asks the local server, on one connection per request. It is safe
// for concurrent use.
type Client struct{ dial Dialer }

// NewClient returns a Client that connects by dial. Whether dial may start a
// server is the caller's choice: the verbs that stop or look at one must not.
func NewClient(dial Dialer) *Client { return &Client{dial} }

// Status returns the state of the server.
func (c *Client) Status(ctx context.Context) (*Status, error) {
	return one[Status](ctx, c, VerbStatus, nil)
}

// Stats returns the totals.
func (c *Client) Stats(ctx context.Context) (*journal.Stats, error) {
	return one[journal.Stats](ctx, c, VerbStats, nil)
}

// Zero sets the totals to zero.
func (c *Client) Zero(ctx context.Context) error {
	_, err := one[nothing](ctx, c, VerbZero, nil)
	return err
}

// Stop asks the server to drain and end. It returns when the server has
// agreed, not when it is gone.
func (c *Client) Stop(ctx context.Context) error {
	_, err := one[nothing](ctx, c, VerbStop, nil)
	return err
}

// Flush returns when every call that has ended is recorded.
func (c *Client) Flush(ctx context.Context) (*Flushed, error) {
	return one[Flushed](ctx, c, VerbFlush, nil)
}

// Explain explains one record.
func (c *Client) Explain(ctx context.Context, req *ExplainRequest) (*journal.Explanation, error) {
	return one[journal.Explanation](ctx, c, VerbExplain, req)
}

// ExplainBuild explains the misses of one build.
func (c *Client) ExplainBuild(ctx context.Context, req *ExplainBuildRequest) (*journal.BuildReport, error) {
	return one[journal.BuildReport](ctx, c, VerbExplainBuild, req)
}

// Log calls each for every record until the stream ends or each fails.
func (c *Client) Log(ctx context.Context, req *LogRequest, each func(*journal.Entry) error) error {
	_, err := stream[nothing](ctx, c, VerbLog, req, each)
	return err
}

// Scan returns what a call of a compiler reads.
func (c *Client) Scan(ctx context.Context, req *CallRequest) (*ScanReply, error) {
	return one[ScanReply](ctx, c, VerbScan, req)
}

// Headers ranks what compiles read by what it costs to change it.
func (c *Client) Headers(ctx context.Context, req *HeadersRequest) (*journal.HeaderReport, error) {
	return one[journal.HeaderReport](ctx, c, VerbHeaders, req)
}

// Action returns what is known of an Action.
func (c *Client) Action(ctx context.Context, req *ActionRequest) (*ActionReply, error) {
	return one[ActionReply](ctx, c, VerbAction, req)
}

// CacheSize returns how large the cache is.
func (c *Client) CacheSize(ctx context.Context) (*CacheSize, error) {
	return one[CacheSize](ctx, c, VerbCacheSize, nil)
}

// CacheClear removes every entry.
func (c *Client) CacheClear(ctx context.Context, report func(*Progress) error) (*Removed, error) {
	return stream[Removed](ctx, c, VerbCacheClear, nil, report)
}

// CacheVerify reads every entry and drops the corrupt ones.
func (c *Client) CacheVerify(ctx context.Context, report func(*Progress) error) (*CacheVerified, error) {
	return stream[CacheVerified](ctx, c, VerbCacheVerify, nil, report)
}

// CacheEvict removes what was not used for long.
func (c *Client) CacheEvict(ctx context.Context, req *EvictRequest, report func(*Progress) error) (*Removed, error) {
	return stream[Removed](ctx, c, VerbCacheEvict, req, report)
}

// CacheFlush returns when everything captured is on disk and uploaded.
func (c *Client) CacheFlush(ctx context.Context, report func(*Progress) error) (*Flushed, error) {
	return stream[Flushed](ctx, c, VerbCacheFlush, nil, report)
}

// SessionList returns the program databases that are open.
func (c *Client) SessionList(ctx context.Context) (*SessionList, error) {
	return one[SessionList](ctx, c, VerbSessionList, nil)
}

// SessionSeal closes program databases.
func (c *Client) SessionSeal(ctx context.Context, req *SealRequest) (*Sealed, error) {
	return one[Sealed](ctx, c, VerbSessionSeal, req)
}

func one[Rep any](ctx context.Context, c *Client, verb string, req any) (*Rep, error) {
	return stream[Rep](ctx, c, verb, req, func(*nothing) error { return nil })
}

// stream sends one request and calls each with the elements that precede the
// reply.
func stream[Rep, Element any](ctx context.Context, c *Client, verb string, req any, each func(*Element) error) (*Rep, error) {
	conn, err := c.dial(ctx)
	if err != nil {
		return nil, err
	}
	closed := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer func() {
		if closed() {
			_ = conn.Close()
		}
	}()
	rep, err := exchange[Rep](conn, verb, req, each)
	if err != nil && ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return rep, err
}

func exchange[Rep, Element any](conn io.ReadWriter, verb string, req any, each func(*Element) error) (*Rep, error) {
	var body []byte
	if req != nil {
		var err error
		if body, err = json.Marshal(req); err != nil {
			return nil, err
		}
	}
	if err := wire.Write(conn, &wire.Admin{Version: wire.Version, Verb: verb, Body: body}); err != nil {
		return nil, fmt.Errorf("ask the server: %w", err)
	}
	frames := wire.NewReader(conn)
	for {
		reply, err := next(frames)
		if err != nil {
			return nil, err
		}
		if !reply.More {
			return decode[Rep](reply.Body)
		}
		element, err := decode[Element](reply.Body)
		if err != nil {
			return nil, err
		}
		if err := each(element); err != nil {
			return nil, err
		}
	}
}

// next returns the next AdminReply that is no error.
func next(frames *wire.Reader) (*wire.AdminReply, error) {
	for {
		typ, payload, err := frames.Next()
		if err == io.EOF {
			return nil, errors.New("the server closed the connection without an answer")
		}
		if err != nil {
			return nil, fmt.Errorf("read the server's answer: %w", err)
		}
		switch typ {
		case wire.TypeHeartbeat:
			continue
		case wire.TypeStepAside:
			return nil, errors.New("the server is of another version; run: rexwrap server stop")
		case wire.TypeAdminReply:
			reply := new(wire.AdminReply)
			if err := wire.Decode(payload, reply); err != nil {
				return nil, fmt.Errorf("read the server's answer: %w", err)
			}
			if reply.Error != "" {
				return nil, decodeError(reply.Error)
			}
			return reply, nil
		default:
			return nil, fmt.Errorf("read the server's answer: %w", wire.ErrMalformed)
		}
	}
}

func decode[T any](body []byte) (*T, error) {
	v := new(T)
	if len(body) == 0 {
		return v, nil
	}
	if err := json.Unmarshal(body, v); err != nil {
		return nil, fmt.Errorf("read the server's answer: %w", err)
	}
	return v, nil
}
