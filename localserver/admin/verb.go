package admin

import (
	"errors"
	"fmt"
	"strings"
)

// The verbs.
const (
	VerbStatus       = "status"
	VerbStats        = "stats"
	VerbZero         = "zero"
	VerbExplain      = "explain"
	VerbExplainBuild = "explain.build"
	VerbLog          = "log"
	VerbFlush        = "flush"
	VerbStop         = "stop"
	VerbScan         = "scan"
	VerbHeaders      = "scan.headers"
	VerbAction       = "action"
	VerbCacheSize    = "cache.size"
	VerbCacheClear   = "cache.clear"
	VerbCacheVerify  = "cache.verify"
	VerbCacheEvict   = "cache.evict"
	VerbCacheFlush   = "cache.flush"
	VerbSessionList  = "session.list"
	VerbSessionSeal  = "session.seal"
)

var (
	// ErrNotFound is wrapped by errors that say that what was asked for
	// does not exist: a record, an output, a digest.
	ErrNotFound = errors.New("not found")
	// ErrUsage is wrapped by errors about the request itself.
	ErrUsage = errors.New("usage")
)

// Errorf is fmt.Errorf for an error of a kind (ErrNotFound, ErrUsage) whose text
// does not repeat the kind.
func Errorf(kind error, format string, args ...any) error {
	return &kindError{kind: kind, text: fmt.Sprintf(format, args...)}
}

type kindError struct {
	kind error
	text string
}

func (e *kindError) Error() string { return e.text }
func (e *kindError) Unwrap() error { return e.kind }

// encodeError and decodeError turn an error into AdminReply.Error and back, so
// that errors.Is tells its kind on both sides.
func encodeError(err error) string {
	switch {
	case errors.Is(err, ErrNotFound):
		return "not-found: " + err.Error()
	case errors.Is(err, ErrUsage):
		return "usage: " + err.Error()
	default:
		return "failed: " + err.Error()
	}
}

func decodeError(s string) error {
	code, text, ok := strings.Cut(s, ": ")
	switch {
	case ok && code == "not-found":
		return &kindError{kind: ErrNotFound, text: text}
	case ok && code == "usage":
		return &kindError{kind: ErrUsage, text: text}
	case ok && code == "failed":
		return errors.New(text)
	default:
		return errors.New(s)
	}
}
