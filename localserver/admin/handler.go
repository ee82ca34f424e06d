package admin

import (
	"context"
	"encoding/json"

	"github.com/rexwrap/rexwrap/localserver/journal"
	"github.com/rexwrap/rexwrap/wrapper/wire"
)

// A Handler answers wire.Admin frames.
type Handler interface {
	// Handle answers one request by calling reply once or more, the last
	// time without More. The error is that of a reply that could not be
	// sent: what the verb itself ran into has been replied.
	Handle(ctx context.Context, verb string, body []byte, reply func(*wire.AdminReply) error) error
}

// NewHandler returns a Handler that decodes requests, calls s and encodes its
// replies.
func NewHandler(s Service) Handler { return &handler{s} }

type handler struct{ s Service }

func (h *handler) Handle(ctx context.Context, verb string, body []byte, reply func(*wire.AdminReply) error) error {
	result, err := h.dispatch(ctx, verb, body, reply)
	if err != nil {
		return reply(&wire.AdminReply{Error: encodeError(err)})
	}
	data, err := json.Marshal(result)
	if err != nil {
		return reply(&wire.AdminReply{Error: encodeError(err)})
	}
	return reply(&wire.AdminReply{Body: data})
}

func (h *handler) dispatch(ctx context.Context, verb string, body []byte, reply func(*wire.AdminReply) error) (any, error) {
	report := func(p Progress) error { return more(reply, p) }
	switch verb {
	case VerbStatus:
		return h.s.Status(ctx)
	case VerbStats:
		return h.s.Stats(ctx)
	case VerbZero:
		return nothing{}, h.s.Zero(ctx)
	case VerbStop:
		return nothing{}, h.s.Stop(ctx)
	case VerbFlush:
		return h.s.Flush(ctx)
	case VerbExplain:
		return call(ctx, body, h.s.Explain)
	case VerbExplainBuild:
		return call(ctx, body, h.s.ExplainBuild)
	case VerbLog:
		return call(ctx, body, func(ctx context.Context, req *LogRequest) (nothing, error) {
			return nothing{}, h.s.Log(ctx, req, func(e *journal.Entry) error { return more(reply, e) })
		})
	case VerbScan:
		return call(ctx, body, h.s.Scan)
	case VerbHeaders:
		return call(ctx, body, h.s.Headers)
	case VerbAction:
		return call(ctx, body, h.s.Action)
	case VerbCacheSize:
		return h.s.CacheSize(ctx)
	case VerbCacheClear:
		return h.s.CacheClear(ctx, report)
	case VerbCacheVerify:
		return h.s.CacheVerify(ctx, report)
	case VerbCacheEvict:
		return call(ctx, body, func(ctx context.Context, req *EvictRequest) (*Removed, error) {
			return h.s.CacheEvict(ctx, req, report)
		})
	case VerbCacheFlush:
		return h.s.CacheFlush(ctx, report)
	case VerbSessionList:
		return h.s.SessionList(ctx)
	case VerbSessionSeal:
		return call(ctx, body, h.s.SessionSeal)
	default:
		return nil, Errorf(ErrUsage, "this server does not know %q; is it older than the command?", verb)
	}
}

type nothing struct{}

// call decodes body for f. Keys that this version does not know are ignored,
// as a newer client may send them.
func call[Req, Rep any](ctx context.Context, body []byte, f func(context.Context, *Req) (Rep, error)) (Rep, error) {
	req := new(Req)
	if len(body) > 0 {
		if err := json.Unmarshal(body, req); err != nil {
			var zero Rep
			return zero, Errorf(ErrUsage, "read request: %v", err)
		}
	}
	return f(ctx, req)
}

func more(reply func(*wire.AdminReply) error, element any) error {
	data, err := json.Marshal(element)
	if err != nil {
		return err
	}
	return reply(&wire.AdminReply{More: true, Body: data})
}
