package client

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// What a call can fail of, for errors.Is. One error can match several: a call
// refused by the circuit breaker is ErrOpen and whatever opened it.
var (
	ErrNotFound        = errors.New("not found")
	ErrUnavailable     = errors.New("remote is unavailable")
	ErrNoWorkers       = errors.New("remote has no workers for the platform")
	ErrTimeout         = errors.New("remote did not answer in time")
	ErrUnimplemented   = errors.New("remote does not implement it")
	ErrUnauthenticated = errors.New("remote does not know us")
	ErrDenied          = errors.New("remote does not permit it")
	ErrExists          = errors.New("remote has it already")
	ErrInvalid         = errors.New("remote says the request is invalid")
	ErrPrecondition    = errors.New("remote says a precondition does not hold")
	ErrExhausted       = errors.New("remote is exhausted")
	ErrTooLarge        = errors.New("message is too large")
	ErrFault           = errors.New("remote has a fault")
	ErrOpen            = errors.New("remote is left alone for a while")
)

// An Error is a failed call.
type Error struct {
	Endpoint string // the address as configured
	Method   string // the last segment of the method's name, or empty
	cause    *status.Status
	hint     string // what may be wrong, with a space before it, or empty
	open     bool   // the breaker refused the call; cause is what opened it
}

// Error implements error.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Endpoint)
	if e.Method != "" {
		b.WriteString(": " + e.Method)
	}
	if e.open {
		b.WriteString(": not asked, since")
	}
	fmt.Fprintf(&b, ": %s: %s", e.cause.Code(), e.cause.Message())
	return b.String() + e.hint
}

// Is implements what errors.Is asks for.
func (e *Error) Is(target error) bool {
	return target == sentinel(e.cause) || (e.open && target == ErrOpen)
}

// Details returns the messages attached to the error, such as
// errdetails.PreconditionFailure.
func (e *Error) Details() []any { return e.cause.Details() }

// sentinel sorts the codes by what can be done about them. UNKNOWN, INTERNAL,
// DATA_LOSS and whatever no server should send are faults.
func sentinel(s *status.Status) error {
	switch s.Code() {
	case codes.NotFound:
		return ErrNotFound
	case codes.Unavailable, codes.Aborted:
		if strings.Contains(s.Message(), "No workers exist for") { // Buildbarn
			return ErrNoWorkers
		}
		return ErrUnavailable
	case codes.DeadlineExceeded:
		return ErrTimeout
	case codes.Unimplemented:
		return ErrUnimplemented
	case codes.Unauthenticated:
		return ErrUnauthenticated
	case codes.PermissionDenied:
		return ErrDenied
	case codes.AlreadyExists:
		return ErrExists
	case codes.InvalidArgument, codes.OutOfRange:
		return ErrInvalid
	case codes.FailedPrecondition:
		return ErrPrecondition
	case codes.ResourceExhausted:
		if tooLarge(s) {
			return ErrTooLarge
		}
		return ErrExhausted
	case codes.Canceled:
		return context.Canceled
	default:
		return ErrFault
	}
}

// tooLarge reports whether RESOURCE_EXHAUSTED is about the size of a message,
// which waiting does not cure. gRPC for Go and for C++ have different words.
func tooLarge(s *status.Status) bool {
	text := s.Message()
	return strings.Contains(text, "larger than max") || strings.Contains(text, "exceeds max")
}

// mixedUp reports whether the connection failed as it does between a TLS and a
// plaintext peer.
func mixedUp(s *status.Status) bool {
	if s.Code() != codes.Unavailable {
		return false
	}
	for _, text := range []string{"first record does not look like a TLS handshake", "error reading server preface", "closing transport due to: EOF", "malformed HTTP"} {
		if strings.Contains(s.Message(), text) {
			return true
		}
	}
	return false
}

// IsRetryable reports whether the same call may succeed a moment later: the
// remote was unavailable, slow or exhausted, not refusing.
func IsRetryable(err error) bool {
	if errors.Is(err, ErrOpen) {
		return false
	}
	return errors.Is(err, ErrUnavailable) || errors.Is(err, ErrTimeout) || errors.Is(err, ErrExhausted)
}

// StatusError returns the *Error of a status that came inside a response, or
// nil if it is OK.
func (c *Conn) StatusError(method string, s *status.Status) error {
	if s.Code() == codes.OK {
		return nil
	}
	return c.newError(method, s)
}

// translate turns an error of gRPC into one of this package.
func (c *Conn) translate(method string, err error) error {
	var ours *Error
	if err == nil || errors.As(err, &ours) {
		return err
	}
	s, ok := status.FromError(err)
	if !ok {
		s = status.FromContextError(err)
	}
	return c.newError(method, s)
}

func (c *Conn) newError(method string, s *status.Status) *Error {
	return &Error{Endpoint: c.address.String(), Method: shortMethod(method), cause: s, hint: c.hint(s)}
}

func (c *Conn) hint(s *status.Status) string {
	aboutInstance := c.instance != "" || strings.Contains(strings.ToLower(s.Message()), "instance")
	switch {
	case s.Code() == codes.InvalidArgument && aboutInstance:
		return fmt.Sprintf(" (instance name %q)", c.instance)
	case mixedUp(s):
		return " (is a TLS server addressed by grpc://, or another by grpcs://?)"
	default:
		return ""
	}
}

func shortMethod(full string) string { return full[strings.LastIndexByte(full, '/')+1:] }
