// Package execute runs Actions on workers: the Executor interface, the Remote
// behind a connection, and decorators that merge, limit, repair and fall back.
// It does not look into the ActionCache first (Buildbarn's Execute does not,
// so the caller must), nor upload inputs, nor fetch outputs.
//
// Servers tell the same trouble in different ways: by the stream's status, by
// one inside the response, by an exit code of the worker's own making, or by
// leaving outputs out of a result that says success and is even cached. Here
// all of it is an error, and a Response without one is a compiler's answer.
package execute

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"

	"github.com/rexwrap/rexwrap/client/action"
	"github.com/rexwrap/rexwrap/client/digest"
)

// Errors of Executors, beside those of the connection, of which
// client.ErrNoWorkers and client.ErrFault are the ones to expect.
var (
	// ErrTimedOut: the Action took longer than it may.
	ErrTimedOut = errors.New("action timed out on the worker")
	// ErrRejected: the server or worker cannot run the Command; most often
	// the program does not exist there.
	ErrRejected = errors.New("action cannot be run remotely")
	// ErrInputs: inputs are not in the CAS. See MissingInputsError.
	ErrInputs = errors.New("inputs are missing remotely")
	// ErrSuspect: the exit code is the worker's rather than the program's.
	ErrSuspect = errors.New("exit code of the worker, not of the program")
	// ErrIncomplete: success without all declared outputs.
	ErrIncomplete = errors.New("result lacks declared outputs")
)

// A MissingInputsError names what the server says it lacks, if it says so.
type MissingInputsError struct {
	Digests []digest.Digest // may be empty
	cause   error
}

// Error implements error.
func (e *MissingInputsError) Error() string {
	return fmt.Sprintf("%d inputs are missing remotely: %s", len(e.Digests), e.cause)
}

// Is makes errors.Is(err, ErrInputs) hold.
func (e *MissingInputsError) Is(target error) bool { return target == ErrInputs }

// Unwrap returns the connection's error.
func (e *MissingInputsError) Unwrap() error { return e.cause }

// An Executor runs Actions. Its methods are safe for concurrent use.
type Executor interface {
	// Execute returns the answer of the Action's program: any exit code that
	// it can have given itself, and with exit code 0 all declared outputs.
	Execute(ctx context.Context, req *Request) (*Response, error)
}

// A Request is an Action to run. Its blobs are in the CAS.
type Request struct {
	Action    digest.Digest
	Outputs   []string      // the Command's output_paths
	Optional  []string      // those of Outputs that a success may lack
	Timeout   time.Duration // the Action's, which must have one
	Priority  int32
	SkipCache bool // run it even if a result is known; not all servers obey

	// Repair, if set, uploads inputs again: those named, or all if none is.
	// See Repairing.
	Repair func(ctx context.Context, missing []digest.Digest) error
}

// A Response is a program's answer.
type Response struct {
	*action.Result
	Message *repb.ActionResult // what Result was read from, to be stored
	Cached  bool               // the server had the result already

	// Note is a text for people, such as the address of a page about the
	// Action. It must not be printed where the program printed nothing.
	Note string
}

// Check returns why a result cannot be the answer of the program, or nil. It
// is meant for results of the ActionCache too.
//
// Killed programs have exit code −1 (Buildbarn, mettle) or 128 and the signal
// (casd, just); programs that are not there 127 or −1.
func Check(r *action.Result) error {
	switch code := r.ExitCode; {
	case code < 0 || code == 126 || code == 127 || code > 128:
		return fmt.Errorf("%w: %d", ErrSuspect, code)
	case code == 0 && len(r.Missing) > 0:
		return fmt.Errorf("%w: %s", ErrIncomplete, strings.Join(r.Missing, ", "))
	}
	return nil
}
