package clienttest

import (
	"context"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/client/merkle"
)

// defaultTimeout is Buildbarn's, for Actions that state none.
const defaultTimeout = 30 * time.Minute

// A worker executes actions. Equal actions that are asked for at one time are
// one operation, as with most servers; a client that goes away stops nothing.
type worker struct {
	repb.UnimplementedExecutionServer
	blobs   *blobs
	results *results
	quirks  Quirks
	dir     string

	ctx     context.Context // ends with the server
	cancel  context.CancelFunc
	running sync.WaitGroup

	mu         sync.Mutex
	count      int
	operations map[string]*operation
}

// An operation is one execution.
type operation struct {
	name   string
	action blobKey
	cancel context.CancelFunc
	done   chan struct{}
	// Set before done is closed:
	response *repb.ExecuteResponse
	err      error // ends the stream
}

func newWorker(b *blobs, r *results, q Quirks, dir string) *worker {
	w := &worker{blobs: b, results: r, quirks: q, dir: dir, operations: make(map[string]*operation)}
	w.ctx, w.cancel = context.WithCancel(context.Background())
	return w
}

func (w *worker) stop() {
	w.cancel()
	w.running.Wait()
}

// Executions returns how many commands were really run.
func (s *Server) Executions() int {
	s.worker.mu.Lock()
	defer s.worker.mu.Unlock()
	return s.worker.count
}

// Root is the folder below which the worker builds its InputRoots.
func (s *Server) Root() string { return s.worker.dir }

// Execute implements repb.ExecutionServer.
func (w *worker) Execute(req *repb.ExecuteRequest, stream grpc.ServerStreamingServer[longrunningpb.Operation]) error {
	if w.quirks.StrictInstance && req.InstanceName != "" {
		return status.Errorf(codes.InvalidArgument, "unknown instance %q", req.InstanceName)
	}
	key := resultKey{req.InstanceName, keyOf(req.ActionDigest)}
	if w.quirks.ReadsCache && (!req.SkipCacheLookup || w.quirks.IgnoresSkip) {
		if v := w.results.get(key); v != nil && w.results.complete(v) {
			return w.send(stream, &operation{name: "cached", response: &repb.ExecuteResponse{Result: v, CachedResult: true}})
		}
	}
	op := w.start(key)
	if err := w.sendState(stream, op); err != nil {
		return err
	}
	return w.wait(stream, op)
}

// WaitExecution implements repb.ExecutionServer.
func (w *worker) WaitExecution(req *repb.WaitExecutionRequest, stream grpc.ServerStreamingServer[longrunningpb.Operation]) error {
	w.mu.Lock()
	op := w.operations[req.Name]
	w.mu.Unlock()
	if op == nil || (w.quirks.ForgetsOperations && closed(op.done)) {
		return status.Error(codes.NotFound, "no such operation")
	}
	return w.wait(stream, op)
}

func closed(done chan struct{}) bool {
	select {
	case <-done:
		return true
	default:
		return false
	}
}

func (w *worker) start(key resultKey) *operation {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, op := range w.operations {
		if op.action == key.action && !closed(op.done) {
			return op
		}
	}
	ctx, cancel := context.WithCancel(w.ctx)
	op := &operation{name: fmt.Sprintf("#%d", len(w.operations)), action: key.action, cancel: cancel, done: make(chan struct{})}
	w.operations[op.name] = op
	w.running.Go(func() {
		defer cancel()
		op.response, op.err = w.perform(ctx, key)
		close(op.done)
	})
	return op
}

func (w *worker) wait(stream grpc.ServerStreamingServer[longrunningpb.Operation], op *operation) error {
	select {
	case <-op.done:
	case <-stream.Context().Done():
		return status.FromContextError(stream.Context().Err()).Err()
	}
	if op.err != nil {
		return op.err
	}
	return w.send(stream, op)
}

func (w *worker) sendState(stream grpc.ServerStreamingServer[longrunningpb.Operation], op *operation) error {
	msg := &longrunningpb.Operation{Name: op.name}
	if !w.quirks.NoMetadata {
		state, err := anypb.New(&repb.ExecuteOperationMetadata{Stage: repb.ExecutionStage_EXECUTING})
		if err != nil {
			return err
		}
		msg.Metadata = state
	}
	return stream.Send(msg)
}

func (w *worker) send(stream grpc.ServerStreamingServer[longrunningpb.Operation], op *operation) error {
	response := proto.CloneOf(op.response)
	response.Result = w.results.told(response.Result)
	packed, err := anypb.New(response)
	if err != nil {
		return err
	}
	return stream.Send(&longrunningpb.Operation{Name: op.name, Done: true, Result: &longrunningpb.Operation_Response{Response: packed}})
}

