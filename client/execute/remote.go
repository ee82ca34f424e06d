package execute

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/rexwrap/rexwrap/client"
	"github.com/rexwrap/rexwrap/client/action"
	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/client/merkle"
)

// A Remote is the Execution service behind a connection.
type Remote struct {
	conn     *client.Conn
	function digest.Function
	queue    time.Duration
}

// cancelTimeout is how long a caller who gives up waits for the server to take
// notice of it.
const cancelTimeout = time.Second

// NewRemote returns the Execution service behind conn. An Action may take its
// timeout, and wait in the server's queue for as long as queue.
func NewRemote(conn *client.Conn, f digest.Function, queue time.Duration) *Remote {
	return &Remote{conn: conn, function: f, queue: queue}
}

// Execute implements Executor. The deadline is kept here as well: just ignores
// Action.timeout, casd what is below a second of it.
func (r *Remote) Execute(ctx context.Context, req *Request) (*Response, error) {
	limited, cancel := context.WithTimeout(ctx, req.Timeout+r.queue)
	defer cancel()
	x := &execution{remote: r, req: req}
	err := r.conn.Retry(client.Unhurried(limited), x.attempt)
	if err == nil {
		return x.read()
	}
	// A server may find that the deadline has passed before we do (casd).
	if limited.Err() != nil || errors.Is(err, client.ErrTimeout) {
		x.abandon(limited)
		if ctx.Err() == nil {
			err = fmt.Errorf("%w: nothing came of it in %s", ErrTimedOut, req.Timeout+r.queue)
		}
	}
	return nil, fmt.Errorf("execute %s: %w", req.Action, x.classify(err))
}

// An execution is one Action under way, over as many streams as it takes.
type execution struct {
	remote   *Remote
	req      *Request
	name     string // of the operation, once known; opaque
	response *repb.ExecuteResponse
}

// attempt follows the operation by one stream. Where the server no longer
// knows it, it starts anew.
func (x *execution) attempt(ctx context.Context) error {
	if x.name != "" {
		err := x.follow(ctx, x.waitStream)
		if !errors.Is(err, client.ErrNotFound) && !errors.Is(err, client.ErrInvalid) && !errors.Is(err, client.ErrUnimplemented) {
			return err
		}
		x.name = ""
	}
	return x.follow(ctx, x.executeStream)
}

type operationStream = grpc.ServerStreamingClient[longrunningpb.Operation]

func (x *execution) executeStream(ctx context.Context) (operationStream, error) {
	req := &repb.ExecuteRequest{
		InstanceName: x.remote.conn.Instance(), ActionDigest: merkle.Proto(x.req.Action),
		DigestFunction: client.DigestFunction(x.remote.function), SkipCacheLookup: x.req.SkipCache,
		InlineStdout: true, InlineStderr: true, InlineOutputFiles: x.req.Outputs,
	}
	if x.req.Priority != 0 {
		req.ExecutionPolicy = &repb.ExecutionPolicy{Priority: x.req.Priority}
	}
	return repb.NewExecutionClient(x.remote.conn).Execute(ctx, req)
}

func (x *execution) waitStream(ctx context.Context) (operationStream, error) {
	return repb.NewExecutionClient(x.remote.conn).WaitExecution(ctx, &repb.WaitExecutionRequest{Name: x.name})
}

// follow reads a stream until the operation is done. Its metadata is of no use:
// it is absent from casd, and of another type from just.
func (x *execution) follow(ctx context.Context, open func(context.Context) (operationStream, error)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s, err := open(ctx)
	if err != nil {
		return err
	}
	for {
		op, err := s.Recv()
		if errors.Is(err, io.EOF) {
			return x.remote.conn.StatusError("Execute", status.New(codes.Unavailable, "stream ended without a result"))
		}
		if err != nil {
			return err
		}
		if op.Name != "" {
			x.name = op.Name
		}
		if op.Done {
			return x.finish(op)
		}
	}
}

func (x *execution) finish(op *longrunningpb.Operation) error {
	if e := op.GetError(); e != nil {
		return x.told(e.Code, e.Message, status.FromProto(e))
	}
	response := new(repb.ExecuteResponse)
	if err := op.GetResponse().UnmarshalTo(response); err != nil {
		return x.remote.conn.StatusError("Execute", status.New(codes.Internal, "response is of another type"))
	}
	if s := response.GetStatus(); s.GetCode() != int32(codes.OK) {
		return x.told(s.Code, s.Message, status.FromProto(s))
	}
	x.response = response
	return nil
}

// told returns the error of a status that is about the Action. DEADLINE_EXCEEDED
// there is the Action's timeout, whatever else the result says: Buildbarn's has
// exit code 0. The operation has ended: another try begins anew.
func (x *execution) told(code int32, message string, s *status.Status) error {
	x.name = ""
	if codes.Code(code) == codes.DeadlineExceeded {
		return fmt.Errorf("%w: %s", ErrTimedOut, message)
	}
	return x.remote.conn.StatusError("Execute", s)
}

// classify says what an error means for the Action.
func (x *execution) classify(err error) error {
	switch {
	case errors.Is(err, client.ErrPrecondition):
		return &MissingInputsError{Digests: missingInputs(err), cause: err}
	case errors.Is(err, client.ErrInvalid), errors.Is(err, client.ErrNotFound):
		return fmt.Errorf("%w: %w", ErrRejected, err)
	default:
		return err
	}
}

// missingInputs reads violations of type MISSING, whose subject is
// "blobs/HASH/SIZE", with a function's name before the hash or not.
func missingInputs(err error) []digest.Digest {
	var e *client.Error
	if !errors.As(err, &e) {
		return nil
	}
	var out []digest.Digest
	for _, detail := range e.Details() {
		failure, ok := detail.(*errdetails.PreconditionFailure)
		if !ok {
			continue
		}
		for _, v := range failure.Violations {
			seg := strings.Split(v.Subject, "/")
			if v.Type != "MISSING" || len(seg) < 3 {
				continue
			}
			if d, err := digest.Parse(strings.Join(seg[len(seg)-2:], "/")); err == nil {
				out = append(out, d)
			}
		}
	}
	return out
}

func (x *execution) read() (*Response, error) {
	msg := x.response.GetResult()
	if msg == nil {
		return nil, x.remote.conn.StatusError("Execute", status.New(codes.Internal, "response has no result"))
	}
	result, err := action.ReadResult(msg, x.req.Outputs, x.remote.function)
	if err == nil {
		result.Missing = slices.DeleteFunc(result.Missing, func(path string) bool { return slices.Contains(x.req.Optional, path) })
		err = Check(result)
	}
	if err != nil {
		return nil, fmt.Errorf("execute %s: %w", x.req.Action, err)
	}
	return &Response{Result: result, Message: msg, Cached: x.response.CachedResult, Note: x.response.Message}, nil
}

// abandon asks the server to stop, since a client that goes away stops nothing.
// Few servers can.
func (x *execution) abandon(ctx context.Context) {
	if x.name == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cancelTimeout)
	defer cancel()
	_, _ = longrunningpb.NewOperationsClient(x.remote.conn).CancelOperation(ctx, &longrunningpb.CancelOperationRequest{Name: x.name})
}