// perform runs an action. Trouble is told in the response or ends the stream,
// as the server is.
func (w *worker) perform(ctx context.Context, key resultKey) (*repb.ExecuteResponse, error) {
	result, err := w.run(ctx, key.action)
	response := &repb.ExecuteResponse{Result: result, Message: "see http://browser.invalid/" + key.action}
	if err == nil {
		if result.ExitCode == 0 || w.quirks.CachesFailures {
			w.results.put(key, result)
		}
		return response, nil
	}
	inside := status.Code(err) == codes.DeadlineExceeded || w.quirks.MissingInResponse || result != nil
	if !inside {
		return nil, err
	}
	response.Status = status.Convert(err).Proto()
	return response, nil
}

// run returns a result beside an error where a command was stopped.
func (w *worker) run(ctx context.Context, actionKey blobKey) (*repb.ActionResult, error) {
	action, command := new(repb.Action), new(repb.Command)
	if err := w.load(actionKey, action); err != nil {
		return nil, err
	}
	if err := w.load(keyOf(action.CommandDigest), command); err != nil {
		return nil, err
	}
	below, err := w.checkPlatform(action)
	if err != nil {
		return nil, err
	}
	root, err := os.MkdirTemp(w.dir, "root")
	if err != nil {
		return nil, err
	}
	defer removeAll(root)
	x := &execution{worker: w, root: root, command: command, timeout: w.timeout(action)}
	if below != nil {
		if err := x.directory(x.root, below); err != nil {
			return nil, err
		}
	}
	if err := x.checkWindows(action.InputRootDigest); err != nil {
		return nil, err
	}
	if err := x.materialise(action.InputRootDigest); err != nil {
		return nil, err
	}
	w.mu.Lock()
	w.count++
	w.mu.Unlock()
	return x.run(ctx)
}

func (w *worker) timeout(a *repb.Action) time.Duration {
	if w.quirks.IgnoresTimeout {
		return defaultTimeout
	}
	if a.Timeout == nil && !w.quirks.ZeroTimeout {
		return defaultTimeout
	}
	return a.GetTimeout().AsDuration()
}

// checkPlatform returns the root that a property names, nil for none.
func (w *worker) checkPlatform(a *repb.Action) (root *repb.Digest, err error) {
	var sent []string
	for _, p := range a.GetPlatform().GetProperties() {
		if p.Name != w.quirks.RootProperty {
			sent = append(sent, p.Name+"="+p.Value)
			continue
		}
		d, err := digest.Parse(p.Value)
		if err != nil {
			return nil, status.Errorf(codes.InvalidArgument, "%s: %v", p.Name, err)
		}
		root = merkle.Proto(d)
	}
	if slices.Equal(sent, slices.Sorted(slices.Values(w.quirks.Platform))) {
		return root, nil
	}
	return nil, status.Errorf(codes.Unavailable, "No workers exist for platform %q", sent)
}

func (w *worker) load(key blobKey, m proto.Message) error {
	data, ok := w.blobs.get(key)
	if !ok {
		return w.missing(key)
	}
	return proto.Unmarshal(data, m)
}

// missing is how a missing input is told: with its name only where the server
// is kind.
func (w *worker) missing(key blobKey) error {
	if w.quirks.MissingInput != codes.OK {
		return status.Errorf(w.quirks.MissingInput, "blob %s could not be had", key)
	}
	s, err := status.New(codes.FailedPrecondition, "inputs are missing").WithDetails(&errdetails.PreconditionFailure{
		Violations: []*errdetails.PreconditionFailure_Violation{{Type: "MISSING", Subject: "blobs/" + key}},
	})
	if err != nil {
		return err
	}
	return s.Err()
}

// operations answers about operations by their names.
type operations struct {
	longrunningpb.UnimplementedOperationsServer
	worker *worker
}

// CancelOperation implements longrunningpb.OperationsServer.
func (o operations) CancelOperation(_ context.Context, req *longrunningpb.CancelOperationRequest) (*emptypb.Empty, error) {
	if o.worker.quirks.NoCancel {
		return nil, status.Error(codes.Unimplemented, "")
	}
	o.worker.mu.Lock()
	op := o.worker.operations[req.Name]
	o.worker.mu.Unlock()
	if op == nil {
		return nil, status.Error(codes.NotFound, "no such operation")
	}
	op.cancel()
	return &emptypb.Empty{}, nil
}
